// How networks are trained: schedules, which network is kept, trials, failures, going on. Mostly on
// an engine whose loss is a quadratic, so that what must come out is known; then on the real one.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/l2hmc.hpp"
#include "kernels/targets/normal.hpp"
#include "lockstep/error.hpp"
#include "lockstep/training.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

/// Loss |p - sin(1, 2, ...)|^2 / 2; the chains count the iterations that they went through.
class Quadratic final : public TrainingEngine {
 public:
  explicit Quadratic(const L2hmcOptions& o, int dim = 2) : dim_(dim), batch_(o.batch) {}

  int dim() const override { return dim_; }
  void place(std::span<const double> q) override { q_.assign(q.begin(), q.end()); }
  void positions(std::span<double> q) const override { std::copy(q_.begin(), q_.end(), q.begin()); }
  TrainingStep step(const Network& network, const TrainingLaunch& launch,
                    std::span<double> gradient) override {
    network.validate();
    launches.push_back(launch);
    TrainingStep s;
    for (std::size_t k = 0; k < gradient.size(); ++k) {
      gradient[k] = network.parameters[k] - goal(k);
      s.loss += 0.5 * gradient[k] * gradient[k];
    }
    // Something that depends on the iteration and on the chains, as the real one does.
    gradient[1] += 0.1 * std::sin(launch.iteration + q_[0]);
    s.acceptance = 0.5;
    s.jump = 1 / (1 + s.loss);
    for (double& q : q_) {
      q += 0.25;
    }
    if (meddle) {
      meddle(static_cast<int>(launch.iteration), network, s, gradient);
    }
    return s;
  }
  void archive(Archive& a) override { a(q_); }

  static double goal(std::size_t k) { return std::sin(static_cast<double>(k)); }

  std::function<void(int, const Network&, TrainingStep&, std::span<double>)> meddle;
  std::vector<TrainingLaunch> launches;  // of all iterations

 private:
  int dim_;
  std::int64_t batch_;
  std::vector<double> q_;
};

L2hmcOptions few(int iterations) {
  L2hmcOptions o;
  o.steps = 2;
  o.width = 3;
  o.batch = 4;
  o.iterations = iterations;
  return o;
}

void expect_equal(const Network& a, const Network& b) {
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.masks, b.masks);
  EXPECT_EQ(a.scale, b.scale);
  TrainingRecord r = b.training;
  r.seconds = a.training.seconds;
  EXPECT_EQ(a.training, r);
}

TEST(Training, GoesDownhillAndTellsWhatItTook) {
  L2hmcOptions o = few(4000);
  o.learning_rate = 0.01;
  Quadratic engine(o);
  const Network n = train(engine, "quadratic", o);
  for (std::size_t k = 2; k < n.parameters.size(); ++k) {
    EXPECT_NEAR(n.parameters[k], Quadratic::goal(k), 1e-3) << k;
  }
  EXPECT_EQ(n.training.target, "quadratic");
  EXPECT_EQ(n.training.iterations, 4000);
  EXPECT_EQ(n.training.batch, 4);
  EXPECT_GT(n.training.seconds, 0);
  // Chains and noise; 1 + T gradients, T Hessian-vector products that count two.
  EXPECT_EQ(n.training.gradients, 4000.0 * 8 * (1 + 2 + 2 * 2));
  EXPECT_NEAR(n.training.jump, 1, 1e-2);
  EXPECT_NEAR(n.training.acceptance, 0.5, 1e-12);
  ASSERT_EQ(n.training.history.size(), 200U);
  EXPECT_EQ(n.training.history.back().iteration, 4000);
  EXPECT_GT(n.training.history.front().loss, 10 * n.training.history.back().loss);
}

TEST(Training, CountsTheGradientsThatItsOptionsNeed) {
  L2hmcOptions o = few(10);
  o.noise_weight = 0;
  o.stop_gradient = true;
  Quadratic first(o);
  EXPECT_EQ(train(first, "t", o).training.gradients, 10.0 * 4 * (1 + 2));
  o.remember = Remember::nothing;
  Quadratic second(o);
  EXPECT_EQ(train(second, "t", o).training.gradients, 10.0 * 4 * (1 + 2 + 4));
}

