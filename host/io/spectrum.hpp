#pragma once

#include <vector>

#include "kernels/targets/dense_normal.hpp"

namespace lockstep {

/// A normal law of a known spectrum: the eigenvalues of its precision H are log-spaced around 1,
/// lambda_k = condition^(k / (dim - 1) - 1/2); along the axes, or along random directions that
/// depend on the dimension alone.
class SpectrumData {
 public:
  /// @throw UsageError  unless dim is 2 to 256 and condition at least 1
  SpectrumData(int dim, double condition, bool rotated);

  const std::vector<double>& eigenvalues() const { return eigenvalues_; }

  template <class S>
  PrecisionView<S> view() const;

 private:
  int dim_;
  std::vector<double> eigenvalues_, precision_, sd_;
  std::vector<float> precision_float_;
};

template <>
inline PrecisionView<double> SpectrumData::view<double>() const {
  return {precision_.data(), sd_.data(), dim_};
}
template <>
inline PrecisionView<float> SpectrumData::view<float>() const {
  return {precision_float_.data(), sd_.data(), dim_};
}

}  // namespace lockstep
