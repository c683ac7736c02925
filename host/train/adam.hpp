#pragma once

/// Adam (Kingma & Ba, ICLR 2015, algorithm 1) on a flat vector of parameters, and what training
/// does to a gradient beforehand.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "lockstep/archive.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

///   m_t = b1 m_{t-1} + (1 - b1) g,    v_t = b2 v_{t-1} + (1 - b2) g^2,
///   x_t = x_{t-1} - rate (m_t / (1 - b1^t)) / (sqrt(v_t / (1 - b2^t)) + epsilon).
class Adam {
 public:
  /// @throw UsageError  unless the betas are in [0, 1) and epsilon is positive
  explicit Adam(std::size_t parameters, const AdamOptions& options = {})
      : options_(options), mean_(parameters), square_(parameters) {
    for (const double beta : {options.beta1, options.beta2}) {
      require(beta >= 0 && beta < 1,
              "Adam: beta is " + std::to_string(beta) + ": give 0 <= beta < 1");
    }
    require(options.epsilon > 0,
            "Adam: epsilon is " + std::to_string(options.epsilon) + ": give a positive one");
  }

  /// One step downhill, in place.
  /// @throw UsageError  if the sizes are not those it was made for
  void step(std::span<double> parameters, std::span<const double> gradient, double rate) {
    require(parameters.size() == mean_.size() && gradient.size() == mean_.size(),
            "Adam was made for " + std::to_string(mean_.size()) + " parameters and given " +
                std::to_string(parameters.size()) + ", with a gradient of " +
                std::to_string(gradient.size()));
    const auto& [b1, b2, epsilon] = options_;
    ++steps_;
    const double mean_bias = 1 - std::pow(b1, steps_), square_bias = 1 - std::pow(b2, steps_);
    for (std::size_t i = 0; i < mean_.size(); ++i) {
      const double g = gradient[i];
      mean_[i] = b1 * mean_[i] + (1 - b1) * g;
      square_[i] = b2 * square_[i] + (1 - b2) * g * g;
      parameters[i] -=
          rate * (mean_[i] / mean_bias) / (std::sqrt(square_[i] / square_bias) + epsilon);
    }
  }

  /// Not the options: whoever goes on must make it with the same.
  void archive(Archive& a) { a(steps_, mean_, square_); }

 private:
  AdamOptions options_;
  double steps_ = 0;
  std::vector<double> mean_, square_;  // running moments of the gradient
};

/// The Euclidean norm of all of it.
inline double global_norm(std::span<const double> gradient) {
  double squares = 0;
  for (const double g : gradient) {
    squares += g * g;
  }
  return std::sqrt(squares);
}

/// Shortens a gradient of a norm above `limit` to it (Pascanu, Mikolov & Bengio, ICML 2013).
/// @return  the norm before
inline double clip_to_norm(std::span<double> gradient, double limit) {
  const double norm = global_norm(gradient);
  if (norm > limit) {
    for (double& g : gradient) {
      g *= limit / norm;
    }
  }
  return norm;
}

}  // namespace lockstep
