#pragma once

/// Generalised Bayesian classification by the 0-1 loss: coefficients b ~ N(0, I) whose "likelihood"
/// is exp(-the number of outcomes that sign(x_i'b) gets wrong),
///
///   U(b) = b'b / 2 + #{i : y_i x_i'b < 0},   y_i = +-1,
///
/// which is flat but for its jumps: every coordinate is discontinuous (Nishimura, Dunson & Lu,
/// "Discontinuous Hamiltonian Monte Carlo for discrete parameters and discontinuous likelihoods",
/// Biometrika 2020, section 4.3; its log pi = -b'b / 2 + #{y_i x_i'b > 0} is this but for a
/// constant). A prediction of exactly 0 is right: that rule is for a null set, and lets rows of
/// zeros pad the design.

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/lane/bits.hpp"
#include "kernels/targets/binary_likelihood.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// The signed design, z_ij = y_i x_ij, column by column: z_ij = z[j rows + i]. `rows` is a multiple
/// of kRowBlock; rows beyond the observations are zero and cost nothing. The memory belongs to
/// someone else.
template <class S>
struct SignedDesign {
  const S* z = nullptr;
  int rows = 0;
  int dim = 0;

  LOCKSTEP_INLINE std::size_t size() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(dim);
  }
  LOCKSTEP_INLINE const S* column(int j) const {
    return z + static_cast<std::size_t>(j) * static_cast<std::size_t>(rows);
  }
};

/// How many predictions were wrong, exactly: an integer for each chain.
template <class T>
struct Mistakes {
  T count = T(0);

  LOCKSTEP_INLINE void see(const T& prediction) {
    count = count + select(prediction < T(0), T(1), T(0));
  }
  LOCKSTEP_INLINE T value() const { return count; }
};
template <class L>
struct Mistakes<Twin<L>> {
  Mistakes<L> lo, hi;

  LOCKSTEP_INLINE void see(const Twin<L>& prediction) {
    lo.see(prediction.lo);
    hi.see(prediction.hi);
  }
  LOCKSTEP_INLINE Twin<L> value() const { return {lo.value(), hi.value()}; }
};
#if LOCKSTEP_WITH_XSIMD
/// In integers, sign bits are two instructions: one to shift, one to add. (A prediction of -0 would
/// count too, but sums that begin at +0 give it only where they underflow.)
template <class Arch>
struct Mistakes<xsimd::batch<float, Arch>> {
  using L = xsimd::batch<float, Arch>;
  UInt<L> count{0u};

  LOCKSTEP_INLINE void see(const L& prediction) { count = count + (bits_of(prediction) >> 31); }
  LOCKSTEP_INLINE L value() const { return signed_to_real<L>(count); }
};
#endif

/// @tparam S    scalar of the data
/// @tparam Max  bound of the number of coefficients
template <class S, int Max>
struct ZeroOne {
  static constexpr int max_dim = Max;

  /// @throw UsageError unless 1 <= design.dim <= Max
  explicit ZeroOne(SignedDesign<S> design) : design_(design) {
    checked_dimension("zero-one", design.dim, Max);
  }
  LOCKSTEP_INLINE int dim() const { return design_.dim; }
  LOCKSTEP_INLINE const SignedDesign<S>& design() const { return design_; }
  LOCKSTEP_INLINE bool discontinuous(int) const { return true; }

