// DHMC, Mixed HMC and Gibbs on an emulated card: the same transitions, in a slice of shared memory
// instead of on the stack, and so the same bits.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/cpu.hpp"
#include "kernels/launch/cuda_dhmc.cuh"
#include "kernels/launch/cuda_zero_one.cuh"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/jolly_seber.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "tests/emulated_cuda/outcome.hpp"

namespace lockstep {

// A block's shared memory.
namespace cuda {
thread_local float slices[(227 << 10) / sizeof(float)];
}  // namespace cuda
namespace tile {
alignas(16) thread_local float observations[(227 << 10) / sizeof(float)];
}  // namespace tile

namespace {

using testing::Case;
using testing::case_of;
using testing::expect_same;
using testing::options_for;
using testing::Outcome;
using testing::outcome;

template <class Target>
using Cpu = CpuEngine<float, Target, DiscontinuousSettings<float>>;
template <class Target>
using Cuda = CudaEngine<float, Target, DiscontinuousSettings<float>>;

/// A sampler of each kind, and both orders of visits.
std::vector<Sampler> samplers(double step, double hop) {
  return {Dhmc{.step_size = step, .hop = hop, .step_jitter = 0.2, .leapfrog = 3},
          Dhmc{.step_size = step,
               .hop = hop,
               .leapfrog = 2,
               .longest = 4,
               .order = VisitOrder::permutation},
          MixedHmc{.step_size = step, .hop = hop, .leapfrog = 3},
          Gibbs{.step_size = step, .hop = hop, .leapfrog = 3}};
}

/// @param smooth  where there are smooth coordinates, steps are so long that some are rejected
template <class Target>
void expect_parity(const Target& target, const Case& run, bool smooth,
                   std::int64_t chains = testing::kChains) {
  SampleOptions options = options_for();
  options.chains = chains;
  Cpu<Target> cpu(target, options);
  Cuda<Target> cuda(target, options);
  const Outcome a = outcome(cpu, run), b = outcome(cuda, run);
  if (smooth) {
    EXPECT_GT(a.sampling.acceptance, 0.2);
    EXPECT_LT(a.sampling.acceptance, 0.999);
  }
  for (const int j : cuda.description().discontinuous) {
    if (run.sampler.method == Method::random_walk) {
      break;
    }
    EXPECT_GT(a.tallies[static_cast<std::size_t>(j)], 0);
  }
  expect_same(a, b);
}

TEST(EmulatedCudaDhmc, WithoutSmoothCoordinates) {
  for (const Sampler& sampler : samplers(1, 0.9)) {
    SCOPED_TRACE(static_cast<int>(sampler.method));
    expect_parity(IntegerGrid{}, case_of(IntegerGrid::dim, sampler), false);
  }
}

TEST(EmulatedCudaDhmc, AroundSmoothCoordinates) {
  for (const Sampler& sampler : samplers(1.4, 0.9)) {
    for (const Metric metric : {Metric::diagonal, Metric::dense, Metric::low_rank}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(sampler.method)) + " with metric " +
                   std::to_string(static_cast<int>(metric)));
      expect_parity(MixedGrid{}, case_of(MixedGrid::dim, sampler, metric), true);
    }
  }
}

/// With a cache of its own, which is in the slice too: the black-kneed capsid (Seber 1982).
TEST(EmulatedCudaDhmc, JollySeber) {
  const JollySeber<13> target(
      {.caught = {54, 146, 169, 209, 220, 209, 250, 176, 172, 127, 123, 120, 142},
       .marked = {0, 10, 37, 56, 53, 77, 112, 86, 110, 84, 77, 72, 95},
       .released = {54, 143, 164, 202, 214, 207, 243, 175, 169, 126, 120, 120},
       .caught_again = {24, 80, 70, 71, 109, 101, 108, 99, 70, 58, 44, 35},
       .most = 5000,
       .spread = 500});
  for (const Sampler& sampler : samplers(0.04, 0.1)) {
    SCOPED_TRACE(static_cast<int>(sampler.method));
    Case run = case_of(target.dim, sampler);
    run.thin = 1;
    run.transitions = 10;  // conditional laws are long sums
    expect_parity(target, run, true, 40);
  }
}

/// Walks take no workspace.
TEST(EmulatedCudaDhmc, RandomWalk) {
  expect_parity(MixedGrid{}, case_of(MixedGrid::dim, RandomWalk{.step_size = 0.7}), true);
}

/// What a card does with few chains it does with many: each has its own stream and its own slice.
TEST(EmulatedCudaDhmc, AnyNumberOfChains) {
  const Case run = case_of(IntegerGrid::dim, samplers(1, 0.9)[1]);
  SampleOptions few = options_for();
  few.chains = 70;
  Cuda<IntegerGrid> all(IntegerGrid{}, options_for()), some(IntegerGrid{}, few);
  const int dim = IntegerGrid::dim;
  const std::vector<double> q = testing::starts(all);
  const auto ends = [&](Engine& engine) {
    const std::int64_t chains = engine.description().chains;
    std::vector<double> from;
    for (int j = 0; j < dim; ++j) {
      from.insert(from.end(), q.begin() + j * testing::kChains,
                  q.begin() + j * testing::kChains + chains);
    }
    engine.configure(run.sampler, run.metric);
    engine.place(from);
    Launch launch{0, 40, run.sampler.step_size, 0};
    launch.hop = run.sampler.hop;
    engine.advance(launch);
    engine.positions(from);
    return from;
  };
  const std::vector<double> a = ends(all), b = ends(some);
  for (int j = 0; j < dim; ++j) {
    for (int c = 0; c < few.chains; ++c) {
      EXPECT_EQ(a[static_cast<std::size_t>(j * testing::kChains + c)],
                b[static_cast<std::size_t>(j * few.chains + c)]);
    }
  }
}

TEST(EmulatedCudaDhmc, GoesOnFromAnArchive) {
  const Case run = case_of(IntegerGrid::dim, samplers(1, 0.9)[0]);
  Cuda<IntegerGrid> whole(IntegerGrid{}, options_for()), begun(IntegerGrid{}, options_for()),
      fresh(IntegerGrid{}, options_for());
  expect_same(outcome(whole, run), outcome(begun, run, &fresh));
}

/// A block's common work, on rows that no warp is through with at once. Few chains, because each
/// barrier costs the emulation a change of stacks a thread.
void expect_tiles(int dim, const Sampler& sampler) {
  SCOPED_TRACE(static_cast<int>(sampler.method));
  constexpr int rows = 80, observations = 77;
  std::vector<float> z(static_cast<std::size_t>(rows * dim));
  for (int j = 0; j < dim; ++j) {
    for (int i = 0; i < observations; ++i) {
      z[static_cast<std::size_t>(j * rows + i)] =
          static_cast<float>(std::cos(1.0 + 3 * i + j * (i % 7)));
    }
  }
  Case run = case_of(dim, sampler);
  run.thin = 1;
  run.transitions = 4;
  expect_parity(ZeroOne<float, 64>({z.data(), rows, dim}), run, false, 40);
}

TEST(EmulatedCudaDhmc, ZeroOneLossByTiles) {
  const std::vector<Sampler> all = samplers(1, 0.9);
  expect_tiles(6, all[0]);
  expect_tiles(6, all[1]);
  expect_tiles(6, all[2]);
  expect_tiles(35, all[3]);  // two batches of coefficients
}

}  // namespace
}  // namespace lockstep
