#include "bench/studies/dhmc_evaluation.hpp"

#include <algorithm>
#include <numeric>

#include "bench/cli/progress.hpp"
#include "host/adapt/moments.hpp"
#include "host/clock.hpp"
#include "host/comparison.hpp"
#include "host/diagnostics/autocorrelation.hpp"
#include "host/diagnostics/common_error.hpp"
#include "host/gradients.hpp"
#include "host/io/dataset.hpp"
#include "host/io/reference.hpp"
#include "kernels/transitions/trajectory.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

// After the draws that count, chains go on for what is learnt of them besides: so many looks at
// positions, so many transitions apart.
constexpr int kLooks = 64, kQuickLooks = 8, kApart = 4;

/// Seeds of a repetition's methods are apart, since equal ones would draw equal momenta.
constexpr std::uint64_t kSeedStride = 1000;

/// What is farthest from the truth: the reference's figures, means, standard deviations and
/// quantiles, where the target has them, else its known means and standard deviations. Standard
/// errors are those of chains that err together.
void find_worst_error(const DhmcCase& c, const StudySettings& settings, DhmcOutcome& o) {
  const std::vector<double> ratio = common_error_ratios(o.fit.draws, o.fit.options.chains);
  double squares = 0;
  for (const double r : ratio) {
    squares += r * r / static_cast<double>(ratio.size());
  }
  o.common_error = std::sqrt(squares);
  const auto tell = [&](double z, const std::string& what) {
    if (!std::isnan(z) && !(std::abs(z) <= o.worst_error)) {
      o.worst_error = std::abs(z);
      o.worst_figure = what;
    }
  };
  if (!c.judges_moments) {
    return;
  }
  const ReferenceName& reference = find_target(c.target).reference;
  if (!reference.posterior.empty()) {
    Reference known;
    try {
      known = read_reference(find_data_file(reference.folder, "reference.json", settings.data_dir),
                             reference.posterior);
    } catch (const FileError&) {
      return;  // the study says that nothing judges these draws
    }
    const std::vector<int>& jumps = o.fit.engine.discontinuous;
    for (const ComparedFigure& f : compare(o.fit, known)) {
      const auto& names = o.fit.engine.names;
      const auto j = std::find(names.begin(), names.end(), f.parameter) - names.begin();
      // A quantile of integers goes in steps: next to one, equal laws can be on either side.
      const bool step = f.what.starts_with("q") &&
                        std::find(jumps.begin(), jumps.end(), static_cast<int>(j)) != jumps.end();
      const double off = std::abs(f.own - f.reference) - (step ? 1 : 0);
      const double error = f.own_error * ratio[static_cast<std::size_t>(j)];
      tell(off > 0 ? off / std::hypot(error, f.reference_error) : 0, f.what + " of " + f.parameter);
    }
    return;
  }
  for (std::size_t j = 0; j < ratio.size(); ++j) {
    const ParameterSummary& p = o.fit.parameters[j];
    tell(p.error_in_mcse / ratio[j], "mean of " + p.name);
    tell(p.sd_error_in_mcse / ratio[j], "sd of " + p.name);
  }
}

void find_worst_coordinate(DhmcOutcome& o) {
  double least = StudyRow::kUnknown;
  for (std::size_t j = 0; j < o.fit.parameters.size(); ++j) {
    const ParameterSummary& p = o.fit.parameters[j];
    const double ess = std::isnan(p.ess_bulk) ? p.ess_between : p.ess_bulk;
    if (ess < least || std::isnan(least)) {
      least = ess;
      o.worst_coordinate = static_cast<int>(j);
    }
  }
  const std::vector<double> column = o.fit.draws.column(o.worst_coordinate);
  const Trace trace{column, static_cast<std::size_t>(o.fit.draws.draws),
                    static_cast<std::size_t>(o.fit.draws.chains)};
  const double mean =
      std::accumulate(column.begin(), column.end(), 0.0) / static_cast<double>(column.size());
  double variance = 0;
  for (const double x : column) {
    variance += (x - mean) * (x - mean) / static_cast<double>(column.size());
  }
  o.autocorrelation =
      diagnostics::pooled_autocorrelation(std::span(&trace, 1), std::span(&mean, 1), variance);
}

/// Goes on with the chains for their spread.
void look_further(Engine& engine, int looks, DhmcOutcome& o) {
  const Clock clock;
  const EngineDescription& about = engine.description();
  const Sampler& sampler = o.fit.sampler;
  PooledMoments moments(about.dim, true);
  o.positions.resize(static_cast<std::size_t>(about.dim) * static_cast<std::size_t>(about.chains));
  Launch launch{o.fit.first_transition + static_cast<std::uint32_t>(o.fit.draws_done), kApart,
                sampler.step_size};
  launch.hop = sampler.hop;
  for (int i = 0; i < looks; ++i) {
    engine.advance(launch);
    engine.positions(o.positions);
    moments.add(o.positions, about.chains);
    o.further += work_of(sampler, about, o.fit.options.seed, launch);
    launch.first += kApart;
  }
  o.spread.dim = about.dim;
  const Matrix covariance = moments.covariance();
  o.spread.covariance.assign(covariance.data(), covariance.data() + covariance.size());
  o.further_seconds = clock.seconds();
}

}  // namespace

