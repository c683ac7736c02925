// The hand-derived gradient of L2HMC's loss against the reverse-mode tape and central differences,
// parameter by parameter. The tape's loss is written from the paper's equations, forwards and
// backwards apart, a chain at a time.

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/autodiff/operations.hpp"
#include "kernels/launch/l2hmc.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"
#include "kernels/transitions/l2hmc_training.hpp"

namespace lockstep {
namespace {

constexpr std::int64_t kBatch = 24;  // one block whole, one in part
constexpr std::uint64_t kSeed = 11;

/// A network that does something: weights of scale `size` everywhere, the heads included.
Network busy_network(const NetworkShape& shape, double step, double size, std::uint64_t seed) {
  Network network = initial_network(shape, step, seed);
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  for (const Network::View& view : network.views()) {
    if (view.name == "log_step_size") {
      continue;
    }
    for (int k = 0; k < view.rows * view.columns; ++k) {
      network.parameters[view.offset + static_cast<std::size_t>(k)] =
          size * normal(bits) / std::sqrt(static_cast<double>(std::max(1, view.rows)));
    }
  }
  return network;
}

/// [dim][kBatch]
std::vector<double> starts(int dim) {
  std::mt19937_64 bits(5);
  std::normal_distribution<double> normal;
  std::vector<double> q(static_cast<std::size_t>(dim * kBatch));
  for (double& x : q) {
    x = normal(bits);
  }
  return q;
}

struct Problem {
  std::shared_ptr<const BlockTarget<double>> target;
  Network network;
  TrainingLaunch launch;
  Remember remember = Remember::steps;

  TrainingPlace place(int threads) const { return {network.shape, kBatch, 11, threads, remember}; }

  /// The loss of one iteration from fixed starts, and its gradient.
  TrainingStep at(const Network& net, std::vector<double>& gradient, int threads = 1) const {
    const auto engine = make_cpu_training_engine<double>(target, place(threads));
    engine->place(starts(net.shape.dim));
    gradient.resize(net.parameters.size());
    return engine->step(net, launch, gradient);
  }
};

template <class Target>
Problem problem(const Target& target, int steps, int width, double step, double size) {
  const NetworkShape shape{dimension(target), steps, width, 2};
  Problem p{block_target<double>(target), busy_network(shape, step, size, 3), {}};
  p.launch.iteration = 4;
  p.launch.loss_scale = 0.7;
  p.launch.noise_weight = 0.4;
  p.launch.temperature = 1.3;
  for (int j = 0; j < shape.dim; ++j) {
    p.network.scale[static_cast<std::size_t>(j)] = 0.8 + 0.1 * (j % 3);
  }
  return p;
}

using tape::Variable;
using Energy = std::function<Variable(const Variable& q)>;  // [1][dim] -> [1][1]

/// One network of the paper on the tape.
struct TapeNetwork {
  std::map<std::string, Variable> part;

