// Runs that stop and go on: the file, the halves of a run that is cut short, the same bits.

#include "host/io/checkpoint.hpp"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/io/whole_file.hpp"
#include "host/memory.hpp"
#include "host/registry.hpp"
#include "host/until.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"
#include "tests/message_of.hpp"
#include "tests/same_recording.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

class Folder : public ::testing::Test {
 protected:
  Folder() : folder_(fs::path(::testing::TempDir()) / unique_name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Folder() override { fs::remove_all(folder_); }
  fs::path operator/(const char* name) const { return folder_ / name; }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found.push_back(entry.path().filename());
    }
    return found;
  }

 private:
  static std::string unique_name() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    return std::string("lockstep_") + info->test_suite_name() + "_" + info->name();
  }
  fs::path folder_;
};

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// ---- the file ----------------------------------------------------------------------------------

struct State {
  std::vector<double> numbers{1.5, -0.0, 3e300};
  std::vector<std::string> words{"a", "", "three"};
  std::int64_t count = -7;
  void archive(Archive& a) { a(numbers, words, count); }
  bool operator==(const State&) const = default;
};

using CheckpointFile = Folder;

TEST_F(CheckpointFile, KeepsEveryBit) {
  const Checkpoint checkpoint(*this / "x", {{"chains", "64"}, {"seed", "1"}});
  EXPECT_FALSE(checkpoint.exists());
  State saved;
  checkpoint.save([&](Archive& a) { saved.archive(a); });
  EXPECT_TRUE(checkpoint.exists());
  State loaded{{}, {}, 0};
  checkpoint.restore([&](Archive& a) { loaded.archive(a); });
  EXPECT_EQ(loaded, saved);
  EXPECT_TRUE(std::signbit(loaded.numbers[1]));
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

TEST_F(CheckpointFile, TornDamagedOrForeignIsNeverRead) {
  const fs::path file = *this / "x";
  const Checkpoint checkpoint(file, {{"chains", "64"}});
  State state;
  checkpoint.save([&](Archive& a) { state.archive(a); });
  const std::string whole = contents(file);
  const auto refused = [&](const std::string& text, const char* says = "") {
    write(file, text);
    const std::string error = message_of<FileError>(
        [&] { checkpoint.restore([](Archive&) { FAIL() << "state was read"; }); });
    EXPECT_NE(error.find("checkpoint " + file.string()), std::string::npos) << error;
    EXPECT_NE(error.find(says), std::string::npos) << error;
    EXPECT_NE(error.find("name another file"), std::string::npos) << error;
  };
  for (std::size_t n = 0; n < whole.size(); ++n) {
    refused(whole.substr(0, n));
  }
  refused(whole + "x");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string text = whole;
    text[i] = static_cast<char>(text[i] ^ 0x10);
    refused(text);
  }
  refused("chains,draws\n1,2\n", "no checkpoint");
  refused(whole.substr(0, 40), "truncated");
  refused(whole.substr(0, whole.size() - 1), "torn");
  std::string other = whole;
  other[20] = 2;
  refused(other, "format version 2");
  other = whole;
  other.back() = static_cast<char>(other.back() + 1);
  refused(other, "checksum");
}

TEST_F(CheckpointFile, OfAnotherRunIsRefusedWithWhatDiffers) {
  const fs::path file = *this / "x";
  State state;
  const auto archive = [&](Archive& a) { state.archive(a); };
  Checkpoint(file, {{"chains", "64"}, {"seed", "1"}, {"step_size", "0.1"}}).save(archive);
  const std::string error = message_of([&] {
    Checkpoint(file, {{"chains", "64"}, {"seed", "2"}, {"step_size", "0.25"}})
        .restore([](Archive&) { FAIL() << "state was read"; });
  });
  for (const char* says : {file.c_str(), "seed was 1 and is now 2",
                           "step_size was 0.1 and is now 0.25", "delete it"}) {
    EXPECT_NE(error.find(says), std::string::npos) << error;
  }
  EXPECT_EQ(error.find("chains"), std::string::npos) << error;
}

TEST_F(CheckpointFile, HoldsExactlyTheState) {
  const Checkpoint checkpoint(*this / "x", {});
  double number = 1;
  checkpoint.save([&](Archive& a) { a(number, number); });
  EXPECT_THROW(checkpoint.restore([&](Archive& a) { a(number); }), FileError);
  EXPECT_THROW(checkpoint.restore([&](Archive& a) { a(number, number, number); }), FileError);
  std::vector<double> vector;  // whose size the file does not hold
  EXPECT_THROW(checkpoint.restore([&](Archive& a) { a(vector); }), FileError);
}

