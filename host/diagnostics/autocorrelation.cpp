#include "host/diagnostics/autocorrelation.hpp"

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

std::vector<double> diagnostics::pooled_autocorrelation(std::span<const Trace> coordinates,
                                                        std::span<const double> mean,
                                                        double scale) {
  const char* const who = "paper_ess_per_transition";
  require(!coordinates.empty() && coordinates.size() == mean.size(),
          std::string(who) + ": " + std::to_string(coordinates.size()) + " traces and " +
              std::to_string(mean.size()) + " means; pass one of each per coordinate");
  require(scale > 0, std::string(who) + ": covariance trace " + std::to_string(scale) +
                         " is not positive; pass the sum of the target's variances");
  const std::size_t draws = coordinates[0].draws;
  const std::size_t chains = coordinates[0].chains;
  require(draws >= 2 && chains >= 1, std::string(who) + ": " + std::to_string(draws) + " draws x " +
                                         std::to_string(chains) +
                                         " chains; at least 2 x 1 are needed");
  SpectralLagSums spectral(draws);
  for (std::size_t d = 0; d < coordinates.size(); ++d) {
    check(coordinates[d], who);
    require(coordinates[d].draws == draws && coordinates[d].chains == chains,
            std::string(who) +
                ": the traces differ in shape; pass equally many draws and chains for every "
                "coordinate");
    spectral.add(coordinates[d], mean[d]);
  }
  std::vector<double> rho = spectral.sums();
  for (std::size_t lag = 0; lag < draws; ++lag) {
    rho[lag] /= static_cast<double>(draws - lag) * static_cast<double>(chains) * scale;
  }
  return rho;
}

double paper_ess_per_transition(std::span<const Trace> coordinates, std::span<const double> mean,
                                double covariance_trace, PaperEssOptions options) {
  const std::vector<double> rho =
      diagnostics::pooled_autocorrelation(coordinates, mean, covariance_trace);
  double counted = 0;
  // The authors' spectrum ends at lag T - 2, one short of the last.
  for (std::size_t lag = 1; lag + 1 < rho.size(); ++lag) {
    const double value = options.normalise ? rho[lag] : rho[lag] * covariance_trace;
    if (options.rule == PaperEssOptions::Rule::truncate && value < options.cutoff) {
      break;
    }
    // A NaN counts, so that it shows.
    counted += value <= options.cutoff ? 0 : value;
  }
  return 1 / (1 + 2 * counted);
}

}  // namespace lockstep
