// L2HMC leaves the target's law as it is and goes between any two places as often one way as the
// other, whatever its networks are: here random ones of large scale, which nobody trained.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/exact_draws.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"
#include "tests/l2hmc_laws.hpp"

namespace lockstep {
namespace {

using testing::acceptance_error;
using testing::Deviation;
using testing::Journey;
using testing::journey;
using testing::Packed;
using testing::random_network;
using testing::worst_flux;
using testing::worst_moment;

constexpr std::int64_t kChains = 65536;
constexpr double kLimit = 4;  // standard errors

template <class S>
transitions::L2hmc<S, AnyShape> transition_of(const Packed<S>& packed, double step) {
  Trajectory trajectory;
  trajectory.step_size = step;
  trajectory.steps = packed.layout.steps;
  return {packed.net(), trajectory};
}

void print(const std::string& name, const Journey& one, const Journey& four) {
  std::printf(
      "%-24s accepted %.3f divergent %.3f | acceptance %.2f moments %.2f %.2f flux %.2f "
      "%.2f\n",
      name.c_str(), four.accepted, four.divergent, acceptance_error(one), worst_moment(one),
      worst_moment(four), worst_flux(one), worst_flux(four));
}

/// One transition and four from the target's own law.
template <int N>
Journey examine(const std::string& name, const Network& network) {
  const Packed<double> packed(network);
  const auto transition = transition_of(packed, std::exp(network.parameters[0]));
  const Journey one = journey<DoubleBatch, N>(transition, kChains, 1, 17);
  const Journey four = journey<DoubleBatch, N>(transition, kChains, 4, 18);
  print(name, one, four);
  EXPECT_LT(acceptance_error(one), kLimit) << name;
  for (const Journey& j : {one, four}) {
    EXPECT_LT(worst_moment(j), kLimit) << name;
    EXPECT_LT(worst_flux(j), kLimit) << name;
  }
  return four;
}

template <int N>
void examine_random_networks() {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    for (const double mean_log_scale : {0.0, 0.6}) {
      const Network network = random_network({N, 5, 10, 2}, 0.1, seed, {3, 0.5, mean_log_scale});
      const Journey j = examine<N>("dim " + std::to_string(N) + ", seed " + std::to_string(seed) +
                                       ", e^s about " + (mean_log_scale > 0 ? "2" : "1"),
                                   network);
      EXPECT_GT(j.accepted, 0.01) << "chains hardly moved: this proves little";
      EXPECT_LT(j.accepted, 0.9) << "hardly anything was rejected";
    }
  }
}

TEST(L2hmcStationarity, RandomNetworksInOneDimension) {
  examine_random_networks<1>();
}
TEST(L2hmcStationarity, RandomNetworksInTwoDimensions) {
  examine_random_networks<2>();
}
TEST(L2hmcStationarity, RandomNetworksInThreeDimensions) {
  examine_random_networks<3>();
}

/// Units of length that are not the target's.
TEST(L2hmcStationarity, ScaledNetworks) {
  Network network = random_network({2, 5, 10, 2}, 0.1, 4, {3, 0.5});
  network.scale = {0.6, 1.8};
  examine<2>("scaled", network);
}

/// In two steps: exponents of x that ask for +20 in the first step and for -20 in the second, and
/// forces scaled by exp(-20) so that they survive what lies between. Every exponent is clipped, all
/// chains are counted, and those that are accepted are as exact as any.
Network clipped_network(double step) {
  Network network = random_network({2, 2, 8, 1}, step, 6, {0.5});
  const AnyLayout layout = layout_of(network.shape);
  const auto& net = layout.net;
  for (const int first : {layout.v(), layout.x()}) {
    double* w = network.parameters.data() + first;
    const auto input = [&](int row, int unit) -> double& { return w[row * net.width + unit]; };
    const auto head = [&](int unit, int column) -> double& {
      return w[net.heads() + unit * net.outputs() + column];
    };
    const bool of_x = first == layout.x();
    for (int unit = 0; unit < net.width; ++unit) {
      for (int row = 0; row < net.inputs(); ++row) {
        if (unit < 2 || (of_x ? row / net.dim == 1 : row < net.dim)) {
          input(row, unit) = 0;  // nothing sees x, which becomes huge
        }
      }
    }
    // Unit 0 is on in the first step, unit 1 in the second.
    input(2 * net.dim, 0) = 1;
    input(2 * net.dim, 1) = -1;
    w[net.bias(0)] = w[net.bias(0) + 1] = 0;
    for (int j = 0; j < net.dim; ++j) {
      const int column = of_x ? j : net.dim + j;  // S of X, Q of V
      head(0, column) = of_x ? 4 : -4;
      head(1, column) = -4;
      w[net.log_scales() + column] = std::log(20 / step);
    }
  }
  network.masks = {0, 1, 1, 0};
  return network;
}

TEST(L2hmcStationarity, ClippedExponentsAreCountedAndExact) {
  const Network network = clipped_network(0.5);
  const Journey j = examine<2>("clipped", network);
  EXPECT_EQ(j.divergent, 1);
  EXPECT_GT(j.both, 0.2);
  EXPECT_EQ(j.both, j.accepted);

  // The same map goes back, and its volume is that of the bounds.
  const Packed<double> packed(network);
  const testing::Leg<double> start = testing::starting_at({0.3, -0.8, 0.4, 1.1});
  for (const bool forward : {true, false}) {
    const auto end = testing::leg(testing::Bent<2>{}, packed.net(), 0.5, forward, start);
    const auto back = testing::leg(testing::Bent<2>{}, packed.net(), 0.5, !forward, end);
    EXPECT_TRUE(end.clipped);
    EXPECT_TRUE(back.clipped);
    EXPECT_LT(testing::distance(start, back), 1e-7);  // e^16 times the rounding error
    EXPECT_NEAR(end.log_jacobian, -back.log_jacobian, 1e-7);
  }
}

/// Some chains ask for more than the bound, some do not: only the former are counted.
TEST(L2hmcStationarity, OnlyClippedChainsAreCounted) {
  const Packed<double> packed(random_network({2, 3, 10, 2}, 0.1, 3, {0.5, 0.5, 4.8}));
  const testing::Bent<2> target;
  int clipped = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    exact::Random bits(seed);
    std::vector<double> point;
    for (int i = 0; i < 4; ++i) {
      point.push_back(exact::normal(bits));
    }
    // What the updates multiply by, within the bound or on it.
    std::vector<double> records;
    const auto end =
        testing::leg(target, packed.net(), 0.1, true, testing::starting_at(point), &records);
    const auto& net = packed.layout.net;
    const int size = Update<double>::size(net);
    bool on_bound = false;
    for (int k = 0; k < 4 * packed.layout.steps; ++k) {
      const Update<double> u(net, records.data() + k * size);
      for (int j = 0; j < net.dim; ++j) {
        const bool moved = u.multiplier[j] != 1;
        const auto beyond = [](double factor) {
          return std::abs(std::log(factor)) >= kLargestExponent - 1e-9;
        };
        on_bound = on_bound || (moved && (beyond(u.multiplier[j]) || beyond(u.gain[j])));
      }
    }
    EXPECT_EQ(end.clipped, on_bound) << seed;
    clipped += end.clipped;
  }
  EXPECT_GT(clipped, 10);
  EXPECT_LT(clipped, 190);
}

