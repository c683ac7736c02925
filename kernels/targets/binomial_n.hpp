#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/lane/sum.hpp"
#include "kernels/targets/binomial.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/embedding.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/transforms.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// How many trials were there, when y = 100 of them succeeded? y ~ Binomial(N, p) with both
/// unknown, P(N) ~ 1 / N, p ~ Beta(2, 2) (an example that came with Nishimura, Dunson & Lu,
/// Biometrika 2020). q = (logit p, log N embedded), reported as (p, N);
///
///   U = -log [N! / (N - y)!] - (y + 2) log p - (N - y + 2) log(1 - p) + log N + log width(N).
///
/// p given N is Beta(y + 2, N - y + 2), which integrates out:
///
///   P(N | y) ~ (N - 99) / [N (N + 1) (N + 2) (N + 3)],   N >= 100,
///
/// of infinite variance. So N ends at 20000, where 8e-5 of the mass is cut off.
struct BinomialN {
  static constexpr int dim = 2;
  static constexpr int successes = 100, most = 20000;

  LOCKSTEP_HD bool discontinuous(int j) const { return j == 1; }
  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return whole(q, logistic(q[0]), cells().index(q[1]));
  }
  /// The derivatives of both logarithms of p are linear in p.
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    const T p = logistic(q[0]), n = cells().index(q[1]);
    gradient[0] = fma(n + T(4), p, constant<T>(-(successes + 2)));
    gradient[1] = T(0);
    return whole(q, p, n);
  }

  template <class T>
  struct Cache {
    T p, other;     // p and 1 - p
    T here, there;  // what N adds to U, where it is and where `delta` has looked
  };
  template <class T>
  LOCKSTEP_HD void prepare(const T* q, Cache<T>& cache) const {
    cache.p = logistic(q[0]);
    cache.other = logistic(-q[0]);
    cache.here = energy(cells().index(q[1]), cache.p, cache.other);
  }
  template <class T>
  LOCKSTEP_HD T delta(int, const T*, const T& to, Cache<T>& cache) const {
    const T n = cells().index(to);
    cache.there = energy(n, cache.p, cache.other);
    return select(cells().contains(n), cache.there - cache.here,
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD void commit(int, const T*, const T&, const Mask<T>& moves, Cache<T>& cache) const {
    cache.here = select(moves, cache.there, cache.here);
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[0] = logistic(q[0]);
    x[1] = cells().index(q[1]);
  }
  /// p on (0.1, 0.9), N = y / p.
  void start(const double* u, double* q) const {
    const double p = 0.1 + 0.8 * u[0];
    q[0] = logit(p);
    q[1] = cells().middle(static_cast<int>(successes / p));
  }
  std::vector<std::string> names() const { return {"p", "N"}; }

  /// P(N), N = 100..20000; [most + 1], nothing below 100.
  static std::vector<double> law() {
    std::vector<double> p(most + 1);
    double total = 0;
    for (int n = successes; n <= most; ++n) {
      const double x = n;
      p[static_cast<std::size_t>(n)] = (x - successes + 1) / (x * (x + 1) * (x + 2) * (x + 3));
      total += p[static_cast<std::size_t>(n)];
    }
    for (double& x : p) {
      x /= total;
    }
    return p;
  }
  Truth truth() const {
    const std::vector<double> law = BinomialN::law();
    double first[dim] = {}, second[dim] = {};
    for (int n = successes; n <= most; ++n) {
      const double w = law[static_cast<std::size_t>(n)];
      const double a = successes + 2, all = n + 4;  // p ~ Beta(a, all - a)
      first[0] += w * a / all;
      second[0] += w * a * (a + 1) / (all * (all + 1));
      first[1] += w * n;
      second[1] += w * n * n;
    }
    return {
        {first[0], first[1]},
        {std::sqrt(second[0] - first[0] * first[0]), std::sqrt(second[1] - first[1] * first[1])},
        {},
        {},
        "exact"};
  }

 private:
  static LOCKSTEP_INLINE LogCells cells() { return {successes, most}; }

  /// What N adds to U, but for (1 - p)^(1/2).
  template <class T>
  static LOCKSTEP_INLINE T energy(const T& n, const T& p, const T& other) {
    return unseen_energy(n, constant<T>(successes), constant<T>(1.0 / successes), p, other) +
           log(n) + cells().log_width(n);
  }
  /// `unseen_energy` has taken y log p and (N - y + 1/2) log(1 - p).
  template <class T>
  static LOCKSTEP_INLINE Sum<T> whole(const T* q, const T& p, const T& n) {
    Sum<T> u = energy(n, p, logistic(-q[0]));
    u += T(-2) * log_logistic(q[0]);
    u += constant<T>(-1.5) * log_logistic(-q[0]);
    return select(cells().contains(n), u, Sum<T>(T(std::numeric_limits<Scalar<T>>::infinity())));
  }
};

}  // namespace lockstep