TEST_F(CheckpointFile, AFailureLeavesTheOlderOne) {
  const fs::path file = *this / "x";
  const Checkpoint checkpoint(file, {});
  double number = 42;
  checkpoint.save([&](Archive& a) { a(number); });
  const std::string before = contents(file);
  EXPECT_THROW(checkpoint.save([&](Archive& a) {
    std::vector<double> much(1'000'000);
    a(much);
    throw BackendError("the card fell off");
  }),
               BackendError);
  EXPECT_EQ(contents(file), before);
  EXPECT_EQ(names(), std::vector<std::string>{"x"});
  EXPECT_NE(message_of<FileError>([&] { WholeFileWriter(*this / "absent" / "x"); }).find("absent"),
            std::string::npos);
  EXPECT_NE(message_of<FileError>([] { WholeFileWriter("/dev/null"); }).find("/dev/null"),
            std::string::npos);
}

// ---- runs --------------------------------------------------------------------------------------

SampleOptions small_run() {
  SampleOptions options;
  options.chains = 128;
  options.warmup = 40;
  options.draws = 150;
  options.seed = 3;
  options.backend = Backend::cpu;
  options.keep_chains = 5;
  options.thin = 2;
  options.checkpoint_minutes = 0;
  return options;
}

Fit run_target(const std::string& target, const Sampler& sampler, const SampleOptions& options) {
  const auto engine = find_target(target).make({}, options);
  return run(*engine, sampler, options);
}

void expect_same(const Fit& a, const Fit& b) {
  EXPECT_EQ(a.digest(), b.digest());
  EXPECT_EQ(a.positions, b.positions);
  EXPECT_EQ(a.stop, b.stop);
  EXPECT_EQ(a.missing, b.missing);
  EXPECT_EQ(a.draws_done, b.draws_done);
  EXPECT_EQ(a.sampler.step_size, b.sampler.step_size);
  EXPECT_EQ(a.sampler.leapfrog, b.sampler.leapfrog);
  EXPECT_EQ(a.sampler.hop, b.sampler.hop);
  EXPECT_EQ(a.sampler.hop_scale, b.sampler.hop_scale);
  ASSERT_EQ(a.visits.size(), b.visits.size());
  for (std::size_t i = 0; i < a.visits.size(); ++i) {
    EXPECT_EQ(a.visits[i].hop, b.visits[i].hop);
    EXPECT_EQ(a.visits[i].mass, b.visits[i].mass);
    EXPECT_EQ(a.visits[i].no_flip, b.visits[i].no_flip);
  }
  EXPECT_EQ(a.metric.kind, b.metric.kind);
  EXPECT_EQ(a.metric.inverse_mass, b.metric.inverse_mass);
  EXPECT_EQ(a.divergences, b.divergences);
  EXPECT_EQ(a.warmup_divergences, b.warmup_divergences);
  EXPECT_EQ(a.gradients_warmup, b.gradients_warmup);
  EXPECT_EQ(a.gradients_sampling, b.gradients_sampling);
  EXPECT_EQ(a.warmup_done, b.warmup_done);
  EXPECT_EQ(a.step_factors, b.step_factors);
  EXPECT_EQ(a.stranded.size(), b.stranded.size());
  ASSERT_EQ(a.adaptation.size(), b.adaptation.size());
  for (std::size_t t = 0; t < a.adaptation.size(); ++t) {
    EXPECT_EQ(a.adaptation[t].step_size, b.adaptation[t].step_size) << t;
    EXPECT_EQ(a.adaptation[t].length, b.adaptation[t].length) << t;
    EXPECT_EQ(a.adaptation[t].acceptance, b.adaptation[t].acceptance) << t;
    EXPECT_EQ(a.adaptation[t].new_metric, b.adaptation[t].new_metric) << t;
    EXPECT_EQ(a.adaptation[t].hop, b.adaptation[t].hop) << t;
    EXPECT_EQ(a.adaptation[t].no_flip, b.adaptation[t].no_flip) << t;
  }
  expect_same(a.statistics, b.statistics);
  expect_same(a.draws, b.draws);
  expect_same(a.warmup_draws, b.warmup_draws);
}

struct Crash {};

/// The run, which crashes at its n-th, 2n-th, ... launch or transition of the warm-up and is
/// started again each time, until it gets to its end.
Fit crashing(const std::string& target, const Sampler& sampler, SampleOptions options, int n) {
  for (int round = 0; round < 1000; ++round) {
    int calls = 0;
    options.threads = 1 + round % 2;
    options.progress = [&](const Progress&) {
      if (++calls == n) {
        throw Crash{};
      }
      return true;
    };
    try {
      return run_target(target, sampler, options);
    } catch (const Crash&) {
    }
  }
  throw Error("it never got to its end");
}

