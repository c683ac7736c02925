#pragma once

/// The likelihood of a regression with two outcomes, by whatever link: P(y_i = 1) = F(x_i'w), with
/// F symmetric, F(-t) = 1 - F(t).
///
/// Each row is stored with the sign that makes its outcome 0: z_i = (1 - 2 y_i) x_i. Then
///   -log likelihood = sum_i loss(z_i'w),  loss(t) = -log F(-t),
/// and the outcomes are gone.

#include <type_traits>
#include <utility>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/lane/approximate.hpp"

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

/// F(t) = 1 / (1 + exp(-t)): loss(t) = softplus(t) = log(1 + exp(t)).
struct LogitLink {
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
  /// Of the loss, within 2e-7: for kicks.
  template <class T>
  static LOCKSTEP_INLINE T approximate_slope(const T& eta) {
    return approximate_logistic(eta);
  }
};

/// @tparam S     scalar of the data
/// @tparam Link  LogitLink or another with the same functions
/// @tparam D     the number of weights; 0: known when the program runs
template <class S, class Link, int D = 0>
struct BinaryLikelihood {
  LogisticRows<S> rows;

  LOCKSTEP_INLINE int dim() const {
    if constexpr (D > 0) {
      return D;
    } else {
      return rows.dim;
    }
  }

  /// u += the loss at weights w, [dim].
  template <class T>
  LOCKSTEP_INLINE void add_loss(const T* w, Sum<T>& u) const {
    for_blocks([&](const S* z, int d) {
      T eta[kRowBlock];
      predict(z, d, w, eta);
      u += Link::losses(eta);
    });
  }
  /// The same, and g += its gradient.
  template <class T>
  LOCKSTEP_INLINE void add_loss_and_gradient(const T* w, Sum<T>& u, T* g) const {
    for_blocks([&](const S* z, int d) {
      T eta[kRowBlock];
      predict(z, d, w, eta);
      u += Link::losses(eta);  // leaves the slopes in eta
      accumulate(z, d, eta, g);
    });
  }
  /// p += scale times the gradient, without the loss.
  template <class T>
  LOCKSTEP_INLINE void kick(const T* w, const T& scale, T* p) const {
    for_blocks([&](const S* z, int d) {
      T eta[kRowBlock];
      predict(z, d, w, eta);
      unrolled<kRowBlock>([&](auto r) { eta[r] = scale * Link::approximate_slope(eta[r]); });
      accumulate(z, d, eta, p);
    });
  }

  /// f(j) for every coordinate. CUDA threads keep q and g in registers, so their loop unrolls; SIMD
  /// lanes keep them in the first-level cache, where a short loop runs faster than a long unrolled
  /// one, which the compiler reorders until it spills.
  template <class T, class F>
  static LOCKSTEP_INLINE void sweep(int d, F f) {
    if constexpr (width<T> == 1 && (D > 0)) {
      LOCKSTEP_UNROLL
      for (int j = 0; j < D; ++j) {
        f(j);
      }
    } else {
      LOCKSTEP_NO_UNROLL
      for (int j = 0; j < d; ++j) {
        f(j);
      }
    }
  }

  /// The same on copies of the arrays: `copy(p, n)` returns where p's n values now are.
  template <class Copy>
  BinaryLikelihood moved(Copy copy) const {
    return {{copy(rows.z, rows.size()), rows.blocks, rows.dim}};
  }

 private:
  /// f(z, d) for every block of rows, [d][kRowBlock]. Bounds are read once: vector stores may alias
  /// anything, this object too.
  template <class F>
  LOCKSTEP_INLINE void for_blocks(F f) const {
    const int d = dim();
    const S* z = rows.z;
    for (int left = rows.blocks; left > 0; --left, z += d * kRowBlock) {
      f(z, d);
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
};

}  // namespace lockstep
