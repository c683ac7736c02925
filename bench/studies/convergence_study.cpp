#include "bench/studies/convergence_study.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "bench/cli/progress.hpp"
#include "bench/cli/table.hpp"
#include "bench/studies/convergence.hpp"
#include "host/registry.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

namespace {

constexpr int kLongestWarmup = 1000, kMostDraws = 4096;

constexpr const char* kLaps =
    "LAPS, 4096 chains (arXiv 2601.16696), whose starts and spectrum may differ";

/// How a target is sampled, and what others need until its bias is small (NaN: not told).
struct Case {
  const char* target;
  bool agreement, bias;
  int leapfrog;
  LengthJitter jitter;
  Metric metric;
  double target_acceptance;
  double start_radius;
  double laps;
};

constexpr double kUntold = StudyRow::kUnknown;
const Case kCases[] = {
    {"icg", true, true, 5, LengthJitter::uniform, Metric::automatic, 0.8, 2, kUntold},
    {"icg-100", false, true, 5, LengthJitter::uniform, Metric::automatic, 0.65, 2, 308},
    {"eight-schools-nc", true, true, 6, LengthJitter::uniform, Metric::automatic, 0.9, 2, kUntold},
    {"german-credit", true, true, 5, LengthJitter::uniform, Metric::automatic, 0.8, 2, kUntold},
    {"german-credit-sparse", true, true, 10, LengthJitter::uniform, Metric::automatic, 0.8, 0.3,
     300},
    {"funnel-nc", true, true, 4, LengthJitter::uniform, Metric::automatic, 0.8, 2, kUntold},
    {"banana", true, true, 10, LengthJitter::none, Metric::unit, 0.9, 2, 17},
};

Hmc sampler_of(const Case& c) {
  Hmc hmc;
  hmc.leapfrog = c.leapfrog;
  hmc.length_jitter = c.jitter;
  hmc.metric = c.metric;
  hmc.target_acceptance = c.target_acceptance;
  return hmc;
}

SampleOptions options_of(const Case& c, const StudySettings& settings, int repetition) {
  SampleOptions options = bench::options_of(settings, repetition);
  options.warmup = kLongestWarmup;
  options.draws = kMostDraws;
  options.start_radius = c.start_radius;
  options.keep_chains = 0;
  return options;
}

/// Figures of one repetition; NaN where it did not get there.
struct Figures {
  double gradients = StudyRow::kUnknown, warmup = StudyRow::kUnknown;
  double transitions = StudyRow::kUnknown, seconds = StudyRow::kUnknown;
  double to_bias = StudyRow::kUnknown;
  bool interrupted = false;
};

/// Samples until superchains agree.
void to_agreement(const Case& c, const StudySettings& settings, int repetition, Figures& f) {
  SampleOptions options = options_of(c, settings, repetition);
  options.until.nested_rhat = kAgreement;
  ProgressBar bar(c.target, options.chains);
  options.progress = bar.callback();
  const auto engine = engine_of(c.target, settings, options);
  const Fit fit = run(*engine, sampler_of(c), options);
  f.interrupted = fit.stop == Stop::interrupted;
  if (fit.stop == Stop::until) {
    f.gradients = static_cast<double>(fit.gradients_total());
    f.warmup = static_cast<double>(fit.gradients_warmup);
    f.transitions = fit.warmup_done;
    f.seconds = fit.seconds.total();
  }
}

/// From a long run.
SecondMoments law_of(const Case& c, const StudySettings& settings) {
  SampleOptions options = options_of(c, settings, 0);
  options.seed += 1'000'000;
  options.draws = 1024;
  Hmc sampler = sampler_of(c);
  sampler.target_acceptance = std::max(sampler.target_acceptance, 0.9);
  options.adaptation.stop_early = false;
  ProgressBar bar(std::string(c.target) + ", its moments", options.chains);
  options.progress = bar.callback();
  const auto engine = engine_of(c.target, settings, options);
  const Fit fit = run(*engine, sampler, options);
  return second_moments(fit);
}

/// Gradients until the ensemble after one transition has small bias: of the warm-up as it goes, and
/// of the frozen sampler after it.
double to_small_bias(const Case& c, const StudySettings& settings, int repetition,
                     const SecondMoments& moments) {
  const SampleOptions options = options_of(c, settings, repetition);
  const auto engine = engine_of(c.target, settings, options);
  return travel(*engine, sampler_of(c), options, {}, {.moments = moments, .draws = kMostDraws})
      .bias;
}

void add_rows(const Case& c, const std::vector<Figures>& repetitions, StudyResult& result) {
  constexpr std::pair<const char*, double Figures::*> figures[] = {
      {"gradients_to_rhat", &Figures::gradients},       {"gradients_of_warmup", &Figures::warmup},
      {"transitions_of_warmup", &Figures::transitions}, {"seconds_to_rhat", &Figures::seconds},
      {"gradients_to_bias", &Figures::to_bias},
  };
  for (const auto& [metric, member] : figures) {
    const bool of_bias = member == &Figures::to_bias;
    if (of_bias ? !c.bias : !c.agreement) {
      continue;
    }
    std::vector<double> values;
    for (const Figures& f : repetitions) {
      values.push_back(f.*member);
    }
    const OverSeeds over = over_seeds(values);
    StudyRow row{c.target, "hmc", metric, over.mean, over.mcse};
    if (of_bias && std::isfinite(c.laps)) {
      row.reference = c.laps;
      row.source = kLaps;
    }
    result.rows.push_back(row);
    if (metric == figures[0].first && std::isnan(over.mean)) {
      result.notes.push_back(std::string(c.target) + ": superchains did not agree to " +
                             significant(kAgreement) + " in every repetition");
    }
    if (of_bias) {
      const std::string name = c.target;
      result.notes.push_back(
          std::isnan(over.mean)
              ? name + ": the squared bias did not get below " + significant(kSmallBias)
              : name + ": " + significant(over.mean) +
                    " gradients a chain until the squared bias of every second moment is below " +
                    significant(kSmallBias) +
                    (std::isfinite(c.laps) ? "; LAPS takes " + significant(c.laps) : ""));
    }
  }
}

StudyResult run_study(const StudySettings& settings) {
  StudyResult result;
  StudySettings many = settings;
  many.chains = std::max(settings.chains, kBiasChains);
  for (const Case& c : chosen(settings, kCases)) {
    const SecondMoments moments = c.bias ? law_of(c, settings) : SecondMoments{};
    std::vector<Figures> repetitions;
    for (int i = 0; i < settings.seeds; ++i) {
      Figures f;
      if (c.agreement) {
        to_agreement(c, settings, i, f);
      }
      if (c.bias && !f.interrupted) {
        f.to_bias = to_small_bias(c, many, i, moments);
      }
      if (f.interrupted) {
        result.interrupted = true;
        return result;
      }
      repetitions.push_back(f);
    }
    add_rows(c, repetitions, result);
    result.cases[c.target] = to_json(Sampler(sampler_of(c)));
    result.cases[c.target].update({{"start_radius", c.start_radius}});
  }
  return result;
}

}  // namespace

Study convergence_study() {
  Study study;
  study.name = "convergence";
  study.description =
      "gradients from the start, warm-up included, to nested R-hat < 1.01 and to squared bias < "
      "0.01";
  study.defaults.chains = 1024;
  study.defaults.seeds = 5;
  study.run = run_study;
  return study;
}

}  // namespace lockstep::bench
