// Prints a hash of where 256 chains stand after some transitions, lane type by lane type: the same
// for every lane width and instruction set, for targets whose arithmetic is exact or explicitly
// fused (no transcendental functions). See same_bits.sh.

#include <bit>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "kernels/launch/advance.hpp"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/transitions/hmc.hpp"
#include "kernels/transitions/random_walk.hpp"

namespace {

using namespace lockstep;

constexpr std::int64_t kChains = 256;
constexpr int kTransitions = 40;

class Hash {
 public:
  void add(const std::vector<float>& values) {
    for (const float x : values) {
      value_ = (value_ ^ std::bit_cast<std::uint32_t>(x)) * 0x100000001b3u;
    }
  }
  unsigned long long value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

template <class L, class Target, class Transition>
void run(const Target& target, const Transition& transition, Hash& hash) {
  constexpr int d = Target::dim;
  std::vector<float> q(d * kChains), gradient(q.size()), hi(kChains), lo(kChains);
  std::vector<float> info(kTransitions * TraceView<float>::info_rows * kChains);
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 64;
  }
  const ChainsView<float> chains{q.data(),  gradient.data(), nullptr, hi.data(),
                                 lo.data(), kChains,         0};
  const TraceView<float> trace{info.data(), kChains, 0, 0};
  for (std::int64_t chain = 0; chain < kChains; chain += width<L>) {
    evaluate_chains<L>(target, Solo{}, chains, chain);
    advance_chains<L, Stream<L>>(target, transition, Solo{}, chains, 5, chain, 0, kTransitions,
                                 trace);
  }
  hash.add(q);
  hash.add(gradient);
}

template <class L, class Target>
void both(const Target& target, double step, Hash& hash) {
  constexpr int d = Target::dim;
  DiagonalMetric<float, d, true> metric;
  metric.dim = d;
  for (int j = 0; j < d; ++j) {
    metric.inverse_mass.at[j] = 0.25f * static_cast<float>(1 + j % 4);
    metric.scale.at[j] = std::sqrt(metric.inverse_mass.at[j]);
  }
  Trajectory trajectory;
  trajectory.seed = 5;
  trajectory.step_size = step;
  trajectory.step_jitter = 0.1;
  trajectory.steps = 6;
  trajectory.jitter = LengthJitter::uniform;
  run<L>(target, transitions::Hmc{metric, Leapfrog{}, FullRefreshment{}, trajectory}, hash);
  run<L>(target, transitions::RandomWalk{metric, trajectory}, hash);
}

template <class L>
void report(const char* lane) {
  Hash hash;
  both<L>(StdNormal<10>{}, 0.5, hash);
  both<L>(Scg{}, 0.1, hash);
  both<L>(Icg{}, 0.1, hash);
  both<L>(Banana{}, 0.3, hash);
  std::printf("%s %016llx\n", lane, hash.value());
}

}  // namespace

int main() {
  report<float>("float");
#if LOCKSTEP_WITH_XSIMD
  report<FloatBatch>("batch<float>");
  report<Twin<FloatBatch>>("Twin<batch<float>>");
#endif
}
