#pragma once

/// Engines that propose with a trained NICE flow.

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "kernels/launch/erased.hpp"
#include "kernels/transitions/nice.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// The flow of kernels/networks/nice_flow.hpp and its numbers.
struct NiceNetwork {
  int dim = 0;     // of q, and of v
  int width = 64;  // units of each hidden layer
  int hidden = 2;  // hidden layers, at least 1
  std::vector<double> weights;

  std::size_t size() const {
    return 3 * static_cast<std::size_t>(NiceFlow<double>::size(dim, width, hidden));
  }
  void archive(Archive& a) { a(dim, width, hidden, weights); }
};

/// A target and what proposes on it.
template <class S>
class NiceTarget : public ErasedTarget<S> {
 public:
  /// @throw UsageError  for a network of another dimension, of other sizes than it says, or with
  ///                    weights that are not finite
  NiceTarget(std::shared_ptr<const BlockTarget<S>> target, const NiceNetwork& network)
      : ErasedTarget<S>(std::move(target)), width_(network.width), hidden_(network.hidden) {
    require(network.dim == this->dim(), "the flow is of a target with " +
                                            std::to_string(network.dim) +
                                            " parameters, but this one has " +
                                            std::to_string(this->dim()) + ": train one for it");
    require(network.width > 0 && network.hidden > 0 && network.weights.size() == network.size(),
            "a flow of " + std::to_string(network.hidden) + " hidden layers of " +
                std::to_string(network.width) + " units has " +
                std::to_string(network.weights.size()) +
                " weights: it needs at least one layer "
                "and unit, and as many weights as they take");
    auto weights = std::make_shared<std::vector<S>>();
    for (const double w : network.weights) {
      require(std::isfinite(w),
              "a weight of the flow is " + std::to_string(w) + ": its training has failed");
      weights->push_back(static_cast<S>(w));
    }
    weights_ = std::move(weights);
  }

  NiceFlow<S> flow() const { return {weights_->data(), this->dim(), width_, hidden_}; }

 private:
  std::shared_ptr<const std::vector<S>> weights_;
  int width_, hidden_;
};

/// The one kernel of such an engine; a template argument of engines, as KernelSettings
/// (settings.hpp) is. The proposal comes with the target, so there is nothing to configure:
/// the run loop is told of a random walk (nice_sampler), which has no gradients either.
template <class S>
struct NiceSettings {
  NiceSettings() = default;
  NiceSettings(const Sampler& s, const PreparedMetric&, const EngineDescription&, int)
      : sampler(s) {
    require(s.method == Method::random_walk,
            "an engine of make_cpu_nice_engine runs nice_sampler(), and nothing else");
  }

  Sampler sampler;

  struct Arrays {};
  template <class Place>
  Arrays arrays(Place) const {
    return {};
  }
  template <int N, bool Exact, class F>
  void with_transition(const Arrays&, int, const Trajectory&, F f) const {
    f(transitions::Nice<>{});
  }
};

/// An engine that samples the target with the network's proposal. Compiled in the library, for the
/// CPU.
template <class S>
std::unique_ptr<Engine> make_cpu_nice_engine(std::shared_ptr<const BlockTarget<S>> target,
                                             const NiceNetwork& network,
                                             const SampleOptions& options);

/// What such an engine is run with.
inline Sampler nice_sampler() {
  return RandomWalk{.step_size = 1, .metric = Metric::unit};
}

}  // namespace lockstep
