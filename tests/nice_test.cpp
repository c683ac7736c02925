// A-NICE-MC: the flow is what it says and undoes itself, the transition keeps the law whatever the
// weights, mutants of it do not, and training learns.

#include "host/train/nice.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/autodiff/layers.hpp"
#include "host/autodiff/operations.hpp"
#include "host/exact_draws.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rings.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

/// Normal weights: `scale` makes proposals go about so far.
NiceNetwork random_network(int dim, int width, int hidden, double scale) {
  NiceNetwork net{dim, width, hidden, {}};
  RandomSequence random(3, Purpose::network);
  for (std::size_t i = 0; i < net.size(); ++i) {
    net.weights.push_back(scale * random.normal() / std::sqrt(width));
  }
  return net;
}

template <class S>
struct Owned {
  std::vector<S> weights;
  NiceFlow<S> flow;
  explicit Owned(const NiceNetwork& net)
      : weights(net.weights.begin(), net.weights.end()),
        flow{weights.data(), net.dim, net.width, net.hidden} {}
};

std::vector<double> numbers(std::size_t n, int seed) {
  RandomSequence random(static_cast<std::uint64_t>(seed), Purpose::data);
  std::vector<double> x(n);
  for (double& v : x) {
    v = 2 * random.normal();
  }
  return x;
}

// ---- the flow ---------------------------------------------------------------------------------

TEST(Flow, IsTheTapes) {
  const int dim = 3, width = 5, hidden = 2;
  const NiceNetwork net = random_network(dim, width, hidden, 1);
  const Owned<double> own(net);
  const double* at = net.weights.data();
  const auto next_network = [&] {
    std::vector<tape::Matrix> layers;  // weight [in][out], bias [1][out], ...
    for (const auto& [in, out] : {std::pair{dim, width}, {width, width}, {width, dim}}) {
      for (const int rows : {in, 1}) {
        layers.push_back(Eigen::Map<const tape::Matrix>(at, out, rows).transpose());
        at += rows * out;
      }
    }
    return [layers](const tape::Variable& x) {
      const auto layer = [&](const tape::Variable& h, std::size_t i) {
        return matmul(h, layers[2 * i]) + layers[2 * i + 1];
      };
      return layer(relu(layer(relu(layer(x, 0)), 1)), 2);
    };
  };
  const auto f1 = next_network(), f2 = next_network(), f3 = next_network();
  EXPECT_EQ(at, net.weights.data() + net.weights.size());

  std::vector<double> q = numbers(3, 1), v = numbers(3, 2);
  const tape::Matrix q0 = Eigen::Map<tape::Matrix>(q.data(), 1, 3);
  const tape::Matrix v0 = Eigen::Map<tape::Matrix>(v.data(), 1, 3);
  const tape::Variable v1 = v0 + f1(q0), q1 = q0 + f2(v1), v2 = v1 + f3(q1);
  own.flow(true, q.data(), v.data());
  for (Eigen::Index j = 0; j < 3; ++j) {
    EXPECT_NEAR(q[static_cast<std::size_t>(j)], q1.value()(0, j), 1e-13);
    EXPECT_NEAR(v[static_cast<std::size_t>(j)], v2.value()(0, j), 1e-13);
  }
}

/// A lane whose chains go both ways comes back when each turns round.
template <class L>
void turns_round(double tolerance) {
  using S = Scalar<L>;
  for (const int dim : {1, 2, 5}) {
    const Owned<S> own(random_network(dim, 11, 3, 1));
    const auto d = static_cast<std::size_t>(dim);
    std::vector<S> start;
    for (const double x : numbers(2 * d * width<L>, dim)) {
      start.push_back(static_cast<S>(x));
    }
    std::vector<L> q(d), v(d);
    for (std::size_t j = 0; j < d; ++j) {
      q[j] = load_lane<L>(start.data() + j * width<L>);
      v[j] = load_lane<L>(start.data() + (d + j) * width<L>);
    }
    const Mask<L> forward = q[0] < v[0];
    own.flow(forward, q.data(), v.data());
    S moved[width<L>];
    store_lane(moved, q[0]);
    EXPECT_GT(std::abs(moved[0] - start[0]), 1e-3);
    own.flow(!forward, q.data(), v.data());
    for (std::size_t j = 0; j < d; ++j) {
      S back[2][width<L>];
      store_lane(back[0], q[j]);
      store_lane(back[1], v[j]);
      for (int c = 0; c < width<L>; ++c) {
        const auto at = j * width<L> + static_cast<std::size_t>(c);
        EXPECT_NEAR(back[0][c], start[at], tolerance);
        EXPECT_NEAR(back[1][c], start[d * width<L> + at], tolerance);
      }
    }
  }
}
TEST(Flow, UndoesItself) {
  turns_round<double>(1e-13);
  turns_round<DoubleBatch>(1e-13);
  turns_round<Twin<FloatBatch>>(1e-4);
}

