#include "bench/studies/a_nice_study.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "bench/cli/interrupt.hpp"
#include "bench/cli/progress.hpp"
#include "bench/cli/table.hpp"
#include "host/exact_draws.hpp"
#include "host/plot/axis.hpp"
#include "host/plot/panel.hpp"
#include "host/registry.hpp"
#include "host/report/parameter_plots.hpp"
#include "host/train/nice.hpp"
#include "lockstep/error.hpp"
#include "lockstep/network.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {

namespace {

constexpr double kRight = 4;  // errors in MCSE
constexpr std::size_t kMethods = 3;
constexpr std::array<const char*, kMethods> kNames{"a-nice", "l2hmc", "hmc"};
constexpr std::array<const char*, kMethods> kColours{"a", "a", "b"};

/// The half planes x < 0 and x >= 0.
int half(double x, double) {
  return x < 0 ? 0 : 1;
}
/// The sector of sixty degrees about each mode of mog6.
int sector(double x, double y) {
  return (static_cast<int>(std::lround(std::atan2(y, x) / (std::acos(-1.0) / 3))) + 6) % 6;
}

struct Case {
  const char* target;
  int modes;  // regions: the modes, or the halves of the ring
  int (*mode_of)(double x, double y);
  double weight;  // of region 0 by the law; of all six the same
};

/// Of mog2's half x < 0: the wide component's tail beyond 0 is Phi(-5 / sqrt 3), the narrow one's
/// nothing.
const double kMog2Left = 0.5 * (1 - 0.5 * std::erfc(5 / std::sqrt(6.0)));

const Case kCases[] = {
    {"mog2", 2, half, kMog2Left},
    {"ring", 2, half, 0.5},
    {"mog2-equal", 2, half, 0.5},
    {"mog6", 6, sector, 1.0 / 6},
};

/// What a method did on a case with one seed.
struct Outcome {
  std::vector<double> weights, mcse;  // [modes]; standard errors from the spread between chains
  double crossings = 0;               // per chain and 1000 transitions
  double ess_per_step = 0, ess_per_second = 0, rhat = 0, acceptance = 0;
  double training_seconds = 0, training_evaluations = 0;
  std::array<std::vector<double>, 4> paths;  // x of the first chains, transition by transition
};

/// The law within region 0, from which all chains start: a sampler that does not cross stays there.
std::vector<double> starts_in_one_mode(const Case& c, std::int64_t chains, std::uint64_t seed) {
  exact::Random random(seed);
  const auto n = static_cast<std::size_t>(chains);
  std::vector<double> q(2), all(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    do {
      exact::samplers().at(c.target)(random, q);
    } while (c.mode_of(q[0], q[1]) != 0);
    all[i] = q[0];
    all[n + i] = q[1];
  }
  return all;
}

Outcome measured(const Case& c, const Fit& fit) {
  Outcome o;
  const std::vector<double> x = fit.draws.column(0), y = fit.draws.column(1);
  const auto chains = static_cast<std::size_t>(fit.draws.chains);
  const auto draws = static_cast<std::size_t>(fit.draws.draws);
  const auto modes = static_cast<std::size_t>(c.modes);
  std::vector<double> sum(modes), squares(modes);
  std::int64_t crossings = 0;
  for (std::size_t i = 0; i < chains; ++i) {
    std::vector<double> share(modes);
    int before = -1;
    for (std::size_t t = 0; t < draws; ++t) {
      const int mode = c.mode_of(x[t * chains + i], y[t * chains + i]);
      share[static_cast<std::size_t>(mode)] += 1.0 / static_cast<double>(draws);
      crossings += before >= 0 && mode != before ? 1 : 0;
      before = mode;
      if (i < o.paths.size()) {
        o.paths[i].push_back(x[t * chains + i]);
      }
    }
    for (std::size_t k = 0; k < modes; ++k) {
      sum[k] += share[k];
      squares[k] += share[k] * share[k];
    }
  }
  const auto n = static_cast<double>(chains);
  for (std::size_t k = 0; k < modes; ++k) {
    const double mean = sum[k] / n;
    o.weights.push_back(mean);
    o.mcse.push_back(std::sqrt(std::max(0.0, squares[k] / n - mean * mean) / (n - 1)));
  }
  o.crossings = 1000 * static_cast<double>(crossings) / (n * static_cast<double>(draws - 1));
  o.ess_per_step = fit.ess_per_transition_min();
  o.ess_per_second = fit.ess_per_second_min();
  o.rhat = fit.rhat_max();
  o.acceptance = fit.acceptance;
  return o;
}

/// Runs one method after the other on a case.
class Workplace {
 public:
  Workplace(const Case& c, const StudySettings& settings, std::uint64_t seed)
      : case_(c), target_(find_target(c.target)), settings_(settings), seed_(seed) {}

