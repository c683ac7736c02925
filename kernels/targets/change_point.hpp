#pragma once

/// Counts whose rate changes once, at an unknown time, as Britain's coal-mining disasters did
/// (Jarrett, Biometrika 66 (1979) 191; Carlin, Gelfand & Smith, Appl. Statist. 41 (1992) 389).

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/lane/sum.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/embedding.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// y_t ~ Poisson(early) for t = 1..k and Poisson(late) for t = k + 1..n; k uniform on 1..n - 1,
/// early and late ~ Gamma(shape 2, rate 1). q = (log early, log late, k embedded), reported as
/// (early, late, k). With S_k = y_1 + ... + y_k,
///
///   U = (k + 1) early - (S_k + 2) log early + (n - k + 1) late - (S_n - S_k + 2) log late.
///
/// The rates integrate out, so that the law of k can be summed:
///
///   P(k) ~ Gamma(S_k + 2) / (k + 1)^(S_k + 2) Gamma(S_n - S_k + 2) / (n - k + 1)^(S_n - S_k + 2),
///
/// and given k, early ~ Gamma(S_k + 2, k + 1) and late ~ Gamma(S_n - S_k + 2, n - k + 1).
class ChangePoint {
  static constexpr double kShape = 2, kRate = 1;

 public:
  static constexpr int dim = 3;
  static constexpr int kMostYears = 200;

  /// @param counts  [n], in the order of time, 2 <= n <= kMostYears
  /// @throw UsageError  for too few or too many, or what is not a count
  explicit ChangePoint(const std::vector<double>& counts)
      : years_(static_cast<int>(counts.size())) {
    require(2 <= counts.size() && counts.size() <= kMostYears,
            "change-point: " + std::to_string(counts.size()) + " counts, but 2 to " +
                std::to_string(kMostYears) + " are possible");
    double sum = 0;
    sum_.set(0, 0);
    for (int t = 1; t <= years_; ++t) {
      const double y = counts[static_cast<std::size_t>(t - 1)];
      require(y >= 0 && y <= 1000 && y == std::floor(y),
              "change-point: count " + std::to_string(t) + " is " + std::to_string(y) +
                  ": give whole numbers from 0 to 1000");
      sum_.set(t, sum += y);
    }
  }
  /// The counts of `made_up_counts`.
  ChangePoint() : ChangePoint(made_up_counts()) {}

  /// 112 counts from a fixed seed: of rate 3.1 for 40 years and 0.9 afterwards.
  static std::vector<double> made_up_counts() {
    std::mt19937_64 bits(1851);
    std::vector<double> counts;
    for (int t = 1; t <= 112; ++t) {
      // As many arrivals as fit into one year (Knuth).
      const double none = std::exp(t <= 40 ? -3.1 : -0.9);
      double product = 1;
      int y = -1;
      do {
        product *= static_cast<double>((bits() >> 11) + 1) * 0x1p-53;
        ++y;
      } while (product > none);
      counts.push_back(y);
    }
    return counts;
  }