ChainWork& ChainWork::operator+=(const ChainWork& other) {
  transitions += other.transitions;
  visits += other.visits;
  gradients += other.gradients;
  potentials += other.potentials;
  return *this;
}

ChainWork work_of(const Sampler& sampler, const EngineDescription& about, std::uint64_t seed,
                  const Launch& launch) {
  const auto sites = static_cast<double>(visited_coordinates(sampler, about).size());
  const bool smooth = sites < about.dim && sampler.method != Method::random_walk;
  ChainWork work;
  work.transitions = launch.count;
  if (smooth) {
    work.gradients = static_cast<double>(gradients_of(sampler, about, seed, launch));
  } else {
    work.potentials = launch.count;
  }
  const Trajectory trajectory = trajectory_of(sampler, seed, launch);
  for (int t = 0; t < launch.count; ++t) {
    const int steps = trajectory.steps_at(launch.first + static_cast<std::uint32_t>(t));
    // DHMC beside smooth coordinates retraces its visits: there and back at the central step.
    // Mixed HMC makes each twice.
    work.visits += sites * (sampler.method == Method::dhmc        ? steps + (smooth ? steps % 2 : 0)
                            : sampler.method == Method::mixed_hmc ? 2
                                                                  : 1);
  }
  return work;
}

TargetOptions target_options(const DhmcCase& c, const StudySettings& settings) {
  TargetOptions target;
  target.data_dir = settings.data_dir;
  if (c.takes_data) {
    target.data_file = settings.data;
  }
  return target;
}

double DhmcOutcome::path_length() const {
  const bool gibbs = fit.sampler.method == Method::gibbs && sampling.gradients > 0;
  return static_cast<double>(fit.gradients_sampling) / static_cast<double>(fit.draws_done) -
         (gibbs ? 1 : 0);
}

DhmcOutcome run_recipe(const DhmcCase& c, const DhmcRecipe& recipe, const StudySettings& settings,
                       int repetition, const std::map<std::string, DhmcOutcome>& before) {
  SampleOptions options = options_of(settings, 0);
  options.seed =
      (settings.first_seed + static_cast<std::uint64_t>(repetition)) * kSeedStride + before.size();
  options.chains = std::min(options.chains, c.most_chains);
  options.keep_chains = c.law ? -1 : c.kept_chains;
  options.warmup = settings.quick ? std::min(recipe.warmup, 100) : recipe.warmup;
  options.draws = settings.quick ? std::clamp(recipe.draws / 10, 50, 200) : recipe.draws;
  options.thin = std::min(recipe.thin, std::max(1, options.draws / 50));
  DhmcOutcome o;
  ChainSpread pilot;
  if (!recipe.pilot.empty()) {
    const DhmcOutcome& from = before.at(recipe.pilot);
    pilot = from.spread;
    options.start = from.positions;
    o.tuning = from.tuning;
    o.tuning += from.further;
    o.tuning_seconds = from.tuning_seconds + from.further_seconds;
  }
  const Sampler sampler = recipe.sampler(pilot);
  // What is given needs no tuning, but time to get there; what is tuned ends when it rests.
  options.adaptation.stop_early =
      sampler.step_size == 0 || (makes_visits(sampler) && sampler.hop == 0);
  ProgressBar bar(c.name + " " + recipe.method, options.chains);
  options.progress = bar.callback();
  const auto engine =
      make_engine(find_target(c.target), sampler, target_options(c, settings), options);
  o.fit = run(*engine, sampler, options);
  if (o.fit.interrupted) {
    throw Interrupted{};
  }
  if (c.law) {
    o.law = compare_with(*c.law, o.fit.draws);
  }
  find_worst_error(c, settings, o);
  find_worst_coordinate(o);
  o.fit.draws = {};
  o.fit.statistics = {};

  const EngineDescription& about = engine->description();
  Launch launch{o.fit.first_transition, static_cast<int>(o.fit.draws_done)};
  o.sampling = work_of(o.fit.sampler, about, options.seed, launch);
  // The single steps in which warm-up looks for a step size count as whole trajectories.
  launch = {0, static_cast<int>(o.fit.first_transition)};
  o.tuning += work_of(o.fit.sampler, about, options.seed, launch);
  o.tuning_seconds += o.fit.seconds.warmup;
  look_further(*engine, settings.quick ? kQuickLooks : kLooks, o);
  return o;
}

}  // namespace lockstep::bench
