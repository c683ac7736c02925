// The CUDA engine's own work, on a machine without a card: tiles, chunks, groups of threads, kept
// draws, pooled counts. With every kernel emulated it must give what the CPU engine gives, bit for
// bit.

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/cpu.hpp"
#include "kernels/launch/cuda.cuh"
#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/launch/cuda_statistics.cu"
#include "kernels/launch/cuda_training.cuh"
#include "kernels/launch/training.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "lockstep/error.hpp"
#include "tests/emulated_cuda/outcome.hpp"
#include "tests/memory_archive.hpp"

namespace lockstep {

namespace tile {
alignas(16) thread_local float4 memory[(227 << 10) / sizeof(float4)];  // a block's shared memory
}  // namespace tile

namespace {

using testing::Case;
using testing::case_of;
using testing::expect_same;
using testing::kChains;
using testing::options_for;
using testing::Outcome;
using testing::outcome;

template <class Target>
void expect_parity(const Target& target, const Case& run, const SampleOptions& options) {
  CpuEngine<float, Target> cpu(target, options);
  CudaEngine<float, Target> cuda(target, options);
  const Outcome a = outcome(cpu, run), b = outcome(cuda, run);
  ASSERT_GT(a.sampling.acceptance, 0.2);
  ASSERT_LT(a.sampling.acceptance, 0.999);
  expect_same(a, b);
}

Sampler hmc(double step) {
  return Hmc{.step_size = step, .step_jitter = 0.1, .leapfrog = 3};
}

TEST(EmulatedCuda, EveryTransition) {
  const EightSchoolsNc target;
  constexpr int d = EightSchoolsNc::dim;
  const auto options = options_for();
  expect_parity(target, case_of(d, hmc(0.9)), options);
  expect_parity(target, case_of(d, hmc(0.9), Metric::dense), options);
  expect_parity(
      target,
      case_of(d, Hmc{.step_size = 1.2, .leapfrog = 2, .integrator = Integrator::minimal_norm_4}),
      options);
  expect_parity(target, case_of(d, Ghmc{.step_size = 0.9}), options);
  expect_parity(target, case_of(d, hmc(0.7), Metric::low_rank), options);
  Case warm_up = case_of(d, hmc(0.9));
  warm_up.leave_momentum = true;
  for (int c = 0; c < kChains; ++c) {
    warm_up.step_factors.push_back(0.5 + 0.002 * c);
  }
  expect_parity(target, warm_up, options);
  expect_parity(target, case_of(d, RandomWalk{.step_size = 0.4}), options);
  expect_parity(target, case_of(d, RandomWalk{.step_size = 0.4}, Metric::dense), options);
}

TEST(EmulatedCuda, GoesOnFromAnArchive) {
  const Case run = case_of(EightSchoolsNc::dim, Ghmc{.step_size = 0.9});
  CudaEngine<float, EightSchoolsNc> whole(EightSchoolsNc{}, options_for());
  CudaEngine<float, EightSchoolsNc> begun(EightSchoolsNc{}, options_for());
  CudaEngine<float, EightSchoolsNc> fresh(EightSchoolsNc{}, options_for());
  expect_same(outcome(whole, run), outcome(begun, run, &fresh));
}

TEST(EmulatedCuda, RunTimeDimension) {
  expect_parity(StdNormalN<70>(9), case_of(9, hmc(1.1)), options_for());  // metric by pointer
  expect_parity(StdNormalN<16>(9), case_of(9, hmc(1.1)), options_for());  // metric by value
}

TEST(EmulatedCuda, DataMoveToTheDevice) {
  std::vector<float> z(2 * 3 * kRowBlock);
  for (std::size_t i = 0; i < z.size(); ++i) {
    z[i] = static_cast<float>(std::cos(static_cast<double>(i)));
  }
  expect_parity(Logistic<float, 3>({z.data(), 2, 3}), case_of(3, hmc(0.8)), options_for());
}

TEST(EmulatedCuda, AnyNumberOfThreadsPerChain) {
  const Case run = case_of(Icg::dim, hmc(0.12));
  for (const int threads : {1, 2, 4, 8, 16}) {
    SCOPED_TRACE(threads);
    CudaEngine<float, Icg> engine(Icg{}, options_for(threads));
    EXPECT_EQ(engine.description().threads_per_chain, threads);
    expect_parity(Icg{}, run, options_for(threads));
  }
}

TEST(EmulatedCuda, KeepsWhatIsAskedFor) {
  Case run = case_of(Scg::dim, hmc(0.12));
  for (const std::int64_t keep : {0, 1, 128, 300}) {
    for (const int thin : {1, 2, 40, 100}) {
      SCOPED_TRACE(std::to_string(keep) + " chains, every " + std::to_string(thin));
      run.keep = keep;
      run.thin = thin;
      expect_parity(Scg{}, run, options_for());
    }
  }
}

TEST(EmulatedCuda, SeveralDevicesAreOne) {
  const Case run = case_of(Icg::dim, hmc(0.12));
  CudaEngine<float, Icg> one(Icg{}, options_for(4));
  SampleOptions options = options_for(4);
  const auto several =
      make_sharded(kChains, {0, 1}, [&](int device, std::int64_t first, std::int64_t chains) {
        SampleOptions part = options;
        part.chains = chains;
        return std::make_unique<CudaEngine<float, Icg>>(Icg{}, part, device,
                                                        static_cast<std::uint64_t>(first));
      });
  expect_same(outcome(one, run), outcome(*several, run));
}

TEST(EmulatedCuda, CurandIsUsedWhereItIsAskedFor) {
  const Case run = case_of(Scg::dim, hmc(0.12));
  SampleOptions options = options_for();
  CudaEngine<float, Scg> philox(Scg{}, options);
  options.generator = Generator::curand;
  CudaEngine<float, Scg> curand(Scg{}, options);
  EXPECT_NE(outcome(philox, run).positions, outcome(curand, run).positions);
  EXPECT_THROW(curand.configure(RandomWalk{.step_size = 0.1}, run.metric), UsageError);
  CudaEngine<double, Scg> precise(Scg{}, options);
  EXPECT_THROW(precise.configure(run.sampler, run.metric), UsageError);
}

TEST(EmulatedCuda, RefusesThreadsThatCannotShare) {
  EXPECT_THROW((CudaEngine<float, Icg>(Icg{}, options_for(32))), UsageError);
  EXPECT_THROW((CudaEngine<float, Icg>(Icg{}, options_for(3))), UsageError);
  EXPECT_THROW((CudaEngine<float, EightSchools>(EightSchools{}, options_for(2))), UsageError);
  CudaEngine<float, Icg> engine(Icg{}, options_for(4));
  const Case run = case_of(Icg::dim, RandomWalk{.step_size = 0.1});
  EXPECT_THROW(engine.configure(run.sampler, run.metric), UsageError);
}

/// A network that has learnt something: of such weights that S, Q and T matter.
Network network_of(const NetworkShape& shape, double step) {
  Network network = initial_network(shape, step, 11);
  auto random = [state = 1u]() mutable {
    state = state * 1664525u + 1013904223u;
    return static_cast<double>(state >> 8) * 0x1p-24 - 0.5;
  };
  for (std::size_t i = 1; i < network.parameters.size(); ++i) {
    network.parameters[i] += 0.2 * random();
  }
  for (double& scale : network.scale) {
    scale = 1 + random();
  }
  return network;
}

/// The engine on the emulated card, by either kernel, against the CPU's general one. The
/// processor's library stands in for the special function unit, in both.
template <class Target>
void expect_l2hmc_parity(const Target& target, int steps, int width, int hidden, double step,
                         std::int64_t chains = 100) {
  SCOPED_TRACE(std::to_string(width) + " units, " + std::to_string(hidden) + " layers");
  const Network network = network_of({Target::dim, steps, width, hidden}, step);
  L2hmc sampler(network);
  sampler.matrix_units = false;  // in the CPU's order of sums
  Case run{sampler, {}, 3, 200};
  SampleOptions options = options_for();
  options.chains = chains;  // few: each barrier costs the emulation a change of stacks a thread
  CpuEngine<float, Target, L2hmcSettings<float>> cpu(target, options);
  CudaEngine<float, Target, CudaL2hmcSettings<Target::dim>> cuda(target, options);
  const Outcome a = outcome(cpu, run), b = outcome(cuda, run);
  EXPECT_GT(a.sampling.acceptance, 0.2);
  EXPECT_LT(a.sampling.acceptance, 0.999);
  expect_same(a, b);
}

TEST(EmulatedCuda, SmallNetworksInParameters) {
  expect_l2hmc_parity(Scg{}, 4, 10, 2, 0.05);
  expect_l2hmc_parity(Mog{}, 4, 10, 2, 0.1);
  expect_l2hmc_parity(EightSchoolsNc{}, 3, 10, 2, 0.2);
}

TEST(EmulatedCuda, SmallNetworksInPairs) {
  ASSERT_TRUE(cuda::pairs_fill(1100, 1));
  expect_l2hmc_parity(Scg{}, 4, 10, 2, 0.05, 1100);
}

TEST(EmulatedCuda, NetworksOfAnyShapeInTiles) {
  expect_l2hmc_parity(Scg{}, 2, 12, 2, 0.05);
  expect_l2hmc_parity(EightSchoolsNc{}, 2, 21, 1, 0.2);   // the heads end up where inputs were
  expect_l2hmc_parity(EightSchoolsNc{}, 1, 200, 1, 0.1);  // two passes over a layer
  expect_l2hmc_parity(Icg{}, 1, 100, 2, 0.02);
}

/// Both engines go through a few iterations; the networks change in between, so that a parameter
/// that is read from elsewhere shows.
template <class Target>
void expect_training_parity(const Target& target, const NetworkShape& shape, double noise) {
  SCOPED_TRACE(std::to_string(shape.dim) + "-d, " + std::to_string(shape.hidden) + " layers");
  TrainingPlace place;
  place.shape = shape;
  place.batch = 37;
  place.seed = 3;
  place.threads = 1;
  CpuTrainingEngine<float, Target, float> cpu(target, place);
  CudaTrainingEngine<Target> cuda(target, place);
  std::vector<double> q(static_cast<std::size_t>(shape.dim) * 37), p(q.size());
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = 0.5 * std::sin(static_cast<double>(i));
  }
  cpu.place(q);
  cuda.place(q);
  Network network = network_of(shape, 0.1);
  const std::size_t n = network.parameters.size();
  std::vector<double> a(n), b(n);
  TrainingLaunch launch;
  launch.noise_weight = noise;
  for (launch.iteration = 5; launch.iteration < 8; ++launch.iteration) {
    const TrainingStep s = cpu.step(network, launch, a), t = cuda.step(network, launch, b);
    EXPECT_EQ(a, b);
    EXPECT_GT(std::count_if(a.begin(), a.end(), [](double g) { return g != 0; }), n / 2);
    EXPECT_EQ(s.loss, t.loss);
    EXPECT_EQ(s.acceptance, t.acceptance);
    EXPECT_EQ(s.jump, t.jump);
    EXPECT_EQ(s.clipped, t.clipped);
    EXPECT_EQ(s.not_finite, t.not_finite);
    cpu.positions(p);
    cuda.positions(q);
    EXPECT_EQ(p, q);
    for (std::size_t k = 0; k < n; ++k) {
      network.parameters[k] -= 1e-3 * a[k] / (1 + std::abs(a[k]));
    }
    launch.temperature += 0.5;
  }
}

TEST(EmulatedCuda, Training) {
  expect_training_parity(Scg{}, {2, 4, 10, 2}, 0);
  expect_training_parity(Mog{}, {2, 3, 7, 1}, 1);
  expect_training_parity(EightSchoolsNc{}, {10, 2, 9, 3}, 0.5);
}

/// The host asks for a step in one call, whatever is in it; the first of a kind is put together.
TEST(EmulatedCuda, ATrainingStepIsOneLaunch) {
  TrainingPlace place;
  place.shape = {2, 3, 5, 2};
  place.batch = 9;
  CudaTrainingEngine<Scg> engine(Scg{}, place);
  const Network network = network_of(place.shape, 0.1);
  engine.place(std::vector<double>(18, 0.25));
  std::vector<double> gradient(network.parameters.size());
  for (const double noise : {0.0, 1.0}) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      const int before = emulated::submissions;
      engine.step(network, {.iteration = i, .noise_weight = noise}, gradient);
      EXPECT_EQ(emulated::submissions, before + 1);
    }
  }
}

