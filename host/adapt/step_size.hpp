#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/adapt/dual_averaging.hpp"

namespace lockstep {

/// The step size of all chains, or of each: dual averaging of the mean acceptance (M chains are one
/// better estimate, not M updates), or of every chain's own.
class StepSizes {
 public:
  /// @param per_chain  how many chains adapt each for itself; 0: one step size for all
  StepSizes(std::int64_t per_chain, double step_size, double target,
            const DualAveragingConstants& constants)
      : per_chain_(per_chain > 0),
        rules_(static_cast<std::size_t>(per_chain_ ? per_chain : 1),
               DualAveraging(step_size, target, constants)) {}

  bool per_chain() const { return per_chain_; }

  /// @param factors  each chain's factor of that, [chains]; empty: all one
  void restart(double step_size, std::span<const double> factors = {}) {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      rules_[i].restart(factors.empty() ? step_size : step_size * factors[i]);
    }
  }

  /// @param mean   acceptance over all chains
  /// @param chain  of each chain, [chains]; read if each adapts for itself
  void update(double mean, std::span<const double> chain) {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      rules_[i].update(per_chain_ ? chain[i] : mean);
    }
  }

  /// The geometric mean over chains, for the next transition.
  double step_size() const {
    return geometric_mean([](const DualAveraging& r) { return r.step_size(); });
  }
  /// The same, to freeze.
  double average() const {
    return geometric_mean([](const DualAveraging& r) { return r.average(); });
  }

  /// Each chain's factor of that, [chains]; empty if all share one step size.
  std::vector<double> factors() const {
    return factors(step_size(), [](const DualAveraging& r) { return r.step_size(); });
  }
  std::vector<double> average_factors() const {
    return factors(average(), [](const DualAveraging& r) { return r.average(); });
  }

  void archive(Archive& a) { a(rules_); }

 private:
  template <class F>
  double geometric_mean(F f) const {
    if (rules_.size() == 1) {
      return f(rules_.front());
    }
    double sum = 0;
    for (const DualAveraging& rule : rules_) {
      sum += std::log(f(rule));
    }
    return std::exp(sum / static_cast<double>(rules_.size()));
  }
  template <class F>
  std::vector<double> factors(double mean, F f) const {
    std::vector<double> out;
    for (std::size_t i = 0; per_chain_ && i < rules_.size(); ++i) {
      out.push_back(f(rules_[i]) / mean);
    }
    return out;
  }

  bool per_chain_;
  std::vector<DualAveraging> rules_;
};

}  // namespace lockstep