using Resume = Folder;

TEST_F(Resume, GivesTheSameBits) {
  struct Case {
    const char* target;
    Sampler sampler;
    int warmup;
    Until until;
    Adaptation adaptation = {};
  };
  const Adaptation windowed{.schedule = Schedule::windowed};
  const Adaptation per_chain{.per_chain_step_size = true};
  const Case cases[] = {
      {"eight-schools-nc", Hmc{}, 40, {}},
      {"scg", Hmc{.metric = Metric::dense}, 60, {}},
      {"scg", RandomWalk{}, 40, {}},
      {"mog", Ghmc{.step_size = 0.1, .persistence = 0.9}, 0, {}},
      {"eight-schools-nc", Hmc{}, 40, {.nested_rhat = 1.05, .ess = 2000}},
      {"icg", Hmc{.metric = Metric::fisher, .length = Length::chees}, 40, {}},
      {"banana", Hmc{.metric = Metric::low_rank, .length = Length::snaper}, 40, {}, windowed},
      {"eight-schools-nc", Mala{.metric = Metric::diagonal}, 40, {}, per_chain},
      {"mixed-grid", Dhmc{}, 40, {}},
      {"integer-grid", Dhmc{.hop_per_coordinate = true}, 40, {}},
  };
  for (const Case& c : cases) {
    SampleOptions options = small_run();
    options.warmup = c.warmup;
    options.until = c.until;
    options.adaptation = c.adaptation;
    options.keep_warmup = true;
    options.draws = c.until.any() ? 2000 : 150;
    options.lags = 3;
    const Fit whole = run_target(c.target, c.sampler, options);
    EXPECT_EQ(whole.stop, c.until.any() ? Stop::until : Stop::draws);
    for (const int n : {2, 3, 17}) {
      SCOPED_TRACE(std::string(c.target) + ", a crash at every " + std::to_string(n) + "th launch");
      options.checkpoint = *this / "state";
      const Fit fit = crashing(c.target, c.sampler, options, n);
      expect_same(fit, whole);
      // A finished run only reports again.
      SampleOptions again = options;
      again.progress = [](const Progress&) {
        ADD_FAILURE() << "it ran on";
        return true;
      };
      expect_same(run_target(c.target, c.sampler, again), whole);
      fs::remove(options.checkpoint);
    }
  }
}

TEST_F(Resume, GoesOnAfterAnInterruptionAndAfterTheHoursAreUp) {
  SampleOptions options = small_run();
  options.warmup = 30;
  const Fit whole = run_target("eight-schools-nc", Hmc{}, options);
  options.checkpoint = *this / "state";
  options.checkpoint_minutes = 1000;
  for (const int calls : {10, 12, 5}) {  // in the warm-up, in the warm-up, while sampling
    int left = calls;
    options.progress = [&](const Progress&) { return --left > 0; };
    const Fit fit = run_target("eight-schools-nc", Hmc{}, options);
    EXPECT_TRUE(fit.interrupted);
    EXPECT_EQ(fit.stop, Stop::interrupted);
    EXPECT_LT(fit.draws_done, options.draws);
  }
  options.progress = nullptr;
  options.max_hours = 1e-12;
  const Fit fit = run_target("eight-schools-nc", Hmc{}, options);
  EXPECT_FALSE(fit.interrupted);
  EXPECT_EQ(fit.stop, Stop::hours);
  EXPECT_NE(fit.summary().find("hours are up"), std::string::npos);
  options.max_hours = 0;
  expect_same(run_target("eight-schools-nc", Hmc{}, options), whole);
}

TEST_F(Resume, IsRefusedWhereTheResultWouldBeAnother) {
  SampleOptions options = small_run();
  options.warmup = 0;
  options.checkpoint = *this / "state";
  const Hmc hmc{.step_size = 0.1};
  run_target("scg", hmc, options);
  const auto refusal = [&](const std::string& target, const Sampler& sampler,
                           const SampleOptions& o) {
    return message_of([&] { run_target(target, sampler, o); });
  };
  const auto with = [&](auto change) {
    SampleOptions o = options;
    change(o);
    return refusal("scg", hmc, o);
  };
  EXPECT_NE(with([](auto& o) { o.seed = 4; }).find("seed was 3 and is now 4"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.chains = 64; }).find("chains"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.draws = 151; }).find("draws was 150"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.thin = 3; }).find("thin"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.until.ess = 3; }).find("until ess"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.precision = Precision::double_; }).find("precision was float"),
            std::string::npos);
  EXPECT_NE(with([](auto& o) { o.adaptation.regularise = false; }).find("regularise"),
            std::string::npos);
  EXPECT_NE(refusal("scg", Hmc{.step_size = 0.2}, options).find("step_size was 0.1"),
            std::string::npos);
  EXPECT_NE(refusal("banana", hmc, options).find("potential at fixed points"), std::string::npos);
  // The same target told something else.
  TargetOptions wider;
  wider.small_variance = 0.02;
  const auto engine = find_target("scg").make(wider, options);
  EXPECT_NE(message_of([&] { run(*engine, hmc, options); }).find("potential"), std::string::npos);
  EXPECT_EQ(with([](auto& o) {
              o.threads = 2;
              o.max_hours = 5;
              o.checkpoint_minutes = 7;
            }),
            "");
}