TEST(Flow, PreservesVolume) {
  const Owned<double> own(random_network(3, 8, 2, 1.5));
  const std::vector<double> at = numbers(6, 5);
  Eigen::MatrixXd jacobian(6, 6);
  const double h = 1e-6;  // between kinks the map is linear: differences are exact but for rounding
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<double> up = at, down = at;
    up[i] += h;
    down[i] -= h;
    own.flow(true, up.data(), up.data() + 3);
    own.flow(true, down.data(), down.data() + 3);
    for (std::size_t j = 0; j < 6; ++j) {
      jacobian(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(i)) =
          (up[j] - down[j]) / (2 * h);
    }
  }
  EXPECT_GT((jacobian - Eigen::MatrixXd::Identity(6, 6)).norm(), 1);
  EXPECT_NEAR(jacobian.determinant(), 1, 1e-6);
}

// ---- the law ----------------------------------------------------------------------------------

/// Never turns round.
struct OneWay : NiceFlow<float> {
  template <class L>
  void operator()(const Mask<L>&, L* q, L* v) const {
    NiceFlow<float>::operator()(L(0) < L(1), q, v);
  }
};

/// Goes back by the same couplings in the same order as forwards, each with the other sign.
struct WrongOrder : NiceFlow<float> {
  template <class L>
  void operator()(const Mask<L>& forward, L* q, L* v) const {
    const L sign = select(forward, L(1), L(-1));
    std::vector<L> f(static_cast<std::size_t>(dim)), memory(static_cast<std::size_t>(2 * width));
    for (int k = 0; k < 3; ++k) {
      L* to = k == 1 ? q : v;
      evaluate(k, k == 1 ? v : q, f.data(), memory.data());
      for (int j = 0; j < dim; ++j) {
        to[j] = fma(sign, f[static_cast<std::size_t>(j)], to[j]);
      }
    }
  }
};

template <class Target, class Flow>
struct Flowing : Target {
  Flow own;
  Flow flow() const { return own; }
};

/// The worst error of known means and mean squares in Monte Carlo standard errors, of chains that
/// start in the law and move 20 times; and their acceptance.
struct Drift {
  double worst = 0, acceptance = 0;
};
template <class Flow, class Target>
Drift drift_of(const std::string& name, const Target& target, double scale) {
  using L = FloatBatch;
  constexpr std::int64_t chains = 65536;
  const Owned<float> own(random_network(2, 16, 2, scale));
  const Flowing<Target, Flow> flowing{target, Flow{own.flow}};
  const std::vector<double> start = exact::starts(name, 2, chains, 17);
  const std::vector<float> q(start.begin(), start.end());
  double sum[4] = {}, squares[4] = {}, accepted = 0;
  for (std::int64_t c = 0; c < chains; c += width<L>) {
    Position<L, 2> x;
    x.q[0] = load_lane<L>(q.data() + c);
    x.q[1] = load_lane<L>(q.data() + chains + c);
    x.potential = potential(flowing, Solo{}, static_cast<const L*>(x.q));
    const auto stream = Stream<L>::of(5, static_cast<std::uint64_t>(c));
    for (std::uint32_t t = 0; t < 20; ++t) {
      const auto info =
          transitions::Nice<>{}(flowing, Solo{}, stream, t, x, static_cast<L*>(nullptr));
      accepted += dense::over_chains(select(info.accepted, L(1), L(0)));
    }
    for (int j = 0; j < 2; ++j) {
      float values[width<L>];
      store_lane(values, x.q[j]);
      for (const double v : values) {
        sum[j] += v, squares[j] += v * v;
        sum[2 + j] += v * v, squares[2 + j] += v * v * v * v;
      }
    }
  }
  Drift drift;
  drift.acceptance = accepted / (20.0 * chains);
  const Truth truth = target.truth();
  for (std::size_t k = 0; k < 4; ++k) {
    const double mean = sum[k] / chains, variance = squares[k] / chains - mean * mean;
    const double expected = k < 2 ? truth.mean[k] : truth.sd[k - 2] * truth.sd[k - 2];
    drift.worst = std::max(drift.worst, std::abs(mean - expected) / std::sqrt(variance / chains));
  }
  return drift;
}

