/// Nanoseconds per random variate on one core, Philox included, beside the standard library's.
///
/// Items per second are variates (or words) of all chains; `--benchmark_filter=Normal` for the
/// comparison that counts: normals of the widest lane against std::normal_distribution over
/// std::mt19937.

#include <cstdint>
#include <random>

#include <benchmark/benchmark.h>

#include "kernels/random/distributions.hpp"

namespace lockstep {
namespace {

constexpr int blocks = 4;  // per transition: 16 variates per chain

template <class L>
void words_rate(benchmark::State& state) {
  const Stream<L> stream = Stream<L>::of(1, 0);
  std::uint32_t transition = 0;
  for (auto _ : state) {
    for (std::uint32_t block = 0; block < blocks; ++block) {
      auto w = words(stream, transition, Purpose::transition, block);
      benchmark::DoNotOptimize(w);
    }
    ++transition;
  }
  state.SetItemsProcessed(state.iterations() * 4 * blocks * width<L>);
}

template <class L>
void normals_rate(benchmark::State& state) {
  const Stream<L> stream = Stream<L>::of(1, 0);
  std::uint32_t transition = 0;
  for (auto _ : state) {
    for (std::uint32_t block = 0; block < blocks; ++block) {
      L z[4];
      normal_quad(stream, transition, Purpose::transition, block, z);
      benchmark::DoNotOptimize(z);
    }
    ++transition;
  }
  state.SetItemsProcessed(state.iterations() * 4 * blocks * width<L>);
}

template <class L>
void laplace_rate(benchmark::State& state) {
  const Stream<L> stream = Stream<L>::of(1, 0);
  std::uint32_t transition = 0;
  for (auto _ : state) {
    for (std::uint32_t block = 0; block < blocks; ++block) {
      const Words<L> w = words(stream, transition, Purpose::momentum, block);
      L x[4] = {laplace(w[0]), laplace(w[1]), laplace(w[2]), laplace(w[3])};
      benchmark::DoNotOptimize(x);
    }
    ++transition;
  }
  state.SetItemsProcessed(state.iterations() * 4 * blocks * width<L>);
}

void standard_normals(benchmark::State& state) {
  std::mt19937 bits(1);
  std::normal_distribution<float> normal;
  for (auto _ : state) {
    for (int i = 0; i < 4 * blocks; ++i) {
      float z = normal(bits);
      benchmark::DoNotOptimize(z);
    }
  }
  state.SetItemsProcessed(state.iterations() * 4 * blocks);
}

BENCHMARK(words_rate<float>)->Name("Words/float");
BENCHMARK(words_rate<FloatBatch>)->Name("Words/batch");
BENCHMARK(standard_normals)->Name("Normal/std::mt19937");
BENCHMARK(normals_rate<float>)->Name("Normal/float");
BENCHMARK(normals_rate<FloatBatch>)->Name("Normal/batch");
BENCHMARK(normals_rate<Twin<FloatBatch>>)->Name("Normal/Twin<batch>");
BENCHMARK(normals_rate<double>)->Name("Normal/double");
BENCHMARK(normals_rate<DoubleBatch>)->Name("Normal/batch<double>");
BENCHMARK(laplace_rate<FloatBatch>)->Name("Laplace/batch");

}  // namespace
}  // namespace lockstep
