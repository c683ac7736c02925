#include "bench/studies/posteriors_study.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "bench/cli/progress.hpp"
#include "bench/cli/table.hpp"
#include "bench/studies/posterior_cases.hpp"
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

TargetOptions target_options(const StudySettings& settings) {
  TargetOptions target;
  target.data_dir = settings.data_dir;
  return target;
}

Fit run_case(const PosteriorCase& c, const StudySettings& settings, int repetition) {
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

std::vector<Compared> references_of(const PosteriorCase& c, const StudySettings& settings) {
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
          static_cast<double>(fit.gradients_total()),
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
  for (const PosteriorCase& c : chosen(settings, posterior_cases())) {
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