template <class Target>
void keeps_the_law(const std::string& name, const Target& target, double scale) {
  SCOPED_TRACE(name);
  const Drift right = drift_of<NiceFlow<float>>(name, target, scale);
  EXPECT_LT(right.worst, 4);
  EXPECT_GT(right.acceptance, 0.02);
  EXPECT_LT(right.acceptance, 0.9);
  EXPECT_GT(drift_of<OneWay>(name, target, scale).worst, 6);
  EXPECT_GT(drift_of<WrongOrder>(name, target, scale).worst, 6);
}
TEST(Law, IsKeptByAnyWeightsAndNotByMutants) {
  keeps_the_law("ring", Ring{}, 1);
  keeps_the_law("mog2", Mog2{}, 1);
  keeps_the_law("std-normal", StdNormal<2>{}, 1);
}

TEST(Law, TheEngineKeepsIt) {
  SampleOptions options;
  options.chains = 4096;
  options.warmup = 0;
  options.draws = 48;
  options.keep_chains = 0;
  options.start = exact::starts("ring", 2, options.chains, 99);
  const auto engine = make_cpu_nice_engine<float>(block_target<float>(Ring{}),
                                                  random_network(2, 16, 2, 1), options);
  const Fit fit = run(*engine, nice_sampler(), options);
  EXPECT_GT(fit.acceptance, 0.02);
  for (const ParameterSummary& p : fit.parameters) {
    EXPECT_LT(std::abs(p.error_in_mcse), 4);
    EXPECT_LT(std::abs(p.sd_error_in_mcse), 4);
  }
}

// ---- training ---------------------------------------------------------------------------------

NiceOptions small() {
  NiceOptions o;
  o.width = 16;
  o.critic_width = 16;
  o.critic_hidden = 2;
  o.iterations = 40;
  o.refresh = 20;
  o.batch = 16;
  o.seed = 4;
  return o;
}

TEST(Training, EqualSeedsGiveEqualBitsWhateverTheThreads) {
  NiceOptions o = small();
  o.threads = 1;
  const NiceTraining one = train_nice(block_target<float>(Ring{}), o);
  o.threads = 2;
  const NiceTraining two = train_nice(block_target<float>(Ring{}), o);
  EXPECT_EQ(one.network.weights, two.network.weights);
  EXPECT_EQ(one.history.size(), 3u);
  EXPECT_EQ(one.evaluations, 3 * 600 * 64);
  o.seed = 5;
  EXPECT_NE(train_nice(block_target<float>(Ring{}), o).network.weights, one.network.weights);
}

TEST(Training, LearnsToGoFar) {
  NiceOptions o = small();
  o.iterations = 400;
  o.refresh = 100;
  o.batch = 64;
  const NiceTraining training = train_nice(block_target<float>(Ring{}), o);
  double farthest = 0;
  for (const auto& p : training.history) {
    farthest = std::max(farthest, p.jump);
  }
  EXPECT_GT(farthest, 4 * training.history.front().jump);
}

TEST(Training, StopsWhenToldTo) {
  NiceOptions o = small();
  o.progress = [](const NiceOptions::Progress& p) { return p.done < 20; };
  EXPECT_EQ(train_nice(block_target<float>(Ring{}), o).history.size(), 2u);
}

// ---- errors -----------------------------------------------------------------------------------

TEST(Errors, NetworksThatDoNotFit) {
  const auto target = block_target<float>(Ring{});
  const auto make = [&](const NiceNetwork& net) { make_cpu_nice_engine<float>(target, net, {}); };
  throws_naming([&] { make(random_network(3, 4, 1, 1)); }, {"3 parameters", "2"});
  NiceNetwork net = random_network(2, 4, 1, 1);
  net.weights.pop_back();
  throws_naming([&] { make(net); }, {"1 hidden layers of 4 units", "65 weights"});
  net.weights.push_back(std::numeric_limits<double>::quiet_NaN());
  throws_naming([&] { make(net); }, {"nan", "failed"});
}

TEST(Errors, OtherSamplersAndOptions) {
  const auto target = block_target<float>(Ring{});
  const auto engine = make_cpu_nice_engine<float>(target, random_network(2, 4, 1, 1), {});
  throws_naming([&] { engine->configure(Hmc{}, {}); }, {"nice_sampler"});
  NiceOptions o = small();
  o.batch = 0;
  throws_naming([&] { train_nice(target, o); }, {"batch", "0"});
  o = small();
  o.learning_rate = 1e300;
  throws_naming([&] { train_nice(target, o); }, {"finite", "iteration 20", "learning rate"});
}

}  // namespace
}  // namespace lockstep
