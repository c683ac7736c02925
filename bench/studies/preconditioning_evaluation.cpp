#include "bench/studies/preconditioning_evaluation.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "bench/cli/interrupt.hpp"
#include "bench/cli/progress.hpp"
#include "host/adapt/moments.hpp"
#include "host/geometry/geometry.hpp"
#include "host/vi/fit.hpp"
#include "kernels/launch/erased.hpp"
#include "lockstep/error.hpp"
#include "lockstep/preparation.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {

namespace {

/// Transitions that tune the step size in a given metric.
constexpr int kTuning = 100;
constexpr int kDrawsOfLaw = 300, kMostDraws = 256;

std::unique_ptr<Engine> engine_of(const PreconditioningCase& c, const StudySettings& settings,
                                  const SampleOptions& options) {
  TargetOptions target = c.options;
  target.data_dir = settings.data_dir;
  return find_target(c.entry).make(target, options);
}

MakeEngine engines_of_fits(const PreconditioningCase& c, const StudySettings& settings,
                           const SampleOptions& options, const EngineDescription& about) {
  return [=](std::int64_t chains) {
    return engine_of(c, settings, options_of_fits(options, about, chains));
  };
}

SampleOptions options_of(const PreconditioningCase& c, const StudySettings& settings,
                         int repetition) {
  SampleOptions options = bench::options_of(settings, repetition);
  options.warmup = c.how.warmup;
  options.start_radius = c.how.start_radius;
  options.start = starts(c.how, options);
  options.keep_chains = 0;
  return options;
}

Hmc sampler_of(const PreconditioningCase& c, Metric metric) {
  Hmc hmc = bench::sampler_of(c.how);
  hmc.metric = metric;
  return hmc;
}

void check_interrupt() {
  if (interrupted()) {
    throw Interrupted();
  }
}

VariationalOptions fit_options(const PreconditioningCase& c, const SampleOptions& options,
                               Approximation method) {
  VariationalOptions o;
  o.method = method;
  o.seed = options.seed;
  o.start_radius = options.start_radius;
  o.start = c.how.centre;
  return o;
}

/// The step size that reaches acceptance 0.8 from the law's own draws on.
double step_size_in(const PreparedMetric& metric, const PreconditioningCase& c, const KnownLaw& law,
                    const StudySettings& settings, int repetition) {
  SampleOptions options = options_of(c, settings, repetition);
  options.warmup = kTuning;
  options.draws = 1;
  options.start.clear();
  for (int j = 0; j < law.q.rows(); ++j) {
    for (std::int64_t chain = 0; chain < options.chains; ++chain) {
      options.start.push_back(law.q(j, chain % law.q.cols()));
    }
  }
  Hmc hmc = sampler_of(c, metric.kind);
  hmc.inverse_mass = metric.kind == Metric::unit ? InverseMass{} : metric.inverse_mass;
  hmc.target_acceptance = 0.8;
  const auto engine = engine_of(c, settings, options);
  return lockstep::run(*engine, hmc, options).sampler.step_size;
}

/// The diagonal of variances of the law's draws.
PreparedMetric variances_of(const Matrix& q) {
  PooledMoments moments(static_cast<int>(q.rows()), false);
  moments.add({q.data(), static_cast<std::size_t>(q.size())}, q.cols());
  const Eigen::VectorXd v = moments.variances();
  return prepare_metric(Metric::diagonal, {v.data(), v.data() + v.size()},
                        static_cast<int>(q.rows()));
}

}  // namespace

KnownLaw known_law(const PreconditioningCase& c, const StudySettings& settings) {
  SampleOptions options = options_of(c, settings, 0);
  options.seed += 1'000'000;
  options.draws = kDrawsOfLaw;
  options.adaptation.stop_early = false;
  Hmc sampler = bench::sampler_of(c.how);
  sampler.target_acceptance = std::max(sampler.target_acceptance, 0.9);
  ProgressBar bar(c.target + ", its law", options.chains);
  options.progress = bar.callback();
  const auto engine = engine_of(c, settings, options);
  const Fit fit = lockstep::run(*engine, sampler, options);
  check_interrupt();
  KnownLaw law;
  law.q = Eigen::Map<const Matrix>(fit.positions.data(), fit.engine.dim, options.chains);
  law.moments = second_moments(fit);
  law.adapted = fit.metric;
  return law;
}

