// The hand-derived gradient of L2HMC's loss against central differences, parameter by parameter.

#include <cmath>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/l2hmc.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"

namespace lockstep {
namespace {

constexpr std::int64_t kBatch = 24;  // one block whole, one in part

/// A network that does something: weights of scale `size` everywhere, the heads included.
Network busy_network(const NetworkShape& shape, double step, double size, std::uint64_t seed) {
  Network network = initial_network(shape, step, seed);
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  for (const Network::View& view : network.views()) {
    if (view.name == "log_step_size") {
      continue;
    }
    for (int k = 0; k < view.rows * view.columns; ++k) {
      network.parameters[view.offset + static_cast<std::size_t>(k)] =
          size * normal(bits) / std::sqrt(static_cast<double>(std::max(1, view.rows)));
    }
  }
  return network;
}

struct Problem {
  std::shared_ptr<const BlockTarget<double>> target;
  Network network;
  TrainingLaunch launch;
  Remember remember = Remember::steps;

  TrainingPlace place(int threads) const { return {network.shape, kBatch, 11, threads, remember}; }

  /// The loss of one iteration from fixed starts, and its gradient.
  TrainingStep at(const Network& net, std::vector<double>& gradient, int threads = 1) const {
    const auto engine = make_cpu_training_engine<double>(target, place(threads));
    std::mt19937_64 bits(5);
    std::normal_distribution<double> normal;
    std::vector<double> q(static_cast<std::size_t>(net.shape.dim * kBatch));
    for (double& x : q) {
      x = normal(bits);
    }
    engine->place(q);
    gradient.resize(net.parameters.size());
    return engine->step(net, launch, gradient);
  }
};

template <class Target>
Problem problem(const Target& target, int steps, int width, double step, double size) {
  const NetworkShape shape{dimension(target), steps, width, 2};
  Problem p{block_target<double>(target), busy_network(shape, step, size, 3), {}};
  p.launch.iteration = 4;
  p.launch.loss_scale = 0.7;
  p.launch.noise_weight = 0.4;
  p.launch.temperature = 1.3;
  for (int j = 0; j < shape.dim; ++j) {
    p.network.scale[static_cast<std::size_t>(j)] = 0.8 + 0.1 * (j % 3);
  }
  return p;
}

/// Every `stride`-th parameter.
void check(const Problem& p, std::size_t stride = 1) {
  std::vector<double> gradient, unused;
  p.at(p.network, gradient);
  double norm = 0;
  for (const double g : gradient) {
    norm = std::max(norm, std::abs(g));
  }
  ASSERT_GT(norm, 0);
  for (const Network::View& view : p.network.views()) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(view.rows * view.columns); k += stride) {
      const std::size_t i = view.offset + k;
      const auto loss = [&](double h) {
        Network moved = p.network;
        moved.parameters[i] += h;
        return p.at(moved, unused).loss;
      };
      const double h = 2e-6;  // larger ones meet kinks: a relu of some chain that changes sides
      const double expected = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h);
      EXPECT_NEAR(gradient[i], expected, 1e-6 * std::max(std::abs(expected), 1e-2 * norm))
          << view.name << "[" << k << "]";
    }
  }
}

TEST(L2hmcAdjoint, Scg) {
  check(problem(Scg(0.1, 4), 3, 5, 0.2, 0.7));
}
TEST(L2hmcAdjoint, Mog) {
  check(problem(Mog(), 3, 5, 0.1, 0.7));
}
TEST(L2hmcAdjoint, RoughWell) {
  check(problem(RoughWell<2>(0.1), 2, 5, 0.1, 0.5));
}
TEST(L2hmcAdjoint, Icg) {
  check(problem(Icg(), 2, 7, 0.05, 0.5), 41);
}
TEST(L2hmcAdjoint, EightSchools) {
  check(problem(EightSchoolsNc(), 2, 6, 0.1, 0.5), 5);
}

TEST(L2hmcAdjoint, RecomputingGivesTheSameGradient) {
  Problem p = problem(Scg(0.1, 4), 5, 10, 0.2, 0.5);
  std::vector<double> kept, again;
  p.at(p.network, kept);
  p.remember = Remember::nothing;
  p.at(p.network, again);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_NEAR(kept[i], again[i], 1e-9 * (std::abs(kept[i]) + 1)) << i;
  }
}

TEST(L2hmcAdjoint, ThreadsChangeNoBit) {
  const Problem p = problem(Mog(), 4, 10, 0.1, 0.5);
  std::vector<double> one, two;
  const TrainingStep a = p.at(p.network, one, 1), b = p.at(p.network, two, 2);
  EXPECT_EQ(one, two);
  EXPECT_EQ(a.loss, b.loss);
}

}  // namespace
}  // namespace lockstep
