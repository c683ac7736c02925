#include "host/report/report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/io/json.hpp"
#include "host/plot/html.hpp"
#include "host/report/failures.hpp"
#include "host/report/numbers.hpp"
#include "host/report/parameter_plots.hpp"
#include "host/report/run_plots.hpp"
#include "host/report/style.hpp"
#include "host/report/summary_table.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace report {
namespace {

constexpr std::size_t kPlotted = 8;   // parameters with plots of their own
constexpr std::size_t kInTable = 16;  // more than these are folded away
constexpr std::size_t kPaired = 3;

std::string heading(const std::string& id, const std::string& text) {
  return "<h2 id=\"" + id + "\">" + html_escaped(text) + "</h2>\n";
}

std::string paragraph(const std::string& text, const std::string& kind = "") {
  return (kind.empty() ? "<p>" : "<p class=\"" + kind + "\">") + html_escaped(text) + "</p>\n";
}

std::string tile(const std::string& label, const std::string& value, bool bad = false) {
  return std::string("<div class=\"tile") + (bad ? " bad" : "") + "\"><b>" + value + "</b><span>" +
         html_escaped(label) + "</span></div>\n";
}

std::string tiles(const Fit& fit) {
  const auto number = [](double x, int digits) { return data_element(x, shown(x, digits)); };
  const double rhat = fit.rhat_max(), nested = fit.nested_rhat_max(), ess = fit.ess_min();
  std::string all = "<div class=\"tiles\">\n";
  all += tile("chains", grouped(fit.options.chains));
  all += tile("draws per chain", grouped(fit.draws_done), fit.draws_done == 0);
  all += tile("largest R-hat", number(rhat, 5), rhat > kRhatLimit);
  all += tile("largest nested R-hat", number(nested, 5), nested > kRhatLimit);
  all += tile("smallest bulk ESS", number(ess, 4), ess < kEssLimit);
  const bool timed = fit.draws_done > 0 && fit.seconds.sampling > 0;
  all += tile("smallest bulk ESS per second",
              number(timed ? fit.ess_per_second_min() : std::nan(""), 3));
  all += tile("the same, everything counted",
              number(timed ? fit.ess_per_second_total_min() : std::nan(""), 3));
  all += tile("divergences", grouped(fit.divergences), fit.divergences > 0);
  all += tile("acceptance", number(fit.draws_done > 1 ? fit.acceptance : std::nan(""), 3));
  if (!fit.visits.empty()) {
    all += tile("no-flip rate", number(fit.no_flip(), 3));
  }
  if (fit.sampler.method != Method::random_walk) {
    const double e_bfmi = fit.draws_done > 1 ? fit.e_bfmi : std::nan("");
    all += tile("E-BFMI", number(e_bfmi, 3), e_bfmi < kEnergyLimit);
  }
  all += tile("seconds in all", shown_to(fit.seconds.total(), 0.01));
  return all + "</div>\n";
}

std::string failure_list(const Fit& fit) {
  std::string text;
  for (const Failure& f : failures(fit)) {
    text += "<div class=\"failure\"><h3>" + html_escaped(f.title) + "</h3>" + paragraph(f.text);
    if (!f.details.empty()) {
      text += "<ul>";
      for (const std::string& line : f.details) {
        text += "<li>" + html_escaped(line) + "</li>";
      }
      text += "</ul>";
    }
    text += "</div>\n";
  }
  if (!text.empty()) {
    return text;
  }
  return "<div class=\"fine\"><p><strong>None found.</strong> No divergent transition, no stranded "
         "chain; R-hat at most " +
         shown(kRhatLimit, 3) + ", ESS at least " + shown(kEssLimit, 3) + ", E-BFMI at least " +
         shown(kEnergyLimit, 1) + (fit.engine.has_truth ? "; means within " : "") +
         (fit.engine.has_truth ? shown(kErrorLimit, 1) + " standard errors of known values" : "") +
         ".</p></div>\n";
}

/// How the discontinuous parameters were moved; nothing where there are none.
std::string visits(const Fit& fit) {
  if (fit.visits.empty()) {
    return "";
  }
  const std::string text = visit_table(fit);
  return fit.visits.size() <= kInTable
             ? text
             : "<details><summary>Visits of " +
                   plural(static_cast<std::int64_t>(fit.visits.size()), "discontinuous parameter") +
                   "</summary>\n" + text + "</details>\n";
}

std::string tables(const Fit& fit) {
  std::vector<int> all(fit.parameters.size());
  std::iota(all.begin(), all.end(), 0);
  if (all.size() <= kInTable) {
    return summary_table(fit, all, "summary");
  }
  std::vector<int> worst = worst_first(fit);
  worst.resize(kInTable);
  return paragraph("The " + std::to_string(kInTable) + " parameters that need looking at most:") +
         summary_table(fit, worst, "worst") + "<details><summary>All " +
         grouped(static_cast<std::int64_t>(all.size())) + " parameters</summary>\n" +
         summary_table(fit, all, "summary") + "</details>\n";
}

/// Rows of the kept draws, the worst parameter first.
std::vector<std::size_t> kept_worst_first(const Fit& fit) {
  std::vector<std::size_t> rows;
  for (const int j : worst_first(fit)) {
    const auto& kept = fit.draws.parameters;
    const auto found = std::find(kept.begin(), kept.end(), j);
    if (found != kept.end()) {
      rows.push_back(static_cast<std::size_t>(found - kept.begin()));
    }
  }
  return rows;
}

std::string parameter_sections(const Fit& fit) {
  if (fit.draws.draws < 1 || fit.draws.chains < 1) {
    return paragraph("No draws were kept, so there is nothing to plot.", "note");
  }
  std::vector<std::size_t> rows = kept_worst_first(fit);
  std::string text;
  if (rows.size() > kPlotted) {
    text = paragraph("The " + std::to_string(kPlotted) + " of " +
                         grouped(static_cast<std::int64_t>(rows.size())) +
                         " parameters that need looking at most, the worst first.",
                     "note");
    rows.resize(kPlotted);
  }
  if (fit.draws.chains < fit.options.chains) {
    text += paragraph("From the draws of the first " + grouped(fit.draws.chains) + " of " +
                          grouped(fit.options.chains) +
                          " chains; effective sample sizes are scaled to all.",
                      "note");
  }
  text += reading_guide(fit);
  for (const std::size_t row : rows) {
    const KeptParameter p = kept_parameter(fit, row);
    text += "<h3>" + html_escaped(p.name) + "<small>R-hat " + shown(p.summary.rhat, 5) +
            ", ESS bulk " + shown(p.summary.ess_bulk, 3) + ", tail " +
            shown(p.summary.ess_tail, 3) + "</small></h3>\n<div class=\"plots\">\n" +
            density_plot(p) + rank_plot(p) + autocorrelation_plot(p) + growth_plot(p) + "</div>\n";
  }
  return text;
}

std::string pairs_section(const Fit& fit, const std::vector<std::string>& wanted) {
  std::vector<std::size_t> rows;
  for (const std::string& name : wanted) {
    for (std::size_t r = 0; r < fit.draws.parameters.size(); ++r) {
      if (fit.engine.names[static_cast<std::size_t>(fit.draws.parameters[r])] == name) {
        rows.push_back(r);
      }
    }
  }
  if (wanted.empty()) {
    rows = kept_worst_first(fit);
    rows.resize(std::min(rows.size(), kPaired));
  }
  return pair_plots(fit, rows);
}

std::string item(const std::string& name, const std::string& value) {
  return "<dt>" + html_escaped(name) + "</dt><dd>" + html_escaped(value) + "</dd>\n";
}

std::string measured(const std::string& name, double value) {
  return "<dt>" + html_escaped(name) + "</dt><dd>" + data_element(value, shown(value, 4)) +
         "</dd>\n";
}

std::string geometry_section(const Geometry& g, double step_size) {
  return heading("geometry", "Geometry") +
         paragraph(
             "The Hessian H of the potential in the metric's coordinates, at the final "
             "positions of " +
                 plural(g.points, "chain") +
                 ". Trajectories need about the root of the condition number in steps, and "
                 "fly apart where the step size exceeds the stability edge. No condition "
                 "number is finite where H is not positive definite.",
             "note") +
         "<dl>\n" + measured("Condition number, median", g.kappa_median) +
         measured("Condition number, 95 %", g.kappa_95) +
         measured("Share of positions where H is not positive definite", g.indefinite) +
         measured("From covariances of positions and gradients", g.kappa_bar) +
         measured("Largest eigenvalue, median", g.lambda_max) +
         measured("Smallest eigenvalue, median", g.lambda_min) +
         measured("Stability edge, median", g.edge_median) +
         measured("Stability edge, least", g.edge_least) + measured("Step size", step_size) +
         "</dl>\n";
}

std::string settings(const Fit& fit, const std::string& command) {
  std::string text;
  if (!command.empty()) {
    text += paragraph("The same seed gives the same draws, on any number of threads.");
    text += "<pre><code>" + html_escaped(command) + "</code></pre>\n";
  }
  const SampleOptions& o = fit.options;
  text += "<dl>\n" + item("Lockstep", LOCKSTEP_VERSION) +
          item("Sampler", sampler_line(fit.sampler)) +
          item("Step size", Json(fit.sampler.step_size).dump());
  text += item("Chains", grouped(o.chains) + ", started in groups of " + grouped(o.superchain));
  text +=
      item("Warm-up", grouped(o.warmup) + " transitions asked for" +
                          (fit.warmup_done > 0 ? ", " + grouped(fit.warmup_done) + " made" : ""));
  text += item("Draws", grouped(fit.draws_done) + " of " + grouped(o.draws) + " per chain");
  text +=
      item("Kept", "every " + (fit.draws.thin == 1 ? "draw" : grouped(fit.draws.thin) + "th draw") +
                       " of " + plural(fit.draws.chains, "chain"));
  text += item("Seed", std::to_string(o.seed));
  text += item("Computed by", fit.engine.backend + ", " + fit.engine.device + ", " +
                                  fit.engine.lane + ", " + spelled(kPrecisionNames, o.precision) +
                                  ", " + spelled(kGeneratorNames, o.generator));
  const Preparation& p = fit.preparation;
  const bool prepared = !p.name.empty();
  if (prepared) {
    std::string line = p.name;
    line += std::isnan(p.elbo) ? "" : ", ELBO " + shown(p.elbo, 4);
    line += std::isnan(p.k_hat) ? "" : ", k-hat " + shown(p.k_hat, 2);
    line += p.inverse_mass.empty() ? ""
                                   : ", " + spelled(kMetricNames, p.kind) + " metric as " +
                                         shown(p.weight, 4) + " draws";
    text += item("Preparation", line);
  }
  text += item("Gradients per chain",
               (prepared ? grouped(fit.gradients_preparation) + " in preparation, " : "") +
                   grouped(fit.gradients_warmup) + " in warm-up, " +
                   grouped(fit.gradients_sampling) + " in sampling");
  const double per_gradient = fit.draws_done > 0 ? fit.ess_per_gradient_min() : std::nan("");
  const double counted = fit.draws_done > 0 ? fit.ess_per_gradient_total_min() : std::nan("");
  text += item("Smallest bulk ESS per gradient",
               shown(per_gradient, 3) + " of sampling, " + shown(counted, 3) + " of all");
  text += item("Seconds", "setup " + shown_to(fit.seconds.setup, 0.01) + ", " +
                              (prepared ? "preparation " + shown_to(p.seconds, 0.01) + ", " : "") +
                              "warm-up " + shown_to(fit.seconds.warmup, 0.01) + ", sampling " +
                              shown_to(fit.seconds.sampling, 0.01) + ", transfer " +
                              shown_to(fit.seconds.transfer, 0.01));
  if (fit.engine.has_truth) {
    text += item("Known values", fit.engine.truth.source);
  }
  text += item("Digest of the final positions", fit.digest());
  return text + "</dl>\n";
}

}  // namespace
}  // namespace report

