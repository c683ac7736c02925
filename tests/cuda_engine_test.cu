// The CUDA engine on a card: the CPU's numbers, whatever the number of chains, tiles and threads.
// (Its own logic is tested without a card in emulated_cuda/.)

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/l2hmc.hpp"
#include "kernels/launch/make.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "lockstep/error.hpp"
#include "lockstep/lockstep.hpp"
#include "lockstep/network.hpp"

namespace lockstep {

// The library's own engines, not others made here.
#define LOCKSTEP_FROM_LIBRARY(...)                                              \
  extern template std::unique_ptr<Engine> make_cpu_engine<float, __VA_ARGS__>(  \
      const __VA_ARGS__&, const SampleOptions&);                                \
  extern template std::unique_ptr<Engine> make_cuda_engine<float, __VA_ARGS__>( \
      const __VA_ARGS__&, const SampleOptions&);
LOCKSTEP_FROM_LIBRARY(Scg)
LOCKSTEP_FROM_LIBRARY(Icg)
LOCKSTEP_FROM_LIBRARY(Mog)
LOCKSTEP_FROM_LIBRARY(EightSchoolsNc)
LOCKSTEP_FROM_LIBRARY(StdNormal<10>)
#define LOCKSTEP_L2HMC_FROM_LIBRARY(...)                                                  \
  extern template std::unique_ptr<Engine> make_cuda_l2hmc_engine<__VA_ARGS__>(            \
      const __VA_ARGS__&, const SampleOptions&);                                          \
  extern template std::unique_ptr<TrainingEngine> make_cuda_training_engine<__VA_ARGS__>( \
      const __VA_ARGS__&, const TrainingPlace&);
LOCKSTEP_L2HMC_FROM_LIBRARY(Scg)
LOCKSTEP_L2HMC_FROM_LIBRARY(Icg)

namespace {

/// A target of the user's own: nvcc compiles its kernels here, for both backends.
struct Bent {
  static constexpr int dim = 2;
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T r = q[1] - T(0.1f) * q[0] * q[0];
    return T(0.5f) * (q[0] * q[0] + r * r);
  }
};

std::string why_no_device() {
  std::string why;
  cuda_devices(&why);
  return why;
}

#define LOCKSTEP_NEEDS_DEVICE()                                \
  if (const std::string why = why_no_device(); !why.empty()) { \
    GTEST_SKIP() << "no CUDA device: " << why;                 \
  }

SampleOptions options_for(std::int64_t chains, int threads_per_chain = 0) {
  SampleOptions options;
  options.chains = chains;
  options.seed = 3;
  options.threads_per_chain = threads_per_chain;
  return options;
}

void begin(Engine& engine, const Sampler& sampler) {
  const auto d = static_cast<std::size_t>(engine.description().dim);
  PreparedMetric metric;
  metric.kind = Metric::diagonal;
  for (std::size_t j = 0; j < d; ++j) {
    const double scale = 1 + 0.1 * static_cast<double>(j % 5);
    metric.factor.push_back(scale);
    metric.inverse_mass.push_back(scale * scale);
  }
  engine.configure(sampler, metric);
  const std::int64_t chains = engine.description().chains;
  std::vector<double> q(d * static_cast<std::size_t>(chains));
  for (std::size_t j = 0; j < d; ++j) {
    for (std::int64_t c = 0; c < chains; ++c) {  // of chain and coordinate alone
      q[j * static_cast<std::size_t>(chains) + static_cast<std::size_t>(c)] =
          0.3 * std::sin(static_cast<double>(c % 1009) * 1.7 + static_cast<double>(j));
    }
  }
  engine.place(q);
}

std::vector<double> positions(const Engine& engine) {
  std::vector<double> q(static_cast<std::size_t>(engine.description().dim) *
                        static_cast<std::size_t>(engine.description().chains));
  engine.positions(q);
  return q;
}

/// The first n chains, [dim][n].
std::vector<double> first_chains(const Engine& engine, std::int64_t n) {
  const std::vector<double> q = positions(engine);
  std::vector<double> out;
  for (int j = 0; j < engine.description().dim; ++j) {
    const auto row = q.begin() + j * engine.description().chains;
    out.insert(out.end(), row, row + n);
  }
  return out;
}

Sampler hmc(double step) {
  return Hmc{.step_size = step, .step_jitter = 0.1, .leapfrog = 5};
}

/// Chains that are further apart than `bound` after one transition of both engines from one state.
int parted(Engine& first, Engine& second, const Sampler& sampler, const Launch& launch,
           double bound) {
  for (Engine* engine : {&first, &second}) {
    begin(*engine, sampler);
    engine->advance(launch);
  }
  const std::int64_t chains = first.description().chains;
  const std::vector<double> a = positions(first), b = positions(second);
  int far = 0;
  for (std::int64_t c = 0; c < chains; ++c) {
    double worst = 0;
    for (int j = 0; j < first.description().dim; ++j) {
      const auto at = static_cast<std::size_t>(j * chains + c);
      worst = std::max(worst, std::abs(a[at] - b[at]) / std::max(1.0, std::abs(a[at])));
    }
    far += worst > bound;
  }
  return far;
}

/// Chains may part where the acceptance uniform lies within rounding of the acceptance probability:
/// at most `most` of them.
template <class Target>
void expect_parity(const Target& target, double step, double bound, int most) {
  constexpr std::int64_t chains = 4096;
  const auto cpu = make_cpu_engine<float>(target, options_for(chains));
  const auto cuda = make_cuda_engine<float>(target, options_for(chains));
  EXPECT_LE(parted(*cpu, *cuda, hmc(step), {0, 1, step, 5}, bound), most);
}

/// A network of such weights that S, Q and T matter.
Network network_of(const NetworkShape& shape, double step) {
  Network network = initial_network(shape, step, 11);
  for (std::size_t i = 1; i < network.parameters.size(); ++i) {
    network.parameters[i] += 0.1 * std::sin(static_cast<double>(i * i));
  }
  return network;
}

template <class Target>
void expect_l2hmc_parity(const Target& target, int width, std::int64_t chains, double step) {
  const Network network = network_of({Target::dim, 4, width, 2}, step);
  const auto cpu = make_cpu_l2hmc_engine<float>(block_target<float>(target), options_for(chains));
  const auto cuda = make_cuda_l2hmc_engine(target, options_for(chains));
  const auto most = static_cast<int>(2 + chains / 1000);
  for (const bool matrix_units : {false, true}) {
    L2hmc sampler(network);
    sampler.matrix_units = matrix_units;
    EXPECT_LE(parted(*cpu, *cuda, sampler, {0, 1, step, 0}, 1e-3), most)
        << width << " units, on matrix units: " << matrix_units;
  }
}

template <class Target>
void expect_training_parity(const Target& target, int width) {
  TrainingPlace place;
  place.shape = {Target::dim, 4, width, 2};
  const Network network = network_of(place.shape, 0.1);
  const auto cpu = make_cpu_training_engine<float>(block_target<float>(target), place);
  const auto cuda = make_cuda_training_engine(target, place);
  std::vector<double> q(static_cast<std::size_t>(Target::dim * place.batch));
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = 0.5 * std::sin(static_cast<double>(i));
  }
  std::vector<double> a(network.parameters.size()), b(a.size());
  cpu->place(q);
  cuda->place(q);
  TrainingLaunch launch;
  launch.noise_weight = 0;  // whose random numbers depend on the width of a lane
  const TrainingStep s = cpu->step(network, launch, a), t = cuda->step(network, launch, b);
  EXPECT_NEAR(s.acceptance, t.acceptance, 1e-4);
  EXPECT_NEAR(s.loss, t.loss, 1e-3 * std::abs(s.loss));
  double size = 0, apart = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    size += a[k] * a[k];
    apart += (a[k] - b[k]) * (a[k] - b[k]);
  }
  EXPECT_LT(apart, 1e-6 * size);
}