TEST(Training, HandsItsSchedulesToTheEngine) {
  L2hmcOptions o = few(20);
  o.temperature = 3;
  o.cooling = 0.9;
  o.noise_weight = 0.5;
  o.loss_scale = 7;
  o.stop_gradient = true;
  Quadratic engine(o);
  train(engine, "t", o);
  ASSERT_EQ(engine.launches.size(), 20U);
  for (int i = 0; i < 20; ++i) {
    const TrainingLaunch& l = engine.launches[static_cast<std::size_t>(i)];
    EXPECT_EQ(l.iteration, static_cast<std::uint32_t>(i));
    EXPECT_DOUBLE_EQ(l.temperature, std::max(1.0, 3 * std::pow(0.9, i)));
    EXPECT_EQ(l.noise_weight, 0.5);
    EXPECT_EQ(l.loss_scale, 7);
    EXPECT_TRUE(l.stop_gradient);
  }
}

/// Far from any bound, a constant gradient moves each parameter by the learning rate each time.
TEST(Training, LowersTheLearningRateAndClipsTheGradient) {
  L2hmcOptions o = few(30);
  o.decay = 0.5;
  o.decay_every = 10;
  o.clip_gradient = 2;
  Quadratic engine(o);
  engine.meddle = [](int i, const Network&, TrainingStep&, std::span<double> gradient) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    gradient[5] = 3 * std::pow(10.0, i % 4);  // always shortened, to 2
  };
  const Network begun = initial_network(place_of(o, 2).shape, o.step_size, o.seed);
  const Network n = train(engine, "t", o);
  EXPECT_NEAR(begun.parameters[5] - n.parameters[5], 1e-3 * (10 + 5 + 2.5), 1e-9);
  EXPECT_EQ(begun.parameters[6], n.parameters[6]);

  o.clip_gradient = 0;
  Quadratic free(o);
  free.meddle = engine.meddle;
  EXPECT_GT(std::abs(begun.parameters[5] - train(free, "t", o).parameters[5] - 0.0175), 1e-4);
}

TEST(Training, KeepsTheNetworkOfTheLargestJump) {
  L2hmcOptions o = few(1000);
  o.temperature = 2;
  o.cooling = std::pow(0.5, 1.0 / 200);  // temperature 1 after 200 iterations
  Quadratic engine(o);
  std::vector<std::vector<double>> seen;
  engine.meddle = [&](int i, const Network& n, TrainingStep& s, std::span<double>) {
    seen.push_back(n.parameters);
    // Largest while it is hot, which does not count; then at 500; noise that means smooth out.
    s.jump = i < 199 ? 100 : 10 - std::abs(i - 500) / 100.0 + (i % 2 == 0 ? 5 : -5);
  };
  const Network n = train(engine, "t", o);
  const std::int64_t kept = n.training.kept;
  // The running mean lags by less than its 100 iterations.
  EXPECT_GE(kept, 500);
  EXPECT_LE(kept, 600);
  EXPECT_EQ(n.parameters, seen[static_cast<std::size_t>(kept)]);
  EXPECT_NEAR(n.training.jump, 9.3, 0.4);
  EXPECT_EQ(n.training.iterations, 1000);
}

/// Chains that begin far out jump far on their way in, whatever the network.
TEST(Training, IsNotTakenInByTheWayFromTheStarts) {
  for (const int patience : {0, 400}) {
    L2hmcOptions o = few(1000);
    o.patience = patience;
    Quadratic engine(o);
    engine.meddle = [&](int i, const Network&, TrainingStep& s, std::span<double>) {
      s.jump = i < 150 ? 100 : 0.01 * i;
    };
    const Network n = train(engine, "t", o);
    EXPECT_EQ(n.training.iterations, 1000);
    EXPECT_EQ(n.training.kept, 999);
  }
}

