#include "bench/cli/study_report.hpp"

#include <algorithm>
#include <cmath>

#include "host/report/parameter_plots.hpp"
#include "host/report/style.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

/// What tables of text have beyond the style of reports.
constexpr const char* kStyle = ".name{text-align:left}";

std::string cell(const StudyRow& row) {
  std::string text = significant(row.value, 4);
  if (!std::isnan(row.mcse)) {
    text += " +- " + significant(row.mcse, 2);
  }
  if (row.low < row.high) {
    text += " [" + significant(row.low) + ", " + significant(row.high) + "]";
  }
  if (!std::isnan(row.reference)) {
    text += " (" + significant(row.reference, 4) + ")";
  }
  return text;
}

std::string settings_line(const StudySettings& s) {
  return std::to_string(s.chains) + " chains, " + std::to_string(s.seeds) +
         (s.seeds == 1 ? " seed" : " seeds") + " from " + std::to_string(s.first_seed) +
         ", backend " + spelled(kBackendNames, s.place.backend) + ", lockstep " LOCKSTEP_VERSION;
}

/// A setting as text; strings without their quotes.
std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "-" : value.dump();
}

/// The settings of the cases: a row for each, a column for each key that one of them has.
TextTable cases_table(const Json& cases) {
  std::vector<std::string> keys{"case"};
  for (const auto& [name, settings] : cases.items()) {
    for (const auto& [key, value] : settings.items()) {
      if (std::find(keys.begin() + 1, keys.end(), key) == keys.end()) {
        keys.push_back(key);
      }
    }
  }
  TextTable table(keys);
  for (const auto& [name, settings] : cases.items()) {
    std::vector<std::string> row{name};
    for (std::size_t j = 1; j < keys.size(); ++j) {
      row.push_back(settings.contains(keys[j]) ? plain(settings[keys[j]]) : "-");
    }
    table.add(row);
  }
  return table;
}

/// The rows in a table, with a line for each `line_of` and a column for each `column`.
template <class LineOf>
TextTable table_of(const std::vector<StudyRow>& rows, std::vector<std::string> headings,
                   LineOf line_of, std::string StudyRow::*column) {
  const auto left = static_cast<std::ptrdiff_t>(headings.size());
  std::vector<std::vector<std::string>> lines;
  for (const StudyRow& row : rows) {
    if (std::find(headings.begin() + left, headings.end(), row.*column) == headings.end()) {
      headings.push_back(row.*column);
    }
  }
  for (const StudyRow& row : rows) {
    const std::vector<std::string> names = line_of(row);
    auto line = std::find_if(lines.begin(), lines.end(), [&](const auto& l) {
      return std::equal(names.begin(), names.end(), l.begin());
    });
    if (line == lines.end()) {
      line = lines.insert(lines.end(), names);
      line->resize(headings.size(), "-");
    }
    const auto place = std::find(headings.begin() + left, headings.end(), row.*column);
    (*line)[static_cast<std::size_t>(place - headings.begin())] = cell(row);
  }
  TextTable table(headings, static_cast<int>(left));
  for (const auto& line : lines) {
    table.add(line);
  }
  return table;
}

/// The figures under a heading for each case.
std::string figures_section(const std::vector<StudyFigure>& figures) {
  std::string html, before;
  for (const StudyFigure& f : figures) {
    if (f.case_name != before) {
      html += before.empty() ? "" : "</div>\n";
      html += "<h2>" + html_escaped(f.case_name) + "</h2>\n<div class=\"plots\">";
      before = f.case_name;
    }
    html += report::figure(f.title, f.svg, f.legend);
  }
  return html.empty() ? html : html + "</div>\n";
}

}  // namespace

std::vector<TextTable> study_tables(const StudyResult& result) {
  if (!result.table_per_case) {
    return {table_of(
        result.rows, {"case", "method"},
        [](const StudyRow& r) {
          return std::vector<std::string>{r.case_name, r.method};
        },
        &StudyRow::metric)};
  }
  std::vector<TextTable> tables;
  std::vector<StudyRow> rows;  // of one case
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    rows.push_back(result.rows[i]);
    if (i + 1 == result.rows.size() || result.rows[i + 1].case_name != rows[0].case_name) {
      tables.push_back(table_of(
          rows, {rows[0].case_name},
          [](const StudyRow& r) { return std::vector<std::string>{r.metric}; }, &StudyRow::method));
      rows.clear();
    }
  }
  return tables;
}

Json study_json(const Study& study, const StudySettings& s, const StudyResult& result) {
  Json j;
  j["lockstep"] = LOCKSTEP_VERSION;
  j["study"] = study.name;
  j["settings"] = {
      {"chains", s.chains},         {"seeds", s.seeds},
      {"first_seed", s.first_seed}, {"backend", spelled(kBackendNames, s.place.backend)},
      {"threads", s.place.threads}, {"cases", result.cases}};
  j["rows"] = Json::array();
  for (const StudyRow& row : result.rows) {
    j["rows"].push_back({{"case", row.case_name},
                         {"method", row.method},
                         {"metric", row.metric},
                         {"value", json_number(row.value)},
                         {"mcse", json_number(row.mcse)},
                         {"reference", json_number(row.reference)},
                         {"source", row.source.empty() ? Json(nullptr) : Json(row.source)},
                         {"low", json_number(row.low)},
                         {"high", json_number(row.high)}});
  }
  j["notes"] = result.notes;
  j["interrupted"] = result.interrupted;
  return j;
}

ReportFormat report_format(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  require(extension == ".md" || extension == ".html" || extension == ".htm",
          "--report is " + path.string() + ": give a name that ends in .md or .html");
  return extension == ".md" ? ReportFormat::markdown : ReportFormat::html;
}

std::string study_report(const Study& study, const StudySettings& settings,
                         const StudyResult& result, ReportFormat format) {
  const bool html = format == ReportFormat::html;
  const auto paragraph = [&](const std::string& text) {
    return html ? "<p>" + html_escaped(text) + "</p>\n" : text + "\n\n";
  };
  const auto heading = [&](int level, const std::string& text) {
    const std::string tag = level == 1 ? "h1>" : "h2>";
    return html ? "<" + tag + html_escaped(text) + "</" + tag + "\n"
                : (level == 1 ? "# " : "## ") + text + "\n\n";
  };
  const auto table = [&](const TextTable& t) {
    return html ? "<div class=\"scroll\">" + t.html() + "</div>\n" : t.markdown() + "\n";
  };

  std::string page = heading(1, "Study: " + study.name) + paragraph(study.description) +
                     paragraph(settings_line(settings));
  if (result.interrupted) {
    page += paragraph("Interrupted: these are the cases done until then.");
  }
  for (const TextTable& t : study_tables(result)) {
    page += table(t);
  }
  for (const std::string& note : result.notes) {
    page += paragraph(note);
  }
  if (html) {
    page += figures_section(result.figures);
  }
  page += heading(2, "Settings of the cases") + table(cases_table(result.cases));
  if (html) {
    page =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<title>Study: " +
        html_escaped(study.name) + "</title><style>" + report::kStyle + kStyle +
        "</style></head>\n<body>\n" + page + "</body></html>\n";
  }
  return page;
}

}  // namespace lockstep::bench