TEST(CudaEngine, OneTransitionIsTheCpus) {
  LOCKSTEP_NEEDS_DEVICE();
  expect_parity(Scg{}, 0.12, 0.0, 4);  // no transcendental function moves a chain
  expect_parity(Icg{}, 0.12, 0.0, 4);
  expect_parity(EightSchoolsNc{}, 0.5, 2e-5, 4);
  expect_parity(Mog{}, 0.2, 2e-5, 4);
}

TEST(CudaEngine, OneTransitionOfL2hmcIsTheCpus) {
  LOCKSTEP_NEEDS_DEVICE();
  expect_l2hmc_parity(Scg{}, 10, 4096, 0.05);     // a chain to a thread
  expect_l2hmc_parity(Scg{}, 10, 1 << 19, 0.05);  // two chains to a thread
  expect_l2hmc_parity(Scg{}, 24, 4096, 0.05);     // a tile of chains to a block
  expect_l2hmc_parity(Icg{}, 100, 4096, 0.02);
  expect_training_parity(Scg{}, 10);
  expect_training_parity(Icg{}, 100);
}

TEST(CudaEngine, ThreadsPerChainChangeNothing) {
  LOCKSTEP_NEEDS_DEVICE();
  std::vector<double> alone;
  for (const int threads : {1, 2, 4, 8, 16}) {
    const auto engine = make_cuda_engine<float>(Icg{}, options_for(1000, threads));
    EXPECT_EQ(engine->description().threads_per_chain, threads);
    begin(*engine, hmc(0.12));
    engine->advance({0, 50, 0.12, 0});
    if (threads == 1) {
      alone = positions(*engine);
    }
    EXPECT_EQ(positions(*engine), alone) << threads;
  }
}