  Outcome outcome(std::size_t method) const {
    return method == 0 ? a_nice() : method == 1 ? l2hmc() : hmc();
  }

  NiceOptions nice_options() const {
    NiceOptions o;
    o.seed = seed_;
    o.threads = settings_.place.threads;
    if (settings_.quick) {
      o.iterations = 20;
      o.refresh = 10;
    }
    return o;
  }

  /// Annealed from a temperature at which the modes are one: chains must have met what they are to
  /// learn to cross.
  L2hmcOptions l2hmc_options() const {
    L2hmcOptions o;
    o.iterations = settings_.quick ? 20 : 5000;
    o.noise_weight = 0;
    o.temperature = 20;
    o.cooling = std::pow(o.temperature, -1 / (0.9 * o.iterations));
    o.seed = seed_;
    o.threads = settings_.place.threads;
    return o;
  }

 private:
  /// All begin to count after as many transitions; only HMC has something to tune in them.
  SampleOptions options() const {
    SampleOptions o = settings_.place;
    o.chains = settings_.chains;
    o.keep_chains = -1;
    o.warmup = settings_.quick ? 50 : 300;
    o.adaptation.restart_stranded = false;  // which could carry chains to another mode
    o.adaptation.stop_early = false;
    o.draws = settings_.quick ? 100 : 2000;
    o.seed = seed_;
    o.start = starts_in_one_mode(case_, o.chains, seed_);
    return o;
  }

  Fit run_on(Engine& engine, const Sampler& sampler, SampleOptions options,
             const char* method) const {
    ProgressBar bar(std::string(case_.target) + " " + method, options.chains);
    options.progress = bar.callback();
    Fit fit = lockstep::run(engine, sampler, options);
    if (fit.interrupted) {
      throw Interrupted{};
    }
    return fit;
  }

  Outcome a_nice() const {
    NiceOptions training = nice_options();
    training.progress = [](const NiceOptions::Progress&) { return !interrupted(); };
    const NiceTraining trained = train_nice(target_.block_float({}), training);
    const SampleOptions o = options();
    const auto engine = make_cpu_nice_engine<float>(target_.block_float({}), trained.network, o);
    Outcome outcome = measured(case_, run_on(*engine, nice_sampler(), o, kNames[0]));
    outcome.training_seconds = trained.seconds;
    outcome.training_evaluations = trained.evaluations;
    return outcome;
  }

  Outcome l2hmc() const {
    L2hmcOptions training = l2hmc_options();
    TrainingBar bar(std::string(case_.target) + " " + kNames[1]);
    training.progress = bar.callback();
    const auto trainer = make_training_engine(target_, {}, training);
    const Network network = train(*trainer, case_.target, training);
    bar.erase();
    const SampleOptions o = options();
    const L2hmc sampler(network);
    const auto engine = make_engine(target_, sampler, {}, o);
    Outcome outcome = measured(case_, run_on(*engine, sampler, o, kNames[1]));
    outcome.training_seconds = network.training.seconds;
    outcome.training_evaluations = network.training.gradients;
    return outcome;
  }

  /// Step size, metric and trajectory length all tuned in warm-up, which is its training.
  Outcome hmc() const {
    const SampleOptions o = options();
    const auto engine = target_.make({}, o);
    const Fit fit = run_on(*engine, Hmc{.length = Length::chees}, o, kNames[2]);
    Outcome outcome = measured(case_, fit);
    outcome.training_seconds = fit.seconds.warmup;
    outcome.training_evaluations = static_cast<double>(fit.gradients_warmup * o.chains);
    return outcome;
  }

