#include "bench/studies/default_study.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "bench/cli/progress.hpp"
#include "bench/cli/table.hpp"
#include "host/registry.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

namespace {

constexpr double kConverged = 1.01;  // nested R-hat below which chains agree
constexpr double kRight = 4;         // errors in MCSE

/// How a target is sampled.
struct Case {
  const char* target;
  int warmup, draws;
  int leapfrog;  // mean; the number is uniform on 1..2 leapfrog - 1
  Metric metric;
  double target_acceptance;
  double start_radius;
  const char* beyond;  // why HMC cannot sample it; null if it can
};

// Leapfrog: about a quarter turn of the widest direction in the metric that warm-up finds. The
// rough well's ripples (amplitude 1e-2, period 0.06) make long steps a lottery, and a lower
// acceptance buys more; the banana's arms and eight schools' neck need smaller steps, or
// trajectories diverge.
constexpr Case kCases[] = {
    {"std-normal", 200, 300, 3, Metric::automatic, 0.8, 2, nullptr},
    {"icg", 300, 300, 4, Metric::automatic, 0.8, 2, nullptr},
    {"scg", 300, 300, 3, Metric::automatic, 0.8, 2, nullptr},
    {"mog", 300, 500, 5, Metric::automatic, 0.8, 4,
     "its modes are 12 widths apart: the share of each is that of the starts"},
    {"mog2", 300, 500, 5, Metric::automatic, 0.95, 8,
     "its modes are 10 apart, and the wide one swallows chains during warm-up and keeps them, "
     "which "
     "R-hat shows only as long as some are left in the narrow one"},
    {"rough-well", 300, 1000, 10, Metric::unit, 0.6, 2, nullptr},
    {"banana", 500, 2000, 20, Metric::unit, 0.98, 2, nullptr},
    {"funnel", 500, 1000, 20, Metric::unit, 0.95, 2,
     "its neck is narrower than any one step size: chains hardly enter it, so v is too large"},
    {"funnel-nc", 200, 500, 3, Metric::automatic, 0.8, 2, nullptr},
    {"eight-schools-nc", 300, 500, 6, Metric::automatic, 0.98, 2, nullptr},
};

/// Figures of one run.
struct Figures {
  double per_transition, per_gradient, per_second;
  double acceptance, divergences;
  double worst_error;  // in MCSE, of means and standard deviations
  double nested_rhat;
  double seconds;
};

constexpr std::pair<const char*, double Figures::*> kFigures[] = {
    {"ess_per_transition_min", &Figures::per_transition},
    {"ess_per_gradient_min", &Figures::per_gradient},
    {"ess_per_second_min", &Figures::per_second},
    {"acceptance", &Figures::acceptance},
    {"divergences", &Figures::divergences},
    {"worst_error_in_mcse", &Figures::worst_error},
    {"nested_rhat_max", &Figures::nested_rhat},
    {"seconds", &Figures::seconds},
};

Hmc sampler_of(const Case& c) {
  Hmc hmc;
  hmc.leapfrog = c.leapfrog;
  hmc.metric = c.metric;
  hmc.target_acceptance = c.target_acceptance;
  return hmc;
}

Fit run_case(const Case& c, const StudySettings& settings, int repetition) {
  SampleOptions options = options_of(settings, repetition);
  options.warmup = c.warmup;
  options.draws = c.draws;
  options.start_radius = c.start_radius;
  ProgressBar bar(c.target, options.chains);
  options.progress = bar.callback();
  const auto engine = engine_of(c.target, settings, options);
  return run(*engine, sampler_of(c), options);
}

Figures figures_of(const Fit& fit) {
  return {fit.ess_per_transition_min(),
          fit.ess_per_gradient_min(),
          fit.ess_per_second_min(),
          fit.acceptance,
          static_cast<double>(fit.divergences),
          worst_error_in_mcse(fit),
          fit.nested_rhat_max(),
          fit.seconds.total()};
}

/// One figure of all repetitions.
OverSeeds over_seeds(const std::vector<Figures>& repetitions, double Figures::*member) {
  std::vector<double> values;
  for (const Figures& f : repetitions) {
    values.push_back(f.*member);
  }
  return bench::over_seeds(values);
}

/// Whether the case was sampled right, in a sentence; empty if it was and was meant to be.
std::string verdict(const Case& c, double nested_rhat, double worst) {
  const std::string name(c.target);
  if (c.beyond != nullptr) {
    return name + ": HMC cannot sample this law, because " + c.beyond + ". Nested R-hat " +
           significant(nested_rhat, 4) + ", worst error " + significant(worst) +
           " MCSE; its ESS is that of chains that miss a part of the law.";
  }
  const bool converged = nested_rhat < kConverged;
  const bool right = std::isnan(worst) || worst < kRight;
  return converged && right
             ? ""
             : name + ": not sampled well: nested R-hat " + significant(nested_rhat, 4) +
                   ", worst error " + significant(worst) + " MCSE.";
}

StudyResult run_study(const StudySettings& settings) {
  StudyResult result;
  int good = 0, meant = 0;
  for (const Case& c : chosen(settings, kCases)) {
    std::vector<Figures> repetitions;
    std::string source;
    for (int i = 0; i < settings.seeds; ++i) {
      const Fit fit = run_case(c, settings, i);
      if (fit.interrupted) {
        result.interrupted = true;
        return result;
      }
      source = fit.engine.has_truth ? fit.engine.truth.source : "";
      repetitions.push_back(figures_of(fit));
    }
    for (const auto& [metric, member] : kFigures) {
      const OverSeeds value = over_seeds(repetitions, member);
      StudyRow row{c.target, "hmc", metric, value.mean, value.mcse};
      if (member == &Figures::worst_error) {
        row.source = source;
      }
      result.rows.push_back(row);
    }
    result.cases[c.target] = to_json(Sampler(sampler_of(c)));
    result.cases[c.target].update(
        {{"warmup", c.warmup}, {"draws", c.draws}, {"start_radius", c.start_radius}});
    const std::string sentence = verdict(c, over_seeds(repetitions, &Figures::nested_rhat).mean,
                                         over_seeds(repetitions, &Figures::worst_error).mean);
    if (!sentence.empty()) {
      result.notes.push_back(sentence);
    }
    meant += c.beyond == nullptr ? 1 : 0;
    good += sentence.empty() ? 1 : 0;
  }
  result.notes.insert(result.notes.begin(),
                      std::to_string(good) + " of the " + std::to_string(meant) +
                          " targets that HMC can sample: nested R-hat below " +
                          significant(kConverged) + " and every known mean and standard " +
                          "deviation within " + significant(kRight, 1) + " standard errors.");
  return result;
}

}  // namespace

Study default_study() {
  Study study;
  study.name = "default";
  study.description = "tuned HMC on the analytic targets and eight schools: ESS, and is it right?";
  study.run = run_study;
  return study;
}

}  // namespace lockstep::bench
