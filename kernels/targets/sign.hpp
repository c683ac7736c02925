#pragma once

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "kernels/targets/constant.hpp"
#include "lockstep/concepts.hpp"

namespace lockstep {

/// A program with an `if`: x ~ N(0, 1), then y ~ N(1, 1) if x >= 0, else y ~ N(-1, 1); y = 1 was
/// seen. x's density jumps at 0, by a factor of exp(2):
///
///   U(x) = x^2 / 2 + (1 - s)^2 / 2,   s = 1 where x >= 0, -1 elsewhere.
///
/// P(x > 0) = 1 / (1 + exp(-2)) = 0.8808, E x = sqrt(2 / pi) tanh 1 = 0.6077, E x^2 = 1.
struct Sign {
  static constexpr int dim = 1;

  LOCKSTEP_HD bool discontinuous(int) const { return true; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    return fma(constant<T>(0.5) * q[0], q[0], select(q[0] < T(0), T(2), T(0)));
  }
  void start(const double* u, double* q) const { q[0] = 4 * u[0] - 2; }
  std::vector<std::string> names() const { return {"x"}; }
  Truth truth() const {
    const double mean = std::sqrt(2 / std::numbers::pi) * std::tanh(1.0);
    return {{mean}, {std::sqrt(1 - mean * mean)}, {}, {}, "exact"};
  }
};

}  // namespace lockstep
