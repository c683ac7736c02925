#pragma once

/// Optimisers of a model's parameters. A step uses the gradients that `backward` has accumulated
/// and clears them.

#include <vector>

#include "host/autodiff/variable.hpp"
#include "host/train/adam.hpp"

namespace lockstep::tape {

/// The parameters' values, one after the other, each column by column.
std::vector<double> flat_values(const std::vector<Variable>& parameters);
/// Their accumulated gradients, in the same order.
std::vector<double> flat_gradients(const std::vector<Variable>& parameters);
/// @throw UsageError  naming both sizes where they differ
void assign_flat(std::vector<Variable>& parameters, const std::vector<double>& values);

/// train/adam.hpp over variables.
class Adam {
 public:
  /// @param clip  the global norm that gradients are shortened to; 0: as they are
  explicit Adam(std::vector<Variable> parameters, const AdamOptions& options = {}, double clip = 0);

  /// @return  the gradient's norm before clipping
  double step(double rate);

  /// The moments; the parameters are the model's.
  void archive(Archive& a) { a(adam_); }

 private:
  std::vector<Variable> parameters_;
  double clip_;
  lockstep::Adam adam_;
};

/// Stochastic gradient descent, x <- x - rate v with v <- momentum v + g.
class Sgd {
 public:
  explicit Sgd(std::vector<Variable> parameters, double momentum = 0, double clip = 0);

  /// @return  the gradient's norm before clipping
  double step(double rate);

  void archive(Archive& a) { a(velocity_); }

 private:
  std::vector<Variable> parameters_;
  double momentum_, clip_;
  std::vector<double> velocity_;
};

}  // namespace lockstep::tape
