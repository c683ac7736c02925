// Discontinuous HMC as a user writes it: README.md's target, with nothing but its potential and
// which coordinates are discontinuous.

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/targets/embedding.hpp"
#include "lockstep/dhmc.hpp"
#include "lockstep/lockstep.hpp"
#include "tests/message_of.hpp"

/// Of N numbered tanks five were seen, number 60 the highest: pi(N) ~ 1 / C(N, 5) on 60..2000.
struct Tanks {
  static constexpr int dim = 1;
  lockstep::LogCells cells{60, 2000};  // counts: a step is a factor

  LOCKSTEP_HD bool discontinuous(int) const { return true; }
  template <class T>
  LOCKSTEP_HD T potential(const T* q) const {
    const T n = cells.index(q[0]);
    T u = cells.log_width(n);
    for (int k = 0; k < 5; ++k) {
      u = u + lockstep::log(n - T(static_cast<float>(k)));
    }
    return lockstep::select(cells.contains(n), u, T(std::numeric_limits<float>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    x[0] = cells.index(q[0]);
  }
  void start(const double* u, double* q) const {
    q[0] = cells.middle(60 + static_cast<int>(500 * u[0]));
  }
  std::vector<std::string> names() const { return {"tanks"}; }
};

namespace lockstep {
namespace {

SampleOptions run_of(std::int64_t chains, int warmup, Precision precision = Precision::single_) {
  SampleOptions options;
  options.chains = chains;
  options.warmup = warmup;
  options.precision = precision;
  return options;
}

TEST(DhmcApi, SamplesATargetWithAPotentialOnly) {
  double mass = 0, mean = 0;
  for (int n = 60; n <= 2000; ++n) {
    double weight = 1;
    for (int k = 0; k < 5; ++k) {
      weight /= n - k;
    }
    mass += weight;
    mean += weight * n;
  }
  mean /= mass;
  for (const Sampler& sampler : {Sampler(Dhmc{}), Sampler(MixedHmc{}), Sampler(Gibbs{})}) {
    const Fit fit = sample(Tanks{}, sampler, run_of(4096, 300));
    const ParameterSummary& tanks = fit.parameters[0];
    EXPECT_EQ(tanks.name, "tanks");
    EXPECT_LT(std::abs(tanks.mean - mean), 4 * tanks.mcse);
    EXPECT_LT(tanks.nested_rhat, 1.01);
    for (const double n : fit.draws.column(0)) {
      ASSERT_TRUE(n == std::floor(n) && 60 <= n && n <= 2000) << n;
    }
    EXPECT_NEAR(fit.no_flip(), sampler.method == Method::dhmc ? 0.8 : 0.44, 0.01);
  }
}

TEST(DhmcApi, SamplesInDoubleAndByARandomWalkToo) {
  const SampleOptions options = run_of(1024, 300, Precision::double_);
  const Fit dhmc = sample(Tanks{}, Dhmc{}, options);
  const Fit walk = sample(Tanks{}, RandomWalk{}, options);
  const ParameterSummary &a = dhmc.parameters[0], &b = walk.parameters[0];
  EXPECT_LT(std::abs(a.mean - b.mean), 4 * std::hypot(a.mcse, b.mcse));
  EXPECT_TRUE(walk.visits.empty());
  EXPECT_TRUE(std::isnan(walk.no_flip()));
}

struct Smooth {
  static constexpr int dim = 1;
  template <class T>
  T potential(const T* q) const {
    return T(0.5) * q[0] * q[0];
  }
};

template <class Target>
std::string error_of(const Target& target, const Sampler& sampler) {
  return message_of([&] { sample(target, sampler, run_of(64, 20)); });
}

TEST(DhmcApi, ASamplerThatDoesNotSuitTheTargetIsASentence) {
  EXPECT_EQ(error_of(Smooth{}, Dhmc{}),
            "dhmc is for targets whose density jumps, and this one's is smooth: choose hmc");
  EXPECT_EQ(error_of(Smooth{}, Gibbs{}),
            "gibbs is for targets whose density jumps, and this one's is smooth: choose hmc");
  for (const auto& [sampler, name] :
       {std::pair<Sampler, const char*>(Hmc{}, "hmc"), {Mala{}, "mala"}, {Ghmc{}, "ghmc"}}) {
    EXPECT_EQ(error_of(Tanks{}, sampler),
              std::string("this target's density jumps, which ") + name +
                  " would not see: choose dhmc, mixed-hmc, gibbs or rwm");
  }
  EXPECT_EQ(error_of(Smooth{}, Hmc{}), "");
}

TEST(DhmcApi, WithoutWarmUpNothingIsTuned) {
  const SampleOptions options = run_of(64, 0);
  EXPECT_THROW(sample(Tanks{}, Dhmc{}, options), UsageError);
  EXPECT_THROW(sample(Tanks{}, Dhmc{.step_size = 1}, options), UsageError);
  EXPECT_EQ(sample(Tanks{}, Dhmc{.hop = 0.5}, options).sampler.step_size, 1);  // nothing is smooth
}

}  // namespace
}  // namespace lockstep
