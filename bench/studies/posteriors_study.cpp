#include "bench/studies/posteriors_study.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>

#include "bench/cli/progress.hpp"
#include "bench/cli/table.hpp"
#include "host/comparison.hpp"
#include "host/io/dataset.hpp"
#include "host/registry.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

namespace {

constexpr double kConverged = 1.01;  // nested R-hat below which chains agree
constexpr double kRight = 4;         // combined standard errors
constexpr double kSharp =
    0.03;  // a mean's own error, in standard deviations, that proves something

/// Figures of weights that the sparse regression does not report.
constexpr const char* kSparseWeights = "sparse_logistic_own_effective_weights";

/// How a target is sampled, and what it is compared with beside its own reference.
struct Case {
  const char* target;
  int warmup = 300, draws = 300;
  int leapfrog = 5;  // mean; the number is uniform on 1..2 leapfrog - 1
  Metric metric = Metric::automatic;
  double target_acceptance = 0.8;
  double step_jitter = 0;
  double start_radius = 2;             // about `centre`
  std::vector<double> centre = {};     // unconstrained; empty: 0
  std::vector<std::string> also = {};  // further posteriors of the same reference.json
  // One whose figures or errors are not right, and why: compared, and not counted.
  std::string distrusted = {}, why = {};
};

// Starts: where a density falls off like a square of data that are far from 0, or like an
// exponential (regressions without centred predictors, Poisson rates, volatilities), chains that
// begin on +- 2 see slopes of 1e6 and more, and one step size cannot serve them all: they begin
// closer together. The mixture's begin near a rough reading of the data, for the point where both
// components are one has metastable chains about it. Dense where parameters are known to be
// strongly correlated. In a funnel every step size is too large somewhere: there it varies
// twentyfold from transition to transition.
const Case kCases[] = {
    {.target = "eight-schools-nc", .draws = 500, .leapfrog = 6, .target_acceptance = 0.98},
    {.target = "eight-schools-log",
     .draws = 500,
     .leapfrog = 8,
     .target_acceptance = 0.9,
     .also = {"hierarchical_inference_gym"}},
    {.target = "ark", .metric = Metric::dense},
    {.target = "kidiq", .warmup = 600, .metric = Metric::dense, .start_radius = 0.05},
    {.target = "kidiq-interaction", .warmup = 600, .metric = Metric::dense, .start_radius = 0.05},
    {.target = "kilpisjarvi",
     .warmup = 1000,
     .leapfrog = 10,
     .metric = Metric::dense,
     .start_radius = 0.05},
    {.target = "garch11",
     .warmup = 400,
     .draws = 600,
     .leapfrog = 10,
     .target_acceptance = 0.95,
     .start_radius = 1},
    {.target = "gauss-mix",
     .metric = Metric::dense,
     .start_radius = 0.3,
     .centre = {-2, 1.4, 0, 0, 0}},
    {.target = "peregrine", .warmup = 600, .metric = Metric::dense, .start_radius = 0.05},
    {.target = "german-credit", .also = {"logistic"}},
    {.target = "german-credit-probit"},
    {.target = "german-credit-sparse",
     .warmup = 600,
     .draws = 1000,
     .leapfrog = 20,
     .target_acceptance = 0.95,
     .start_radius = 0.3,
     .also = {kSparseWeights}},
    {.target = "australian-credit"},
    {.target = "heart-disease"},
    {.target = "brownian", .draws = 400, .also = {"known_scales_inference_gym"}},
    {.target = "brownian-unknown",
     .warmup = 1000,
     .draws = 3000,
     .leapfrog = 40,
     .target_acceptance = 0.95,
     .step_jitter = 0.95,
     .start_radius = 1,
     .distrusted = "unknown_scales_inference_gym_DO_NOT_USE",
     .why = "known to be wrong: a chain that reproduces it is stuck in the funnel"},
    {.target = "stochastic-volatility",
     .warmup = 600,
     .draws = 1500,
     .leapfrog = 30,
     .target_acceptance = 0.95,
     .step_jitter = 0.9,
     .start_radius = 0.05,
     .distrusted = "stochastic_volatility",
     .why =
         "published errors seem too small: a sampler written apart from this one, in another "
         "parametrisation, disagrees with mean_log_volatility and log_volatility[63] as well, and "
         "agrees with this one (tests/golden)"},
    {.target = "item-response", .draws = 400, .leapfrog = 10},
};

/// Figures of one run beside one reference.
struct Figures {
  double worst_z, compared;
  double own_error;  // of a mean, in standard deviations, the largest
  double nested_rhat, divergences;
  double draws, gradients, seconds;
};

constexpr std::pair<const char*, double Figures::*> kFigures[] = {
    {"worst_z", &Figures::worst_z},           {"figures", &Figures::compared},
    {"own_error_in_sd", &Figures::own_error}, {"nested_rhat_max", &Figures::nested_rhat},
    {"divergences", &Figures::divergences},   {"draws", &Figures::draws},
    {"gradients", &Figures::gradients},       {"seconds", &Figures::seconds},
};

Hmc sampler_of(const Case& c) {
  Hmc hmc;
  hmc.leapfrog = c.leapfrog;
  hmc.metric = c.metric;
  hmc.target_acceptance = c.target_acceptance;
  hmc.step_jitter = c.step_jitter;
  return hmc;
}

TargetOptions target_options(const StudySettings& settings) {
  TargetOptions target;
  target.data_dir = settings.data_dir;
  return target;
}

/// Starts about the case's centre, the same for each superchain; [dim][chains].
std::vector<double> starts(const Case& c, const SampleOptions& options) {
  const auto chains = static_cast<std::size_t>(options.chains);
  const auto width = static_cast<std::size_t>(options.superchain);
  std::vector<double> q(c.centre.size() * chains);
  std::mt19937_64 bits(options.seed);
  for (std::size_t j = 0; j < c.centre.size(); ++j) {
    for (std::size_t chain = 0; chain < chains; ++chain) {
      const double uniform = static_cast<double>(bits() >> 11) * 0x1p-52 - 1;
      q[j * chains + chain] =
          chain % width == 0 ? c.centre[j] + c.start_radius * uniform : q[j * chains + chain - 1];
    }
  }
  return q;
}

Fit run_case(const Case& c, const StudySettings& settings, int repetition) {
  SampleOptions options = options_of(settings, repetition);
  options.warmup = c.warmup;
  options.draws = c.draws;
  options.start_radius = c.start_radius;
  options.start = starts(c, options);
  // Quantiles come from kept draws, of as many chains as some 400 MiB hold; means and standard
  // deviations from all.
  const int dim = find_target(c.target).dim(target_options(settings));
  options.keep_chains =
      std::clamp<std::int64_t>(50'000'000 / (std::int64_t{dim} * c.draws), 16, settings.chains);
  ProgressBar bar(c.target, options.chains);
  options.progress = bar.callback();
  const auto engine = engine_of(c.target, settings, options);
  return run(*engine, sampler_of(c), options);
}

/// What is compared in one case: its own reference first, then the others.
struct Compared {
  std::string posterior;
  Reference reference;
};

std::vector<Compared> references_of(const Case& c, const StudySettings& settings) {
  const ReferenceName& own = find_target(c.target).reference;
  const auto file = find_data_file(own.folder, "reference.json", settings.data_dir);
  std::vector<std::string> names{own.posterior};
  names.insert(names.end(), c.also.begin(), c.also.end());
  if (!c.distrusted.empty() && c.distrusted != own.posterior) {
    names.push_back(c.distrusted);
  }
  std::vector<Compared> list;
  for (const std::string& name : names) {
    list.push_back({name, read_reference(file, name)});
  }
  return list;
}

/// The weights that matter of the sparse regression, w_j = z_j l_j g, of each kept draw.
std::vector<ComparedFigure> compare_sparse_weights(const Fit& fit, const Reference& reference) {
  const Draws& kept = fit.draws;
  const int weights = (fit.engine.dim - 1) / 2;  // rows: z, l, g
  const std::vector<double> global = kept.column(2 * weights);
  std::vector<ComparedFigure> list;
  for (int j = 0; j < weights; ++j) {
    std::vector<double> w = kept.column(j);
    const std::vector<double> local = kept.column(weights + j);
    for (std::size_t i = 0; i < w.size(); ++i) {
      w[i] *= local[i] * global[i];
    }
    const std::string name = "weights[" + std::to_string(j + 1) + "]";
    const auto figures = compare(
        name, {w, static_cast<std::size_t>(kept.draws), static_cast<std::size_t>(kept.chains)},
        reference.parameters.at(name));
    list.insert(list.end(), figures.begin(), figures.end());
  }
  return list;
}

Figures figures_of(const Fit& fit, const std::vector<ComparedFigure>& compared) {
  return {std::abs(farthest(compared).z()),
          static_cast<double>(compared.size()),
          largest_own_error(compared),
          fit.nested_rhat_max(),
          static_cast<double>(fit.divergences),
          static_cast<double>(fit.total_draws()),
          static_cast<double>(fit.gradients_warmup + fit.gradients_sampling),
          fit.seconds.total()};
}

/// Whether the run agrees with the reference, and could have disagreed.
struct Verdict {
  bool good;
  std::string sentence;
};
Verdict verdict(const Figures& f, const ComparedFigure& worst, const std::string& posterior) {
  const bool converged = f.nested_rhat < kConverged, sharp = f.own_error < kSharp;
  const bool right = f.worst_z < kRight;
  const bool good = converged && sharp && right;
  std::string text = posterior + ": " + std::to_string(static_cast<int>(f.compared)) +
                     " figures, the farthest off " + worst.what + " of " + worst.parameter +
                     " by " + significant(f.worst_z) + " standard errors";
  text += converged ? "" : "; chains disagree, nested R-hat " + significant(f.nested_rhat, 4);
  text += sharp ? "" : "; too short, an own error of " + significant(f.own_error) + " sd";
  return {good, text + (good ? "." : ": FAILED.")};
}

StudyResult run_study(const StudySettings& settings) {
  StudyResult result;
  int good = 0, total = 0;
  for (const Case& c : chosen(settings, kCases)) {
    std::vector<Compared> references;
    try {
      references = references_of(c, settings);
    } catch (const FileError& absent) {
      result.notes.push_back(std::string(c.target) + ": left out: " + absent.what());
      continue;
    }
    std::vector<std::vector<Figures>> figures(references.size());
    std::vector<ComparedFigure> worst(references.size());
    for (int i = 0; i < settings.seeds; ++i) {
      const Fit fit = run_case(c, settings, i);
      if (fit.interrupted) {
        result.interrupted = true;
        return result;
      }
      for (std::size_t k = 0; k < references.size(); ++k) {
        const auto compared = references[k].posterior == kSparseWeights
                                  ? compare_sparse_weights(fit, references[k].reference)
                                  : compare(fit, references[k].reference);
        figures[k].push_back(figures_of(fit, compared));
        worst[k] = farthest(compared);
      }
    }
    for (std::size_t k = 0; k < references.size(); ++k) {
      const std::string posterior = std::string(c.target) + " / " + references[k].posterior;
      Figures mean{};
      for (const auto& [metric, member] : kFigures) {
        std::vector<double> values;
        for (const Figures& f : figures[k]) {
          values.push_back(f.*member);
        }
        const OverSeeds value = over_seeds(values);
        mean.*member = value.mean;
        StudyRow row{posterior, "hmc", metric, value.mean, value.mcse};
        if (member == &Figures::worst_z) {
          row.source = references[k].reference.basis;
        }
        result.rows.push_back(row);
      }
      if (c.distrusted == references[k].posterior) {
        result.notes.push_back(posterior + ": not counted, " + c.why +
                               ". Farthest off: " + worst[k].what + " of " + worst[k].parameter +
                               ", " + significant(mean.worst_z) + " standard errors.");
        continue;
      }
      const Verdict v = verdict(mean, worst[k], posterior);
      result.notes.push_back(v.sentence);
      good += v.good ? 1 : 0;
      ++total;
    }
    result.cases[c.target] = to_json(Sampler(sampler_of(c)));
    result.cases[c.target].update({{"warmup", c.warmup},
                                   {"draws", c.draws},
                                   {"start_radius", c.start_radius},
                                   {"start_centre", c.centre}});
  }
  result.notes.insert(
      result.notes.begin(),
      std::to_string(good) + " of " + std::to_string(total) + " references: every figure within " +
          significant(kRight, 1) + " combined Monte Carlo standard errors, nested R-hat below " +
          significant(kConverged) + ", own errors below " + significant(kSharp) + " sd.");
  return result;
}

}  // namespace

Study posteriors_study() {
  Study study;
  study.name = "posteriors";
  study.description = "every posterior with reference figures: are ours within 4 standard errors?";
  study.defaults.chains = 512;
  study.run = run_study;
  return study;
}

}  // namespace lockstep::bench
