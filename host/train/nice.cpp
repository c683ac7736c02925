#include "host/train/nice.hpp"

#include <cmath>
#include <string>

#include "host/autodiff/layers.hpp"
#include "host/autodiff/operations.hpp"
#include "host/autodiff/optimiser.hpp"
#include "host/clock.hpp"
#include "kernels/random/philox.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

using tape::Index;
using tape::Matrix;
using tape::Mlp;
using tape::Recording;
using tape::Variable;

/// Of the input, the hidden layers and the output.
std::vector<Index> widths(int in, int width, int hidden, int out) {
  std::vector<Index> all(static_cast<std::size_t>(hidden) + 2, width);
  all.front() = in;
  all.back() = out;
  return all;
}

struct State {
  Variable q, v;  // [batch][dim]
};

/// The proposal on the tape.
class Flow {
 public:
  Flow(const std::vector<Index>& widths, RandomSequence& random)
      : f_{Mlp(widths, random), Mlp(widths, random), Mlp(widths, random)} {}

  State forward(const State& s) const {
    const Variable v = s.v + f_[0](s.q);
    const Variable q = s.q + f_[1](v);
    return {q, v + f_[2](q)};
  }
  State backward(const State& s) const {
    const Variable v = s.v - f_[2](s.q);
    const Variable q = s.q - f_[1](v);
    return {q, v - f_[0](q)};
  }

  std::vector<Variable> parameters() const {
    std::vector<Variable> all;
    for (const Mlp& f : f_) {
      const std::vector<Variable> p = f.parameters();
      all.insert(all.end(), p.begin(), p.end());
    }
    return all;
  }

  /// As NiceNetwork has them.
  std::vector<double> weights() const {
    std::vector<double> all;
    for (const Variable& p : parameters()) {
      const Matrix rows = p.value().transpose();  // whose columns are contiguous
      all.insert(all.end(), rows.data(), rows.data() + rows.size());
    }
    return all;
  }

 private:
  Mlp f_[3];
};

class Trainer {
 public:
  Trainer(std::shared_ptr<const BlockTarget<float>> target, const NiceOptions& options)
      : target_(std::move(target)),
        o_(options),
        dim_(target_->dim()),
        initial_(options.seed, Purpose::network),
        random_(options.seed, Purpose::training),
        flow_(widths(dim_, o_.width, o_.hidden, dim_), initial_),
        critic_(widths(2 * dim_, o_.critic_width, o_.critic_hidden, 1), initial_),
        flow_optimiser_(flow_.parameters(), {0.5, 0.9, 1e-8}),
        critic_optimiser_(critic_.parameters(), {0.5, 0.9, 1e-8}) {}

  NiceTraining run() {
    const Clock clock;
    NiceTraining result;
    double farthest = -1;
    for (int i = 0; i <= o_.iterations; ++i) {
      if (i % o_.refresh == 0 || i == o_.iterations) {
        const NiceNetwork network{dim_, o_.width, o_.hidden, flow_.weights()};
        require(Eigen::Map<const Eigen::ArrayXd>(network.weights.data(),
                                                 static_cast<Index>(network.weights.size()))
                    .isFinite()
                    .all(),
                "A-NICE-MC: the proposal stopped being finite before iteration " +
                    std::to_string(i) + ": give a smaller learning rate");
        NiceOptions::Progress p = replay(network, i);
        p.done = i;
        p.total = o_.iterations;
        p.seconds = clock.seconds();
        if (p.jump > farthest) {
          farthest = p.jump;
          result.network = network;
        }
        result.history.push_back(p);
        if (o_.progress && !o_.progress(p)) {
          break;
        }
      }
      if (i < o_.iterations) {
        for (int k = 0; k < o_.critic_steps; ++k) {
          train_critic();
        }
        train_flow();
      }
    }
    result.evaluations = evaluations_;
    result.seconds = result.history.back().seconds;
    return result;
  }

 private:
  Matrix normals(Index rows) {
    Matrix z(rows, dim_);
    for (Index i = 0; i < z.size(); ++i) {
      z.data()[i] = random_.normal();
    }
    return z;
  }

  State propose(const Variable& q) {
    const State s{q, Variable(normals(q.rows()))};
    return random_.below(2) == 0 ? flow_.forward(s) : flow_.backward(s);
  }

  State steps(Variable q, int count) {
    State s{q, q};
    for (int i = 0; i < count; ++i) {
      s = propose(s.q);
    }
    return s;
  }

  Matrix from_data() {
    Matrix q(o_.batch, dim_);
    for (Index i = 0; i < q.rows(); ++i) {
      q.row(i) = data_.row(random_.below(static_cast<int>(data_.rows())));
    }
    return q;
  }