TEST(Training, StopsWhenTheJumpNoLongerGrows) {
  L2hmcOptions o = few(2000);
  o.patience = 150;
  Quadratic engine(o);
  engine.meddle = [&](int i, const Network&, TrainingStep& s, std::span<double>) {
    s.jump = i < 400 ? i : 400 - 0.001 * i;
  };
  const Network n = train(engine, "t", o);
  EXPECT_EQ(n.training.iterations, n.training.kept + 150);
  EXPECT_GE(n.training.kept, 400);
  EXPECT_LT(n.training.iterations, 1999);
}

TEST(Training, StopsWhenTheJumpIsEnough) {
  L2hmcOptions o = few(2000);
  o.start = {0, 2, 4, 6, 1, 1, 1, 1};  // 2 tr cov = 10
  o.enough_jump = 0.5;
  Quadratic engine(o);
  engine.meddle = [&](int i, const Network&, TrainingStep& s, std::span<double>) {
    s.jump = 0.01 * i;
  };
  const Network n = train(engine, "t", o);
  EXPECT_NEAR(n.training.jump, 5, 0.02);
  EXPECT_GE(n.training.iterations, 500);
  EXPECT_LE(n.training.iterations, 620);  // the running mean lags by less than its 100 iterations
  EXPECT_EQ(n.training.kept + 1, n.training.iterations);
}

/// The seeds of trials make their first weights differ: that is what the jump is here.
double merit(const Network& n) {
  return 10 + n.parameters[1];
}

TEST(Training, GoesOnWithTheBestOfItsTrials) {
  L2hmcOptions o = few(60);
  o.trials = 5;
  o.trial_iterations = 20;
  o.learning_rate = 1e-6;
  Quadratic engine(o);
  std::vector<Network> beginnings;
  engine.meddle = [&](int i, const Network& n, TrainingStep& s, std::span<double>) {
    if (i % 20 == 0 && i < 100) {
      beginnings.push_back(n);
    }
    s.jump = merit(n);
  };
  const Network n = train(engine, "t", o);
  ASSERT_EQ(beginnings.size(), 5U);
  std::size_t best = 0;
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_NE(beginnings[i].parameters, beginnings[i - 1].parameters);
    best = merit(beginnings[i]) > merit(beginnings[best]) ? i : best;
  }
  EXPECT_NE(best, 4U) << "the test needs a seed whose last trial is not the best";
  EXPECT_EQ(n.masks, beginnings[best].masks);
  EXPECT_NEAR(n.parameters[2], beginnings[best].parameters[2], 1e-3);
  EXPECT_EQ(n.training.iterations, 5 * 20 + 40);
  EXPECT_EQ(n.training.history.size(), 60U);
  // Its chains go on from where they were after its own 20 iterations, and no others.
  std::vector<double> q(8), begin(8);
  engine.positions(q);
  L2hmcOptions none = few(1);
  Quadratic other(none);
  train(other, "t", none);
  other.positions(begin);  // the same starts after one iteration
  EXPECT_NEAR(q[0] - begin[0], 0.25 * 59, 1e-12);
}

TEST(Training, LeavesOutATrialThatFails) {
  L2hmcOptions o = few(60);
  o.trials = 3;
  o.trial_iterations = 20;
  Quadratic engine(o);
  engine.meddle = [&](int i, const Network&, TrainingStep& s, std::span<double>) {
    s.jump = i < 20 ? 1 : i < 25 ? 1e9 : 2;
    s.loss = i == 25 ? std::nan("") : 1;
  };
  const Network n = train(engine, "t", o);
  EXPECT_NEAR(n.training.jump, 2, 1e-9);
  EXPECT_EQ(n.training.iterations, 20 + 6 + 20 + 40);

  Quadratic hopeless(o);
  hopeless.meddle = [&](int, const Network&, TrainingStep& s, std::span<double>) {
    s.loss = std::nan("");
  };
  EXPECT_THROW(train(hopeless, "t", o), TrainingFailure);
}

