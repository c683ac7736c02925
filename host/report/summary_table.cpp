#include "host/report/summary_table.hpp"

#include <cmath>

#include "host/plot/html.hpp"
#include "host/report/failures.hpp"
#include "host/report/numbers.hpp"

namespace lockstep::report {

namespace {

struct Column {
  const char* heading;
  const char* meaning;
  double ParameterSummary::*figure;
  int digits;  // 0: as many as the standard error allows
  bool (*bad)(double);
  bool of_truth;
};

bool never(double) {
  return false;
}
bool high_rhat(double x) {
  return x > kRhatLimit;
}
bool low_ess(double x) {
  return x < kEssLimit;
}
bool far(double x) {
  return std::abs(x) > kErrorLimit;
}

using P = ParameterSummary;
constexpr Column kColumns[] = {
    {"mean", "over all chains and draws", &P::mean, 0, never, false},
    {"sd", "standard deviation", &P::sd, 0, never, false},
    {"mcse", "Monte Carlo standard error of the mean", &P::mcse, 2, never, false},
    {"5 %", "quantile of the kept draws", &P::q05, 0, never, false},
    {"50 %", "quantile of the kept draws", &P::q50, 0, never, false},
    {"95 %", "quantile of the kept draws", &P::q95, 0, never, false},
    {"ESS bulk", "effective sample size, rank-normalised", &P::ess_bulk, 4, low_ess, false},
    {"ESS tail", "the lower of the 5 % and 95 % quantiles'", &P::ess_tail, 4, low_ess, false},
    {"ESS between", "from the variance between all chains' means", &P::ess_between, 4, never,
     false},
    {"R-hat", "rank-normalised, split", &P::rhat, 5, high_rhat, false},
    {"nested R-hat", "of groups of chains that began together", &P::nested_rhat, 5, high_rhat,
     false},
    {"known mean", "of the law itself", &P::truth_mean, 0, never, true},
    {"known sd", "of the law itself", &P::truth_sd, 0, never, true},
    {"error", "of the mean, in standard errors", &P::error_in_mcse, 2, far, true},
    {"sd error", "of the standard deviation, in standard errors", &P::sd_error_in_mcse, 2, far,
     true},
};

std::string table(const std::string& id, const std::string& label, const std::string& head,
                  const std::string& body) {
  return "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + label +
         "\"><table id=\"" + id + "\">\n<thead><tr>" + head + "</tr></thead>\n<tbody>\n" + body +
         "</tbody></table></div>\n";
}

}  // namespace

std::string summary_table(const Fit& fit, const std::vector<int>& parameters,
                          const std::string& id) {
  std::string head = "<th scope=\"col\">parameter</th>";
  for (const Column& c : kColumns) {
    if (!c.of_truth || fit.engine.has_truth) {
      head += std::string("<th scope=\"col\" title=\"") + c.meaning + "\">" + c.heading + "</th>";
    }
  }
  std::string body;
  for (const int j : parameters) {
    const ParameterSummary& p = fit.parameters[static_cast<std::size_t>(j)];
    body += "<tr><th scope=\"row\">" + html_escaped(p.name) + "</th>";
    for (const Column& c : kColumns) {
      if (!c.of_truth || fit.engine.has_truth) {
        const double x = p.*c.figure;
        body += c.bad(x) ? "<td class=\"bad\">" : "<td>";
        body += data_element(x, c.digits > 0 ? shown(x, c.digits) : shown_to(x, p.mcse)) + "</td>";
      }
    }
    body += "</tr>\n";
  }
  return table(id, "Summary table", head, body);
}

std::string visit_table(const Fit& fit) {
  std::string body;
  for (const VisitSummary& v : fit.visits) {
    body += "<tr><th scope=\"row\">" + html_escaped(v.name) + "</th>";
    for (const double x : {v.no_flip, v.hop, v.mass}) {
      body += "<td>" + data_element(x, shown(x, 3)) + "</td>";
    }
    body += "</tr>\n";
  }
  return table(
      "visits", "Discontinuous parameters",
      "<th scope=\"col\">discontinuous parameter</th>"
      "<th scope=\"col\" title=\"share of its visits that moved it\">no-flip rate</th>"
      "<th scope=\"col\" title=\"how far a visit goes, on the unconstrained scale\">hop</th>"
      "<th scope=\"col\" title=\"of its Laplace momentum: step size / hop\">mass</th>",
      body);
}

}  // namespace lockstep::report