const std::vector<PreconditioningMethod>& preconditioning_methods() {
  static const std::vector<PreconditioningMethod> all{
      {.name = "identity", .metric = Metric::unit, .of_law = true},
      {.name = "stan", .metric = Metric::diagonal, .of_law = true},
      {.name = "pooled", .of_law = true},
      {.name = "mean-field", .fit = Approximation::mean_field, .init = Init::vi},
      {.name = "full-rank", .fit = Approximation::full_rank, .init = Init::vi},
      {.name = "low-rank", .fit = Approximation::low_rank, .init = Init::vi},
      {.name = "fisher", .fit = Approximation::fisher, .init = Init::vi},
      {.name = "pathfinder", .fit = Approximation::pathfinder, .init = Init::pathfinder},
      {.name = "jitter+adapt_diag", .metric = Metric::diagonal, .init = Init::jitter_adapt_diag},
      {.name = "advi+adapt_diag", .metric = Metric::diagonal, .init = Init::advi_adapt_diag},
  };
  return all;
}

namespace {

/// What the method's metric makes of the law.
void measure_metric(const PreparedMetric& metric, const PreconditioningCase& c, const KnownLaw& law,
                    const StudySettings& settings, int repetition, PreconditioningFigures& f) {
  TargetOptions target = c.options;
  target.data_dir = settings.data_dir;
  const TargetEntry& entry = find_target(c.entry);
  if (entry.dim(target) <= kMostErased) {
    const Geometry g = measure_geometry(*target_for_geometry(entry, target), metric, law.q);
    f.kappa_median = g.kappa_median;
    f.kappa_95 = g.kappa_95;
    f.kappa_bar = g.kappa_bar;
    f.edge = g.edge_median;
  }
  f.step_size = step_size_in(metric, c, law, settings, repetition);
}

/// The two ways to count, each with as many chains as its goal needs.
void measure_journeys(const PreconditioningCase& c, const PreconditioningMethod& method,
                      const KnownLaw& law, const StudySettings& settings, int repetition,
                      PreconditioningFigures& f) {
  StudySettings many = settings;
  many.chains = std::max(settings.chains, kBiasChains);
  for (const bool bias : {false, true}) {
    const StudySettings& s = bias ? many : settings;
    SampleOptions options = options_of(c, s, repetition);
    const Sampler sampler = sampler_of(c, method.metric);
    const auto engine = engine_of(c, s, options);
    Preparation preparation;
    if (method.init != Init::uniform) {
      PrepareOptions how;
      how.init = method.init;
      how.family = method.fit.value_or(Approximation::mean_field);
      how.fit = fit_options(c, options, how.family);
      const std::vector<double> without = std::exchange(options.start, {});
      preparation = recipe_of(how, sampler, options, engine->description(),
                              engines_of_fits(c, s, options, engine->description()))
                        .make();
      if (preparation.start.empty() && !preparation.start_law) {  // the fit was not good
        options.start = without;
      }
    }
    Goals goals;
    goals.agreement = !bias;
    goals.moments = bias ? law.moments : SecondMoments{};
    goals.draws = kMostDraws;
    goals.step = check_interrupt;
    const Journey j = travel(*engine, sampler, options, preparation, goals);
    if (bias) {
      f.gradients_to_bias = j.bias;
      f.gradients = j.gradients;
      f.squared_bias = j.squared_bias;
      continue;
    }
    f.gradients_of_fit = j.preparation;
    f.gradients_of_warmup = j.warmup;
    f.gradients_to_rhat = j.agreement;
    f.seconds_to_rhat = j.seconds;
    f.k_hat = preparation.k_hat;
    f.elbo = preparation.elbo;
    f.warnings = preparation.warnings;
  }
}

}  // namespace

PreconditioningFigures evaluate(const PreconditioningCase& c, const PreconditioningMethod& method,
                                const KnownLaw& law, const StudySettings& settings,
                                int repetition) {
  PreconditioningFigures f;
  const int dim = static_cast<int>(law.q.rows());
  if (method.of_law) {
    measure_metric(method.metric == Metric::unit       ? prepare_metric(Metric::unit, {}, dim)
                   : method.metric == Metric::diagonal ? variances_of(law.q)
                                                       : law.adapted,
                   c, law, settings, repetition, f);
  } else if (method.fit) {
    const SampleOptions options = options_of(c, settings, repetition);
    const auto engine = engine_of(c, settings, options);
    Density density(engines_of_fits(c, settings, options, engine->description()));
    const NormalFit fit = fit_normal(density, fit_options(c, options, *method.fit));
    if (fit.trouble.empty()) {
      measure_metric(prepare_metric(fit.kind, fit.covariance, dim), c, law, settings, repetition,
                     f);
    }
  }
  check_interrupt();
  measure_journeys(c, method, law, settings, repetition, f);
  return f;
}

}  // namespace lockstep::bench
