#include "bench/studies/dhmc_evaluation.hpp"

#include <algorithm>
#include <numeric>

#include "bench/cli/progress.hpp"
#include "host/adapt/moments.hpp"
#include "host/clock.hpp"
#include "host/comparison.hpp"
#include "host/diagnostics/autocorrelation.hpp"
#include "host/io/dataset.hpp"
#include "host/io/reference.hpp"
#include "kernels/transitions/trajectory.hpp"

namespace lockstep::bench {

namespace {

// After the draws that count, chains go on for what is learnt of them besides: so many looks at
// positions, so many transitions apart.
constexpr int kLooks = 64, kApart = 4;

/// Seeds of a repetition's methods are apart, since equal ones would draw equal momenta.
constexpr std::uint64_t kSeedStride = 1000;

/// Whether a visit of a sweep can move its coordinate or leave it.
bool tries(Method method) {
  return method == Method::dhmc || method == Method::mixed_hmc || method == Method::gibbs;
}

/// What is farthest from the truth: the reference's figures, means, standard deviations and
/// quantiles, where the target has them, else its known means and standard deviations.
void find_worst_error(const DhmcCase& c, const StudySettings& settings, DhmcOutcome& o) {
  const ReferenceName& reference = find_target(c.target).reference;
  if (!reference.posterior.empty()) {
    const auto file = find_data_file(reference.folder, "reference.json", settings.data_dir);
    const auto compared = compare(o.fit, read_reference(file, reference.posterior));
    const ComparedFigure& worst = farthest(compared);
    o.worst_error = std::abs(worst.z());
    o.worst_figure = worst.what + " of " + worst.parameter;
    return;
  }
  for (const ParameterSummary& p : o.fit.parameters) {
    for (const auto& [what, error] :
         {std::pair{"mean", p.error_in_mcse}, {"sd", p.sd_error_in_mcse}}) {
      if (std::isfinite(error) && !(std::abs(error) <= o.worst_error)) {
        o.worst_error = std::abs(error);
        o.worst_figure = what + (" of " + p.name);
      }
    }
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

/// The steps of `count` transitions' trajectories.
double steps_of(const Sampler& sampler, std::uint64_t seed, std::uint32_t first, int count) {
  const Trajectory trajectory = trajectory_of(sampler, seed, Launch{first, count});
  double steps = 0;
  for (int t = 0; t < count; ++t) {
    steps += trajectory.steps_at(first + static_cast<std::uint32_t>(t));
  }
  return steps;
}

/// Goes on with the chains for their spread, and for how often visits move their coordinate.
void look_further(Engine& engine, DhmcOutcome& o) {
  const Clock clock;
  const EngineDescription& about = engine.description();
  const Sampler& sampler = o.fit.sampler;
  PooledMoments moments(about.dim, true);
  std::vector<double> sums(static_cast<std::size_t>(about.dim)), total(sums.size());
  o.positions.resize(sums.size() * static_cast<std::size_t>(about.chains));
  const std::uint32_t first = o.fit.first_transition + static_cast<std::uint32_t>(o.fit.draws_done);
  std::uint32_t next = first;
  for (int i = 0; i < kLooks; ++i) {
    Launch launch{next, kApart, sampler.step_size};
    launch.hop = sampler.hop;
    engine.advance(launch);
    engine.tallies(sums);
    for (std::size_t j = 0; j < sums.size(); ++j) {
      total[j] += sums[j];
    }
    engine.positions(o.positions);
    moments.add(o.positions, about.chains);
    next += kApart;
  }
  o.further = work_of(sampler, about, kLooks * kApart,
                      steps_of(sampler, o.fit.options.seed, first, kLooks * kApart));
  o.spread.dim = about.dim;
  const Matrix covariance = moments.covariance();
  o.spread.covariance.assign(covariance.data(), covariance.data() + covariance.size());
  if (tries(sampler.method)) {
    const double visits = o.further.visits / static_cast<double>(about.discontinuous.size()) *
                          static_cast<double>(about.chains);
    for (const int j : about.discontinuous) {
      o.no_flip.push_back(total[static_cast<std::size_t>(j)] / visits);
    }
  }
  o.further_seconds = clock.seconds();
}

}  // namespace

ChainWork& ChainWork::operator+=(const ChainWork& other) {
  transitions += other.transitions;
  steps += other.steps;
  visits += other.visits;
  gradients += other.gradients;
  potentials += other.potentials;
  return *this;
}

ChainWork work_of(const Sampler& sampler, const EngineDescription& about, double transitions,
                  double steps) {
  ChainWork work{transitions, steps, 0, 0, 0};
  const auto sites = static_cast<double>(about.discontinuous.size());
  const bool smooth = static_cast<int>(about.discontinuous.size()) < about.dim;
  if (sampler.method == Method::random_walk) {
    work.potentials = transitions;
    return work;
  }
  work.visits = sites * (sampler.method == Method::dhmc ? steps : transitions);
  if (smooth) {
    // Gibbs moves what the smooth coordinates' potential depends on after their trajectory.
    work.gradients = steps + (sampler.method == Method::gibbs ? transitions : 0);
  } else {
    work.potentials = transitions;
  }
  return work;
}

LawFigures compare_with(const CellLaw& law, const Draws& draws) {
  const std::size_t cells = law.probability.size();
  const auto chains = static_cast<std::size_t>(draws.chains);
  std::vector<double> count(chains * cells), total(cells), x(law.parameters.size());
  LawFigures f;
  const auto distance = [&](double n) {
    double sum = 0;
    for (std::size_t k = 0; k < cells; ++k) {
      sum += 0.5 * std::abs(total[k] / n - law.probability[k]);
    }
    return sum;
  };
  std::int64_t next = 1;  // when total variation is looked at
  for (std::int64_t t = 0; t < draws.draws; ++t) {
    for (std::size_t c = 0; c < chains; ++c) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = draws.row(t, law.parameters[i])[c];
      }
      const std::size_t k = law.cell(x.data());
      ++count[c * cells + k];
      ++total[k];
    }
    if (t + 1 == next || t + 1 == draws.draws) {
      f.draws.push_back(static_cast<double>(t + 1));
      f.by_draws.push_back(distance(static_cast<double>(t + 1) * static_cast<double>(chains)));
      next = std::max(next + 1, next * 5 / 4);
    }
  }
  f.total_variation = f.by_draws.back();
  const auto n = static_cast<double>(chains), length = static_cast<double>(draws.draws);
  for (std::size_t k = 0; k < cells; ++k) {
    const double share = total[k] / (n * length);
    double squares = 0;
    for (std::size_t c = 0; c < chains; ++c) {
      const double off = count[c * cells + k] / length - share;
      squares += off * off;
    }
    const double error = std::sqrt(squares / (n - 1) / n);
    f.expected += 0.5 * std::sqrt(2 / std::acos(-1.0)) * error;
    const double off = std::abs(share - law.probability[k]);
    f.worst_in_mcse = std::max(f.worst_in_mcse, off > 0 ? off / error : 0);
  }
  return f;
}

DhmcOutcome run_recipe(const DhmcCase& c, const DhmcRecipe& recipe, const StudySettings& settings,
                       int repetition, const std::map<std::string, DhmcOutcome>& before) {
  SampleOptions options = options_of(settings, 0);
  options.seed =
      (settings.first_seed + static_cast<std::uint64_t>(repetition)) * kSeedStride + before.size();
  options.chains = std::min(options.chains, c.most_chains);
  options.keep_chains = c.law ? -1 : c.kept_chains;
  options.warmup = settings.quick ? std::min(recipe.warmup, 100) : recipe.warmup;
  options.draws = settings.quick ? std::min(recipe.draws, 200) : recipe.draws;
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
  TargetOptions target;
  target.data_dir = settings.data_dir;
  if (c.takes_data) {
    target.data_file = settings.data;
  }
  ProgressBar bar(c.name + " " + recipe.method, options.chains);
  options.progress = bar.callback();
  const Sampler sampler = recipe.sampler(pilot);
  const auto engine = make_engine(find_target(c.target), sampler, target, options);
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

  const EngineDescription& about = engine->description();
  const auto draws = static_cast<int>(o.fit.draws_done);
  o.sampling = work_of(o.fit.sampler, about, draws,
                       steps_of(o.fit.sampler, options.seed, o.fit.first_transition, draws));
  o.tuning += work_of(o.fit.sampler, about, o.fit.first_transition,
                      static_cast<double>(o.fit.gradients_warmup));
  o.tuning_seconds += o.fit.seconds.warmup;
  look_further(*engine, o);
  return o;
}

}  // namespace lockstep::bench