  const Case& case_;
  const TargetEntry& target_;
  const StudySettings& settings_;
  std::uint64_t seed_;
};

/// The mean over seeds of a figure; its standard error is the seeds', or for a single one `single`.
StudyRow row_of(const Case& c, std::size_t method, const std::string& metric,
                const std::vector<double>& values, double single = StudyRow::kUnknown) {
  const OverSeeds o = over_seeds(values);
  return {c.target, kNames[method], metric, o.mean, values.size() > 1 ? o.mcse : single};
}

/// Adds a method's rows, and says where its weights are not the law's.
void report(const Case& c, std::size_t method, const std::vector<Outcome>& outcomes,
            StudyResult& result) {
  const auto values = [&](double Outcome::*member) {
    std::vector<double> all;
    for (const Outcome& o : outcomes) {
      all.push_back(o.*member);
    }
    return all;
  };
  // Of two regions the second says nothing new.
  const std::size_t weights = c.modes == 2 ? 1 : static_cast<std::size_t>(c.modes);
  double worst = 0;
  for (std::size_t k = 0; k < weights; ++k) {
    std::vector<double> all;
    for (const Outcome& o : outcomes) {
      all.push_back(o.weights[k]);
      worst = std::max(worst, std::abs(o.weights[k] - c.weight) / o.mcse[k]);
    }
    StudyRow row =
        row_of(c, method, weights == 1 ? "mode_weight" : "mode_weight_" + std::to_string(k + 1),
               all, outcomes.front().mcse[k]);
    row.reference = c.weight;
    row.source = "exact";
    result.rows.push_back(row);
  }
  constexpr std::pair<const char*, double Outcome::*> kFigures[] = {
      {"crossings_per_1000", &Outcome::crossings},
      {"ess_bulk_per_step", &Outcome::ess_per_step},
      {"ess_per_second", &Outcome::ess_per_second},
      {"rhat_max", &Outcome::rhat},
      {"acceptance", &Outcome::acceptance},
      {"training_seconds", &Outcome::training_seconds},
      {"training_evaluations", &Outcome::training_evaluations},
  };
  for (const auto& [metric, member] : kFigures) {
    result.rows.push_back(row_of(c, method, metric, values(member)));
  }
  if (!(worst < kRight)) {
    result.notes.push_back(std::string(c.target) + ": " + kNames[method] + "'s weights are wrong" +
                           (std::isfinite(worst) ? ", by " + significant(worst) + " standard errors"
                                                 : ": no chain left the mode it began in") +
                           ". Its ESS is that of chains that have not seen the law.");
  }
}

/// The first chains' x, transition by transition.
StudyFigure crossings(const Case& c, std::size_t method, const Outcome& o) {
  constexpr std::size_t kShown = 500;
  constexpr std::int64_t kDraws = 1000;
  const std::vector<double> law = exact::starts(c.target, 2, kDraws, 1);
  plot::Panel panel({0, kShown, "transition"},
                    plot::axis_over({law.data(), static_cast<std::size_t>(kDraws)}, "x_1"),
                    std::string("Chains of ") + kNames[method] + " on " + c.target +
                        ", which all began in one mode");
  panel.horizontal(0, "quiet");
  const std::string colour = std::string(kColours[method]) + " thin";
  for (const std::vector<double>& path : o.paths) {
    std::vector<double> t, x;
    for (std::size_t i = 0; i < std::min(kShown, path.size()); ++i) {
      t.push_back(static_cast<double>(i));
      x.push_back(path[i]);
    }
    panel.line(t, x, colour);
  }
  return {c.target, std::string(kNames[method]) + ": four chains from one mode", panel.svg(),
          report::key("line " + colour, "x_1 of each")};
}

StudyResult run_study(const StudySettings& settings) {
  StudyResult result;
  result.table_per_case = true;
  try {
    for (const Case& c : chosen(settings, kCases)) {
      for (std::size_t method = 0; method < kMethods; ++method) {
        std::vector<Outcome> outcomes;
        for (int i = 0; i < settings.seeds; ++i) {
          const Workplace place(c, settings, settings.first_seed + static_cast<std::uint64_t>(i));
          outcomes.push_back(place.outcome(method));
        }
        report(c, method, outcomes, result);
        result.figures.push_back(crossings(c, method, outcomes.front()));
      }
      const Workplace place(c, settings, settings.first_seed);
      const NiceOptions nice = place.nice_options();
      const L2hmcOptions l2hmc = place.l2hmc_options();
      result.cases[c.target] = {{"flow_width", nice.width},
                                {"flow_hidden", nice.hidden},
                                {"critic_width", nice.critic_width},
                                {"critic_hidden", nice.critic_hidden},
                                {"batch", nice.batch},
                                {"iterations", nice.iterations},
                                {"learning_rate", nice.learning_rate},
                                {"l2hmc_iterations", l2hmc.iterations},
                                {"l2hmc_temperature", l2hmc.temperature},
                                {"l2hmc_cooling", l2hmc.cooling}};
    }
  } catch (const Interrupted&) {
    result.interrupted = true;
  }
  return result;
}

}  // namespace

Study a_nice_study() {
  Study study;
  study.name = "a-nice";
  study.description =
      "A-NICE-MC, L2HMC and tuned HMC from one mode on: who crosses to the others, and how often?";
  study.defaults.chains = 256;
  study.run = run_study;
  study.options = {"--quick"};
  return study;
}

}  // namespace lockstep::bench