  /// Pairs that would be independent draws of the law, had training done its work: states of the
  /// chain b steps from noise and m steps on, and states of the law and m steps on.
  struct Pairs {
    Variable from_noise, from_data;  // [batch][2 dim]
    Variable v;                      // [.][dim], velocities at the ends
  };
  Pairs generate() {
    const int b = 1 + random_.below(o_.steps_from_noise);
    const int m = 1 + random_.below(o_.steps_from_data);
    const Variable x(from_data());
    const State x1 = steps(Variable(normals(o_.batch)), b);
    const State x2 = steps(x, m);
    const State x3 = steps(x1.q, m);
    return {tape::concatenate({x3.q, x1.q}), tape::concatenate({x2.q, x}),
            tape::concatenate({x1.v, x2.v, x3.v})};
  }

  void train_critic() {
    Matrix fake(2 * o_.batch, 2 * dim_), real(2 * o_.batch, 2 * dim_);
    {
      const Recording off(false);
      const Pairs pairs = generate();
      fake << pairs.from_noise.value(), pairs.from_data.value();
    }
    for (int half = 0; half < 2; ++half) {
      real.middleRows(half * o_.batch, o_.batch) << from_data(), from_data();
    }
    Matrix between(fake.rows(), fake.cols());
    for (Index i = 0; i < fake.rows(); ++i) {
      const double u = random_.uniform();
      between.row(i) = u * real.row(i) + (1 - u) * fake.row(i);
    }
    const Variable x = Variable::parameter(between);
    const Variable slope = gradients(sum(critic_(x)), {x}, true)[0];
    const Variable norm = sqrt(sum_over_columns(square(slope)) + 1e-12);
    const Variable distance = mean(critic_(real)) - mean(critic_(fake));
    const Variable loss = o_.gradient_penalty * mean(square(norm - 1)) - distance;
    distance_ = distance.scalar();
    backward(loss);
    critic_optimiser_.step(o_.learning_rate);
  }

  void train_flow() {
    const Pairs pairs = generate();
    const Variable fooled =
        0.5 * (mean(critic_(pairs.from_noise)) + mean(critic_(pairs.from_data)));
    backward(o_.velocity_weight * 0.5 * mean(square(pairs.v)) - fooled);
    for (Variable p : critic_.parameters()) {
      p.clear_gradient();
    }
    flow_optimiser_.step(o_.learning_rate);
  }

  /// Runs chains with the proposal and keeps their states.
  NiceOptions::Progress replay(const NiceNetwork& network, int iteration) {
    SampleOptions options;
    options.chains = o_.replay_chains;
    options.keep_chains = -1;
    options.warmup = o_.replay_burn_in;
    options.draws = o_.replay_steps;
    options.adaptation.stop_early = false;  // nothing is adapted, only left behind
    options.adaptation.restart_stranded = false;
    options.seed = o_.seed + static_cast<std::uint64_t>(iteration);
    options.threads = o_.threads;
    const Matrix start = normals(o_.replay_chains);
    options.start.assign(start.data(), start.data() + start.size());
    const auto engine = make_cpu_nice_engine<float>(target_, network, options);
    const Fit fit = lockstep::run(*engine, nice_sampler(), options);
    evaluations_ += static_cast<double>(o_.replay_burn_in + o_.replay_steps) * o_.replay_chains;

    data_.resize(fit.draws.draws * fit.draws.chains, dim_);
    for (int j = 0; j < dim_; ++j) {
      const std::vector<double> x = fit.draws.column(j);
      data_.col(j) = Eigen::Map<const Eigen::VectorXd>(x.data(), data_.rows());
    }
    NiceOptions::Progress p;
    p.distance = distance_;
    p.acceptance = fit.acceptance;
    p.jump = fit.esjd;
    return p;
  }

  std::shared_ptr<const BlockTarget<float>> target_;
  NiceOptions o_;
  int dim_;
  RandomSequence initial_, random_;
  Flow flow_;
  Mlp critic_;
  tape::Adam flow_optimiser_, critic_optimiser_;
  Matrix data_;  // [states][dim]: what stands for the law
  double distance_ = 0;
  double evaluations_ = 0;
};

void check_positive(const char* option, double value) {
  require(value > 0, std::string("A-NICE-MC: ") + option + " is " + std::to_string(value) +
                         ": give a positive one");
}

}  // namespace

NiceTraining train_nice(std::shared_ptr<const BlockTarget<float>> target, const NiceOptions& o) {
  check_positive("width", o.width);
  check_positive("hidden", o.hidden);
  check_positive("critic_width", o.critic_width);
  check_positive("critic_hidden", o.critic_hidden);
  check_positive("iterations", o.iterations);
  check_positive("batch", o.batch);
  check_positive("critic_steps", o.critic_steps);
  check_positive("steps_from_noise", o.steps_from_noise);
  check_positive("steps_from_data", o.steps_from_data);
  check_positive("learning_rate", o.learning_rate);
  check_positive("refresh", o.refresh);
  check_positive("replay_chains", o.replay_chains);
  check_positive("replay_burn_in", o.replay_burn_in);
  check_positive("replay_steps", o.replay_steps);
  return Trainer(std::move(target), o).run();
}

}  // namespace lockstep