// ---- until -------------------------------------------------------------------------------------

TEST(Until, LooksAtFixedNumbersOfDraws) {
  const std::int64_t looks[] = {64, 96, 128, 192, 256, 384, 512, 768, 1024};
  std::int64_t done = 0;
  for (const std::int64_t look : looks) {
    EXPECT_EQ(next_look(done), look);
    EXPECT_EQ(next_look(look - 1), look);
    done = look;
  }
}

TEST(Until, StopsAtTheFirstLookThatIsGoodEnough) {
  for (const std::int64_t chains : {1024, 16}) {
    SCOPED_TRACE(chains);
    SampleOptions options = small_run();
    options.chains = chains;
    options.superchain = 4;
    options.keep_chains = 256;
    options.thin = 1;
    options.warmup = 100;
    options.draws = 10'000;
    options.until = {.nested_rhat = 1.1, .ess = 40.0 * chains, .mcse = 0.1};
    const Fit fit = run_target("eight-schools-nc", Hmc{}, options);
    ASSERT_EQ(fit.stop, Stop::until);
    EXPECT_TRUE(fit.missing.empty());
    EXPECT_FALSE(fit.interrupted);
    EXPECT_LT(fit.draws_done, options.draws);
    EXPECT_GE(fit.draws_done, 64);
    EXPECT_EQ(next_look(fit.draws_done - 1), fit.draws_done);
    for (const ParameterSummary& p : fit.parameters) {
      EXPECT_LE(p.nested_rhat, 1.1);
      EXPECT_GE(chains >= 64 ? p.ess_between : p.ess_bulk, 40.0 * chains);
      EXPECT_LE(p.mcse, 0.1 * p.sd);
    }
    // As many draws as the look before had do not do.
    std::int64_t before = 0;
    for (std::int64_t look = next_look(0); look < fit.draws_done; look = next_look(look)) {
      before = look;
    }
    ASSERT_GT(before, 0) << "the test asks for too little";
    options.draws = static_cast<int>(before);
    const Fit less = run_target("eight-schools-nc", Hmc{}, options);
    EXPECT_EQ(less.stop, Stop::draws);
    EXPECT_FALSE(less.missing.empty());
    EXPECT_NE(less.summary().find("not reached yet: " + less.missing), std::string::npos);
  }
}

TEST(Until, StopsEquallyForAnyThreads) {
  SampleOptions options = small_run();
  options.until.ess = 9000;
  options.draws = 3000;
  options.threads = 1;
  const Fit one = run_target("eight-schools-nc", Hmc{}, options);
  options.threads = 2;
  expect_same(run_target("eight-schools-nc", Hmc{}, options), one);
  EXPECT_EQ(one.stop, Stop::until);
}

TEST(Until, HalvesAreEvenOrTwoToOne) {
  SampleOptions options = small_run();
  options.warmup = 0;
  options.until.ess = 1e12;
  options.draws = 500;
  for (const int draws : {64, 96, 128, 192, 256, 384, 500}) {
    options.draws = draws;
    const Fit fit = run_target("scg", Hmc{.step_size = 0.1}, options);
    EXPECT_EQ(fit.statistics.draws[0] + fit.statistics.draws[1], draws);
    EXPECT_GE(fit.statistics.draws[1], draws / 3);
    EXPECT_GE(fit.statistics.draws[0], fit.statistics.draws[1]);
  }
}

