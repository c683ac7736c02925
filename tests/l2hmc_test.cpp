// Is the modified leapfrog the map that L2HMC's exactness rests on? Its steps backwards are the
// inverse of its steps forwards, its log-Jacobian is the log-determinant, without networks it is
// the leapfrog integrator, and all lanes compute the same. The networks are random and anything but
// small.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/exact_draws.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"
#include "kernels/transitions/hmc.hpp"
#include "tests/l2hmc_legs.hpp"

namespace lockstep {
namespace {

using testing::Bent;
using testing::distance;
using testing::Leg;
using testing::leg;
using testing::log_determinant;
using testing::Packed;
using testing::random_network;
using testing::starting_at;
using testing::zero_network;

constexpr double kStep = 0.1;
constexpr std::uint64_t kSeed = 11;

/// x and v, standard normal.
std::vector<double> random_point(int dim, unsigned seed) {
  exact::Random bits(seed);
  std::vector<double> z(2 * static_cast<std::size_t>(dim));
  for (double& value : z) {
    value = exact::normal(bits);
  }
  return z;
}

/// A wild network whose units of length differ from the target's.
Network some_network(int dim, int steps, unsigned seed) {
  const int shapes[][2] = {{10, 2}, {7, 1}, {5, 3}};  // width, hidden
  const int* shape = shapes[seed % 3];
  Network network = random_network({dim, steps, shape[0], shape[1]}, kStep, seed);
  for (int j = 0; j < dim; ++j) {
    network.scale[static_cast<std::size_t>(j)] = 0.7 + 0.2 * j;
  }
  return network;
}

/// f(integral_constant<int, dim>) for dimensions odd and even.
template <class F>
void for_dimensions(F f) {
  f(std::integral_constant<int, 1>());
  f(std::integral_constant<int, 2>());
  f(std::integral_constant<int, 3>());
  f(std::integral_constant<int, 6>());
}

// ---- the inverse
// ------------------------------------------------------------------------------------

TEST(Inverse, ForwardThenBackwardIsTheIdentity) {
  double round_trip = 0, antisymmetry = 0;
  for_dimensions([&](auto dim) {
    const Bent<dim> target;
    for (const int steps : {1, 2, 10, 25}) {
      for (unsigned seed = 0; seed < 24; ++seed) {
        SCOPED_TRACE("dim " + std::to_string(dim) + ", steps " + std::to_string(steps) + ", seed " +
                     std::to_string(seed));
        const Packed<double> network(some_network(dim, steps, seed));
        const Leg<double> start = starting_at(random_point(dim, seed + 1));
        for (const bool forward : {true, false}) {
          const Leg<double> end = leg(target, network.net(), kStep, forward, start);
          const Leg<double> back = leg(target, network.net(), kStep, !forward, end);
          const double there_and_back = distance(start, back);
          EXPECT_LE(there_and_back, 1e-9);
          EXPECT_NEAR(end.log_jacobian, -back.log_jacobian, 1e-9);
          EXPECT_GT(distance(start, end), 1e-3) << "a map that stays where it is proves nothing";
          EXPECT_NE(end.log_jacobian, 0);
          round_trip = std::max(round_trip, there_and_back);
          antisymmetry = std::max(antisymmetry, std::abs(end.log_jacobian + back.log_jacobian));
        }
      }
    }
  });
  std::printf("round trip %.2g, log J + log J back %.2g\n", round_trip, antisymmetry);
}

/// One after the other: what an update does, its mirror image of the way back undoes.
TEST(Inverse, EachUpdateUndoesItsMirrorImage) {
  for_dimensions([](auto dim) {
    const Bent<dim> target;
    const int steps = 10;
    for (unsigned seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE("dim " + std::to_string(dim) + ", seed " + std::to_string(seed));
      const Packed<double> packed(some_network(dim, steps, seed));
      const auto network = packed.net();
      const auto& net = network.layout.net;
      std::vector<double> out, home;
      const Leg<double> start = starting_at(random_point(dim, seed + 1));
      const Leg<double> end = leg(target, network, kStep, true, start, &out);
      leg(target, network, kStep, false, end, &home);

      const int updates = 4 * steps, size = Update<double>::size(net);
      for (int k = 0; k < updates; ++k) {
        const Update<double> there(net, out.data() + k * size);
        const Update<double> back(net, home.data() + (updates - 1 - k) * size);
        for (int i = 0; i < net.inputs(); ++i) {
          EXPECT_NEAR(there.net.input[i], back.net.input[i], 1e-9) << "update " << k;
        }
        for (int j = 0; j < dim; ++j) {
          // u' = E u + b, and on the way back u' - b is E u, of which 1/E makes u again.
          const double mask =
              packed.data[static_cast<std::size_t>(network.layout.masks() + (k / 4) * dim + j)];
          const bool moved = k % 4 == 0 || k % 4 == 3 || (k % 4 == 1 ? mask == 0 : mask == 1);
          EXPECT_NEAR(there.multiplier[j] * back.multiplier[j], 1, 1e-12) << "update " << k;
          EXPECT_EQ(there.multiplier[j] != 1, moved) << "update " << k;
          if (moved) {
            EXPECT_NEAR(there.gain[j], back.gain[j], 1e-9) << "update " << k;
            EXPECT_NEAR(there.multiplier[j] * there.before[j], back.before[j], 1e-9)
                << "update " << k;
          }
        }
      }
    }
  });
}

TEST(Jacobian, IsTheDeterminant) {
  double worst = 0, largest = 0;
  for_dimensions([&](auto dim) {
    const Bent<dim> target;
    for (const int steps : {1, 10, 25}) {
      for (unsigned seed = 0; seed < 12; ++seed) {
        SCOPED_TRACE("dim " + std::to_string(dim) + ", steps " + std::to_string(steps) + ", seed " +
                     std::to_string(seed));
        const Packed<double> network(some_network(dim, steps, seed));
        const Leg<double> start = starting_at(random_point(dim, seed + 1));
        for (const bool forward : {true, false}) {
          const Leg<double> end = leg(target, network.net(), kStep, forward, start);
          const double exact = log_determinant<dim>(target, network.net(), kStep, forward, start);
          EXPECT_NEAR(end.log_jacobian, exact, 1e-8);
          worst = std::max(worst, std::abs(end.log_jacobian - exact));
          largest = std::max(largest, std::abs(exact));
        }
      }
    }
  });
  EXPECT_GT(largest, 3) << "the volume hardly changes: this proves little";
  std::printf("log J - log |det| %.2g, log J up to %.2g\n", worst, largest);
}

// ---- without networks
// -------------------------------------------------------------------------------

TEST(ZeroNetworks, AreTheLeapfrogBitForBit) {
  for_dimensions([](auto dim) {
    const Bent<dim> target;
    const int steps = 10;
    const double step = 0.3;
    const Packed<double> network(zero_network({dim, steps}, step));
    const Leg<double> start = starting_at(random_point(dim, 7));
    Leg<double> expected = start;
    std::vector<double> g(dim);
    potential_and_gradient(target, expected.x.data(), g.data());
    for (int i = 0; i < steps; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        expected.v[j] = std::fma(-0.5 * step, g[j], expected.v[j]);
        expected.x[j] = std::fma(step, expected.v[j], expected.x[j]);
      }
      potential_and_gradient(target, expected.x.data(), g.data());
      for (std::size_t j = 0; j < dim; ++j) {
        expected.v[j] = std::fma(-0.5 * step, g[j], expected.v[j]);
      }
    }
    for (const bool forward : {true, false}) {
      // Backwards, time runs from -v: the same x, and -v again.
      const double sign = forward ? 1 : -1;
      Leg<double> from = start;
      for (double& v : from.v) {
        v *= sign;
      }
      const Leg<double> end = leg(target, network.net(), step, forward, from);
      for (std::size_t j = 0; j < dim; ++j) {
        EXPECT_EQ(end.x[j], expected.x[j]);
        EXPECT_EQ(end.v[j], sign * expected.v[j]);
      }
      EXPECT_EQ(end.log_jacobian, 0);
      EXPECT_FALSE(end.clipped);
    }
  });
}

/// Two normals of correlation 0.95 (R. M. Neal, "MCMC using Hamiltonian dynamics", section 3.3).
struct Correlated {
  static constexpr int dim = 2;
  template <class T>
  T potential(const T* x) const {
    constexpr double r = 0.95;
    return T(0.5 / (1 - r * r)) * (x[0] * x[0] - T(2 * r) * x[0] * x[1] + x[1] * x[1]);
  }
};

TEST(ZeroNetworks, TakeNealsTrajectory) {
  const Correlated target;
  const Packed<double> network(zero_network({2, 25}, 0.25));
  const Leg<double> start = starting_at({-1.50, -1.55, -1, 1});
  const Leg<double> end = leg(target, network.net(), 0.25, true, start);
  EXPECT_NEAR(end.x[0], 0.6091, 5e-5);
  EXPECT_NEAR(end.x[1], 0.0882, 5e-5);
  const auto energy = [&](const Leg<double>& at) {
    return target.potential(at.x.data()) + 0.5 * (at.v[0] * at.v[0] + at.v[1] * at.v[1]);
  };
  EXPECT_NEAR(std::exp(energy(start) - energy(end)), 0.6629, 5e-5);
}

// ---- whole transitions
// ------------------------------------------------------------------------------

Trajectory trajectory_of(double step, int steps) {
  Trajectory t;
  t.seed = kSeed;
  t.step_size = step;
  t.steps = steps;
  return t;
}

template <class Target>
Position<double, capacity<Target>> position_at(const Target& target, const std::vector<double>& q) {
  Position<double, capacity<Target>> x{};
  std::copy(q.begin(), q.end(), x.q);
  x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
  return x;
}

/// Draws with a network that returns zero are HMC's with the same seed. HMC makes two half kicks in
/// one, so beyond a single step they agree up to rounding only.
TEST(ZeroNetworks, DrawAsHmcDoes) {
  for_dimensions([](auto dim) {
    const Bent<dim> target;
    for (const double scale : {1.0, 1.7}) {
      for (const int steps : {1, 4}) {
        SCOPED_TRACE("dim " + std::to_string(dim) + ", steps " + std::to_string(steps) +
                     ", scale " + std::to_string(scale));
        const double step = 1.1 / scale;
        Network network = zero_network({dim, steps}, step);
        DiagonalMetric<double, dim, true> metric;
        metric.dim = dim;
        for (int j = 0; j < dim; ++j) {
          const double s = scale == 1 ? 1 : scale / (1 + j);
          network.scale[static_cast<std::size_t>(j)] = s;
          metric.inverse_mass.at[j] = s * s;
          metric.scale.at[j] = s;
        }
        const Packed<double> packed(network);
        const transitions::L2hmc<double, AnyShape> l2hmc{packed.net(), trajectory_of(step, steps)};
        const transitions::Hmc hmc{metric, Leapfrog{}, FullRefreshment{},
                                   trajectory_of(step, steps)};
        auto x = position_at(target, std::vector<double>(dim, 0.5)), y = x;
        double momentum[dim];
        int accepted = 0;
        const auto stream = Stream<double>::of(kSeed, 3);
        for (std::uint32_t t = 0; t < 200; ++t) {
          const Info<double> a = l2hmc(target, Solo{}, stream, t, x, momentum);
          const Info<double> b = hmc(target, Solo{}, stream, t, y, momentum);
          ASSERT_EQ(a.accepted, b.accepted) << t;
          EXPECT_NEAR(a.energy_error, b.energy_error, 1e-10);
          accepted += a.accepted;
          for (int j = 0; j < dim; ++j) {
            if (steps == 1 && scale == 1) {
              ASSERT_EQ(x.q[j], y.q[j]) << t;
            } else {
              ASSERT_NEAR(x.q[j], y.q[j], 1e-12 * (1 + std::abs(y.q[j]))) << t;
            }
          }
          y = x;  // so that rounding does not add up
        }
        EXPECT_GT(accepted, 20);
        EXPECT_LT(accepted, 200) << "nothing was rejected";
      }
    }
  });
}

// ---- lanes
// ------------------------------------------------------------------------------------------

template <class L>
double in_chain(const L& x, int chain) {
  Scalar<L> values[static_cast<std::size_t>(width<L>)];
  store_lane(values, x);
  return static_cast<double>(values[chain]);
}

/// The chains of a lane, each with a start and a direction of its own.
template <class L, int N>
struct Mixed {
  Leg<L> start;
  std::vector<bool> forward;
  L sign;  // 1 forwards, -1 backwards