  /// b'b / 2.
  template <class T>
  LOCKSTEP_HD Sum<T> prior(const T* q) const {
    return quad_sum<T>(*this, [&](int j) { return T(0.5f) * q[j] * q[j]; });
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    Sum<T> u = prior(q);
    Mistakes<T> wrong;
    predict(q, [&](int, const T& prediction) { wrong.see(prediction); });
    return u += wrong.value();
  }
  /// Between jumps.
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    for (int j = 0; j < dim(); ++j) {
      gradient[j] = q[j];
    }
    return potential(q);
  }
  template <class T>
  LOCKSTEP_HD void hessian_vector(const T*, const T* v, T* product) const {
    for (int j = 0; j < dim(); ++j) {
      product[j] = v[j];
    }
  }

  /// The predictions y_i x_i'b where the chains are. A move is carried out when the next coordinate
  /// is looked at, which reads all predictions anyway: until then they are
  /// predictions_i + z_i,column step.
  template <class T>
  struct Cache {
    std::vector<T> predictions;  // [rows]
    T mistakes;                  // of them, the last move included
    T mistakes_there;            // where `delta` has looked
    int column;
    T step;
  };
  template <class T>
  void prepare(const T* q, Cache<T>& cache) const {
    cache.predictions.resize(static_cast<std::size_t>(design_.rows));
    Mistakes<T> wrong;
    predict(q, [&](int i, const T& prediction) {
      cache.predictions[static_cast<std::size_t>(i)] = prediction;
      wrong.see(prediction);
    });
    cache.mistakes = wrong.value();
    cache.column = 0;
    cache.step = T(0);
  }
  /// One pass over the observations. For each, and each chain: two multiply-adds, a shift and an
  /// addition that count, 4 bytes read and 4 written; for all chains two numbers of the design.
  /// The integers are exact, and the prior's part, (to - q_j) (to + q_j) / 2, is minus that of the
  /// way back.
  template <class T>
  T delta(int j, const T* q, const T& to, Cache<T>& cache) const {
    const S* moved = design_.column(cache.column);
    const S* tried = design_.column(j);
    const int rows = design_.rows;
    const T step = cache.step, by = to - q[j];
    T* at = cache.predictions.data();
    Mistakes<T> wrong;
    for (int i = 0; i < rows; i += kRowBlock) {
      unrolled<kRowBlock>([&](auto r) {
        const T here = fma(broadcast<T>(moved[i + r]), step, at[i + r]);
        at[i + r] = here;
        wrong.see(fma(broadcast<T>(tried[i + r]), by, here));
      });
    }
    cache.step = T(0);
    cache.mistakes_there = wrong.value();
    return rise(cache.mistakes_there - cache.mistakes, q[j], to);
  }
  /// What U gains by so many more mistakes and a coefficient that goes from one value to another.
  template <class T>
  static LOCKSTEP_INLINE T rise(const T& mistakes, const T& from, const T& to) {
    return mistakes + T(0.5f) * ((to - from) * (to + from));
  }
  template <class T>
  void commit(int j, const T* q, const T& to, const Mask<T>& moves, Cache<T>& cache) const {
    cache.mistakes = select(moves, cache.mistakes_there, cache.mistakes);
    cache.column = j;
    cache.step = select(moves, to - q[j], T(0));
  }
  std::vector<std::string> names() const { return numbered_names("weights", dim()); }

  /// The same target on copies of its arrays: `copy(p, n)` returns where p's n values now are.
  template <class Copy>
  ZeroOne moved(Copy copy) const {
    ZeroOne target = *this;
    target.design_.z = copy(design_.z, design_.size());
    return target;
  }

 private:
  template <class T>
  static LOCKSTEP_INLINE T broadcast(S x) {
    return T(static_cast<Scalar<T>>(x));
  }

  /// f(i, y_i x_i'q) for all rows.
  template <class T, class F>
  LOCKSTEP_INLINE void predict(const T* q, F f) const {
    for (int i = 0; i < design_.rows; i += kRowBlock) {
      T sum[kRowBlock];
      unrolled<kRowBlock>([&](auto r) { sum[r] = T(0); });
      LOCKSTEP_NO_UNROLL
      for (int j = 0; j < design_.dim; ++j) {
        const S* z = design_.column(j) + i;
        const T b = q[j];
        unrolled<kRowBlock>([&](auto r) { sum[r] = fma(broadcast<T>(z[r]), b, sum[r]); });
      }
      unrolled<kRowBlock>([&](auto r) { f(i + r, sum[r]); });
    }
  }

  SignedDesign<S> design_;
};

}  // namespace lockstep
