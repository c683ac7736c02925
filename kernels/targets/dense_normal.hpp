#pragma once

/// N(0, H^-1) of any precision matrix: U(q) = q'Hq / 2, dU/dq = Hq.

#include <vector>

#include "kernels/targets/names.hpp"
#include "kernels/targets/quad_sum.hpp"

namespace lockstep {

/// H [dim][dim], symmetric positive definite, and the standard deviations that it implies. Memory
/// of someone else.
template <class S>
struct PrecisionView {
  const S* precision = nullptr;
  const double* sd = nullptr;  // [dim], on the host
  int dim = 0;
};

/// @tparam Max  the most parameters
template <class S, int Max>
struct DenseNormal {
  static constexpr int max_dim = Max;
  static constexpr int lanes_in_flight = 2;

  /// @throw UsageError for more parameters than Max
  explicit DenseNormal(const PrecisionView<S>& view)
      : view_(view), dim_(checked_dimension("normal", view.dim, Max)) {}
  LOCKSTEP_INLINE int dim() const { return dim_; }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return quad_sum<T>(*this, [&](int j) { return T(0.5f) * q[j] * slope(j, q); });
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    return quad_sum<T>(*this, [&](int j) {
      gradient[j] = slope(j, q);
      return T(0.5f) * q[j] * gradient[j];
    });
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    for (int j = 0; j < dim_; ++j) {
      p[j] = fma(scale, slope(j, q), p[j]);
    }
  }
  template <class T>
  LOCKSTEP_HD void hessian_vector(const T*, const T* v, T* product) const {
    for (int j = 0; j < dim_; ++j) {
      product[j] = slope(j, v);
    }
  }

  std::vector<std::string> names() const { return numbered_names("x", dim_); }
  Truth truth() const {
    const auto d = static_cast<std::size_t>(dim_);
    return {std::vector<double>(d, 0.0), {view_.sd, view_.sd + d}, {}, {}, "exact"};
  }
  template <class Copy>
  DenseNormal moved(Copy copy) const {
    DenseNormal target = *this;
    const auto d = static_cast<std::size_t>(dim_);
    target.view_.precision = copy(view_.precision, d * d);
    return target;
  }

 private:
  /// (H q)_j.
  template <class T>
  LOCKSTEP_INLINE T slope(int j, const T* q) const {
    const S* row = view_.precision + j * dim_;
    T sum = T(static_cast<Scalar<T>>(row[0])) * q[0];
    for (int i = 1; i < dim_; ++i) {
      sum = fma(T(static_cast<Scalar<T>>(row[i])), q[i], sum);
    }
    return sum;
  }

  PrecisionView<S> view_;
  int dim_;
};

}  // namespace lockstep
