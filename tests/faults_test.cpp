// Targets that misbehave: each ends in an error that names what is wrong, or in a result that says
// so.

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/adapt/metric.hpp"
#include "kernels/launch/cpu.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

/// A standard normal in two dimensions with something wrong.
struct Faulty {
  static constexpr int dim = 2;
  enum Fault {
    none,
    nan,             // U is NaN everywhere
    minus_infinity,  // U is -infinity everywhere: an infinite density
    cut,             // U is NaN where q_1 > 0.5
    point,           // U is NaN everywhere but at q_1 = 0
    constant,        // the second parameter is reported as 3, whatever q_2 is
    throws           // from the n-th evaluation on
  };
  Fault fault = none;
  std::atomic<int>* evaluations_left = nullptr;

  template <class T>
  T potential(const T* q) const {
    const T normal = T(0.5) * (q[0] * q[0] + q[1] * q[1]);
    const T not_a_number = T(std::numeric_limits<float>::quiet_NaN());
    switch (fault) {
      case nan:
        return normal + not_a_number;
      case minus_infinity:
        return normal - T(std::numeric_limits<float>::infinity());
      case cut:
        return select(q[0] > T(0.5f), not_a_number, normal);
      case point:
        return select(q[0] > T(0), not_a_number, select(q[0] < T(0), not_a_number, normal));
      case throws:
        if (--*evaluations_left < 0) {
          throw std::runtime_error("the model's server is gone");
        }
        return normal;
      default:
        return normal;
    }
  }
  template <class T>
  void constrain(const T* q, T* x) const {
    x[0] = q[0];
    x[1] = fault == constant ? T(3) : q[1];
  }
};

SampleOptions small_run() {
  SampleOptions options;
  options.chains = 256;
  options.warmup = 60;
  options.draws = 128;
  options.keep_chains = 64;
  options.seed = 9;
  options.threads = 2;
  return options;
}

Fit run_with(Faulty::Fault fault, const SampleOptions& options, const Sampler& sampler = Hmc{}) {
  CpuEngine<float, Faulty> engine(Faulty{fault}, options);
  return run(engine, sampler, options);
}

template <class E>
std::string error_of(Faulty::Fault fault, const SampleOptions& options) {
  return message_of<E>([&] { run_with(fault, options); });
}

void expect_says(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    EXPECT_NE(text.find(word), std::string::npos) << text;
  }
}

TEST(Fault, NanEverywhere) {
  expect_says(error_of<InitialisationError>(Faulty::nan, small_run()),
              {"chain 0: the potential is ", "nan at the start q = (", "16 of 16 starts"});
}

TEST(Fault, InfiniteDensity) {
  expect_says(error_of<InitialisationError>(Faulty::minus_infinity, small_run()),
              {"chain 0: the potential is -inf at the start q = ("});
}

TEST(Fault, GivenStartOutsideTheSupport) {
  SampleOptions options = small_run();
  options.start.assign(2 * 256, 0.1);
  options.start[200] = 0.7;  // q_1 of chain 200
  expect_says(error_of<InitialisationError>(Faulty::cut, options),
              {"chain 200: the potential is nan at the start q = (0.7, 0.1)"});
}

TEST(Fault, NanInPartsOfTheSpace) {
  SampleOptions options = small_run();
  options.draws = 2000;
  const Fit fit = run_with(Faulty::cut, options);
  EXPECT_GT(fit.divergences, 1000);
  double largest = -9, mean = 0;
  for (const double x : fit.draws.column(0)) {
    largest = std::max(largest, x);
  }
  EXPECT_LE(largest, 0.5);
  EXPECT_GT(largest, 0.45);
  // The law that is left is sampled: a normal cut at a = 1/2 has mean -phi(a) / Phi(a).
  mean = -std::exp(-0.125) / std::sqrt(2 * M_PI) / (0.5 * std::erfc(-0.5 / std::sqrt(2.0)));
  EXPECT_NEAR(fit.parameters[0].mean, mean, 5 * fit.parameters[0].mcse);
}

