#include "host/io/spectrum.hpp"

#include <cmath>
#include <sstream>
#include <string>

#include "host/train/random_sequence.hpp"
#include "kernels/instantiate/instantiate.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Rows that are orthonormal: normal vectors, each less its part along those before it, twice,
/// since once leaves rounding errors. (Gram-Schmidt of normal vectors is uniform over all
/// rotations.)
std::vector<double> random_axes(int dim) {
  const auto d = static_cast<std::size_t>(dim);
  RandomSequence numbers(d, Purpose::data);
  std::vector<double> axes(d * d);
  for (std::size_t k = 0; k < d; ++k) {
    double* const row = axes.data() + k * d;
    for (std::size_t j = 0; j < d; ++j) {
      row[j] = numbers.normal();
    }
    for (std::size_t other = 0; other < 2 * k; ++other) {
      const double* const before = axes.data() + (other % k) * d;
      double along = 0;
      for (std::size_t j = 0; j < d; ++j) {
        along += row[j] * before[j];
      }
      for (std::size_t j = 0; j < d; ++j) {
        row[j] -= along * before[j];
      }
    }
    double square = 0;
    for (std::size_t j = 0; j < d; ++j) {
      square += row[j] * row[j];
    }
    for (std::size_t j = 0; j < d; ++j) {
      row[j] /= std::sqrt(square);
    }
  }
  return axes;
}

}  // namespace

SpectrumData::SpectrumData(int dim, double condition, bool rotated) : dim_(dim) {
  require(dim >= 2 && dim <= kMaxPrecision, "the dimension is " + std::to_string(dim) +
                                                ": give 2 to " + std::to_string(kMaxPrecision) +
                                                " for this target");
  std::ostringstream text;
  text << condition;
  require(std::isfinite(condition) && condition >= 1,
          "the condition number is " + text.str() + ": give 1 or more");
  const auto d = static_cast<std::size_t>(dim);
  for (std::size_t k = 0; k < d; ++k) {
    eigenvalues_.push_back(
        std::pow(condition, static_cast<double>(k) / static_cast<double>(d - 1) - 0.5));
  }
  std::vector<double> axes(d * d);
  for (std::size_t k = 0; k < d; ++k) {
    axes[k * d + k] = 1;
  }
  if (rotated) {
    axes = random_axes(dim);
  }
  precision_.assign(d * d, 0.0);
  std::vector<double> variance(d);
  for (std::size_t k = 0; k < d; ++k) {
    const double* const axis = axes.data() + k * d;
    for (std::size_t i = 0; i < d; ++i) {
      variance[i] += axis[i] * axis[i] / eigenvalues_[k];
      for (std::size_t j = 0; j < d; ++j) {
        precision_[i * d + j] += eigenvalues_[k] * (axis[i] * axis[j]);
      }
    }
  }
  for (const double v : variance) {
    sd_.push_back(std::sqrt(v));
  }
  precision_float_.assign(precision_.begin(), precision_.end());
}

}  // namespace lockstep
