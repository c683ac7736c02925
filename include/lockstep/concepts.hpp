#pragma once

/// What a user's density must offer, and what it may offer to be faster.
///
/// A **target** is a copyable struct that describes pi(q) = exp(-U(q)) / Z on unconstrained q:
///
///   static constexpr int dim = 2;                    // the number of parameters, or
///   static constexpr int max_dim = 64;               // a bound on it, with
///   LOCKSTEP_HD int dim() const;                     // its value, known when the program runs;
///
///   template <class T> LOCKSTEP_HD T potential(const T* q) const;      // required: U(q) + const.
///
/// and, each optional,
///
///   template <class T> LOCKSTEP_HD auto potential_and_gradient(const T* q, T* gradient) const;
///   template <class T> LOCKSTEP_HD void hessian_vector(const T* q, const T* v, T* product) const;
///   template <class T> LOCKSTEP_HD void kick(const T* q, T scale, T* p) const;
///                                                    // p_j += scale dU/dq_j, fused
///   static constexpr bool separable = true;          // U(q) = sum_j term(j, q_j), with
///   template <class T> LOCKSTEP_HD T term(int j, T x) const;           //   u_j(x)
///   template <class T> LOCKSTEP_HD T slope(int j, T x) const;          //   u_j'(x)
///   template <class T> LOCKSTEP_HD T kick_term(int j, T x, T scale, T p) const;  // p + scale u_j'
///   template <class T> LOCKSTEP_HD void constrain(const T* q, T* x) const;
///                                                    // the reported scale, [dim] -> [dim]
///   std::vector<std::string> names() const;          // of the reported parameters, [dim]
///   void start(const double* u, double* q) const;    // a start from dim uniforms on (0, 1]
///   Truth truth() const;                             // what is known of their law
///   template <class Copy> Target moved(Copy copy) const;
///       // for targets that hold pointers: the same target with each array `p` of n elements
///       // replaced by `copy(p, n)`, which the CUDA backend uses to put it on the device.
///
/// A target whose density jumps along some coordinates, such as embedded integers
/// (kernels/targets/embedding.hpp), says so, and is sampled by Dhmc, MixedHmc or Gibbs:
///
///   LOCKSTEP_HD bool discontinuous(int j) const;       // whether U jumps along q_j
///   template <class T> struct Cache;                   // what differences share; optional, with
///   template <class T> LOCKSTEP_HD void prepare(const T* q, Cache<T>& cache) const;
///   template <class T> LOCKSTEP_HD T delta(int j, const T* q, const T& to, Cache<T>& cache) const;
///       // U(q with q_j = to) - U(q), and exactly minus that for the way back; +infinity outside
///       // the support. Without it: the difference of two potentials.
///   template <class T> LOCKSTEP_HD void commit(int j, const T* q, const T& to, const Mask<T>&
///   moves,
///                                              Cache<T>& cache) const;
///       // chains in `moves` go to `to`, the others stay; q still holds where they are
///   template <class T> LOCKSTEP_HD T exchange(int j, const T& x, const T& u) const;
///       // a symmetric proposal from x by a uniform on (0, 1], for Mixed HMC and Gibbs: another of
///       // the categories. Without it: a step along q_j.
///   template <class T> LOCKSTEP_HD T conditional(int j, const T* q, const T& u) const;
///       // a draw of q_j given the others, for Gibbs
///
/// `T` is any lane: float, double, a register of chains, or a Dual over one of them. So a potential
/// is straight-line code: constants are written T(0.5), choices `lockstep::select(mask, a, b)`,
/// functions `lockstep::exp(x)`. It returns T, or `Sum<T>` when it adds up many terms.

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/lane/sum.hpp"
#include "lockstep/config.hpp"
#include "lockstep/truth.hpp"

namespace lockstep {

template <class Target>
concept HasStaticDimension = requires {
  {std::integral_constant<int, Target::dim>{}};
};

/// The largest number of parameters that a Target can have: the size of a kernel's arrays.
template <class Target>
inline constexpr int capacity = [] {
  if constexpr (HasStaticDimension<Target>) {
    return Target::dim;
  } else {
    return Target::max_dim;
  }
}();

/// The number of parameters of this target.
template <class Target>
LOCKSTEP_INLINE constexpr int dimension(const Target& target) {
  if constexpr (HasStaticDimension<Target>) {
    return Target::dim;
  } else {
    return target.dim();
  }
}

template <class Target, class L>
concept HasPotential = requires(const Target& t, const L* q) {
  { t.potential(q) } -> std::convertible_to<Sum<L>>;
};

template <class Target, class L>
concept HasGradient = requires(const Target& t, const L* q, L* g) {
  { t.potential_and_gradient(q, g) } -> std::convertible_to<Sum<L>>;
};

template <class Target, class L>
concept HasHessianVector = requires(const Target& t, const L* q, L* h) {
  t.hessian_vector(q, q, h);
};

template <class Target, class L>
concept HasKick = requires(const Target& t, const L* q, L scale, L* p) {
  t.kick(q, scale, p);
};

template <class Target>
concept Separable = requires {
  requires Target::separable;
};

template <class Target, class L>
concept HasKickTerm = requires(const Target& t, L x) {
  { t.kick_term(0, x, x, x) } -> std::convertible_to<L>;
};

template <class Target, class L>
concept HasConstrain = requires(const Target& t, const L* q, L* x) {
  t.constrain(q, x);
};

template <class Target>
concept HasNames = requires(const Target& t) {
  { t.names() } -> std::convertible_to<std::vector<std::string>>;
};

template <class Target>
concept HasStart = requires(const Target& t, const double* u, double* q) {
  t.start(u, q);
};

template <class Target>
concept HasDiscontinuities = requires(const Target& t) {
  { t.discontinuous(0) } -> std::convertible_to<bool>;
};

template <class Target, class L>
concept HasExchange = requires(const Target& t, const L& x) {
  { t.exchange(0, x, x) } -> std::convertible_to<L>;
};

template <class Target, class L>
concept HasConditional = requires(const Target& t, const L* q, const L& u) {
  { t.conditional(0, q, u) } -> std::convertible_to<L>;
};

template <class Target>
concept HasTruth = requires(const Target& t) {
  { t.truth() } -> std::convertible_to<Truth>;
};

/// A target that kernels on lane L can sample.
template <class Target, class L>
concept TargetOn = std::copy_constructible<Target> && HasPotential<Target, L>;

}  // namespace lockstep
