#pragma once

/// Engines for tests of fits: they evaluate a density that a test writes down in double, exactly,
/// and move no chains.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/vi/density.hpp"

namespace lockstep::test {

/// U of an unconstrained point q, [dim]; sets its gradient, [dim].
using Potential = std::function<double(const double* q, double* gradient)>;

/// Only `place`, `evaluations` and `positions` work; whatever else a fit should call throws.
class FunctionEngine : public Engine {
 public:
  FunctionEngine(int dim, Potential potential, std::int64_t chains)
      : potential_(std::move(potential)) {
    description_.backend = "cpu";
    description_.device = "none";
    description_.lane = "double";
    description_.dim = dim;
    description_.chains = chains;
    for (int j = 0; j < dim; ++j) {
      description_.names.push_back("x[" + std::to_string(j + 1) + "]");
    }
  }

  void place(std::span<const double> q) override {
    if (q.size() != size()) {
      throw std::logic_error("place: not [dim][chains]");
    }
    q_.assign(q.begin(), q.end());
  }
  void evaluations(std::span<double> potential, std::span<double> gradient) const override {
    const auto dim = static_cast<std::size_t>(description_.dim);
    const auto chains = static_cast<std::size_t>(description_.chains);
    if (q_.empty() || potential.size() != chains ||
        (!gradient.empty() && gradient.size() != size())) {
      throw std::logic_error("evaluations: not [chains] and [dim][chains], or nothing was placed");
    }
    std::vector<double> x(dim), g(dim);
    for (std::size_t c = 0; c < chains; ++c) {
      for (std::size_t j = 0; j < dim; ++j) {
        x[j] = q_[j * chains + c];
      }
      potential[c] = potential_(x.data(), g.data());
      for (std::size_t j = 0; j < dim && !gradient.empty(); ++j) {
        gradient[j * chains + c] = g[j];
      }
    }
  }
  void positions(std::span<double> q) const override { std::copy(q_.begin(), q_.end(), q.begin()); }

  void configure(const Sampler&, const PreparedMetric&) override { moves_nothing(); }
  void momenta(std::span<double>) const override { moves_nothing(); }
  void scale_steps(std::span<const double>) override { moves_nothing(); }
  Pooled advance(const Launch&) override { return moves_nothing(); }
  void observed(int, std::span<double>) const override { moves_nothing(); }
  void record(const Recording&) override { moves_nothing(); }
  Pooled advance_recording(const Launch&) override { return moves_nothing(); }
  Statistics statistics() const override { throw std::logic_error("no statistics"); }
  Draws draws() const override { throw std::logic_error("no draws"); }
  Draws take_draws() override { throw std::logic_error("no draws"); }
  void archive(Archive&) override { moves_nothing(); }

 private:
  [[noreturn]] static Pooled moves_nothing() {
    throw std::logic_error("this engine moves no chains");
  }
  std::size_t size() const {
    return static_cast<std::size_t>(description_.dim) *
           static_cast<std::size_t>(description_.chains);
  }

  Potential potential_;
  std::vector<double> q_;
};

inline Density function_density(int dim, const Potential& potential) {
  return Density([dim, potential](std::int64_t chains) -> std::unique_ptr<Engine> {
    return std::make_unique<FunctionEngine>(dim, potential, chains);
  });
}

}  // namespace lockstep::test
