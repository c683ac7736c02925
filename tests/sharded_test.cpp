// Several engines that share the chains of a run are one engine, bit for bit.

#include "kernels/launch/sharded.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/cpu.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "lockstep/error.hpp"
#include "tests/memory_archive.hpp"
#include "tests/same_recording.hpp"

namespace lockstep {
namespace {

using Target = EightSchoolsNc;
using Chains = CpuEngine<float, Target>;
constexpr int kDim = Target::dim;
constexpr std::int64_t kChains = 257;

SampleOptions options_for(std::int64_t chains) {
  SampleOptions options;
  options.chains = chains;
  options.seed = 11;
  options.threads = 1;
  return options;
}

std::unique_ptr<Engine> whole() {
  return std::make_unique<Chains>(Target{}, options_for(kChains));
}

/// Shards of these sizes; `first` may lie about where they begin.
std::unique_ptr<Engine> shards(const std::vector<std::int64_t>& sizes, bool numbered = true) {
  std::vector<std::unique_ptr<Engine>> parts;
  std::int64_t first = 0;
  for (const std::int64_t n : sizes) {
    parts.push_back(std::make_unique<Chains>(Target{}, options_for(n),
                                             numbered ? static_cast<std::uint64_t>(first) : 0));
    first += n;
  }
  return std::make_unique<ShardedEngine>(std::move(parts));
}

std::vector<double> starts() {
  std::vector<double> q(kDim * kChains);
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = std::sin(static_cast<double>(i));
  }
  return q;
}

/// Everything that an engine tells of a short run.
struct Outcome {
  std::vector<double> potential, gradient, positions, momenta;
  Statistics statistics;
  Draws draws;
  double warmup_acceptance, acceptance;
  std::int64_t divergences;
};

/// The last draws, and what is then told.
Outcome rest(Engine& engine, Outcome o) {
  const Pooled pooled = engine.advance_recording({69, 11, 0.2, 0});
  o.acceptance += pooled.acceptance * 11 / 75;
  o.divergences += pooled.divergences;
  engine.positions(o.positions);
  engine.momenta(o.momenta);
  const Draws copy = engine.draws();
  o.statistics = engine.statistics();
  o.draws = engine.take_draws();
  expect_same(copy, o.draws);
  return o;
}

/// @param other  an engine that continues what `engine` begins
Outcome outcome(Engine& engine, Engine* other = nullptr) {
  EXPECT_EQ(engine.description().chains, kChains);
  Ghmc ghmc;  // keeps momenta, so that those are compared too
  ghmc.leapfrog = 3;
  ghmc.step_size = 0.2;
  PreparedMetric metric;
  metric.kind = Metric::diagonal;
  metric.inverse_mass.assign(kDim, 1.0);
  metric.factor.assign(kDim, 1.0);
  engine.configure(ghmc, metric);
  engine.place(starts());

  Outcome o;
  o.potential.resize(kChains);
  for (auto* matrix : {&o.gradient, &o.positions, &o.momenta}) {
    matrix->resize(kDim * kChains);
  }
  engine.evaluations(o.potential, o.gradient);
  o.warmup_acceptance = engine.advance({0, 5, 0.2, 0}).acceptance;

  Recording recording;
  recording.draws = 75;
  recording.lags = 2;
  recording.centre.assign(kDim, 0.5);
  recording.keep_chains = 130;  // ends inside the second of two halves
  recording.thin = 2;
  recording.keep_parameters = {9, 0};
  engine.record(recording);
  const Pooled pooled = engine.advance_recording({5, 64, 0.2, 0});
  o.acceptance = pooled.acceptance * 64 / 75;
  o.divergences = pooled.divergences;
  if (other != nullptr) {  // takes over from here, not knowing what was recorded
    testing::MemoryArchive saved;
    engine.archive(saved);
    testing::MemoryArchive loaded(saved.memory());
    other->configure(ghmc, metric);
    other->archive(loaded);
    EXPECT_TRUE(loaded.at_end());
    testing::MemoryArchive again;
    other->archive(again);
    EXPECT_EQ(again.memory(), saved.memory());
    return rest(*other, o);
  }
  return rest(engine, o);
}
void expect_same(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.potential, b.potential);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.positions, b.positions);
  EXPECT_EQ(a.momenta, b.momenta);
  expect_same(a.statistics, b.statistics);
  expect_same(a.draws, b.draws);
  EXPECT_EQ(a.divergences, b.divergences);
  // Sums of the same terms, grouped by shard.
  EXPECT_NEAR(a.acceptance, b.acceptance, 1e-13);
  EXPECT_NEAR(a.warmup_acceptance, b.warmup_acceptance, 1e-13);
}

