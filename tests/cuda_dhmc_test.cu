// Discontinuous HMC, Mixed HMC and Gibbs on a card: the CPU's chains but for rounding, whatever the
// number of them, and the law. (What the engine does by itself is tested without a card in
// emulated_cuda/.)

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/registry.hpp"
#include "kernels/targets/embedding.hpp"
#include "lockstep/dhmc.hpp"
#include "lockstep/lockstep.hpp"

namespace lockstep {
namespace {

#define LOCKSTEP_NEEDS_DEVICE()                \
  std::string why;                             \
  if (cuda_devices(&why); !why.empty()) {      \
    GTEST_SKIP() << "no CUDA device: " << why; \
  }

struct Case {
  const char* target;
  double step_size, hop;
};
constexpr Case kCases[] = {{"integer-grid", 1, 0.9},   {"mixed-grid", 1, 0.9},
                           {"sign", 1, 0.9},           {"mixture-indicator", 0.5, 1},
                           {"change-point", 0.1, 2.5}, {"zero-one", 0.3, 0.3}};

std::vector<Sampler> samplers(const Case& c) {
  return {Dhmc{.step_size = c.step_size, .hop = c.hop, .step_jitter = 0.1, .leapfrog = 3},
          MixedHmc{.step_size = c.step_size, .hop = c.hop, .leapfrog = 4},
          Gibbs{.step_size = c.step_size, .hop = c.hop, .leapfrog = 3}};
}

/// Where `chains` chains are after `count` transitions, [dim][chains].
std::vector<double> ends(const Case& c, const Sampler& sampler, Backend backend,
                         std::int64_t chains, int count) {
  TargetOptions small;
  if (c.target == std::string("zero-one")) {
    small.dim = 40;
    small.observations = 300;
  }
  SampleOptions options;
  options.chains = chains;
  options.seed = 3;
  options.backend = backend;
  const auto engine = find_target(c.target).make(small, options);
  const auto d = static_cast<std::size_t>(engine->description().dim);
  const std::vector<double> ones(d, 1.0);
  engine->configure(sampler, {Metric::unit, ones, ones});
  const auto n = static_cast<std::size_t>(chains);
  std::vector<double> q(d * n), u(d), at(d);
  for (std::size_t i = 0; i < n; ++i) {  // of chain and coordinate alone
    for (std::size_t j = 0; j < d; ++j) {
      u[j] = at[j] = 0.5 + 0.49 * std::sin(static_cast<double>(i % 1009) * 1.7 + 1.0 * j);
    }
    if (engine->description().start) {
      engine->description().start(u.data(), at.data());
    }
    for (std::size_t j = 0; j < d; ++j) {
      q[j * n + i] = at[j];
    }
  }
  engine->place(q);
  Launch launch{0, count, c.step_size, 0};
  launch.hop = c.hop;
  engine->advance(launch);
  engine->positions(q);
  return q;
}

/// The card's exponential and logarithm are its own: a visit that all but ties goes the other way,
/// in one chain of a hundred at most.
TEST(CudaDhmc, OneTransitionIsTheCpus) {
  LOCKSTEP_NEEDS_DEVICE();
  constexpr std::int64_t chains = 5000;
  for (const Case& c : kCases) {
    for (const Sampler& sampler : samplers(c)) {
      const auto a = ends(c, sampler, Backend::cpu, chains, 1);
      const auto b = ends(c, sampler, Backend::cuda, chains, 1);
      std::vector<bool> parted(chains);
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(std::abs(a[i] - b[i]) < 1e-3)) {
          parted[i % chains] = true;
        }
      }
      EXPECT_LE(std::count(parted.begin(), parted.end(), true), chains / 100)
          << c.target << ", method " << static_cast<int>(sampler.method);
    }
  }
}

TEST(CudaDhmc, NumberOfChainsChangesNothing) {
  LOCKSTEP_NEEDS_DEVICE();
  constexpr std::size_t few = 100, many = 70000;
  for (const Case& c : kCases) {
    const Sampler sampler = samplers(c)[0];
    const auto a = ends(c, sampler, Backend::cuda, few, 3);
    const auto b =
        ends(c, sampler, Backend::cuda, c.target == std::string("zero-one") ? 2000 : many, 3);
    const std::size_t d = a.size() / few, stride = b.size() / d;
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t i = 0; i < few; ++i) {
        ASSERT_EQ(a[j * few + i], b[j * stride + i]) << c.target;
      }
    }
  }
}

/// A target of the user's own: nvcc compiles its kernels here.
struct Die {
  static constexpr int dim = 2;
  UnitCells cells{1, 6};
  LOCKSTEP_HD bool discontinuous(int j) const { return j == 0; }
  /// A number that the second coordinate is near to.
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T n = cells.index(q[0]), off = q[1] - n;
    return select(cells.contains(n), T(0.5f) * off * off + T(0.25f) * n, T(INFINITY));
  }
  void start(const double* u, double* q) const {
    q[0] = cells.middle(any_integer(cells, u[0]));
    q[1] = 6 * u[1];
  }
};

TEST(CudaDhmc, SamplesAUsersTarget) {
  LOCKSTEP_NEEDS_DEVICE();
  SampleOptions options;
  options.chains = 20000;
  options.warmup = 100;
  options.draws = 200;
  options.backend = Backend::cuda;
  const Fit fit = sample(Die{}, Dhmc{.leapfrog = 4}, options);
  double mean = 0, total = 0;
  for (int n = 1; n <= 6; ++n) {
    mean += n * std::exp(-0.25 * n);
    total += std::exp(-0.25 * n);
  }
  EXPECT_EQ(fit.engine.backend, "cuda");
  EXPECT_NEAR(fit.parameters[1].mean, mean / total, 5 * fit.parameters[1].mcse);
}

}  // namespace
}  // namespace lockstep
