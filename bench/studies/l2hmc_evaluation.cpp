#include "bench/studies/l2hmc_evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bench/cli/progress.hpp"
#include "host/diagnostics/autocorrelation.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep::bench {

namespace {

/// How long the runs are. The second set shows the forms only.
struct Sizes {
  std::int64_t paper_chains;
  int paper_draws;
  int draws;       // of all chains; bulk ESS ranks them,
  int many_draws;  // and fewer of them in many dimensions
};
constexpr Sizes kFull{200, 2000, 1000, 500}, kQuick{50, 100, 50, 50};

/// The bulk ESS of so many coordinates is looked at; of others the ESS between chains.
constexpr int kRanked = 5;
/// Seeds of a repetition are apart by this, and a seed's runs by 1.
constexpr std::uint64_t kSeedStride = 1000;

Sizes sizes_of(const StudySettings& settings) {
  return settings.quick ? kQuick : kFull;
}

/// `count` indices of 0 .. dim-1, evenly spread, with both ends.
std::vector<int> spread(int count, int dim) {
  std::vector<int> indices;
  for (int i = 0; i < count; ++i) {
    indices.push_back(count == 1 ? 0 : i * (dim - 1) / (count - 1));
  }
  return indices;
}

/// Known means of the kept coordinates, and the trace of the covariance.
struct Known {
  std::vector<double> mean;
  double trace = 0;
};

Known known_of(const EngineDescription& engine) {
  Known known{engine.truth.mean, 0};
  for (const double sd : engine.truth.sd) {
    known.trace += sd * sd;
  }
  return known;
}

}  // namespace

double square_ess_per_transition(const Statistics& s) {
  double worst = StudyRow::kUnknown;
  const auto chains = static_cast<std::ptrdiff_t>(s.chains);
  for (int j = 0; j < s.dim; ++j) {
    ChainMoments moments;
    HalfMoments* halves[2] = {&moments.first, &moments.second};
    for (int h = 0; h < 2; ++h) {
      const std::ptrdiff_t first = j * chains;
      const auto& mean = s.mean_square[h];
      const auto& m2 = s.m2_square[h];
      halves[h]->count = static_cast<std::size_t>(s.draws[h]);
      halves[h]->mean.assign(mean.begin() + first, mean.begin() + first + chains);
      halves[h]->m2.assign(m2.begin() + first, m2.begin() + first + chains);
    }
    worst = std::fmin(worst, ess_between_chains(moments));  // fmin passes over NaN
  }
  return worst / static_cast<double>((s.draws[0] + s.draws[1]) * s.chains);
}

L2hmcWorkplace::L2hmcWorkplace(const L2hmcCase& c, const StudySettings& settings)
    : case_(&c), settings_(settings) {}

SampleOptions L2hmcWorkplace::options(std::int64_t chains, int draws, std::uint64_t seed) const {
  SampleOptions options = settings_.place;
  options.chains = chains;
  options.warmup = 0;
  options.draws = draws;
  options.seed = seed;
  options.keep_chains = 0;
  return options;
}

std::vector<double> L2hmcWorkplace::training_starts(const SampleOptions& options) const {
  return exact::starts("std-normal", case_->dim, options.chains, ~options.seed);
}

Fit L2hmcWorkplace::sample(const Sampler& sampler, SampleOptions options,
                           const std::string& label) const {
  if (options.start.empty()) {
    // Not the sampler's stream: starts must not tell what it draws.
    options.start = exact::starts(case_->draw, case_->dim, options.chains, ~options.seed);
  }
  ProgressBar bar(label, options.chains);
  options.progress = bar.callback();
  const auto engine =
      make_engine(find_target(case_->target), sampler, case_->target_options, options);
  Fit fit = run(*engine, sampler, options);
  if (fit.interrupted) {
    throw Interrupted{};
  }
  return fit;
}

