#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "host/diagnostics/streamed.hpp"
#include "lockstep/diagnostics.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

// E[var_c] = sigma^2 - Var(mean_c) up to the divisor, so the within-chain sum of squares falls
// short of N sigma^2 by exactly C times E[V]; adding C V makes s^2 unbiased for any
// autocorrelation.
double ess_between_chains(std::span<const double> means, std::span<const double> variances,
                          std::span<const std::size_t> counts) {
  const std::size_t chains = means.size();
  require(variances.size() == chains && counts.size() == chains,
          "ess_between_chains: " + std::to_string(chains) + " means, " +
              std::to_string(variances.size()) + " variances and " + std::to_string(counts.size()) +
              " counts; pass one of each per chain");
  if (chains < 2) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double total = 0;
  double sum = 0;
  for (std::size_t c = 0; c < chains; ++c) {
    total += static_cast<double>(counts[c]);
    sum += static_cast<double>(counts[c]) * (means[c] - means[0]);
  }
  const double mean = means[0] + sum / total;
  double within = 0;
  double between = 0;
  for (std::size_t c = 0; c < chains; ++c) {
    const double n = static_cast<double>(counts[c]);
    within += counts[c] > 1 ? (n - 1) * variances[c] : 0;
    between += n * (means[c] - mean) * (means[c] - mean);
  }
  between /= static_cast<double>(chains - 1);
  const double variance = (within + static_cast<double>(chains) * between) / total;
  return total * variance / between;
}

double ess_between_chains(const ChainMoments& moments) {
  diagnostics::check(moments, "ess_between_chains");
  diagnostics::WholeMoments whole = diagnostics::join(moments);
  for (double& m2 : whole.m2) {
    m2 = whole.count > 1 ? m2 / static_cast<double>(whole.count - 1) : 0;
  }
  const std::vector<std::size_t> counts(whole.mean.size(), whole.count);
  return ess_between_chains(whole.mean, whole.m2, counts);
}

double ess_between_chains(Trace trace) {
  diagnostics::check(trace, "ess_between_chains");
  diagnostics::Centred x = diagnostics::centre(trace);
  for (double& m2 : x.m2) {
    m2 = trace.draws > 1 ? m2 / static_cast<double>(trace.draws - 1) : 0;
  }
  const std::vector<std::size_t> counts(trace.chains, trace.draws);
  return ess_between_chains(x.mean, x.m2, counts);
}

}  // namespace lockstep
