#pragma once

/// Bayesian logistic regression: y_i ~ Bernoulli(1 / (1 + exp(-x_i'w))), w_j ~ N(0, 1). On signed
/// rows z_i = (1 - 2 y_i) x_i (binary_likelihood.hpp)
///   U(w) = w'w / 2 + sum_i softplus(z_i'w),
///   dU/dw = w + sum_i z_i / (1 + exp(-z_i'w)).

#include "kernels/targets/binary_likelihood.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// A regression with two outcomes and priors w_j ~ N(0, 1), of any link.
/// @tparam Derived  the target, which knows its dimension
/// @tparam D        that dimension; 0: known when the program runs
template <class Derived, class S, class Link, int D>
struct BinaryRegression {
  /// Two registers share each broadcast predictor; four would spill.
  static constexpr int lanes_in_flight = 2;

  explicit BinaryRegression(LogisticRows<S> rows) : likelihood_{rows} {}

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    Sum<T> u = prior(q);
    likelihood_.add_loss(q, u);
    return u;
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    Sum<T> u = prior(q);
    Likelihood::template sweep<T>(likelihood_.dim(), [&](int j) { gradient[j] = q[j]; });
    likelihood_.add_loss_and_gradient(q, u, gradient);
    return u;
  }

  /// p += scale dU/dw, without the potential.
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    Likelihood::template sweep<T>(likelihood_.dim(), [&](int j) { p[j] = fma(scale, q[j], p[j]); });
    likelihood_.kick(q, scale, p);
  }

  std::vector<std::string> names() const { return numbered_names("weights", likelihood_.dim()); }

  /// The same target on copies of its arrays: `copy(p, n)` returns where p's n values now are.
  template <class Copy>
  Derived moved(Copy copy) const {
    Derived target = self();
    target.likelihood_ = likelihood_.moved(copy);
    return target;
  }

 protected:
  using Likelihood = BinaryLikelihood<S, Link, D>;
  Likelihood likelihood_;

 private:
  LOCKSTEP_INLINE const Derived& self() const { return static_cast<const Derived&>(*this); }

  template <class T>
  LOCKSTEP_INLINE Sum<T> prior(const T* q) const {
    return quad_sum<T>(self(), [&](int j) { return T(0.5f) * q[j] * q[j]; });
  }
};

/// Logistic regression with D weights, on data of scalar S.
template <class S, int D>
struct Logistic : BinaryRegression<Logistic<S, D>, S, LogitLink, D> {
  static constexpr int dim = D;

  /// @throw UsageError unless the data have D columns.
  explicit Logistic(LogisticRows<S> rows)
      : BinaryRegression<Logistic<S, D>, S, LogitLink, D>(rows) {
    require(rows.dim == D, "logistic: the data have " + std::to_string(rows.dim) +
                               " columns, but the target was built for " + std::to_string(D));
  }
};

/// The same with a number of weights, 1 to Max, that is known when the program runs.
template <class S, int Max>
struct LogisticN : BinaryRegression<LogisticN<S, Max>, S, LogitLink, 0> {
  static constexpr int max_dim = Max;

  /// @throw UsageError unless 1 <= rows.dim <= Max.
  explicit LogisticN(LogisticRows<S> rows)
      : BinaryRegression<LogisticN<S, Max>, S, LogitLink, 0>(rows) {
    checked_dimension("logistic", rows.dim, Max);
  }
  LOCKSTEP_INLINE int dim() const { return this->likelihood_.dim(); }
};

}  // namespace lockstep
