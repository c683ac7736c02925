#include "bench/cli/probe.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>

#include "kernels/lane/math.hpp"
#include "kernels/random/distributions.hpp"

namespace lockstep::bench {

namespace {

using Clock = std::chrono::steady_clock;

/// Results go here, so that no compiler can leave the work out.
volatile float sink;

/// Calls work(n) with n growing until it takes `least` seconds; returns seconds per unit of n.
template <class F>
double seconds_per(F work, double least = 5e-3) {
  for (std::int64_t n = 64;; n *= 2) {
    const Clock::time_point begin = Clock::now();
    work(n);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (seconds >= least) {
      return seconds / static_cast<double>(n);
    }
  }
}

constexpr int kAccumulators = 12;
constexpr int kUnroll = 8;

/// x <- a x + b, which stays near 1.
void multiply_add(std::int64_t n) {
  const FloatBatch a(0.999f + 0.0f * sink), b(0.001f);
  FloatBatch x0(1.00f), x1(1.01f), x2(1.02f), x3(1.03f), x4(1.04f), x5(1.05f);
  FloatBatch x6(1.06f), x7(1.07f), x8(1.08f), x9(1.09f), x10(1.10f), x11(1.11f);
  for (std::int64_t i = 0; i < n; ++i) {
    LOCKSTEP_UNROLL
    for (int k = 0; k < kUnroll; ++k) {
      x0 = fma(x0, a, b), x1 = fma(x1, a, b), x2 = fma(x2, a, b), x3 = fma(x3, a, b);
      x4 = fma(x4, a, b), x5 = fma(x5, a, b), x6 = fma(x6, a, b), x7 = fma(x7, a, b);
      x8 = fma(x8, a, b), x9 = fma(x9, a, b), x10 = fma(x10, a, b), x11 = fma(x11, a, b);
    }
  }
  const FloatBatch sum = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11;
  float lanes[width<FloatBatch>];
  store_lane(lanes, sum);
  sink = lanes[0];
}

/// n quads per chain of one lane.
void our_normals(std::int64_t n) {
  const Stream<FloatBatch> stream = Stream<FloatBatch>::of(1, 0);
  FloatBatch sum(0.0f);
  for (std::int64_t i = 0; i < n; ++i) {
    FloatBatch z[4];
    normal_quad(stream, static_cast<std::uint32_t>(i), Purpose::transition, 0, z);
    sum += (z[0] + z[1]) + (z[2] + z[3]);
  }
  float lanes[width<FloatBatch>];
  store_lane(lanes, sum);
  sink = lanes[0];
}

void standard_normals(std::int64_t n) {
  static std::mt19937 bits(1);
  static std::normal_distribution<float> normal;
  float sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    sum += normal(bits);
  }
  sink = sum;
}

}  // namespace

double fma_rate() {
  sink = 0;
  return kAccumulators * kUnroll * width<FloatBatch> / seconds_per(multiply_add);
}

NormalsProbe probe_normals(int rounds) {
  NormalsProbe best{std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::infinity()};
  for (int i = 0; i < rounds; ++i) {
    best.ours = std::min(best.ours, seconds_per(our_normals) / (4 * width<FloatBatch>));
    best.standard = std::min(best.standard, seconds_per(standard_normals));
  }
  return best;
}

}  // namespace lockstep::bench
