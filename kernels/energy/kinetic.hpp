#pragma once

/// Gaussian kinetic energies K(p) = p' M^-1 p / 2. A metric is given by the inverse mass M^-1,
/// which adaptation estimates by the covariance of q. Each offers
///   momentum(z, p)       p = M^(1/2) z ~ N(0, M) from z ~ N(0, I)
///   energy(p)            K(p)
///   drift(q, step, p)    q += step M^-1 p
///   displace(q, step, z) q += step M^(-1/2) z, the random walk's proposal

#include <cstdint>

#include "kernels/lane/group.hpp"
#include "kernels/lane/math.hpp"

namespace lockstep {

/// A vector that kernels receive by value (CUDA keeps such arguments in constant memory) while it
/// is small, and by pointer beyond.
template <class S, int N, bool ByValue = (N <= 64)>
struct MetricTable {
  S at[N];
  LOCKSTEP_INLINE S operator[](int j) const { return at[j]; }
};
template <class S, int N>
struct MetricTable<S, N, false> {
  const S* at;
  LOCKSTEP_INLINE S operator[](int j) const { return at[j]; }
};

/// M = diag(1 / inverse_mass); the unit metric is all ones.
template <class S, int N, bool Exact>
struct DiagonalMetric {
  static constexpr bool separable = true;
  MetricTable<S, N> inverse_mass;  // M^-1_jj
  MetricTable<S, N> scale;         // sqrt(M^-1_jj)
  int dim;

  template <class L, class Group>
  LOCKSTEP_INLINE void momentum(const Group& group, const L* z, L* p) const {
    for_slots<N, Exact>(group, dim, [&](int s, int j) { p[s] = z[s] / L(scale[j]); });
  }

  template <class L, class Group>
  LOCKSTEP_INLINE Sum<L> energy(const Group& group, const L* p) const {
    Sum<L> k = sum_coordinates<L, N, Exact>(
        group, dim, [&](int s, int j) { return L(inverse_mass[j]) * p[s] * p[s]; });
    return {L(S(0.5)) * k.hi, L(S(0.5)) * k.lo};
  }

  template <class L, class Group>
  LOCKSTEP_INLINE void drift(const Group& group, L* q, const L& step, const L* p) const {
    for_slots<N, Exact>(group, dim,
                        [&](int s, int j) { q[s] = fma(step * L(inverse_mass[j]), p[s], q[s]); });
  }

  /// The same for one coordinate, given its rate step / M_jj.
  template <class L>
  LOCKSTEP_INLINE L rate(int j, const L& step) const {
    return step * L(inverse_mass[j]);
  }

  template <class L, class Group>
  LOCKSTEP_INLINE void displace(const Group& group, L* q, const L& step, const L* z) const {
    for_slots<N, Exact>(group, dim,
                        [&](int s, int j) { q[s] = fma(step * L(scale[j]), z[s], q[s]); });
  }
};

/// A full inverse mass M^-1 = F F', F lower triangular. Both are row-major with row stride N.
template <class S, int N, bool Exact>
struct DenseMetric {
  static constexpr bool separable = false;
  const S* inverse_mass;  // [dim][N], symmetric
  const S* factor;        // [dim][N], F
  int dim;

  /// p = F^-T z: back substitution, so that E[p p'] = F^-T F^-1 = M.
  template <class L>
  LOCKSTEP_INLINE void momentum(const Solo&, const L* z, L* p) const {
    const int d = size();
    for (int i = d - 1; i >= 0; --i) {
      L rest = z[i];
      for (int k = i + 1; k < d; ++k) {
        rest = fma(L(-factor[k * N + i]), p[k], rest);
      }
      p[i] = rest / L(factor[i * N + i]);
    }
  }

  template <class L>
  LOCKSTEP_INLINE Sum<L> energy(const Solo& group, const L* p) const {
    Sum<L> k = sum_coordinates<L, N, false>(
        group, size(), [&](int, int j) { return p[j] * row(inverse_mass + j * N, p); });
    return {L(S(0.5)) * k.hi, L(S(0.5)) * k.lo};
  }

  template <class L>
  LOCKSTEP_INLINE void drift(const Solo&, L* q, const L& step, const L* p) const {
    const int d = size();
    for (int j = 0; j < d; ++j) {
      q[j] = fma(step, row(inverse_mass + j * N, p), q[j]);
    }
  }

  template <class L>
  LOCKSTEP_INLINE void displace(const Solo&, L* q, const L& step, const L* z) const {
    const int d = size();
    for (int j = 0; j < d; ++j) {
      L sum = L(0);
      for (int k = 0; k <= j; ++k) {
        sum = fma(L(factor[j * N + k]), z[k], sum);
      }
      q[j] = fma(step, sum, q[j]);
    }
  }

 private:
  LOCKSTEP_INLINE int size() const { return Exact ? N : dim; }