/// What is thrown while a graph is put together leaves the stream as it was.
TEST(EmulatedCuda, AFailedCaptureEnds) {
  cuda::WorkStream stream;
  cuda::DeviceArray<int> array(1, "a number");
  int number = 3;
  // Waiting is what cannot be captured.
  EXPECT_THROW(cuda::Graph(stream, "a graph", [&] { array.upload(&number, stream); }),
               BackendError);
  array.upload(&number, stream);
  number = 0;
  const cuda::Graph graph(stream, "a graph",
                          [&] { array.begin_download(&number, stream, array.size()); });
  EXPECT_EQ(number, 0);
  graph.launch(stream);
  EXPECT_EQ(number, 3);
}

TEST(EmulatedCuda, TrainingGoesOnFromAnArchive) {
  TrainingPlace place;
  place.shape = {2, 3, 5, 2};
  place.batch = 9;
  CudaTrainingEngine<Scg> begun(Scg{}, place), fresh(Scg{}, place);
  const Network network = network_of(place.shape, 0.1);
  std::vector<double> q(18, 0.25), gradient(network.parameters.size()), again(gradient.size());
  begun.place(q);
  begun.step(network, {.iteration = 1}, gradient);
  testing::MemoryArchive saved;
  begun.archive(saved);
  testing::MemoryArchive loaded(saved.memory());
  fresh.archive(loaded);
  begun.step(network, {.iteration = 2}, gradient);
  fresh.step(network, {.iteration = 2}, again);
  EXPECT_EQ(gradient, again);
  place.remember = Remember::nothing;
  EXPECT_THROW(CudaTrainingEngine<Scg>(Scg{}, place), UsageError);
}

}  // namespace
}  // namespace lockstep
