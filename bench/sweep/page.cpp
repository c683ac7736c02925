/// The page of a sweep.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "bench/sweep/plot.hpp"
#include "bench/sweep/summary.hpp"
#include "lockstep/config.hpp"

namespace lockstep::bench {

namespace {

constexpr const char* kStyle =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c2128;--soft:#59636e;--rule:#d9dee3;"
    "--bad:#b42318;--bad-soft:#fdecea;--good:#0f7b4f;--good-soft:#e3f5ec;--code:#f4f6f8}"
    "@media(prefers-color-scheme:dark){:root{--ground:#12161b;--ink:#e6eaef;--soft:#9aa5b1;"
    "--rule:#2b333c;--bad:#ff8f85;--bad-soft:#3a1d1b;--good:#5fd6a2;--good-soft:#123326;"
    "--code:#1b2128}}"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);"
    "max-width:72em;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.6em;margin-bottom:.2em}h2{font-size:1.2em;margin-top:2em}"
    ".soft{color:var(--soft)}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;margin:1em 0;font-size:.88em}"
    "th,td{padding:.25em .6em;text-align:right;border-bottom:1px solid var(--rule);"
    "font-variant-numeric:tabular-nums;white-space:nowrap}"
    "th{color:var(--soft);font-weight:600}"
    ".name{text-align:left}"
    "tr.failed td{color:var(--bad);background:var(--bad-soft)}"
    "td.verdict{text-align:left;white-space:normal;min-width:16em}"
    "td.best{color:var(--good);background:var(--good-soft);font-weight:600}"
    "pre{background:var(--code);padding:1em;overflow-x:auto;border-radius:6px}";

std::string cell(const std::string& text, const std::string& classes = "") {
  return "<td" + (classes.empty() ? "" : " class=\"" + classes + "\"") + ">" + html_escaped(text) +
         "</td>";
}

/// A figure as print has it.
std::string figure(const OverSeeds& value) {
  std::string text = with_error(value);
  if (const std::size_t sign = text.find("+-"); sign != std::string::npos) {
    text.replace(sign, 2, "\u00b1");
  }
  return text;
}

std::string headings(const std::vector<std::string>& texts, std::size_t left) {
  std::string row = "<tr>";
  for (std::size_t j = 0; j < texts.size(); ++j) {
    row += (j < left || j + 1 == texts.size() ? "<th class=\"name\">" : "<th>") +
           html_escaped(texts[j]) + "</th>";
  }
  return row + "</tr>\n";
}

/// "leapfrog 10, step-size 0.1", of the options that vary.
std::string setting_label(const SweptSetting& setting, const std::vector<std::string>& varying) {
  std::string label;
  for (const std::string& option : varying) {
    if (const std::string value = value_of(setting, option); value != "-") {
      label += (label.empty() ? "" : ", ") + option + " " + value;
    }
  }
  return label.empty() ? "the only one" : label;
}

/// The best setting of each target by each figure.
std::string best_table(const SweepSummary& summary) {
  std::string html = "<div class=\"wide\"><table>\n" +
                     headings({"target", "best per", "setting", "ESS", "acceptance"}, 3);
  for (const SweptTarget& target : summary.targets) {
    bool any = false;
    for (int k = 0; k < 3; ++k) {
      for (const SweptSetting& s : target.settings) {
        if (s.best[k]) {
          html += "<tr>" + cell(any ? "" : target.label, "name") +
                  cell(kEssFigures[k].per, "name") +
                  cell(setting_label(s, summary.varying), "name") + cell(figure(s.ess[k])) +
                  cell(fixed(s.acceptance, 3)) + "</tr>\n";
          any = true;
        }
      }
    }
    if (!any) {
      html += "<tr class=\"failed\">" + cell(target.label, "name") + cell("-", "name") +
              cell("every setting failed", "name") + cell("-") + cell("-") + "</tr>\n";
    }
  }
  return html + "</table></div>\n";
}

std::string target_table(const SweptTarget& target, const std::vector<std::string>& varying) {
  std::vector<std::string> texts = varying;
  for (const EssFigure& figure : kEssFigures) {
    texts.push_back(std::string("ESS / ") + figure.per);
  }
  // Where all step sizes are given, the first columns have them.
  const bool tuned = std::find(varying.begin(), varying.end(), "step-size") == varying.end();
  texts.push_back("acceptance");
  if (tuned) {
    texts.push_back("step size");
  }
  texts.emplace_back("verdict");
  std::string html = "<div class=\"wide\"><table>\n" + headings(texts, 0);
  for (const SweptSetting& s : target.settings) {
    html += s.failed() ? "<tr class=\"failed\">" : "<tr>";
    for (const std::string& option : varying) {
      html += cell(value_of(s, option));
    }
    for (int k = 0; k < 3; ++k) {
      html += cell(figure(s.ess[k]), s.best[k] ? "best" : "");
    }
    html += cell(fixed(s.acceptance, 3)) + (tuned ? cell(significant(s.step_size)) : "") +
            cell(verdict(s), "verdict") + "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string sweep_page(const SweepSummary& summary, const std::filesystem::path& file,
                       const std::string& state) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const std::string title = "Sweep: " + html_escaped(file.stem().string());
  std::string page = "<h1>" + title + "</h1>\n<p class=\"soft\">" + html_escaped(state) +
                     ", by lockstep " LOCKSTEP_VERSION "</p>\n";
  page += "<h2>Best settings</h2>\n" + best_table(summary);
  for (const std::string& note : sweep_notes(summary)) {
    page += "<p class=\"soft\">" + html_escaped(note) + "</p>\n";
  }
  for (const SweptTarget& target : summary.targets) {
    page += "<h2>" + html_escaped(target.label) + "</h2>\n" + sweep_plot(target, summary.varying) +
            target_table(target, summary.varying);
  }
  page += "<h2>The sweep</h2>\n<pre>" + html_escaped(text.str()) + "</pre>\n";
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\"><title>" +
         title + "</title><style>" + kStyle + sweep_plot_style() + "</style></head>\n<body>\n" +
         page + "</body></html>\n";
}

}  // namespace lockstep::bench
