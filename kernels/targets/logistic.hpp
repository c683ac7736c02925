#pragma once

/// Bayesian logistic regression: y_i ~ Bernoulli(1 / (1 + exp(-x_i'w))), w_j ~ N(0, 1).
///
/// Each row is stored with the sign that makes its outcome 0: z_i = (1 - 2 y_i) x_i. Then
///   U(w) = w'w / 2 + sum_i softplus(z_i'w),
///   dU/dw = w + sum_i z_i / (1 + exp(-z_i'w)),
/// and the outcomes are gone.

#include <type_traits>
#include <utility>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/lane/approximate.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// Rows of a block: enough independent sums to hide an FMA's latency, few enough to stay in
/// registers, twice, beside the coefficients.
inline constexpr int kRowBlock = 8;

#if defined(__GNUC__) && !defined(__CUDACC__)
#define LOCKSTEP_INLINE_LAMBDA __attribute__((always_inline))
#else
#define LOCKSTEP_INLINE_LAMBDA
#endif
#if defined(__CUDACC__) && !defined(__CUDA_ARCH__)
#define LOCKSTEP_NO_UNROLL  // see LOCKSTEP_UNROLL
#elif defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#define LOCKSTEP_NO_UNROLL LOCKSTEP_PRAGMA(GCC unroll 1)
#else
#define LOCKSTEP_NO_UNROLL LOCKSTEP_PRAGMA(unroll 1)
#endif