  struct Out {
    Variable s, q, t;
  };
  Out operator()(const Variable& a, const Variable& b, double time) const {
    tape::Matrix phase(1, 2);
    phase << std::cos(time), std::sin(time);
    Variable h = tape::relu(tape::matmul(a, part.at("A")) + tape::matmul(b, part.at("B")) +
                            tape::matmul(phase, part.at("C")) + part.at("bias"));
    h = tape::relu(tape::matmul(h, part.at("W2")) + part.at("bias2"));
    const Variable out = tape::matmul(h, part.at("heads")) + part.at("heads_bias");
    const tape::Index d = a.cols();
    return {tape::exp(part.at("s")) * tape::tanh(tape::columns(out, 0, d)),
            tape::exp(part.at("q")) * tape::tanh(tape::columns(out, d, d)),
            tape::columns(out, 2 * d, d)};
  }
};

tape::Matrix row_of(const double* values, int n) {
  return Eigen::Map<const Eigen::RowVectorXd>(values, n);
}

/// The loss of one iteration and its gradient.
std::pair<double, std::vector<double>> on_tape(const Problem& p, const Energy& energy) {
  const Network& n = p.network;
  const int dim = n.shape.dim, steps = n.shape.steps;
  std::vector<Variable> parameters;
  std::map<std::string, TapeNetwork> nets;
  Variable log_step = 0.0;
  for (const Network::View& view : n.views()) {
    using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Variable v = Variable::parameter(
        Eigen::Map<const Rows>(n.parameters.data() + view.offset, view.rows, view.columns));
    parameters.push_back(v);
    if (view.name == "log_step_size") {
      log_step = v;
    } else {
      nets[view.name.substr(0, 1)].part.emplace(view.name.substr(2), v);
    }
  }
  const Variable eps = tape::exp(log_step), scale = row_of(n.scale.data(), dim);
  const double cooling = 1 / p.launch.temperature;
  const auto slope = [&](const Variable& x) {
    const Variable g = tape::gradients(energy(scale * x) * cooling, {x}, true)[0];
    return p.launch.stop_gradient ? tape::stop_gradient(g) : g;
  };

  Variable loss = 0.0;
  const std::vector<double> q = starts(dim);
  for (std::int64_t c = 0; c < 2 * kBatch; ++c) {
    const bool noise = c >= kBatch;
    const auto stream =
        Stream<double>::of(kSeed, noise ? kFirstNoise + static_cast<std::uint64_t>(c - kBatch)
                                        : static_cast<std::uint64_t>(c));
    std::vector<double> start(static_cast<std::size_t>(dim)), z(start);
    if (noise) {
      normals(stream, p.launch.iteration, Purpose::training, dim, start.data());
    } else {
      for (int j = 0; j < dim; ++j) {
        start[static_cast<std::size_t>(j)] =
            q[static_cast<std::size_t>(j * kBatch + c)] / n.scale[static_cast<std::size_t>(j)];
      }
    }
    normals(stream, p.launch.iteration, Purpose::transition, dim, z.data());
    const bool forward = forward_chains<double>(stream, p.launch.iteration, dim);

    const Variable x0 = Variable::parameter(row_of(start.data(), dim));
    const Variable v0 = Variable(row_of(z.data(), dim)) * (forward ? 1.0 : -1.0);
    Variable x = x0, v = v0, log_jacobian = 0.0;
    const auto kick = [&](int t, double sign) {
      const Variable g = slope(x);
      const auto [S, Q, T] = nets.at("V")(x, g, 2 * M_PI * t / steps);
      const Variable w = T - g * tape::exp(eps * Q);
      v = sign > 0 ? v * tape::exp(eps * 0.5 * S) + eps * 0.5 * w
                   : (v - eps * 0.5 * w) * tape::exp(-(eps * 0.5 * S));
      log_jacobian = log_jacobian + sign * tape::sum(eps * 0.5 * S);
    };
    const auto drift = [&](int t, int moving, double sign) {
      tape::Matrix moves(1, dim);
      for (int j = 0; j < dim; ++j) {
        moves(0, j) = n.masks[static_cast<std::size_t>(t * dim + j)] == moving;
      }
      const Variable m = moves;
      const auto [S, Q, T] = nets.at("X")(v, (1.0 - m) * x, 2 * M_PI * t / steps);
      const Variable w = v * tape::exp(eps * Q) + T;
      x = (1.0 - m) * x +
          m * (sign > 0 ? x * tape::exp(eps * S) + eps * w : (x - eps * w) * tape::exp(-(eps * S)));
      log_jacobian = log_jacobian + sign * tape::sum(m * eps * S);
    };
    for (int i = 0; i < steps; ++i) {
      const int t = forward ? i : steps - 1 - i;
      const double sign = forward ? 1 : -1;
      kick(t, sign);
      drift(t, forward ? 0 : 1, sign);
      drift(t, forward ? 1 : 0, sign);
      kick(t, sign);
    }
    const auto hamiltonian = [&](const Variable& at, const Variable& p_at) {
      return energy(scale * at) * cooling + 0.5 * tape::sum(tape::square(p_at));
    };
    const Variable acceptance =
        tape::exp(tape::minimum(hamiltonian(x0, v0) - hamiltonian(x, v) + log_jacobian, 0.0));
    const Variable jump = acceptance * tape::sum(tape::square(x - x0)) + 1e-4;
    const double lambda = p.launch.loss_scale;
    loss = loss + (lambda / jump - jump / lambda) *
                      ((noise ? p.launch.noise_weight : 1.0) / static_cast<double>(kBatch));
  }
  std::vector<double> gradient;
  for (const Variable& g : tape::gradients(loss, parameters)) {
    for (tape::Index i = 0; i < g.rows(); ++i) {
      for (tape::Index j = 0; j < g.cols(); ++j) {
        gradient.push_back(g.value()(i, j));
      }
    }
  }
  return {loss.scalar(), gradient};
}

/// @param stride  every so many parameters are compared with differences, each with the tape
void check(Problem p, const Energy& energy, std::size_t stride = 1) {
  std::vector<double> gradient, unused;
  for (const bool stop : {true, false}) {
    p.launch.stop_gradient = stop;
    const TrainingStep step = p.at(p.network, gradient);
    const auto [loss, expected] = on_tape(p, energy);
    EXPECT_NEAR(step.loss, loss, 1e-9 * std::abs(loss));
    double norm = 0;
    for (const double g : expected) {
      norm = std::max(norm, std::abs(g));
    }
    ASSERT_GT(norm, 0);
    ASSERT_EQ(gradient.size(), expected.size());
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      EXPECT_NEAR(gradient[i], expected[i], 1e-8 * std::max(std::abs(expected[i]), 1e-2 * norm))
          << i << (stop ? ", slopes taken for constants" : "");
    }
  }
  double norm = 0;
  for (const double g : gradient) {
    norm = std::max(norm, std::abs(g));
  }
  for (const Network::View& view : p.network.views()) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(view.rows * view.columns); k += stride) {
      const std::size_t i = view.offset + k;
      const auto loss = [&](double h) {
        Network moved = p.network;
        moved.parameters[i] += h;
        return p.at(moved, unused).loss;
      };
      const double h = 2e-6;  // larger ones meet kinks: a relu of some chain that changes sides
      const double expected = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h);
      EXPECT_NEAR(gradient[i], expected, 1e-6 * std::max(std::abs(expected), 1e-2 * norm))
          << view.name << "[" << k << "]";
    }
  }
}

