#pragma once

/// The binomial law of a count u out of an unknown number N: log-probabilities that keep their
/// digits in float, however large N is.

#include "kernels/lane/math.hpp"
#include "kernels/targets/constant.hpp"

namespace lockstep {

/// What Stirling's formula leaves of a factorial,
///   log n! = x log x - x + log(2 pi) / 2 + s(x),   x = n + 1/2,
/// for whole n >= 0, within 1e-16: s(x) = P(w) / (x Q(w)) with w = 1 / x^2, the ratio of quartics
/// of least error at those points (between them it is less exact). Its series begins
/// -1 / (24 x) + 7 / (2880 x^3) - ..., and does not converge.
template <class T>
LOCKSTEP_INLINE T stirling_rest(const T& x) {
  const T w = T(1) / (x * x);
  T p = constant<T>(-0.0049936292539563472735);
  p = fma(p, w, constant<T>(-0.13315229334585150803));
  p = fma(p, w, constant<T>(-0.38767156069588646124));
  p = fma(p, w, constant<T>(-0.26198752850334370576));
  p = fma(p, w, constant<T>(-0.041666666666664300017));
  T q = constant<T>(0.22474887768297075885);
  q = fma(q, w, constant<T>(3.6559871203506393833));
  q = fma(q, w, constant<T>(9.6558504000051847135));
  q = fma(q, w, constant<T>(6.3460340173775305065));
  q = fma(q, w, T(1));
  return p / (x * q);
}

/// log(1 + e), where w = 1 + e is known to more digits than e has of it below 1/2.
template <class T>
LOCKSTEP_INLINE T log_near_one(const T& e, const T& w) {
  const auto small = e < T(-0.5f);
  const T sum = select(small, w, T(1) + e);
  const T rounded = select(small, T(0), e - (sum - T(1)));  // off the sum, as in log1p
  return log(sum) + rounded / sum;
}

/// -log [N! / (N - u)! p^u (1 - p)^(N - u + 1/2)] + u log u - u: what depends on N of minus the
/// log-probability that u of N are found. With x = N + 1/2, y = N - u + 1/2 and the excess
/// d = x p - u, Stirling's formula gives
///
///   -u log(1 + d / u) - y log(1 - d / y) - s(x) + s(y),
///
/// which is small wherever the probability is not, since d cancels in the first order: in float the
/// error is some 1e-6, where log N! alone would have been rounded by 1e-3. (Loader, "Fast and
/// accurate computation of binomial probabilities", 2000, has the same in terms of deviances.)
///
/// The logarithms are those of x p / u and x (1 - p) / y, which have more digits where they are
/// small: 1 - p comes separately.
///
/// @param n         N, a whole number of at least u
/// @param u, per_u  u, and 1 / u, or 0 where u is 0
/// @param p, other  p in (0, 1), and 1 - p
template <class T>
LOCKSTEP_INLINE T unseen_energy(const T& n, const T& u, const T& per_u, const T& p,
                                const T& other) {
  const T x = n + T(0.5f), y = (n - u) + T(0.5f);
  const T d = fma(x, p, -u);
  const T seen = log_near_one(d * per_u, x * p * per_u);
  const T unseen = log_near_one(-d / y, x * other / y);
  return (stirling_rest(y) - stirling_rest(x)) - fma(u, seen, y * unseen);
}

}  // namespace lockstep