TEST(CudaEngine, NumberOfChainsChangesNothing) {
  LOCKSTEP_NEEDS_DEVICE();
  std::vector<double> few;
  for (const std::int64_t chains : {64, 1000, 4096, 1'000'000}) {  // the last in several tiles
    const auto engine = make_cuda_engine<float>(EightSchoolsNc{}, options_for(chains));
    begin(*engine, hmc(0.5));
    engine->advance({0, 70, 0.5, 0});
    if (chains == 64) {
      few = first_chains(*engine, 64);
    }
    EXPECT_EQ(first_chains(*engine, 64), few) << chains;
  }
}

TEST(CudaEngine, StatisticsAreThoseOfTheDraws) {
  LOCKSTEP_NEEDS_DEVICE();
  constexpr std::int64_t chains = 200'000;
  constexpr int draws = 100;
  const auto engine = make_cuda_engine<float>(Scg{}, options_for(chains));
  begin(*engine, hmc(0.12));
  Recording recording;
  recording.draws = draws;
  recording.keep_chains = chains;
  engine->record(recording);
  const Pooled pooled = engine->advance_recording({0, draws, 0.12, 0});
  const Statistics s = engine->statistics();
  const Draws kept = engine->take_draws();
  ASSERT_EQ(kept.draws, draws);

  const std::vector<double> last = positions(*engine);
  for (int j = 0; j < Scg::dim; ++j) {
    EXPECT_TRUE(std::equal(kept.row(draws - 1, j), kept.row(draws - 1, j) + chains,
                           last.begin() + j * chains));
    for (std::int64_t c = 0; c < chains; c += 997) {
      for (int half = 0; half < 2; ++half) {
        double mean = 0, m2 = 0;
        for (int t = 0; t < draws / 2; ++t) {
          mean += kept.row(half * draws / 2 + t, j)[c] / (draws / 2);
        }
        for (int t = 0; t < draws / 2; ++t) {
          const double x = kept.row(half * draws / 2 + t, j)[c] - mean;
          m2 += x * x;
        }
        const auto at = static_cast<std::size_t>(j * chains + c);
        EXPECT_NEAR(s.mean[half][at], mean, 1e-4);
        EXPECT_NEAR(s.m2[half][at], m2, 1e-4 * m2 + 1e-4);
      }
    }
  }
  double acceptance = 0;
  for (const double a : s.acceptance) {
    acceptance += a / chains;
  }
  EXPECT_NEAR(pooled.acceptance, acceptance, 1e-6);
}

TEST(CudaEngine, CurandSamplesTheSameLaw) {
  LOCKSTEP_NEEDS_DEVICE();
  constexpr std::int64_t chains = 65536;
  SampleOptions options = options_for(chains);
  options.generator = Generator::curand;
  const auto engine = make_cuda_engine<float>(StdNormal<10>{}, options);
  begin(*engine, hmc(0.4));
  engine->advance({0, 50, 0.4, 0});
  const std::vector<double> q = positions(*engine);
  double mean = 0, square = 0;
  for (const double x : q) {
    mean += x;
    square += x * x;
  }
  const auto n = static_cast<double>(q.size());
  EXPECT_LT(std::abs(mean / n), 4 / std::sqrt(n));
  EXPECT_LT(std::abs(square / n - 1), 4 * std::sqrt(2 / n));
}

TEST(CudaEngine, SamplesAUsersTarget) {
  LOCKSTEP_NEEDS_DEVICE();
  SampleOptions options = options_for(4096);
  options.backend = Backend::cuda;
  const Fit fit = sample(Bent{}, Hmc{}, options);
  EXPECT_EQ(fit.engine.backend, "cuda");
  EXPECT_NEAR(fit.parameters[0].mean, 0, 0.02);
  EXPECT_NEAR(fit.parameters[1].mean, 0.1, 0.02);
}

// Where there is no device, the same program must say so or run on the CPU.
TEST(CudaEngine, AbsentDeviceIsABackendError) {
  if (why_no_device().empty()) {
    GTEST_SKIP() << "a CUDA device is present";
  }
  EXPECT_THROW(make_cuda_engine<float>(Scg{}, options_for(64)), BackendError);
  SampleOptions options = options_for(64);
  options.warmup = 50;
  options.draws = 20;
  EXPECT_EQ(sample(Bent{}, Hmc{}, options).engine.backend, "cpu");
  options.backend = Backend::cuda;
  EXPECT_THROW(sample(Bent{}, Hmc{}, options), BackendError);
}

}  // namespace
}  // namespace lockstep