  template <class L>
  LOCKSTEP_INLINE L row(const S* a, const L* p) const {
    L sum = L(0);
    const int d = size();
    for (int k = 0; k < d; ++k) {
      sum = fma(L(a[k]), p[k], sum);
    }
    return sum;
  }
};

/// A diagonal and a few directions of its own scale:
///
///   M^-1 = D (I + U (Lambda - I) U') D,   D = diag(scale), U [dim][rank] orthonormal columns
///
/// so that powers of the bracket need nothing but powers of Lambda.
template <class S, int N, bool Exact>
struct LowRankMetric {
  static constexpr bool separable = false;
  const S* scale;         // [N], D
  const S* vectors;       // [rank][N], U'
  const S* coefficients;  // [3][rank]: Lambda^c - 1 for c = 1, -1/2, 1/2
  int dim, rank;

  /// p = D^-1 (I + U (Lambda^-1/2 - I) U') z.
  template <class L>
  LOCKSTEP_INLINE void momentum(const Solo& group, const L* z, L* p) const {
    for_slots<N, false>(group, size(), [&](int, int j) { p[j] = z[j]; });
    bracket(coefficients + rank, z, p);
    for_slots<N, false>(group, size(), [&](int, int j) { p[j] = p[j] / L(scale[j]); });
  }

  template <class L>
  LOCKSTEP_INLINE Sum<L> energy(const Solo& group, const L* p) const {
    L y[N];
    L x[N];
    inner(group, p, y, x);
    Sum<L> k = sum_coordinates<L, N, false>(group, size(), [&](int, int j) { return y[j] * x[j]; });
    return {L(S(0.5)) * k.hi, L(S(0.5)) * k.lo};
  }

  template <class L>
  LOCKSTEP_INLINE void drift(const Solo& group, L* q, const L& step, const L* p) const {
    L y[N];
    L x[N];
    inner(group, p, y, x);
    for_slots<N, false>(group, size(),
                        [&](int, int j) { q[j] = fma(step * L(scale[j]), x[j], q[j]); });
  }

  /// q += step D (I + U (Lambda^1/2 - I) U') z.
  template <class L>
  LOCKSTEP_INLINE void displace(const Solo& group, L* q, const L& step, const L* z) const {
    L x[N];
    for_slots<N, false>(group, size(), [&](int, int j) { x[j] = z[j]; });
    bracket(coefficients + 2 * rank, z, x);
    for_slots<N, false>(group, size(),
                        [&](int, int j) { q[j] = fma(step * L(scale[j]), x[j], q[j]); });
  }

 private:
  LOCKSTEP_INLINE int size() const { return Exact ? N : dim; }

  /// y = D p, x = (I + U (Lambda - I) U') y.
  template <class L>
  LOCKSTEP_INLINE void inner(const Solo& group, const L* p, L* y, L* x) const {
    for_slots<N, false>(group, size(), [&](int, int j) { x[j] = y[j] = L(scale[j]) * p[j]; });
    bracket(coefficients, y, x);
  }

  /// x += U diag(c) U' y.
  template <class L>
  LOCKSTEP_INLINE void bracket(const S* c, const L* y, L* x) const {
    const int d = size();
    for (int k = 0; k < rank; ++k) {
      const S* u = vectors + k * N;
      L along = L(0);
      for (int j = 0; j < d; ++j) {
        along = fma(L(u[j]), y[j], along);
      }
      along = L(c[k]) * along;
      for (int j = 0; j < d; ++j) {
        x[j] = fma(L(u[j]), along, x[j]);
      }
    }
  }
};

/// Whichever of them a run has, for kernels that are not compiled for each.
template <class S, int N, bool Exact>
struct AnyMetric {
  static constexpr bool separable = false;
  enum class Kind : std::uint8_t { diagonal, dense, low_rank };
  Kind kind = Kind::diagonal;
  DiagonalMetric<S, N, Exact> diagonal;
  DenseMetric<S, N, Exact> dense;
  LowRankMetric<S, N, Exact> low_rank;

  template <class L>
  LOCKSTEP_INLINE void momentum(const Solo& group, const L* z, L* p) const {
    with([&](const auto& metric) { metric.momentum(group, z, p); });
  }
  template <class L>
  LOCKSTEP_INLINE Sum<L> energy(const Solo& group, const L* p) const {
    Sum<L> k;
    with([&](const auto& metric) { k = metric.energy(group, p); });
    return k;
  }
  template <class L>
  LOCKSTEP_INLINE void drift(const Solo& group, L* q, const L& step, const L* p) const {
    with([&](const auto& metric) { metric.drift(group, q, step, p); });
  }
  template <class L>
  LOCKSTEP_INLINE void displace(const Solo& group, L* q, const L& step, const L* z) const {
    with([&](const auto& metric) { metric.displace(group, q, step, z); });
  }

 private:
  template <class F>
  LOCKSTEP_INLINE void with(F f) const {
    if (kind == Kind::diagonal) {
      f(diagonal);
    } else if (kind == Kind::dense) {
      f(dense);
    } else {
      f(low_rank);
    }
  }
};

}  // namespace lockstep
