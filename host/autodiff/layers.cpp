#include "host/autodiff/layers.hpp"

#include <cmath>
#include <string>

#include "host/autodiff/operations.hpp"
#include "lockstep/error.hpp"

namespace lockstep::tape {

namespace {

/// The variance of a standard normal cut at +-2: 1 - 4 phi(2) / (2 Phi(2) - 1).
constexpr double kCutVariance = 0.7737412867;

Matrix initial_weights(Index in, Index out, RandomSequence& random, double factor) {
  require(in > 0 && out > 0 && factor > 0, "a linear layer of " + std::to_string(in) + " inputs, " +
                                               std::to_string(out) + " outputs and factor " +
                                               std::to_string(factor) + ": all must be positive");
  const double scale = std::sqrt(2 * factor / static_cast<double>(in) / kCutVariance);
  Matrix weights(in, out);
  for (Index j = 0; j < out; ++j) {
    for (Index i = 0; i < in; ++i) {
      double z = random.normal();
      while (std::abs(z) > 2) {
        z = random.normal();
      }
      weights(i, j) = scale * z;
    }
  }
  return weights;
}

}  // namespace

Linear::Linear(Index in, Index out, RandomSequence& random, double factor)
    : weight(Variable::parameter(initial_weights(in, out, random, factor))),
      bias(Variable::parameter(Matrix::Zero(1, out))) {}

Variable Linear::operator()(const Variable& x) const {
  return matmul(x, weight) + bias;
}

Mlp::Mlp(const std::vector<Index>& widths, RandomSequence& random, double last_factor) {
  require(widths.size() >= 2, "a network of " + std::to_string(widths.size()) +
                                  " widths: give those of its input and output at least");
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const bool last = i + 2 == widths.size();
    layers_.emplace_back(widths[i], widths[i + 1], random, last ? last_factor : 1.0);
  }
}

Variable Mlp::operator()(const Variable& x) const {
  Variable h = layers_.front()(x);
  for (std::size_t i = 1; i < layers_.size(); ++i) {
    h = layers_[i](relu(h));
  }
  return h;
}

std::vector<Variable> Mlp::parameters() const {
  std::vector<Variable> all;
  for (const Linear& layer : layers_) {
    all.push_back(layer.weight);
    all.push_back(layer.bias);
  }
  return all;
}

}  // namespace lockstep::tape