/// A lane of chains takes the transitions that its chains take alone.
TEST(L2hmcStationarity, LanesTakeTheTransitionsOfTheirChains) {
  const Packed<double> packed(random_network({3, 5, 10, 2}, 0.1, 3, {3, 0.5}));
  const auto transition = transition_of(packed, 0.1);
  const Journey a = journey<DoubleBatch, 3>(transition, 256, 3, 5);
  const Journey b = journey<double, 3>(transition, 256, 3, 5);
  EXPECT_EQ(a.accepted, b.accepted);
  EXPECT_GT(a.accepted, 0.05);
  for (std::size_t i = 0; i < a.after.size(); ++i) {
    EXPECT_NEAR(a.after[i], b.after[i], 1e-9) << i;
  }
}

/// In float the map is not quite its own inverse's inverse. What that does to the law, on the
/// paper's targets: nothing that 65,536 chains show.
template <class Target>
void examine_in_float(const std::string& name, const Target& target, double step, double heads,
                      double unit) {
  using L = Twin<FloatBatch>;
  const int d = dimension(target);
  constexpr int n = capacity<Target>;
  Network network = random_network({d, 5}, step, 8, {heads});
  const Truth truth = target.truth();
  for (int j = 0; j < d; ++j) {
    const auto i = static_cast<std::size_t>(j);
    network.scale[i] = unit > 0 ? unit : truth.sd[i];
  }
  const Packed<float> packed(network);
  const auto transition = transition_of(packed, step);
  const std::vector<double> q = exact::starts(name, d, kChains, 77);
  std::vector<Deviation> mean(static_cast<std::size_t>(d)), variance(mean);
  double accepted = 0;
  constexpr int transitions = 8;
  std::vector<float> lane(static_cast<std::size_t>(width<L>));
  for (std::int64_t c = 0; c < kChains; c += width<L>) {
    Position<L, n> x;
    L unused[n];
    for (int j = 0; j < d; ++j) {
      const auto from = q.begin() + j * kChains + c;
      std::copy(from, from + width<L>, lane.begin());
      x.q[j] = load_lane<L>(lane.data());
    }
    x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
    const auto stream = Stream<L>::of(19, static_cast<std::uint64_t>(c));
    for (std::uint32_t t = 0; t < transitions; ++t) {
      const Info<L> info = transition(target, Solo{}, stream, t, x, unused);
      store_lane(lane.data(), select(info.accepted, L(1), L(0)));
      for (const float one : lane) {
        accepted += one;
      }
    }
    for (int j = 0; j < d; ++j) {
      const auto i = static_cast<std::size_t>(j);
      store_lane(lane.data(), x.q[j]);
      for (const float value : lane) {
        const double z = (value - truth.mean[i]) / truth.sd[i];
        mean[i] += z;
        variance[i] += z * z - 1;
      }
    }
  }
  accepted /= static_cast<double>(kChains * transitions);
  double worst = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    worst = std::max({worst, mean[i].value(), variance[i].value()});
  }
  std::printf("float, %-12s accepted %.3f, worst of %d moments %.2f standard errors\n",
              name.c_str(), accepted, 2 * d, worst);
  EXPECT_GT(accepted, 0.1) << name;
  EXPECT_LT(accepted, 0.95) << name;
  EXPECT_LT(worst, kLimit) << name;
}

TEST(L2hmcStationarity, FloatKeepsTheMomentsOfThePapersTargets) {
  examine_in_float("scg", Scg{}, 0.1, 0.3, 1);
  examine_in_float("mog", Mog{}, 0.2, 1, 1);
  examine_in_float("rough-well", RoughWell<2>(), 0.3, 1, 1);
  examine_in_float("icg", Icg{}, 0.2, 0.3, 0);
}

}  // namespace
}  // namespace lockstep