TEST(Training, StopsWithTheLastGoodNetwork) {
  L2hmcOptions o = few(500);
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  using Meddle = decltype(Quadratic::meddle);
  struct Fault {
    Meddle meddle;
    const char* message;
    std::size_t last_good;
  };
  const Fault faults[] = {
      {[&](int i, const Network&, TrainingStep& s, auto) { s.loss = i == 50 ? nan : s.loss; },
       "iteration 50: the loss is not finite", 49},
      {[&](int i, const Network&, TrainingStep&, std::span<double> g) {
         g[7] = i == 50 ? infinity : g[7];
       },
       "iteration 50: the gradient of the loss is not finite", 49},
      {[&](int i, const Network&, TrainingStep& s, auto) { s.not_finite = i >= 41 ? 8 : 7; },
       "iteration 50: no trajectory's energy is finite", 40},
  };
  for (const auto& [fault, message, last_good] : faults) {
    Quadratic engine(o);
    std::vector<std::vector<double>> seen;
    engine.meddle = [&seen, fault = fault](int i, const Network& n, TrainingStep& s,
                                           std::span<double> g) {
      seen.push_back(n.parameters);
      fault(i, n, s, g);
    };
    try {
      train(engine, "cliff", o);
      ADD_FAILURE() << "went on";
    } catch (const TrainingFailure& e) {
      EXPECT_NE(std::string(e.what()).find(message), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("training for cliff"), std::string::npos);
      EXPECT_EQ(e.network.parameters, seen[last_good]);
      e.network.validate();
    }
  }
  // With a best one, that is it.
  Quadratic engine(o);
  engine.meddle = [&](int i, const Network&, TrainingStep& s, std::span<double>) {
    s.jump = i < 200 ? i : 0;
    s.loss = i == 400 ? nan : s.loss;
  };
  try {
    train(engine, "cliff", o);
    ADD_FAILURE() << "went on";
  } catch (const TrainingFailure& e) {
    EXPECT_NEAR(static_cast<double>(e.network.training.kept), 199, 1);
  }
}

