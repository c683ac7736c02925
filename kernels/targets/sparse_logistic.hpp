#pragma once

/// Logistic regression with weights that shrink: w_j = z_j l_j g, z_j ~ N(0, 1), local scales
/// l_j ~ Gamma(1/2, rate 1/2), a global scale g ~ Gamma(1/2, rate 1/2); of inference_gym's sparse
/// German credit model, where the intercept shrinks too.

#include "kernels/targets/binary_likelihood.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// q = (z_1..z_P, a_1..a_P, b), l_j = exp(a_j), g = exp(b); reported as (z, l, g). With s_i the
/// signed rows (binary_likelihood.hpp),
///   U = sum_j [z_j^2 / 2 + l_j / 2 - a_j / 2] + g / 2 - b / 2 + sum_i softplus(s_i'w):
/// a scale's density l^(-1/2) exp(-l / 2) and its Jacobian l together give a / 2 - l / 2.
/// @tparam S  scalar of the data
/// @tparam P  the number of weights
template <class S, int P>
struct SparseLogistic {
  static constexpr int dim = 2 * P + 1;
  static constexpr int lanes_in_flight = 2;  // as of logistic regression

  /// @throw UsageError unless the data have P columns.
  explicit SparseLogistic(LogisticRows<S> rows) : likelihood_{rows} {
    require(rows.dim == P, "sparse logistic: the data have " + std::to_string(rows.dim) +
                               " columns, but the target was built for " + std::to_string(P));
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    T w[P];
    weights(q, w);
    Sum<T> u = prior(q);
    likelihood_.add_loss(static_cast<const T*>(w), u);
    return u;
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    T w[P], slope[P];
    weights(q, w);
    Likelihood::template sweep<T>(P, [&](int j) { slope[j] = T(0); });
    for_coordinates(*this, [&](int j) { gradient[j] = T(0); });
    Sum<T> u = prior(q);
    likelihood_.add_loss_and_gradient(static_cast<const T*>(w), u, slope);
    add_gradient(q, w, slope, T(1), gradient);
    return u;
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    T w[P], slope[P];
    weights(q, w);
    Likelihood::template sweep<T>(P, [&](int j) { slope[j] = T(0); });
    likelihood_.kick(static_cast<const T*>(w), scale, slope);
    add_gradient(q, w, slope, scale, p);
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    Likelihood::template sweep<T>(P, [&](int j) {
      x[j] = q[j];
      x[P + j] = exp(q[P + j]);
    });
    x[2 * P] = exp(q[2 * P]);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names = numbered_names("unscaled_weights", P);
    for (const std::string& name : numbered_names("local_scales", P)) {
      names.push_back(name);
    }
    names.push_back("global_scale");
    return names;
  }
  template <class Copy>
  SparseLogistic moved(Copy copy) const {
    SparseLogistic target = *this;
    target.likelihood_ = likelihood_.moved(copy);
    return target;
  }

 private:
  using Likelihood = BinaryLikelihood<S, LogitLink, P>;

  template <class T>
  static LOCKSTEP_INLINE void weights(const T* q, T* w) {
    Likelihood::template sweep<T>(P, [&](int j) { w[j] = q[j] * exp(q[P + j] + q[2 * P]); });
  }
  template <class T>
  LOCKSTEP_INLINE Sum<T> prior(const T* q) const {
    return quad_sum<T>(
        *this, [&](int j) { return j < P ? T(0.5f) * q[j] * q[j] : T(0.5f) * (exp(q[j]) - q[j]); });
  }
  /// p += scale dU/dq. @param slope  scale times the gradient of the likelihood in w
  template <class T>
  static LOCKSTEP_INLINE void add_gradient(const T* q, const T* w, const T* slope, const T& scale,
                                           T* p) {
    const T half = T(0.5f) * scale;
    T pull = T(0);
    Likelihood::template sweep<T>(P, [&](int j) {
      const T along = slope[j] * w[j];  // d/da_j, and part of d/db
      pull = pull + along;
      p[j] = p[j] + fma(slope[j], exp(q[P + j] + q[2 * P]), scale * q[j]);
      p[P + j] = p[P + j] + fma(half, exp(q[P + j]) - T(1), along);
    });
    p[2 * P] = p[2 * P] + fma(half, exp(q[2 * P]) - T(1), pull);
  }

  Likelihood likelihood_;
};

}  // namespace lockstep