TEST(Sharded, EqualsOneEngine) {
  const Outcome one = outcome(*whole());
  ASSERT_EQ(one.draws.values.size(), 37u * 5 * 130);
  ASSERT_GT(one.acceptance, 0.5);
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{257}, {100, 157}, {200, 56, 1}}) {
    SCOPED_TRACE(sizes.size());
    expect_same(one, outcome(*shards(sizes)));
  }
}

TEST(Sharded, GoesOnFromAnArchive) {
  const Outcome one = outcome(*whole());
  expect_same(one, outcome(*whole(), whole().get()));
  const std::vector<std::int64_t> sizes{200, 56, 1};
  expect_same(one, outcome(*shards(sizes), shards(sizes).get()));
  testing::MemoryArchive empty(std::vector<char>(100));
  EXPECT_THROW(whole()->archive(empty), FileError);
}

TEST(Sharded, GlobalNumbersMatter) {
  const Outcome one = outcome(*whole());
  EXPECT_NE(one.positions, outcome(*shards({100, 157}, false)).positions);
}

TEST(Sharded, DealsChainsOverDevices) {
  struct Call {
    int device;
    std::int64_t first, chains;
    bool operator==(const Call&) const = default;
  };
  std::vector<Call> calls;
  const auto make = [&](int device, std::int64_t first, std::int64_t chains) {
    calls.push_back({device, first, chains});
    return std::make_unique<Chains>(Target{}, options_for(chains),
                                    static_cast<std::uint64_t>(first));
  };
  EXPECT_EQ(make_sharded(10, {}, make)->description().chains, 10);
  EXPECT_EQ(make_sharded(10, {3}, make)->description().chains, 10);
  EXPECT_EQ(make_sharded(10, {2, 0, 1}, make)->description().chains, 10);
  const std::vector<Call> expected{{0, 0, 10}, {3, 0, 10}, {2, 0, 3}, {0, 3, 3}, {1, 6, 4}};
  EXPECT_EQ(calls, expected);
  EXPECT_THROW(make_sharded(10, {1, 1}, make), UsageError);
  EXPECT_THROW(make_sharded(1, {0, 1}, make), UsageError);
}

/// Fails when it is told to move.
class Broken final : public Engine {
 public:
  explicit Broken(EngineDescription description) { description_ = std::move(description); }
  void configure(const Sampler&, const PreparedMetric&) override {}
  void place(std::span<const double>) override {}
  void evaluations(std::span<double>, std::span<double>) const override {}
  void positions(std::span<double>) const override {}
  void momenta(std::span<double>) const override {}
  void scale_steps(std::span<const double>) override {}
  void observed(int, std::span<double>) const override {}
  Pooled advance(const Launch&) override { throw BackendError("device 1 fell off"); }
  void record(const Recording&) override {}
  Pooled advance_recording(const Launch&) override { return {}; }
  Statistics statistics() const override { return {}; }
  Draws draws() const override { return {}; }
  Draws take_draws() override { return {}; }
  void archive(Archive&) override {}
};

TEST(Sharded, PassesOnWhatAShardThrew) {
  std::vector<std::unique_ptr<Engine>> parts;
  EngineDescription description;
  description.dim = kDim;
  description.chains = 1;
  parts.push_back(std::make_unique<Chains>(Target{}, options_for(64)));
  parts.push_back(std::make_unique<Broken>(description));
  ShardedEngine engine(std::move(parts));
  PreparedMetric metric;
  metric.inverse_mass.assign(kDim, 1.0);
  metric.factor.assign(kDim, 1.0);
  engine.configure(Hmc{.step_size = 0.1}, metric);
  engine.place(std::vector<double>(kDim * 65, 0.1));
  try {
    engine.advance({0, 1, 0.1, 0});
    FAIL() << "the error was lost";
  } catch (const BackendError& e) {
    EXPECT_STREQ(e.what(), "device 1 fell off");
  }
  EXPECT_THROW(ShardedEngine({}), UsageError);
}

}  // namespace
}  // namespace lockstep