  LOCKSTEP_HD bool discontinuous(int j) const { return j == 2; }
  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return energy(Parts<T>(*this, q), q);
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const Parts<T> part(*this, q);
    gradient[0] = fma(part.early_years, part.early, -part.early_count);
    gradient[1] = fma(part.late_years, part.late, -part.late_count);
    gradient[2] = T(0);
    return energy(part, q);
  }

  /// Between k and l: (l - k) (early - late) - (S_l - S_k) log(early / late).
  template <class T>
  struct Cache {
    T rate_gap, log_ratio;
    T k, count;    // S_k
    T to, counts;  // the same where `delta` has looked
  };
  template <class T>
  LOCKSTEP_HD void prepare(const T* q, Cache<T>& cache) const {
    cache.rate_gap = exp(q[0]) - exp(q[1]);
    cache.log_ratio = q[0] - q[1];
    cache.k = cells().index(q[2]);
    cache.count = sum(cache.k);
  }
  template <class T>
  LOCKSTEP_HD T delta(int, const T*, const T& to, Cache<T>& cache) const {
    cache.to = cells().index(to);
    cache.counts = sum(cache.to);
    return select(
        cells().contains(cache.to),
        fma(cache.to - cache.k, cache.rate_gap, -((cache.counts - cache.count) * cache.log_ratio)),
        T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD void commit(int, const T*, const T&, const Mask<T>& moves, Cache<T>& cache) const {
    cache.k = select(moves, cache.to, cache.k);
    cache.count = select(moves, cache.counts, cache.count);
  }
  template <class T>
  LOCKSTEP_HD T conditional(int, const T* q, const T& u) const {
    const T rate_gap = exp(q[0]) - exp(q[1]), log_ratio = q[0] - q[1];
    return draw_cell(cells(), u,
                     [&](const T& k) { return fma(k, rate_gap, -(sum(k) * log_ratio)); });
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[0] = exp(q[0]);
    x[1] = exp(q[1]);
    x[2] = cells().index(q[2]);
  }
  /// Rates within a factor of 2 of the mean of all counts, any time.
  void start(const double* u, double* q) const {
    const double mean = (sum_.as_double[years_] + kShape) / (years_ + kRate);
    for (int j = 0; j < 2; ++j) {
      q[j] = std::log(mean) + std::log(2.0) * (2 * u[j] - 1);
    }
    q[2] = cells().middle(any_integer(cells(), u[2]));
  }
  std::vector<std::string> names() const { return {"early", "late", "switch"}; }

  /// P(k), k = 1..n - 1; [n], the first is 0.
  std::vector<double> law() const {
    std::vector<double> p(static_cast<std::size_t>(years_));
    double largest = -std::numeric_limits<double>::infinity(), total = 0;
    for (int k = 1; k < years_; ++k) {
      double log_p = 0;
      for (const auto& [shape, rate] : {early_law(k), late_law(k)}) {
        log_p += std::lgamma(shape) - shape * std::log(rate);
      }
      p[static_cast<std::size_t>(k)] = log_p;
      largest = std::max(largest, log_p);
    }
    for (int k = 1; k < years_; ++k) {
      double& at = p[static_cast<std::size_t>(k)];
      total += at = std::exp(at - largest);
    }
    for (double& x : p) {
      x /= total;
    }
    return p;
  }
  /// Shape and rate of the Gamma laws of the rates, given k.
  struct GammaLaw {
    double shape, rate;
  };
  GammaLaw early_law(int k) const { return {sum_.as_double[k] + kShape, k + kRate}; }
  GammaLaw late_law(int k) const {
    return {sum_.as_double[years_] - sum_.as_double[k] + kShape, years_ - k + kRate};
  }

  Truth truth() const {
    const std::vector<double> p = law();
    double first[dim] = {}, second[dim] = {};
    for (int k = 1; k < years_; ++k) {
      const double w = p[static_cast<std::size_t>(k)];
      int j = 0;
      for (const auto& [shape, rate] : {early_law(k), late_law(k)}) {
        first[j] += w * shape / rate;
        second[j++] += w * shape * (shape + 1) / (rate * rate);
      }
      first[2] += w * k;
      second[2] += w * k * k;
    }
    Truth t{{}, {}, {}, {}, "exact"};
    for (int j = 0; j < dim; ++j) {
      t.mean.push_back(first[j]);
      t.sd.push_back(std::sqrt(second[j] - first[j] * first[j]));
    }
    return t;
  }

 private:
  LOCKSTEP_INLINE UnitCells cells() const { return {1, years_ - 1}; }

  /// S_k, for any k.
  template <class T>
  LOCKSTEP_INLINE T sum(const T& k) const {
    return table_entry(sum_, years_, k);
  }

  /// What the terms of either rate have in common: rate, years + 1, and count + 2.
  template <class T>
  struct Parts {
    T k, early, late, early_years, late_years, early_count, late_count;

    LOCKSTEP_INLINE Parts(const ChangePoint& c, const T* q)
        : k(c.cells().index(q[2])), early(exp(q[0])), late(exp(q[1])) {
      const T all = constant<T>(c.sum_.as_double[c.years_] + kShape);
      const T before = c.sum(k);
      early_years = k + constant<T>(kRate);
      late_years = constant<T>(c.years_ + kRate) - k;
      early_count = before + constant<T>(kShape);
      late_count = all - before;
    }
  };
  template <class T>
  LOCKSTEP_INLINE Sum<T> energy(const Parts<T>& part, const T* q) const {
    Sum<T> u = part.early_years * part.early;
    u += part.late_years * part.late;
    u += -(part.early_count * q[0]);
    u += -(part.late_count * q[1]);
    return select(cells().contains(part.k), u,
                  Sum<T>(T(std::numeric_limits<Scalar<T>>::infinity())));
  }

  int years_;
  Constants<kMostYears + 1> sum_;  // S_0 = 0, S_1, ..., S_n
};

}  // namespace lockstep
