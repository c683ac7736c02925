#pragma once

#include <cmath>
#include <vector>

#include "kernels/networks/layout.hpp"

namespace lockstep {

/// The array that kernels read, L2hmcLayout: the parameters and what follows from them.
template <class S>
std::vector<S> packed(const Network& network) {
  const AnyLayout layout = layout_of(network.shape);
  std::vector<double> all(network.parameters);
  all.reserve(static_cast<std::size_t>(layout.size()));
  for (const int net : {layout.v(), layout.x()}) {
    const double* log_scales = network.parameters.data() + net + layout.net.log_scales();
    for (int j = 0; j < 2 * layout.net.dim; ++j) {
      all.push_back(std::exp(log_scales[j]));
    }
  }
  constexpr double two_pi = 6.283185307179586;
  for (int t = 0; t < layout.steps; ++t) {
    all.push_back(std::cos(two_pi * t / layout.steps));
    all.push_back(std::sin(two_pi * t / layout.steps));
  }
  all.insert(all.end(), network.masks.begin(), network.masks.end());
  all.insert(all.end(), network.scale.begin(), network.scale.end());
  return std::vector<S>(all.begin(), all.end());
}

}  // namespace lockstep
