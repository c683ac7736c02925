#include "host/vi/importance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Fewer values above a threshold say nothing of their law.
constexpr int kFewestTail = 5;

/// Log ratios that are this near to the threshold weigh the same: a tail of rounding errors has a
/// shape, but one that changes no average.
constexpr double kNoTail = 1e-9;

/// The prior on the shape counts for so many values at 1/2 (Vehtari et al., appendix C).
constexpr double kPriorValues = 10, kPriorShape = 0.5;

/// P(X > x) = (1 + k x / sigma)^(-1/k), x > 0.
struct GeneralisedPareto {
  double k, sigma;

  double quantile(double p) const {
    return sigma * (k == 0 ? -std::log1p(-p) : std::expm1(-k * std::log1p(-p)) / k);
  }
};

/// Mean of log(1 + b x): the most likely shape when k / sigma is b.
double shape_given(double b, const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) {
    sum += std::log1p(b * value);
  }
  return sum / static_cast<double>(x.size());
}

/// Zhang & Stephens, Technometrics 51 (2009): b = k / sigma (their -theta) is averaged over its
/// profile likelihood on a grid, n (log(b / k(b)) - k(b) - 1), in place of being maximised; then
/// k = k(b), sigma = k / b. The prior moves k alone.
/// @param x  positive, ascending
GeneralisedPareto fitted_pareto(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  const int grid = 30 + static_cast<int>(std::sqrt(n));
  const double quartile = x[static_cast<std::size_t>(n / 4 + 0.5) - 1];
  std::vector<double> b, profile;
  for (int i = 1; i <= grid; ++i) {
    b.push_back((std::sqrt(grid / (i - 0.5)) - 1) / (3 * quartile) - 1 / x.back());
    const double k = shape_given(b.back(), x);
    profile.push_back(n * (std::log(b.back() / k) - k - 1));
  }
  const double most = *std::max_element(profile.begin(), profile.end());
  double mean = 0, total = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double weight = std::exp(profile[i] - most);
    mean += weight * b[i];
    total += weight;
  }
  mean /= total;
  const double k = shape_given(mean, x);
  return {(n * k + kPriorValues * kPriorShape) / (n + kPriorValues), k / mean};
}

/// Replaces the largest of `x`, log ratios with maximum 0, by the quantiles of the law fitted to
/// them, and truncates at 0.
/// @return k_hat
double smooth_tail(std::vector<double>& x) {
  const auto count = static_cast<double>(x.size());
  const auto most = static_cast<std::size_t>(std::ceil(std::min(count / 5, 3 * std::sqrt(count))));
  if (most < kFewestTail) {
    return kInfinity;
  }
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  // Below, exp gives no normal number.
  const double threshold =
      std::max(x[order[order.size() - 1 - most]], std::log(std::numeric_limits<double>::min()));
  if (threshold > -kNoTail) {
    return 0;
  }
  std::erase_if(order, [&](std::size_t i) { return x[i] <= threshold; });
  if (order.size() < kFewestTail) {
    return kInfinity;
  }
  std::vector<double> excess;
  for (const std::size_t i : order) {
    excess.push_back(std::exp(x[i]) - std::exp(threshold));
  }
  const GeneralisedPareto law = fitted_pareto(excess);
  if (!std::isfinite(law.k) || !(law.sigma > 0)) {
    return kInfinity;
  }
  for (std::size_t r = 0; r < order.size(); ++r) {
    const double p = (static_cast<double>(r) + 0.5) / static_cast<double>(order.size());
    x[order[r]] = std::min(std::log(law.quantile(p) + std::exp(threshold)), 0.0);
  }
  return law.k;
}

}  // namespace

SmoothedWeights smoothed_weights(std::span<const double> log_ratios) {
  require(!log_ratios.empty(), "importance weights: there are no ratios, give at least one");
  std::vector<double> x(log_ratios.begin(), log_ratios.end());
  bool wrong = false;
  for (double& value : x) {
    if (std::isnan(value) || value == kInfinity) {
      value = -kInfinity;
      wrong = true;
    }
  }
  const double largest = *std::max_element(x.begin(), x.end());
  if (largest == -kInfinity) {
    return {std::vector<double>(x.size(), 1 / static_cast<double>(x.size())), kInfinity};
  }
  for (double& value : x) {
    value -= largest;
  }
  const double k_hat = smooth_tail(x);
  double total = 0;
  for (double& value : x) {
    value = std::exp(value);
    total += value;
  }
  for (double& value : x) {
    value /= total;
  }
  return {std::move(x), wrong ? kInfinity : k_hat};
}

std::vector<double> tempered_weights(const std::vector<double>& weights, double effective) {
  const auto to_the = [&](double power) {
    std::vector<double> w;
    for (const double value : weights) {
      w.push_back(value > 0 ? std::pow(value, power) : 0);
    }
    const double total = std::accumulate(w.begin(), w.end(), 0.0);
    for (double& value : w) {
      value /= total;
    }
    return w;
  };
  const auto enough = [&](const std::vector<double>& w) {
    return 1 / std::inner_product(w.begin(), w.end(), w.begin(), 0.0) >= effective;
  };
  if (enough(weights)) {
    return weights;
  }
  double low = 0, high = 1;  // how many are effective falls with the power
  for (int i = 0; i < 30; ++i) {
    const double middle = (low + high) / 2;
    (enough(to_the(middle)) ? low : high) = middle;
  }
  return to_the(low);
}

std::vector<std::int64_t> resampled(const std::vector<double>& weights, std::int64_t n) {
  std::vector<std::int64_t> which;
  double upto = 0;  // of the weights up to the last draw that has a positive one
  std::int64_t last = -1;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) {
      continue;
    }
    last = static_cast<std::int64_t>(i);
    upto += weights[i];
    while (static_cast<std::int64_t>(which.size()) < n &&
           (static_cast<double>(which.size()) + 0.5) / static_cast<double>(n) < upto) {
      which.push_back(last);
    }
  }
  which.resize(static_cast<std::size_t>(n), last);  // the weights' sum was rounded down
  return which;
}

Assessment assessment_of(std::span<const double> log_ratios) {
  require(log_ratios.size() >= 2, "an ELBO needs two draws or more to have a standard error, not " +
                                      std::to_string(log_ratios.size()));
  Assessment a;
  const auto n = static_cast<double>(log_ratios.size());
  for (const double value : log_ratios) {
    a.outside += value == -kInfinity ? 1 : 0;
    a.elbo += value / n;
  }
  double squares = 0;
  for (const double value : log_ratios) {
    squares += (value - a.elbo) * (value - a.elbo);  // NaN if any was outside
  }
  a.elbo_error = std::sqrt(squares / (n - 1) / n);
  a.k_hat = smoothed_weights(log_ratios).k_hat;
  return a;
}

Assessment assess(Density& density, const Normal& q, std::uint64_t seed, std::uint32_t set,
                  std::int64_t points) {
  const Matrix z = standard_normals(seed, set, q.dim(), points);
  Eigen::VectorXd potential;
  Matrix gradient;
  density.evaluate(q.at(z), potential, gradient);
  const Eigen::VectorXd log_q = q.log_density(z);
  std::vector<double> log_ratios;
  for (std::int64_t i = 0; i < points; ++i) {
    log_ratios.push_back(std::isfinite(potential[i]) ? -potential[i] - log_q[i] : -kInfinity);
  }
  return assessment_of(log_ratios);
}

}  // namespace lockstep
