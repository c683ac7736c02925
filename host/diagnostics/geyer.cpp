#include "host/diagnostics/geyer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "host/diagnostics/lag_sums.hpp"

namespace lockstep::diagnostics {

// Autocorrelation at lag t with all m columns of n draws (Vehtari et al. 2021, eqs. 10-11):
//   rho_t = 1 - (W - s_t) / var_plus,  var_plus = W (n - 1) / n + B / n,
// s_t the mean autocovariance (divisor n). Sums of successive pairs P_k = rho_2k + rho_2k+1 are
// positive and decreasing for a reversible chain; the estimate keeps them while positive and forces
// them to decrease (Geyer, "Practical Markov chain Monte Carlo", 1992, section 3.3). As in Stan,
// one last even term is kept if positive, and tau >= 1 / log10(N) bounds antithetic chains.
double geyer_ess(const Centred& x) {
  const std::size_t draws = x.data.draws;
  const double n = static_cast<double>(draws);
  const double m = static_cast<double>(x.data.columns);
  const double total = n * m;
  if (x.constant) {
    return total;
  }
  const double within = std::accumulate(x.m2.begin(), x.m2.end(), 0.0) / (m * (n - 1));
  double var_plus = within * (n - 1) / n;
  if (x.data.columns > 1) {
    var_plus += mean_variance(x.mean).variance;
  }
  if (!std::isfinite(var_plus)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  LazyLagSums lag_sums(x.data);
  const auto autocorrelation = [&](std::size_t lag) {
    return 1 - (within - lag_sums(lag) / total) / var_plus;
  };

  std::vector<double> rho(draws);
  double even = 1;
  double odd = autocorrelation(1);
  rho[0] = even;
  rho[1] = odd;
  std::size_t t = 1;  // last lag looked at
  while (t + 3 < draws && even + odd > 0) {
    even = autocorrelation(t + 1);
    odd = autocorrelation(t + 2);
    if (even + odd >= 0) {
      rho[t + 1] = even;
      rho[t + 2] = odd;
    }
    t += 2;
  }
  // The pair ending at t ended the search; `last` is the even lag that begins it.
  const std::size_t last = t - 1;
  if (even > 0) {
    rho[last] = even;
  }
  for (std::size_t k = 2; k + 2 <= last; k += 2) {
    const double before = rho[k - 2] + rho[k - 1];
    if (rho[k] + rho[k + 1] > before) {
      rho[k] = before / 2;
      rho[k + 1] = before / 2;
    }
  }
  const double sum =
      std::accumulate(rho.begin(), rho.begin() + static_cast<std::ptrdiff_t>(last), 0.0);
  const double tau = std::max(-1 + 2 * sum + rho[last], 1 / std::log10(total));
  return total / tau;
}

double indicator_ess(const Columns& halves, double threshold) {
  Columns indicator{std::vector<double>(halves.values.size()), halves.draws, halves.columns};
  std::transform(halves.values.begin(), halves.values.end(), indicator.values.begin(),
                 [threshold](double x) { return x <= threshold ? 1.0 : 0.0; });
  return geyer_ess(centre(indicator.view()));
}

}  // namespace lockstep::diagnostics
