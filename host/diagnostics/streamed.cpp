#include "host/diagnostics/streamed.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "host/diagnostics/columns.hpp"
#include "lockstep/error.hpp"

namespace lockstep {
namespace diagnostics {

void check(const ChainMoments& moments, const char* who) {
  const std::size_t chains = moments.first.mean.size();
  const bool agree = moments.first.m2.size() == chains && moments.second.mean.size() == chains &&
                     moments.second.m2.size() == chains;
  require(agree, std::string(who) +
                     ": means and sums of squares of the two halves differ in length; pass one of "
                     "each per chain");
}

// Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances" (1982): M2 = M2_a + M2_b + (mean_b - mean_a)^2 n_a n_b / (n_a + n_b).
WholeMoments join(const ChainMoments& moments) {
  const HalfMoments& a = moments.first;
  const HalfMoments& b = moments.second;
  const std::size_t chains = a.mean.size();
  WholeMoments whole{std::vector<double>(chains), std::vector<double>(chains), a.count + b.count};
  if (whole.count == 0) {
    return whole;
  }
  const double n_a = static_cast<double>(a.count);
  const double n_b = static_cast<double>(b.count);
  for (std::size_t c = 0; c < chains; ++c) {
    // An empty half may hold anything; only its weight matters.
    const double delta = a.count > 0 && b.count > 0 ? b.mean[c] - a.mean[c] : 0;
    const double origin = a.count > 0 ? a.mean[c] : b.mean[c];
    whole.mean[c] = origin + delta * n_b / (n_a + n_b);
    whole.m2[c] = (a.count > 0 ? a.m2[c] : 0) + (b.count > 0 ? b.m2[c] : 0) +
                  delta * delta * n_a * n_b / (n_a + n_b);
  }
  return whole;
}

}  // namespace diagnostics

ChainMoments chain_moments(Trace trace) {
  diagnostics::check(trace, "chain_moments");
  const diagnostics::Centred x = diagnostics::centre(diagnostics::split(trace).view());
  const auto middle = static_cast<std::ptrdiff_t>(trace.chains);
  return {
      {{x.mean.begin(), x.mean.begin() + middle},
       {x.m2.begin(), x.m2.begin() + middle},
       x.data.draws},
      {{x.mean.begin() + middle, x.mean.end()}, {x.m2.begin() + middle, x.m2.end()}, x.data.draws}};
}

}  // namespace lockstep