TEST(Until, SaysWhatIsMissing) {
  Fit fit;
  ParameterSummary good, bad, constant;
  good = {.name = "good", .mean = 0, .sd = 2, .mcse = 0.01};
  good.nested_rhat = 1.001;
  good.ess_between = 500;
  bad = good;
  bad.name = "bad";
  bad.nested_rhat = 1.2;
  bad.ess_between = 40;
  bad.mcse = 0.5;
  constant.name = "constant";
  constant.sd = 0;
  fit.parameters = {good, constant};
  const Until until{.nested_rhat = 1.01, .ess = 400, .mcse = 0.01};
  EXPECT_EQ(lacking(until, fit), "");
  fit.parameters = {good, bad, constant};
  EXPECT_EQ(lacking(until, fit),
            "nested R-hat 1.2000 (bad) above 1.01, ESS 40 (bad) below 400, MCSE/sd 0.2500 (bad) "
            "above 0.01");
  EXPECT_EQ(lacking({.ess = 39}, fit), "");
  fit.parameters[0].ess_between = NAN;  // as bad as can be, even beside a bad one
  EXPECT_EQ(lacking({.ess = 400}, fit), "ESS unknown (good) below 400");
}

TEST(Until, NonsenseIsRefusedBeforeSampling) {
  const SampleOptions good = small_run();
  const auto with = [&](auto change) {
    SampleOptions o = good;
    change(o);
    return message_of([&] { validate(Hmc{}, o, 3); });
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_NE(with([](auto& o) { o.until.nested_rhat = 0.9; }).find("above 1"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.until.ess = -1; }).find("ess is -1"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.until.mcse = NAN; }).find("mcse is nan"), std::string::npos);
  const std::string error = with([](auto& o) {
    o.chains = 48;
    o.until.nested_rhat = 1.01;
  });
  EXPECT_NE(error.find("48 chains in superchains of 16 are 3"), std::string::npos) << error;
  EXPECT_NE(with([](auto& o) {
              o.chains = 63;
              o.until.ess = 10;
              o.keep_chains = 0;
            }).find("kept draws"),
            std::string::npos);
  EXPECT_NE(with([](auto& o) { o.max_hours = -1; }).find("max_hours is -1"), std::string::npos);
  EXPECT_NE(with([](auto& o) { o.checkpoint_minutes = NAN; }).find("checkpoint_minutes"),
            std::string::npos);
}

// ---- memory ------------------------------------------------------------------------------------

TEST(Memory, TooManyDrawsAreRefusedWithTheSizes) {
  SampleOptions options = small_run();
  options.chains = 1 << 20;
  options.draws = 1 << 20;
  options.thin = 1;
  options.keep_chains = -1;
  // 2^40 draws of 10 parameters, 3 other figures and 12 columns to work in: 8 bytes each.
  EXPECT_EQ(memory_needs(options, 10).draws, std::ldexp(8.0 * (10 + 3 + 12), 40));
  const std::string error = message_of([&] { validate(Hmc{}, options, 10); });
  for (const char* says : {"200 TiB", "--keep-chains", "--thin", "can be had"}) {
    EXPECT_NE(error.find(says), std::string::npos) << error;
  }
  options.keep_chains = 4;
  options.thin = 1000;
  EXPECT_EQ(message_of([&] { validate(Hmc{}, options, 10); }), "");
  EXPECT_NE(message_of([&] { require_memory(options, 10, 1e6); }).find("fewer chains"),
            std::string::npos);
}

using Machine = Folder;

TEST_F(Machine, OffersTheLeastOfWhatAnyoneAllows) {
  const auto file = [&](const char* name, const std::string& text) {
    fs::create_directories((*this / name).parent_path());
    write(*this / name, text);
  };
  const fs::path root = *this / "";
  EXPECT_TRUE(std::isinf(memory_available(root)));  // nobody says
  file("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:     1000 kB\n");
  EXPECT_EQ(memory_available(root), 1000 * 1024);
  // Version 2: the parent of this process' group allows least, of which it uses some.
  file("proc/self/cgroup", "0::/jobs/mine\n");
  file("sys/fs/cgroup/jobs/mine/memory.max", "max\n");
  file("sys/fs/cgroup/jobs/memory.max", "700000\n");
  file("sys/fs/cgroup/jobs/memory.current", "300000\n");
  EXPECT_EQ(memory_available(root), 400000);
  file("sys/fs/cgroup/jobs/memory.stat", "anon 7\ninactive_file 100000\n");
  EXPECT_EQ(memory_available(root), 500000);
  // Version 1.
  file("proc/self/cgroup", "3:cpu:/a\n7:memory,other:/b\n");
  file("sys/fs/cgroup/memory/b/memory.limit_in_bytes", "90000\n");
  file("sys/fs/cgroup/memory/b/memory.usage_in_bytes", "100000\n");
  EXPECT_EQ(memory_available(root), 0);
  EXPECT_GT(memory_available(), 1e6);
}

}  // namespace
}  // namespace lockstep
