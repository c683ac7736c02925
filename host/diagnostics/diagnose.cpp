#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "host/diagnostics/geyer.hpp"
#include "host/diagnostics/order.hpp"
#include "host/diagnostics/ranked.hpp"
#include "host/diagnostics/rhat.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep {

Diagnosis diagnose(Trace trace) {
  diagnostics::check(trace, "diagnose");
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  Diagnosis result{nan, nan, nan, nan, nan, nan, nan, nan, nan};
  if (trace.values.empty() || diagnostics::has_nan(trace.values)) {
    return result;
  }
  const diagnostics::MeanVariance moments = diagnostics::mean_variance(trace.values);
  result.mean = moments.mean;
  result.sd = std::sqrt(moments.variance);

  const diagnostics::Ranked ranked(trace);
  const std::vector<double> sorted = ranked.sorted_draws();
  result.q05 = diagnostics::quantile_of_sorted(sorted, 0.05);
  result.q50 = diagnostics::quantile_of_sorted(sorted, 0.50);
  result.q95 = diagnostics::quantile_of_sorted(sorted, 0.95);
  if (trace.draws < 4) {
    return result;
  }

  const diagnostics::Columns& halves = ranked.halves();
  result.mcse_mean =
      std::sqrt(moments.variance / diagnostics::geyer_ess(diagnostics::centre(halves.view())));
  result.ess_tail = std::min(diagnostics::indicator_ess(halves, result.q05),
                             diagnostics::indicator_ess(halves, result.q95));
  const diagnostics::Centred z = diagnostics::centre(ranked.z_scores().view());
  result.ess_bulk = diagnostics::geyer_ess(z);
  if (trace.chains >= 2) {
    result.rhat = diagnostics::larger_rhat(
        diagnostics::plain_rhat(z),
        diagnostics::plain_rhat(diagnostics::centre(ranked.folded_z_scores().view())));
  }
  return result;
}

}  // namespace lockstep
