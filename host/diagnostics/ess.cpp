#include <algorithm>
#include <limits>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "host/diagnostics/geyer.hpp"
#include "host/diagnostics/order.hpp"
#include "host/diagnostics/ranked.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool undefined(Trace trace) {
  return trace.draws < 4 || trace.chains < 1 || diagnostics::has_nan(trace.values);
}

}  // namespace

double ess_mean(Trace trace) {
  diagnostics::check(trace, "ess_mean");
  if (undefined(trace)) {
    return nan;
  }
  return diagnostics::geyer_ess(diagnostics::centre(diagnostics::split(trace).view()));
}

double ess_sd(Trace trace) {
  diagnostics::check(trace, "ess_sd");
  if (undefined(trace)) {
    return nan;
  }
  const double mean = diagnostics::mean(trace.values);
  std::vector<double> squares(trace.values.size());
  std::transform(trace.values.begin(), trace.values.end(), squares.begin(),
                 [mean](double x) { return (x - mean) * (x - mean); });
  return ess_mean({squares, trace.draws, trace.chains});
}

double ess_bulk(Trace trace) {
  diagnostics::check(trace, "ess_bulk");
  if (undefined(trace)) {
    return nan;
  }
  const diagnostics::Ranked ranked(trace);
  return diagnostics::geyer_ess(diagnostics::centre(ranked.z_scores().view()));
}

double ess_quantile(Trace trace, double probability) {
  diagnostics::check(trace, "ess_quantile");
  diagnostics::check_probability(probability, "ess_quantile");
  if (undefined(trace)) {
    return nan;
  }
  const double threshold = diagnostics::quantile_of_sorted(order::sort(trace.values), probability);
  return diagnostics::indicator_ess(diagnostics::split(trace), threshold);
}

double ess_tail(Trace trace) {
  diagnostics::check(trace, "ess_tail");
  if (undefined(trace)) {
    return nan;
  }
  const std::vector<double> sorted = order::sort(trace.values);
  const diagnostics::Columns halves = diagnostics::split(trace);
  return std::min(
      diagnostics::indicator_ess(halves, diagnostics::quantile_of_sorted(sorted, 0.05)),
      diagnostics::indicator_ess(halves, diagnostics::quantile_of_sorted(sorted, 0.95)));
}

}  // namespace lockstep