void check_pairs(const std::vector<std::string>& pairs, const std::vector<std::string>& names,
                 const std::vector<int>& kept) {
  require(pairs.empty() || (pairs.size() >= 2 && pairs.size() <= 8),
          "--report-pairs names " + std::to_string(pairs.size()) +
              " parameters: give two to eight, separated by commas");
  for (const std::string& name : pairs) {
    const auto found = std::find(names.begin(), names.end(), name);
    require(found != names.end(), "--report-pairs: unknown parameter '" + name +
                                      "': `lockstep-bench run` without it lists them all");
    const auto j = static_cast<int>(found - names.begin());
    require(kept.empty() || std::find(kept.begin(), kept.end(), j) != kept.end(),
            "--report-pairs names '" + name +
                "', whose draws are not kept: add it to "
                "--keep-parameters");
  }
}

std::string report_html(const Fit& fit, const ReportOptions& options) {
  using namespace report;
  check_pairs(options.pairs, fit.engine.names, fit.draws.parameters);
  const std::string title = options.target.empty() ? "A run" : options.target;
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
      html_escaped(title) + " \u2013 Lockstep</title><style>" + kStyle +
      "</style></head>\n<body>\n<header><h1>" + html_escaped(title) + "</h1>\n";
  page += paragraph(plural(fit.engine.dim, "parameter") + "; " + sampler_line(fit.sampler), "lede");
  page +=
      "<nav aria-label=\"Sections\"><a href=\"#failures\">Failures</a><a "
      "href=\"#table\">Summary</a><a href=\"#parameters\">Parameters</a><a "
      "href=\"#pairs\">Pairs</a><a href=\"#energy\">Energy</a><a "
      "href=\"#adaptation\">Warm-up</a>";
  page += options.geometry ? "<a href=\"#geometry\">Geometry</a>" : "";
  page += "<a href=\"#settings\">Settings</a></nav></header>\n<main>\n";
  page += tiles(fit);
  page += heading("failures", "Failures") + failure_list(fit);
  page += heading("table", "Summary") + tables(fit) + visits(fit);
  page += heading("parameters", "Parameters") + parameter_sections(fit);
  page += heading("pairs", "Pairs") + pairs_section(fit, options.pairs);
  page += heading("energy", "Energy") + "<div class=\"plots\">\n" + energy_plot(fit) + "</div>\n";
  page += heading("adaptation", "Warm-up") + adaptation_plots(fit);
  page += options.geometry ? geometry_section(*options.geometry, fit.sampler.step_size) : "";
  page += heading("settings", "Settings") + settings(fit, options.command);
  return page + "</main>\n</body></html>\n";
}

}  // namespace lockstep