TEST(Fault, NowhereToGo) {
  SampleOptions options = small_run();
  options.start.assign(2 * 256, 0.0);
  options.adaptation.restart_stranded = false;
  const Fit fit = run_with(Faulty::point, options, Hmc{.step_size = 0.1});
  EXPECT_EQ(fit.divergences, 256 * 128);
  EXPECT_EQ(fit.acceptance, 0);
  for (const ParameterSummary& p : fit.parameters) {
    EXPECT_EQ(p.mean, 0);
    EXPECT_EQ(p.sd, 0);
    EXPECT_TRUE(std::isnan(p.rhat));
  }
}

TEST(Fault, ParameterThatNeverVaries) {
  SampleOptions options = small_run();
  options.draws = 20'000;
  options.until = {.nested_rhat = 1.02, .ess = 3000, .mcse = 0.03};
  const Fit fit = run_with(Faulty::constant, options);
  EXPECT_EQ(fit.stop, Stop::until);  // which it does not hinder
  const ParameterSummary& p = fit.parameters[1];
  EXPECT_EQ(p.mean, 3);
  EXPECT_EQ(p.sd, 0);
  EXPECT_EQ(p.q05, 3);
  EXPECT_EQ(p.mcse, 0);
  EXPECT_TRUE(std::isnan(p.rhat));
  EXPECT_TRUE(std::isnan(p.nested_rhat));
  EXPECT_GT(fit.parameters[0].sd, 0.9);
}

TEST(Fault, TargetThatThrows) {
  // Wherever it happens, in whatever thread: when the chains are placed, in the warm-up, while
  // sampling.
  for (const int evaluations : {0, 3, 4000, 200'000}) {
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(std::to_string(evaluations) + " evaluations, " + std::to_string(threads));
      SampleOptions options = small_run();
      options.threads = threads;
      options.draws = 100'000;
      std::atomic<int> left = evaluations;
      CpuEngine<float, Faulty> engine(Faulty{Faulty::throws, &left}, options);
      std::string error;
      try {
        run(engine, Hmc{.step_size = 0.3}, options);
      } catch (const Error& e) {
        error = e.what();
      }
      expect_says(error, {"the target failed in chains ", ": the model's server is gone"});
      // And the process can go on: with another engine, here.
      EXPECT_EQ(run_with(Faulty::none, small_run()).draws_done, 128);
    }
  }
}

// ---- settings of discontinuous coordinates -----------------------------------------------------

/// What `validate` says, for a target of two parameters.
std::string refusal(const Sampler& sampler, const SampleOptions& options = small_run()) {
  return message_of([&] { validate(sampler, options, 2); });
}