Evaluation L2hmcWorkplace::paper_evaluation(const Sampler& sampler, std::uint64_t seed,
                                            const std::string& label) const {
  const Sizes sizes = sizes_of(settings_);
  SampleOptions options = this->options(sizes.paper_chains, sizes.paper_draws, seed * kSeedStride);
  options.keep_chains = -1;
  const Fit fit = sample(sampler, options, label);
  const auto draws = static_cast<std::size_t>(fit.draws.draws);
  const auto chains = static_cast<std::size_t>(fit.draws.chains);
  std::vector<std::vector<double>> columns;
  for (int j = 0; j < case_->dim; ++j) {
    columns.push_back(fit.draws.column(j));
  }
  std::vector<Trace> traces;
  for (const std::vector<double>& column : columns) {
    traces.push_back({column, draws, chains});
  }
  const Known known = known_of(fit.engine);

  Evaluation e;
  e.gradients = static_cast<double>(fit.gradients_sampling * options.chains);
  e.seconds = fit.seconds.total();
  e.figures.acceptance = fit.acceptance;
  e.figures.gradients_per_step =
      static_cast<double>(fit.gradients_sampling) / static_cast<double>(fit.draws_done);
  e.figures.ess_per_step = paper_ess_per_transition(traces, known.mean, known.trace);
  e.figures.ess_per_step_unnormalised =
      paper_ess_per_transition(traces, known.mean, known.trace, {.normalise = false});
  e.traces.autocorrelation = diagnostics::pooled_autocorrelation(traces, known.mean, known.trace);
  for (std::size_t t = 0; t < draws; ++t) {
    e.traces.x.push_back(columns.front()[t * chains]);
    e.traces.y.push_back(columns.back()[t * chains]);
  }
  e.traces.gradients_per_step = e.figures.gradients_per_step;
  return e;
}

Evaluation L2hmcWorkplace::evaluate(const Sampler& sampler, std::uint64_t seed,
                                    const std::string& label) const {
  Evaluation e = paper_evaluation(sampler, seed, label);
  const Sizes sizes = sizes_of(settings_);
  SampleOptions options =
      this->options(settings_.chains, case_->dim > kRanked ? sizes.many_draws : sizes.draws,
                    seed * kSeedStride + 1);
  options.keep_chains = -1;
  if (case_->dim > kRanked) {
    options.keep_parameters = spread(kRanked, case_->dim);
  }
  const Fit fit = sample(sampler, options, label);
  Figures& f = e.figures;
  f.acceptance = fit.acceptance;
  f.ess_bulk_per_step = fit.ess_per_transition_min();
  f.ess_square_per_step = square_ess_per_transition(fit.statistics);
  f.ess_per_gradient = fit.ess_per_gradient_min();
  f.ess_per_second = fit.ess_per_second_min();
  if (case_->two_modes) {
    find_mode_weight(sampler, seed, label, f);
  }
  return e;
}

/// Chains that begin in the law's halves as in the law prove nothing: all begin in one.
void L2hmcWorkplace::find_mode_weight(const Sampler& sampler, std::uint64_t seed,
                                      const std::string& label, Figures& figures) const {
  const int draws = sizes_of(settings_).draws;
  SampleOptions options = this->options(settings_.chains, draws, seed * kSeedStride + 2);
  options.start = exact::starts(case_->draw, case_->dim, options.chains, ~options.seed);
  for (std::int64_t c = 0; c < options.chains; ++c) {
    double& x = options.start[static_cast<std::size_t>(c)];
    x = std::abs(x);
  }
  options.start = sample(sampler, options, label).positions;
  options.seed += 1;
  options.keep_chains = -1;
  options.keep_parameters = {0};
  const Fit fit = sample(sampler, options, label);
  std::vector<double> share(static_cast<std::size_t>(options.chains));  // of each chain
  for (std::int64_t t = 0; t < fit.draws.draws; ++t) {
    const double* x = fit.draws.row(t, 0);
    for (std::size_t c = 0; c < share.size(); ++c) {
      share[c] += (x[c] < 0 ? 1.0 : 0.0) / static_cast<double>(fit.draws.draws);
    }
  }
  const OverSeeds over = over_seeds(share);
  figures.mode_weight = over.mean;
  figures.mode_weight_mcse = over.mcse;
}

}  // namespace lockstep::bench