/// f(0), ..., f(N - 1), each index a constant: arrays indexed by it become registers before the
/// optimiser's first pass, which a loop that is unrolled later does not achieve with Twin.
template <int N, class F>
LOCKSTEP_INLINE void unrolled(F f) {
  [&]<int... I>(std::integer_sequence<int, I...>) LOCKSTEP_INLINE_LAMBDA {
    (f(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

/// Where the rows are: `blocks` blocks of [dim][kRowBlock], z_(8 b + r, j) = z[(b dim + j) 8 + r],
/// so that a sweep over the coordinates reads memory in order. Rows beyond the last are zero: each
/// adds the constant log 2 to U and nothing to its gradient. The memory belongs to someone else.
template <class S>
struct LogisticRows {
  const S* z = nullptr;
  int blocks = 0;
  int dim = 0;

  LOCKSTEP_INLINE std::size_t size() const {
    return static_cast<std::size_t>(blocks) * static_cast<std::size_t>(dim) * kRowBlock;
  }
};

/// The target, once its dimension is known from `Derived`.
template <class Derived, class S>
struct LogisticTarget {
  /// Two registers share each broadcast predictor; four would spill.
  static constexpr int lanes_in_flight = 2;

  explicit LogisticTarget(LogisticRows<S> rows) : rows_(rows) {}

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    Sum<T> u = prior(q);
    for_blocks([&](const S* z, int d) {
      T eta[kRowBlock];
      predict(z, d, q, eta);
      u += losses(eta);
    });
    return u;
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    Sum<T> u = prior(q);
    sweep<T>(dimension(self()), [&](int j) { gradient[j] = q[j]; });
    for_blocks([&](const S* z, int d) {
      T eta[kRowBlock];
      predict(z, d, q, eta);
      u += losses(eta);  // leaves the residuals in eta
      accumulate(z, d, eta, gradient);
    });
    return u;
  }

  /// p += scale dU/dw, without the potential.
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    sweep<T>(dimension(self()), [&](int j) { p[j] = fma(scale, q[j], p[j]); });
    for_blocks([&](const S* z, int d) {
      T eta[kRowBlock];
      predict(z, d, q, eta);
      unrolled<kRowBlock>([&](auto r) { eta[r] = scale * approximate_logistic(eta[r]); });
      accumulate(z, d, eta, p);
    });
  }

  std::vector<std::string> names() const { return numbered_names("weights", dimension(self())); }

  /// The same target on copies of its arrays: `copy(p, n)` returns where p's n values now are.
  template <class Copy>
  Derived moved(Copy copy) const {
    Derived target = self();
    target.rows_.z = copy(rows_.z, rows_.size());
    return target;
  }

 protected:
  LogisticRows<S> rows_;

 private:
  LOCKSTEP_INLINE const Derived& self() const { return static_cast<const Derived&>(*this); }

  template <class T>
  LOCKSTEP_INLINE Sum<T> prior(const T* q) const {
    return quad_sum<T>(self(), [&](int j) { return T(0.5f) * q[j] * q[j]; });
  }
  /// f(z, d) for every block of rows, [d][kRowBlock]. Bounds are read once: vector stores may alias
  /// anything, this object too.
  template <class F>
  LOCKSTEP_INLINE void for_blocks(F f) const {
    const int d = dimension(self());
    const S* z = rows_.z;
    for (int left = rows_.blocks; left > 0; --left, z += d * kRowBlock) {
      f(z, d);
    }
  }
  /// f(j) for every coordinate. CUDA threads keep q and g in registers, so their loop unrolls; SIMD
  /// lanes keep them in the first-level cache, where a short loop runs faster than a long unrolled
  /// one, which the compiler reorders until it spills.
  template <class T, class F>
  static LOCKSTEP_INLINE void sweep(int d, F f) {
    if constexpr (width<T> == 1 && HasStaticDimension<Derived>) {
      LOCKSTEP_UNROLL
      for (int j = 0; j < Derived::dim; ++j) {
        f(j);
      }
    } else {
      LOCKSTEP_NO_UNROLL
      for (int j = 0; j < d; ++j) {
        f(j);
      }
    }
  }
  /// eta_r = z_r'w for the rows of a block.
  template <class T>
  static LOCKSTEP_INLINE void predict(const S* z, int d, const T* q, T (&eta)[kRowBlock]) {
    unrolled<kRowBlock>([&](auto r) { eta[r] = T(0); });
    sweep<T>(d, [&](int j) {
      const S* column = z + j * kRowBlock;
      const T w = q[j];
      unrolled<kRowBlock>(
          [&](auto r) { eta[r] = fma(T(static_cast<Scalar<T>>(column[r])), w, eta[r]); });
    });
  }
  /// g += sum_r z_r residual_r over the rows of a block.
  template <class T>
  static LOCKSTEP_INLINE void accumulate(const S* z, int d, const T (&residual)[kRowBlock], T* g) {
#if defined(__CUDA_ARCH__)
    // To the compiler, another block: it would keep what `predict` has read, 8 dim registers.
    asm volatile("" : "+l"(z));
#endif
    sweep<T>(d, [&](int j) {
      const S* column = z + j * kRowBlock;
      T sum = g[j];
      unrolled<kRowBlock>(
          [&](auto r) { sum = fma(T(static_cast<Scalar<T>>(column[r])), residual[r], sum); });
      g[j] = sum;
    });
  }
  /// sum_r softplus(eta_r); eta_r becomes its derivative, 1 / (1 + exp(-eta_r)). With
  /// e_r = exp(-|eta_r|) the sum is sum_r max(eta_r, 0) + log prod_r (1 + e_r): one logarithm for
  /// the block, of a number between 1 and 2^8. Its rounding, at most 2^-20 in a block, is that of
  /// adding the eight terms.
  template <class T>
  static LOCKSTEP_INLINE T losses(T (&eta)[kRowBlock]) {
    T positive = T(0), product = T(1);
    unrolled<kRowBlock>([&](auto r) {
      const T e = exp(-abs(eta[r]));
      const T inverse = T(1) / (T(1) + e);
      positive = positive + larger(eta[r], T(0));
      product = product * (T(1) + e);
      eta[r] = select(eta[r] < T(0), e * inverse, inverse);
    });
    return positive + log(product);
  }
};

/// Logistic regression with D weights, on data of scalar S.
template <class S, int D>
struct Logistic : LogisticTarget<Logistic<S, D>, S> {
  static constexpr int dim = D;

  /// @throw UsageError unless the data have D columns.
  explicit Logistic(LogisticRows<S> rows) : LogisticTarget<Logistic<S, D>, S>(rows) {
    require(rows.dim == D, "logistic: the data have " + std::to_string(rows.dim) +
                               " columns, but the target was built for " + std::to_string(D));
  }
};

/// The same with a number of weights, 1 to Max, that is known when the program runs.
template <class S, int Max>
struct LogisticN : LogisticTarget<LogisticN<S, Max>, S> {
  static constexpr int max_dim = Max;

  /// @throw UsageError unless 1 <= rows.dim <= Max.
  explicit LogisticN(LogisticRows<S> rows) : LogisticTarget<LogisticN<S, Max>, S>(rows) {
    checked_dimension("logistic", rows.dim, Max);
  }
  LOCKSTEP_INLINE int dim() const { return this->rows_.dim; }
};

}  // namespace lockstep