Variable entry(const Variable& q, int j) {
  return tape::columns(q, j, 1);
}

TEST(L2hmcAdjoint, Scg) {
  check(problem(Scg(0.1, 4), 3, 5, 0.2, 0.7), [](const Variable& q) {
    const Variable along = entry(q, 0) + entry(q, 1), across = entry(q, 1) - entry(q, 0);
    return tape::square(along) / 16.0 + tape::square(across) / 0.4;
  });
}

TEST(L2hmcAdjoint, Mog) {
  check(problem(Mog(), 3, 5, 0.1, 0.7), [](const Variable& q) {
    const Variable y = tape::square(entry(q, 1)) / 0.2;
    const Variable left = tape::square(entry(q, 0) + 2.0) / 0.2;
    const Variable right = tape::square(entry(q, 0) - 2.0) / 0.2;
    return y + tape::minimum(left, right) -
           tape::softplus(-tape::maximum(left - right, right - left));
  });
}

TEST(L2hmcAdjoint, RoughWell) {
  check(problem(RoughWell<2>(0.1), 2, 5, 0.1, 0.5), [](const Variable& q) {
    return tape::sum(0.5 * tape::square(q) + 0.1 * tape::cos(q * 10.0));
  });
}

TEST(L2hmcAdjoint, Icg) {
  tape::Matrix precision(1, Icg::dim);
  for (int j = 0; j < Icg::dim; ++j) {
    precision(0, j) = 0.5 / Icg::variance(j);
  }
  check(
      problem(Icg(), 2, 7, 0.05, 0.5),
      [=](const Variable& q) { return tape::sum(tape::square(q) * precision); }, 41);
}

TEST(L2hmcAdjoint, EightSchools) {
  tape::Matrix effect(1, 8), error(1, 8);
  effect << 28, 8, -3, 7, -1, 1, 18, 12;
  error << 15, 10, 16, 11, 9, 11, 10, 18;
  check(
      problem(EightSchoolsNc(), 2, 6, 0.1, 0.5),
      [=](const Variable& q) {
        const Variable t = tape::columns(q, 0, 8), mu = entry(q, 8), s = entry(q, 9);
        const Variable misfit = (effect - mu - tape::exp(s) * t) / error;
        return 0.5 * tape::sum(tape::square(t) + tape::square(misfit)) + tape::square(mu) / 50.0 +
               tape::softplus(2.0 * s - 2 * std::log(5.0)) - s;
      },
      5);
}

TEST(L2hmcAdjoint, RecomputingGivesTheSameGradient) {
  Problem p = problem(Scg(0.1, 4), 5, 10, 0.2, 0.5);
  std::vector<double> kept, again;
  p.at(p.network, kept);
  p.remember = Remember::nothing;
  p.at(p.network, again);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_NEAR(kept[i], again[i], 1e-9 * (std::abs(kept[i]) + 1)) << i;
  }
}

TEST(L2hmcAdjoint, ThreadsChangeNoBit) {
  const Problem p = problem(Mog(), 4, 10, 0.1, 0.5);
  std::vector<double> one, two;
  const TrainingStep a = p.at(p.network, one, 1), b = p.at(p.network, two, 2);
  EXPECT_EQ(one, two);
  EXPECT_EQ(a.loss, b.loss);
}

}  // namespace
}  // namespace lockstep
