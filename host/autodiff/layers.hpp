#pragma once

#include <vector>

#include "host/autodiff/variable.hpp"
#include "host/train/random_sequence.hpp"

namespace lockstep::tape {

/// y = x W + b, x [batch][in].
struct Linear {
  Variable weight;  // [in][out]
  Variable bias;    // [1][out]

  /// Biases 0; weights normal, cut at two standard deviations and of variance 2 factor / in: He et
  /// al. (ICCV 2015) where the factor is 1, and as small as one likes where it is less.
  /// @throw UsageError  unless in, out and the factor are positive
  Linear(Index in, Index out, RandomSequence& random, double factor = 1);

  Variable operator()(const Variable& x) const;
};

/// Linear layers with max(x, 0) between them.
class Mlp {
 public:
  /// @param widths       of the input, the hidden layers and the output
  /// @param last_factor  of the last layer's initial weights
  /// @throw UsageError  for fewer than two widths
  Mlp(const std::vector<Index>& widths, RandomSequence& random, double last_factor = 1);

  Variable operator()(const Variable& x) const;

  const std::vector<Linear>& layers() const { return layers_; }
  /// Weight and bias of each layer, in order.
  std::vector<Variable> parameters() const;

 private:
  std::vector<Linear> layers_;
};

}  // namespace lockstep::tape