  explicit Mixed(unsigned seed) {
    std::vector<std::vector<double>> points;
    std::vector<Scalar<L>> signs;
    for (int c = 0; c < width<L>; ++c) {
      points.push_back(random_point(N, seed + static_cast<unsigned>(c)));
      forward.push_back((c * 5 + seed) % 7 < 3);
      signs.push_back(forward.back() ? 1 : -1);
    }
    sign = load_lane<L>(signs.data());
    for (std::size_t j = 0; j < 2 * N; ++j) {
      std::vector<Scalar<L>> values;
      for (const auto& point : points) {
        values.push_back(static_cast<Scalar<L>>(point[j]));
      }
      (j < N ? start.x : start.v).push_back(load_lane<L>(values.data()));
    }
  }
};

/// Every chain of a lane goes its own way: bit for bit as if the whole lane went that way from that
/// start, and up to rounding as a chain alone does in double.
template <class L, int N>
void compare_lane_with_chains(double tolerance) {
  const Bent<N> target;
  const Network network = some_network(N, 5, 4);
  const Packed<Scalar<L>> packed(network);
  const Packed<double> in_double(network);
  const Mixed<L, N> mixed(21);
  const L step = L(static_cast<Scalar<L>>(kStep));
  const Leg<L> end = leg(target, packed.net(), step, L(0) < mixed.sign, mixed.start);
  int directions[2] = {0, 0};
  for (int c = 0; c < width<L>; ++c) {
    const bool forward = mixed.forward[static_cast<std::size_t>(c)];
    ++directions[forward];
    Leg<L> all;
    Leg<double> alone;
    for (std::size_t j = 0; j < N; ++j) {
      alone.x.push_back(in_chain(mixed.start.x[j], c));
      alone.v.push_back(in_chain(mixed.start.v[j], c));
      all.x.push_back(L(static_cast<Scalar<L>>(alone.x[j])));
      all.v.push_back(L(static_cast<Scalar<L>>(alone.v[j])));
    }
    const Mask<L> way = forward ? L(0) < L(1) : L(1) < L(0);
    const Leg<L> same = leg(target, packed.net(), step, way, all);
    const Leg<double> expected = leg(target, in_double.net(), kStep, forward, alone);
    const auto check = [&](const L& value, const L& of_all, double of_one) {
      EXPECT_EQ(in_chain(value, c), in_chain(of_all, c)) << "chain " << c;
      EXPECT_NEAR(in_chain(value, c), of_one, tolerance * (1 + std::abs(of_one))) << "chain " << c;
    };
    for (std::size_t j = 0; j < N; ++j) {
      check(end.x[j], same.x[j], expected.x[j]);
      check(end.v[j], same.v[j], expected.v[j]);
    }
    check(end.log_jacobian, same.log_jacobian, expected.log_jacobian);
  }
  if (width < L >> 1) {
    EXPECT_GT(directions[0], 0);
    EXPECT_GT(directions[1], 0);
  }
}

TEST(Lanes, EachChainGoesItsOwnWay) {
  compare_lane_with_chains<double, 3>(0);
  compare_lane_with_chains<DoubleBatch, 3>(1e-11);
  compare_lane_with_chains<Twin<DoubleBatch>, 2>(1e-11);
  compare_lane_with_chains<float, 3>(1e-4);
  compare_lane_with_chains<FloatBatch, 2>(1e-4);
  compare_lane_with_chains<Twin<FloatBatch>, 3>(1e-4);
}

/// A network whose shape the compiler knows computes what one whose shape it does not know does.
TEST(Lanes, FixedShapesAreTheSameTransition) {
  constexpr int dim = 2;
  const Network network = random_network({dim, 5, 10, 2}, kStep, 5);
  const Packed<double> packed(network);
  const Bent<dim> target;
  const transitions::L2hmc<double, AnyShape> any{packed.net(), trajectory_of(kStep, 5)};
  transitions::L2hmc<double, FixedShape<dim, 10, 2>> fixed{{}, trajectory_of(kStep, 5)};
  fixed.network.layout.steps = 5;
  std::copy(packed.data.begin(), packed.data.end(), fixed.network.data);
  double unused[dim];
  auto x = position_at(target, {0.5, 0.5}), y = x;
  for (std::uint32_t t = 0; t < 50; ++t) {
    const Info<double> a = any(target, Solo{}, Stream<double>::of(kSeed, 3), t, x, unused);
    const Info<double> b = fixed(target, Solo{}, Stream<double>::of(kSeed, 3), t, y, unused);
    ASSERT_EQ(a.energy_error, b.energy_error) << t;
    for (int j = 0; j < dim; ++j) {
      ASSERT_EQ(x.q[j], y.q[j]) << t;
    }
  }
}

// ---- float
// ------------------------------------------------------------------------------------------

/// How far from home a round trip ends in float: a measurement, with a bound a few times what it
/// was.
template <class Target>
void measure_round_trip(const std::string& name, const Target& target) {
  const int d = dimension(target);
  std::vector<double> errors, jacobians;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const Packed<float> network(random_network({d, 10}, kStep, seed));
    const std::vector<double> q = exact::starts(name, d, 1, seed), v = random_point(d, seed);
    Leg<float> start;
    for (std::size_t j = 0; j < q.size(); ++j) {
      start.x.push_back(static_cast<float>(q[j]));
      start.v.push_back(static_cast<float>(v[j]));
    }
    const bool forward = seed % 2 == 0;
    const auto h = static_cast<float>(kStep);
    const Leg<float> end = leg(target, network.net(), h, forward, start);
    const Leg<float> back = leg(target, network.net(), h, !forward, end);
    double worst = 0;
    for (std::size_t j = 0; j < q.size(); ++j) {
      const double e = std::abs(back.x[j] - start.x[j]);
      worst = e <= worst ? worst : e;
    }
    errors.push_back(worst);
    jacobians.push_back(std::abs(end.log_jacobian + back.log_jacobian));
  }
  std::sort(errors.begin(), errors.end());
  std::sort(jacobians.begin(), jacobians.end());
  std::printf("%-10s round trip in x: median %.2g, largest %.2g; log J + log J back: %.2g, %.2g\n",
              name.c_str(), errors[50], errors.back(), jacobians[50], jacobians.back());
  ::testing::Test::RecordProperty(name + "_median", std::to_string(errors[50]));
  ::testing::Test::RecordProperty(name + "_largest", std::to_string(errors.back()));
  EXPECT_LT(errors[50], 1e-5) << name;
}

TEST(Float, RoundTripsAreMeasured) {
  measure_round_trip("scg", Scg{});
  measure_round_trip("mog", Mog{});
  measure_round_trip("rough-well", RoughWell<2>());
  measure_round_trip("icg", Icg{});
}

}  // namespace
}  // namespace lockstep