TEST(Training, EndsWhenItsProgressSaysSo) {
  L2hmcOptions o = few(1'000'000'000);
  Quadratic engine(o);
  int calls = 0;
  TrainingProgress last;
  o.progress = [&](const TrainingProgress& p) {
    last = p;
    return ++calls < 2;
  };
  const Network n = train(engine, "t", o);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(n.training.iterations, last.done);
  EXPECT_EQ(last.total, 1'000'000'000);
  EXPECT_GT(last.seconds, 0.01);

  o.progress = nullptr;
  o.max_hours = 0.1 / 3600;
  EXPECT_GT(train(engine, "t", o).training.iterations, 0);
}

TEST(Training, SeesTheTargetInTheMetricsUnits) {
  L2hmcOptions o = few(1);
  o.batch = 2000;
  o.inverse_mass = {4, 0.01};
  Quadratic engine(o);
  const Network n = train(engine, "t", o);
  EXPECT_DOUBLE_EQ(n.scale[0], 2);
  EXPECT_DOUBLE_EQ(n.scale[1], 0.1);
  std::vector<double> q(4000);
  engine.positions(q);
  double squares[2] = {0, 0};
  for (std::size_t c = 0; c < 4000; ++c) {
    squares[c / 2000] += std::pow(q[c] - 0.25, 2) / 2000;
  }
  EXPECT_NEAR(squares[0], 4, 5 * 4 * std::sqrt(2.0 / 2000));
  EXPECT_NEAR(squares[1], 0.01, 5 * 0.01 * std::sqrt(2.0 / 2000));
}

TEST(Training, SaysWhichOptionMakesNoSense) {
  const auto complaint = [](auto spoil) {
    L2hmcOptions o;
    place_of(o, 2);
    spoil(o);
    return message_of([&] { place_of(o, 2); });
  };
  using O = L2hmcOptions;
  const double nan = std::nan("");
  const auto begins = [](const std::string& message, const std::string& begin) {
    EXPECT_EQ(message.substr(0, begin.size()), begin);
    EXPECT_NE(message.find(": give"), std::string::npos) << message;
  };
  begins(complaint([](O& o) { o.steps = 0; }), "steps is 0: give 1 to");
  begins(complaint([](O& o) { o.width = -1; }), "width is -1");
  begins(complaint([](O& o) { o.hidden = 0; }), "hidden is 0");
  begins(complaint([](O& o) { o.batch = 0; }), "batch is 0");
  begins(complaint([](O& o) { o.iterations = 0; }), "iterations is 0");
  begins(complaint([](O& o) { o.step_size = 0; }), "step_size is 0: give a positive");
  begins(complaint([&](O& o) { o.step_size = nan; }), "step_size is nan");
  begins(complaint([](O& o) { o.learning_rate = -1e-3; }), "learning_rate is -0.001");
  begins(complaint([](O& o) { o.decay = 1.5; }), "decay is 1.5");
  begins(complaint([](O& o) { o.decay_every = 0; }), "decay_every is 0");
  begins(complaint([](O& o) { o.loss_scale = 0; }), "loss_scale is 0");
  begins(complaint([](O& o) { o.noise_weight = -1; }), "noise_weight is -1");
  begins(complaint([](O& o) { o.temperature = 0.5; }), "temperature is 0.5: give 1 or more");
  begins(complaint([](O& o) { o.cooling = 0; }), "cooling is 0");
  begins(complaint([&](O& o) { o.clip_gradient = nan; }), "clip_gradient is nan");
  begins(complaint([](O& o) { o.patience = -1; }), "patience is -1");
  begins(complaint([](O& o) { o.enough_jump = -1; }), "enough_jump is -1");
  begins(complaint([](O& o) { o.trials = 0; }), "trials is 0");
  begins(complaint([](O& o) {
           o.trials = 2;
           o.trial_iterations = 5001;
         }),
         "trial_iterations is 5001: give 1 to the 5000");
  begins(complaint([](O& o) { o.threads = -1; }), "threads is -1");
  begins(complaint([](O& o) { o.max_hours = -1; }), "max_hours is -1");
  begins(complaint([](O& o) { o.checkpoint_minutes = -1; }), "checkpoint_minutes is -1");
  begins(complaint([](O& o) { o.inverse_mass = {1}; }), "inverse_mass has 1 numbers");
  begins(complaint([](O& o) { o.inverse_mass = {1, 0}; }), "inverse_mass is 0");
  begins(complaint([](O& o) { o.start = {1}; }), "start has 1 numbers: give dim * batch = 400");
  begins(complaint([&](O& o) { o.start.assign(400, nan); }), "start has a number that is not");
  EXPECT_EQ(place_of({}, 10).shape.width, 10);
  EXPECT_EQ(place_of({}, 50).shape.width, 100);
  EXPECT_NE(message_of([] { place_of({}, 300); }).find("dim is 300"), std::string::npos);
}

// ---- going on ----------------------------------------------------------------------------------

class Resumed : public ::testing::Test {
 protected:
  Resumed()
      : file_(fs::path(::testing::TempDir()) /
              ("training_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove(file_);
  }
  ~Resumed() override { fs::remove(file_); }
  fs::path file_;
};

struct Killed {};

TEST_F(Resumed, EndsInTheSameBitsWhereverItWasKilled) {
  L2hmcOptions o = few(150);
  o.trials = 3;
  o.trial_iterations = 20;
  o.temperature = 2;
  o.cooling = 0.95;
  o.checkpoint_minutes = 0;
  Quadratic whole_engine(o);
  const Network whole = train(whole_engine, "t", o);
  o.checkpoint = file_.string();
  for (const int at : {5, 19, 20, 45, 59, 60, 110, 189}) {
    fs::remove(file_);
    Quadratic torn(o);
    torn.meddle = [at](int i, const Network&, TrainingStep&, std::span<double>) {
      if (i == at) {
        throw Killed();
      }
    };
    EXPECT_THROW(train(torn, "t", o), Killed);
    Quadratic other(o);
    expect_equal(train(other, "t", o), whole);
    // Once more: it is finished, and says the same.
    Quadratic again(o);
    expect_equal(train(again, "t", o), whole);
    EXPECT_EQ(again.launches.size(), 1U) << "the probe alone";
  }
}

TEST_F(Resumed, RefusesTheStateOfOtherOptions) {
  L2hmcOptions o = few(30);
  o.checkpoint = file_.string();
  Quadratic engine(o);
  train(engine, "t", o);
  const auto complaint = [&](auto change, const std::string& target = "t") {
    L2hmcOptions other = o;
    change(other);
    return message_of([&] {
      Quadratic e(other);
      train(e, target, other);
    });
  };
  using O = L2hmcOptions;
  EXPECT_EQ(complaint([](O& p) { p.threads = 3; }), "");
  EXPECT_NE(
      complaint([](O& p) { p.learning_rate = 0.5; }).find("learning_rate was 0.001 and is now 0.5"),
      std::string::npos);
  EXPECT_NE(complaint([](O& p) { p.seed = 2; }).find("seed was 1 and is now 2"), std::string::npos);
  EXPECT_NE(complaint([](O& p) {
              p.trials = 2;
              p.trial_iterations = 9;
            }).find("trials was 1"),
            std::string::npos);
  EXPECT_NE(complaint([](O&) {}, "u").find("target was t and is now u"), std::string::npos);
  std::ofstream(file_) << "not a checkpoint";
  EXPECT_NE(message_of<FileError>([&] {
              Quadratic e(o);
              train(e, "t", o);
            }).find("is no checkpoint"),
            std::string::npos);
}

// ---- the real engine ---------------------------------------------------------------------------

template <class S>
std::unique_ptr<TrainingEngine> scg_engine(const L2hmcOptions& o) {
  return make_cpu_training_engine<S>(block_target<S>(Scg()), place_of(o, 2));
}

L2hmcOptions scg_options(int iterations) {
  L2hmcOptions o;
  o.iterations = iterations;
  o.noise_weight = 0;
  o.threads = 1;
  return o;
}

/// After 600 iterations on the strongly correlated normal, whose long direction has variance 100,
/// proposals go many times as far as plain HMC's of the same steps, which is what the network is at
/// first.
TEST(RealTraining, MakesProposalsGoFar) {
  const L2hmcOptions o = scg_options(600);
  const Network n = train(*scg_engine<float>(o), "scg", o);
  n.validate();
  const TrainingPoint& begin = n.training.history.front();
  EXPECT_GT(n.training.jump, 10 * begin.jump);
  EXPECT_LT(n.training.loss, begin.loss);
  EXPECT_GT(n.training.acceptance, 0.3);  // long jumps are worth rejections
  RecordProperty("jump_begin", std::to_string(begin.jump));
  RecordProperty("jump_end", std::to_string(n.training.jump));
  RecordProperty("seconds", std::to_string(n.training.seconds));
}

TEST(RealTraining, IsTheSameForAnyNumberOfThreads) {
  L2hmcOptions o = scg_options(20);
  o.noise_weight = 1;
  const Network one = train(*scg_engine<float>(o), "scg", o);
  o.threads = 2;
  expect_equal(train(*scg_engine<float>(o), "scg", o), one);
}

TEST_F(Resumed, OfTheRealEngineEndsInTheSameBits) {
  L2hmcOptions o = scg_options(60);
  o.trials = 2;
  o.trial_iterations = 15;
  const Network whole = train(*scg_engine<float>(o), "scg", o);
  o.checkpoint = file_.string();
  o.checkpoint_minutes = 0;
  for (const int stop : {10, 40}) {
    o.progress = [stop](const TrainingProgress& p) {
      if (p.done >= stop) {
        throw Killed();
      }
      return true;
    };
    try {
      train(*scg_engine<float>(o), "scg", o);
      ADD_FAILURE() << "was not killed";
    } catch (const Killed&) {
    }
  }
  o.progress = nullptr;
  expect_equal(train(*scg_engine<float>(o), "scg", o), whole);
}

}  // namespace
}  // namespace lockstep