TEST(Fault, SettingsOfHops) {
  EXPECT_EQ(refusal(Dhmc{}), "");
  EXPECT_EQ(refusal(Dhmc{.hop = 1, .longest = 10, .hop_scale = {1, 2}}), "");
  EXPECT_EQ(refusal(Gibbs{.target_no_flip = 0.5}), "");
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const struct {
    Sampler sampler;
    std::vector<std::string> says;
  } cases[] = {
      {Dhmc{.hop = -1}, {"hop is -1.0", "0 to tune"}},
      {MixedHmc{.hop = nan}, {"hop is nan"}},
      {Gibbs{.hop = infinity}, {"hop is inf"}},
      {Dhmc{.step_size = -1}, {"step_size is -1.0"}},
      {Dhmc{.longest = 9}, {"longest is 9", "is 10", "at least that, or 0"}},
      {Dhmc{.longest = -3}, {"longest is -3"}},
      {Dhmc{.target_no_flip = 1}, {"target_no_flip is 1.0", "(0, 1)"}},
      {Gibbs{.target_no_flip = -0.5}, {"target_no_flip is -0.5"}},
      {Dhmc{.target_no_flip = nan}, {"target_no_flip is nan"}},
      {Dhmc{.hop = 0.5, .target_no_flip = 0.7}, {"target_no_flip", "hop 0.5", "leave one"}},
      {Dhmc{.hop = 0.5, .hop_per_coordinate = true}, {"hop_per_coordinate", "hop is 0.5"}},
      {Dhmc{.hop_scale = {1}}, {"hop_scale has 1 values", "2 parameters"}},
      {Dhmc{.hop_scale = {1, 0}}, {"hop_scale entry 2 is 0.0", "positive"}},
      {Dhmc{.hop_scale = {nan, 1}}, {"hop_scale entry 1 is nan"}},
  };
  for (const auto& [sampler, says] : cases) {
    const std::string text = refusal(sampler);
    EXPECT_FALSE(text.empty()) << says.front();
    expect_says(text, says);
  }

  const auto with = [](Sampler s, auto change) {
    change(s);
    return refusal(s);
  };
  // What only they have, given to others; and what only others have, given to them.
  for (const Sampler& s : {Sampler(Hmc{}), Sampler(RandomWalk{}), Sampler(Ghmc{})}) {
    const std::vector<std::string> says{"discontinuous", "choose DHMC", "leave them out"};
    expect_says(with(s, [](Sampler& t) { t.hop = 1; }), says);
    expect_says(with(s, [](Sampler& t) { t.hop_scale = {1, 1}; }), says);
    expect_says(with(s, [](Sampler& t) { t.hop_per_coordinate = true; }), says);
    expect_says(with(s, [](Sampler& t) { t.target_no_flip = 0.7; }), says);
    expect_says(with(s, [](Sampler& t) { t.order = VisitOrder::permutation; }), says);
  }
  for (const Sampler& s : {Sampler(RandomWalk{}), Sampler(Ghmc{})}) {
    expect_says(with(s, [](Sampler& t) { t.longest = 20; }), {"longest", "leave it out"});
  }
  EXPECT_EQ(with(Hmc{}, [](Sampler& t) { t.longest = 20; }), "");
  expect_says(with(Hmc{.length = Length::chees}, [](Sampler& t) { t.longest = 20; }),
              {"longest", "tuned"});
  for (const Sampler& s : {Sampler(Dhmc{}), Sampler(MixedHmc{}), Sampler(Gibbs{})}) {
    expect_says(with(s, [](Sampler& t) { t.integrator = Integrator::minimal_norm_2; }),
                {"leapfrog", "choose"});
    expect_says(with(s, [](Sampler& t) { t.persistence = 0.5; }), {"persistence 0"});
    expect_says(with(s, [](Sampler& t) { t.length = Length::chees; }), {"length is tuned for HMC"});
    SampleOptions each = small_run();
    each.adaptation.per_chain_step_size = true;
    expect_says(refusal(s, each), {"per_chain_step_size", "hop"});
    SampleOptions none = small_run();
    none.warmup = 0;
    expect_says(refusal(s, none), {"nothing tunes the hop", "warmup above 0"});
    if (s.method != Method::dhmc) {
      expect_says(with(s, [](Sampler& t) { t.order = VisitOrder::permutation; }),
                  {"order", "DHMC"});
    }
  }
}

/// A step at q_1 = 0, on kernels that are not made for it.
struct Step {
  static constexpr int dim = 2;
  bool discontinuous(int j) const { return j == 0; }
  template <class T>
  T potential(const T* q) const {
    return T(0.5) * (q[0] * q[0] + q[1] * q[1]) + select(q[0] > T(0), T(0.5), T(0));
  }
};

TEST(Fault, KernelsThatDoNotSeeJumps) {
  const SampleOptions options = small_run();
  const auto error = [&](const Sampler& sampler, SampleOptions o) {
    CpuEngine<float, Step> engine(Step{}, options);
    return message_of([&] { run(engine, sampler, o); });
  };
  expect_says(error(Hmc{}, options), {"density jumps", "hmc would not see", "choose dhmc"});
  expect_says(error(Dhmc{}, options), {"include", "lockstep/dhmc.hpp"});
  EXPECT_EQ(error(RandomWalk{}, options), "");
  // The smooth coordinate's step size is known to be missing only once the target is bound.
  SampleOptions none = options;
  none.warmup = 0;
  expect_says(error(Dhmc{.hop = 1}, none), {"nothing tunes the step size"});
}

}  // namespace
}  // namespace lockstep
