#include <cstddef>
#include <string>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "host/diagnostics/lag_sums.hpp"
#include "lockstep/diagnostics.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

std::vector<double> autocovariance(Trace trace) {
  diagnostics::check(trace, "autocovariance");
  diagnostics::SpectralLagSums spectral(trace.draws);
  spectral.add(diagnostics::centre(trace).data.view());
  std::vector<double> result = spectral.sums();
  for (double& value : result) {
    value /= static_cast<double>(trace.values.size());
  }
  return result;
}

double paper_ess_per_transition(std::span<const Trace> coordinates, std::span<const double> mean,
                                double covariance_trace, PaperEssOptions options) {
  require(!coordinates.empty() && coordinates.size() == mean.size(),
          "paper_ess_per_transition: " + std::to_string(coordinates.size()) + " traces and " +
              std::to_string(mean.size()) + " means; pass one of each per coordinate");
  require(covariance_trace > 0, "paper_ess_per_transition: covariance trace " +
                                    std::to_string(covariance_trace) +
                                    " is not positive; pass the sum of the target's variances");
  const std::size_t draws = coordinates[0].draws;
  const std::size_t chains = coordinates[0].chains;
  require(draws >= 2 && chains >= 1, "paper_ess_per_transition: " + std::to_string(draws) +
                                         " draws x " + std::to_string(chains) +
                                         " chains; at least 2 x 1 are needed");
  diagnostics::SpectralLagSums spectral(draws);
  for (std::size_t d = 0; d < coordinates.size(); ++d) {
    diagnostics::check(coordinates[d], "paper_ess_per_transition");
    require(coordinates[d].draws == draws && coordinates[d].chains == chains,
            "paper_ess_per_transition: the traces differ in shape; pass equally many draws and "
            "chains for every coordinate");
    spectral.add(coordinates[d], mean[d]);
  }
  const std::vector<double> sums = spectral.sums();
  const double scale = options.normalise ? covariance_trace : 1.0;
  double counted = 0;
  // The authors' spectrum ends at lag T - 2, one short of the last.
  for (std::size_t lag = 1; lag + 1 < draws; ++lag) {
    const double pairs = static_cast<double>(draws - lag) * static_cast<double>(chains);
    const double rho = sums[lag] / (pairs * scale);
    if (options.rule == PaperEssOptions::Rule::truncate && rho < options.cutoff) {
      break;
    }
    // A NaN counts, so that it shows.
    counted += rho <= options.cutoff ? 0 : rho;
  }
  return 1 / (1 + 2 * counted);
}

}  // namespace lockstep
