#include "host/diagnostics/rhat.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "host/diagnostics/ranked.hpp"
#include "host/diagnostics/streamed.hpp"
#include "lockstep/error.hpp"

namespace lockstep {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool undefined(Trace trace) {
  return trace.draws < 4 || trace.chains < 2 || diagnostics::has_nan(trace.values);
}

/// sqrt((B/W + n - 1) / n) from B/n = the variance of column means.
double rhat_of(double between, double within, double n) {
  return std::sqrt((n * between / within + n - 1) / n);
}

/// Variances with divisor n - 1; zero for a single draw, whose spread the nested form counts as 0.
std::vector<double> variances(std::span<const double> m2, std::size_t count) {
  std::vector<double> result(m2.size());
  if (count > 1) {
    std::transform(m2.begin(), m2.end(), result.begin(),
                   [count](double s) { return s / static_cast<double>(count - 1); });
  }
  return result;
}

/// Number of superchains of consecutive chains; throws unless they come out whole.
std::size_t count_superchains(std::size_t chains, std::size_t length) {
  require(length >= 1 && chains % length == 0,
          "nested R-hat: chains_per_superchain = " + std::to_string(length) +
              " does not divide the number of chains, " + std::to_string(chains) +
              "; pass a divisor of it");
  return chains / length;
}

std::vector<std::size_t> superchain_of(std::size_t chains, std::size_t length, std::size_t copies) {
  std::vector<std::size_t> ids(chains * copies);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = (i % chains) / length;
  }
  return ids;
}

double nested_rhat_of(const diagnostics::Centred& x, std::size_t chains, std::size_t length) {
  return diagnostics::plain_nested_rhat(x.mean, variances(x.m2, x.data.draws),
                                        superchain_of(chains, length, x.data.columns / chains),
                                        chains / length);
}

}  // namespace

namespace diagnostics {

double plain_rhat(const Centred& x) {
  if (x.constant) {
    return nan;
  }
  const double n = static_cast<double>(x.data.draws);
  const double m = static_cast<double>(x.data.columns);
  const double within = std::accumulate(x.m2.begin(), x.m2.end(), 0.0) / (m * (n - 1));
  return rhat_of(mean_variance(x.mean).variance, within, n);
}

double plain_nested_rhat(std::span<const double> means, std::span<const double> variances,
                         std::span<const std::size_t> superchain, std::size_t superchains) {
  if (superchains < 2) {
    return nan;
  }
  const std::size_t length = means.size() / superchains;
  const double size = static_cast<double>(length);
  std::vector<double> mean(superchains);     // eq. 4
  std::vector<double> between(superchains);  // eq. 7, variance of chain means
  double within = 0;                         // eq. 7, mean variance inside chains
  for (std::size_t c = 0; c < means.size(); ++c) {
    mean[superchain[c]] += means[c] / size;
    within += variances[c] / static_cast<double>(means.size());
  }
  if (length > 1) {
    for (std::size_t c = 0; c < means.size(); ++c) {
      const double d = means[c] - mean[superchain[c]];
      between[superchain[c]] += d * d / (size - 1);
    }
  }
  return std::sqrt(1 + mean_variance(mean).variance / (within + diagnostics::mean(between)));
}

}  // namespace diagnostics

double split_rhat(Trace trace) {
  diagnostics::check(trace, "split_rhat");
  if (undefined(trace)) {
    return nan;
  }
  return diagnostics::plain_rhat(diagnostics::centre(diagnostics::split(trace).view()));
}

double split_rhat(const ChainMoments& moments) {
  diagnostics::check(moments, "split_rhat");
  const HalfMoments& a = moments.first;
  const HalfMoments& b = moments.second;
  if (a.mean.size() < 2 || a.count < 2 || b.count < 2) {
    return nan;
  }
  std::vector<double> means = a.mean;
  means.insert(means.end(), b.mean.begin(), b.mean.end());
  // Halves of unequal length are weighed by their degrees of freedom. Of independent draws the
  // variance between half means is then W times the mean of 1/n, so n is the harmonic mean.
  const double m2 = std::accumulate(a.m2.begin(), a.m2.end(), 0.0) +
                    std::accumulate(b.m2.begin(), b.m2.end(), 0.0);
  const double freedom =
      static_cast<double>(a.mean.size()) * static_cast<double>(a.count + b.count - 2);
  const double n = 2.0 * static_cast<double>(a.count) * static_cast<double>(b.count) /
                   static_cast<double>(a.count + b.count);
  return rhat_of(diagnostics::mean_variance(means).variance, m2 / freedom, n);
}

double rhat(Trace trace) {
  diagnostics::check(trace, "rhat");
  if (undefined(trace)) {
    return nan;
  }
  const diagnostics::Ranked ranked(trace);
  return diagnostics::larger_rhat(
      diagnostics::plain_rhat(diagnostics::centre(ranked.z_scores().view())),
      diagnostics::plain_rhat(diagnostics::centre(ranked.folded_z_scores().view())));
}

double nested_rhat(Trace trace, std::size_t chains_per_superchain) {
  diagnostics::check(trace, "nested_rhat");
  count_superchains(trace.chains, chains_per_superchain);
  if (trace.draws < 1 || trace.chains < 2 || diagnostics::has_nan(trace.values)) {
    return nan;
  }
  return nested_rhat_of(diagnostics::centre(trace), trace.chains, chains_per_superchain);
}

double nested_rhat(const ChainMoments& moments, std::size_t chains_per_superchain) {
  diagnostics::check(moments, "nested_rhat");
  const diagnostics::WholeMoments whole = diagnostics::join(moments);
  const std::size_t chains = whole.mean.size();
  const std::size_t superchains = count_superchains(chains, chains_per_superchain);
  if (whole.count < 1) {
    return nan;
  }
  return diagnostics::plain_nested_rhat(whole.mean, variances(whole.m2, whole.count),
                                        superchain_of(chains, chains_per_superchain, 1),
                                        superchains);
}

double rank_nested_rhat(Trace trace, std::size_t chains_per_superchain) {
  diagnostics::check(trace, "rank_nested_rhat");
  count_superchains(trace.chains, chains_per_superchain);
  if (undefined(trace)) {
    return nan;
  }
  const diagnostics::Ranked ranked(trace);
  const auto of = [&](const diagnostics::Columns& z) {
    return nested_rhat_of(diagnostics::centre(z.view()), trace.chains, chains_per_superchain);
  };
  return diagnostics::larger_rhat(of(ranked.z_scores()), of(ranked.folded_z_scores()));
}

}  // namespace lockstep
