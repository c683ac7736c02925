#include "bench/studies/l2hmc_study.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "bench/cli/table.hpp"
#include "bench/studies/l2hmc_evaluation.hpp"
#include "bench/studies/l2hmc_networks.hpp"
#include "bench/studies/l2hmc_plots.hpp"
#include "bench/studies/l2hmc_tuning.hpp"

namespace lockstep::bench {

namespace {

/// So many effective draws are what training is set against: 4096 chains with 244 each.
constexpr double kMillion = 1e6;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// One method on one case: an entry for each seed.
struct MethodResult {
  std::string method;
  std::vector<Figures> figures;
  std::vector<double> seconds, gradients;  // of training or tuning
  MethodPlots plots;
  Json settings;

  std::vector<double> values(double Figures::*member) const {
    std::vector<double> all;
    for (const Figures& f : figures) {
      all.push_back(f.*member);
    }
    return all;
  }
};

/// ESS per gradient of the worst of all x_j and x_j^2, for each seed.
std::vector<double> of_all_per_gradient(const MethodResult& m) {
  std::vector<double> all;
  for (const Figures& f : m.figures) {
    all.push_back(f.ess_of_all_per_gradient());
  }
  return all;
}

/// What a million effective draws take, training counted.
double to_million(double training, double per_unit) {
  return training + kMillion / per_unit;
}

/// After how many effective draws the dearer training has paid for itself: where the two lines
/// training + draws / rate meet; never, where the rate is no better.
double break_even(double training, double rate, double other_training, double other_rate) {
  const double gain = 1 / other_rate - 1 / rate;
  return gain > 0 ? std::max(0.0, (training - other_training) / gain) : kNever;
}

class Report {
 public:
  Report(const L2hmcCase& c, StudyResult& result) : case_(c), result_(result) {}

  /// The median over seeds and their range.
  void add(const std::string& method, const std::string& metric, const std::vector<double>& values,
           double reference = StudyRow::kUnknown, const std::string& source = {}) {
    StudyRow row = median_row(case_.name, method, metric, values);
    row.reference = reference;
    row.source = std::isnan(reference) ? "" : source;
    result_.rows.push_back(row);
  }

  void add_method(const MethodResult& m) {
    const Published* published = m.method == "l2hmc-paper" || m.method == "l2hmc-best"
                                     ? &case_.l2hmc
                                 : m.method == "hmc-paper" ? &case_.hmc
                                                           : nullptr;
    const Published none;
    const Published& p = published == nullptr ? none : *published;
    const bool iclr = !std::isnan(p.iclr);
    const std::string source = iclr ? "Levy et al., ICLR 2018" : "arXiv 1711.09268v1";
    const double reference = iclr ? p.iclr : p.v1;
    const bool plain = case_.published_unnormalised;
    add(m.method, "ess_per_step", m.values(&Figures::ess_per_step),
        plain ? StudyRow::kUnknown : reference, source);
    if (plain) {
      add(m.method, "ess_per_step_unnormalised", m.values(&Figures::ess_per_step_unnormalised),
          reference, source);
    }
    for (const auto& [metric, value] : {std::pair{"published_v1", p.v1},
                                        {"published_iclr", p.iclr},
                                        {"reproduced_mcgill", p.reproduced}}) {
      if (!std::isnan(value)) {
        result_.rows.push_back({case_.name, m.method, metric, value});
      }
    }
    add(m.method, "ess_bulk_per_step", m.values(&Figures::ess_bulk_per_step));
    add(m.method, "ess_square_per_step", m.values(&Figures::ess_square_per_step));
    add(m.method, "ess_per_gradient", m.values(&Figures::ess_per_gradient));
    add(m.method, "ess_per_second", m.values(&Figures::ess_per_second));
    add(m.method, "acceptance", m.values(&Figures::acceptance));
    add(m.method, "gradients_per_step", m.values(&Figures::gradients_per_step));
    if (case_.two_modes) {
      add_mode_weight(m);
    }
    add(m.method, "training_seconds", m.seconds);
    add(m.method, "training_gradients", m.gradients);
    std::vector<double> seconds, gradients;
    for (std::size_t i = 0; i < m.figures.size(); ++i) {
      seconds.push_back(to_million(m.seconds[i], m.figures[i].ess_per_second));
      gradients.push_back(to_million(m.gradients[i], m.figures[i].ess_per_gradient));
    }
    add(m.method, "seconds_to_million", seconds);
    add(m.method, "gradients_to_million", gradients);
  }

  /// Chains that never cross have ESS all the same: one draw each, of the mode they began in.
  void note_modes(const MethodResult& hmc) {
    const double weight = median(hmc.values(&Figures::mode_weight));
    const double mcse = median(hmc.values(&Figures::mode_weight_mcse));
    if (std::abs(weight - 0.5) > 4 * mcse) {
      note("chains of " + hmc.method + " that begin at x_0 > 0 spend " + significant(weight) +
           " +- " + significant(mcse, 2) +
           " of their time at x_0 < 0, where half of the law is: their ESS is that of chains that "
           "stay in the mode they began in, and a ratio to it understates the gain.");
    }
  }

  /// The median seed's weight with its standard error; then the error of the worst seed.
  void add_mode_weight(const MethodResult& m) {
    add(m.method, "mode_weight", m.values(&Figures::mode_weight), 0.5, "exact");
    std::vector<double> errors;
    for (const Figures& f : m.figures) {
      const double error = std::abs(f.mode_weight - 0.5);
      errors.push_back(error > 0 ? error / f.mode_weight_mcse : 0);
      if (f.mode_weight == result_.rows.back().value) {
        result_.rows.back().mcse = f.mode_weight_mcse;
      }
    }
    add(m.method, "mode_weight_error_in_mcse", errors);
  }

  /// How `m` compares with tuned HMC, in rows and in a sentence.
  /// @param squares  HMC tuned for squares too
  /// @param adapted  HMC with the metric of its warm-up
  void compare(const MethodResult& m, const MethodResult& hmc, const MethodResult& squares,
               const MethodResult& adapted) {
    const double per_gradient = median(hmc.values(&Figures::ess_per_gradient));
    const double per_second = median(hmc.values(&Figures::ess_per_second));
    const double of_all = median(of_all_per_gradient(squares));
    const double with_metric = median(adapted.values(&Figures::ess_per_gradient));
    std::vector<double> over_adapted;
    for (const double ess : m.values(&Figures::ess_per_gradient)) {
      over_adapted.push_back(ess / with_metric);
    }
    std::vector<double> ratio, by_gradients, by_seconds, ratio_of_all;
    for (const double ess : of_all_per_gradient(m)) {
      ratio_of_all.push_back(ess / of_all);
    }
    for (std::size_t i = 0; i < m.figures.size(); ++i) {
      const Figures& f = m.figures[i];
      ratio.push_back(f.ess_per_gradient / per_gradient);
      by_gradients.push_back(
          break_even(m.gradients[i], f.ess_per_gradient, median(hmc.gradients), per_gradient));
      by_seconds.push_back(
          break_even(m.seconds[i], f.ess_per_second, median(hmc.seconds), per_second));
    }
    add(m.method, "gain_per_gradient", ratio);
    add(m.method, "gain_with_squares", ratio_of_all);
    add(m.method, "gain_over_adapted", over_adapted);
    add(m.method, "break_even_by_gradients", by_gradients);
    add(m.method, "break_even_by_seconds", by_seconds);
    const auto draws = [](double x) {
      return std::isfinite(x) ? "after " + with_prefix(x) + " effective draws" : "never";
    };
    result_.notes.push_back(
        case_.name + ": " + m.method + " has " + significant(median(ratio)) + " [" +
        significant(*std::min_element(ratio.begin(), ratio.end())) + ", " +
        significant(*std::max_element(ratio.begin(), ratio.end())) +
        "] times the bulk ESS per gradient of hmc-tuned, training apart, and with squares " +
        significant(median(ratio_of_all)) +
        " times that of hmc-tuned-squares; of hmc-adapted, which has a metric, " +
        significant(median(over_adapted)) + " times. Training (" +
        with_prefix(median(m.gradients)) + " gradients, " + significant(median(m.seconds)) +
        " s; tuning HMC took " + with_prefix(median(hmc.gradients)) + " and " +
        significant(median(hmc.seconds)) + " s) has paid for itself " +
        draws(median(by_gradients)) + " by gradients, and " + draws(median(by_seconds)) +
        " by this machine's clock.");
  }

  void note(const std::string& text) { result_.notes.push_back(case_.name + ": " + text); }

 private:
  const L2hmcCase& case_;
  StudyResult& result_;
};

/// Runs every method on a case.
class CaseRun {
 public:
  CaseRun(const L2hmcCase& c, const StudySettings& settings, StudyResult& result)
      : case_(c), settings_(settings), place_(c, settings), report_(c, result), result_(result) {}

  /// @throw Interrupted, after the rows of the methods that are done
  void run() {
    // HMC first: it is done soon, and a study that is stopped while it trains has something to say.
    by_paper("hmc-paper", case_.paper_steps);
    if (!case_.feasible_steps.empty()) {
      by_paper("hmc-paper-feasible", case_.feasible_steps);
    }
    const JointlyTuned tuned = tune_jointly(place_);
    const MethodResult hmc = hmc_method("hmc-tuned", [&](std::uint64_t) { return tuned.means; });
    if (case_.two_modes) {
      report_.note_modes(hmc);
    }
    const MethodResult squares =
        hmc_method("hmc-tuned-squares", [&](std::uint64_t) { return tuned.squares; });
    const MethodResult adapted = hmc_method(
        "hmc-adapted", [&](std::uint64_t seed) { return tune_by_warm_up(place_, seed); });
    report_.compare(l2hmc("l2hmc-paper", case_.paper), hmc, squares, adapted);
    report_.compare(l2hmc("l2hmc-best", case_.best), hmc, squares, adapted);
    const auto figures = l2hmc_figures(case_, plots_);
    result_.figures.insert(result_.figures.end(), figures.begin(), figures.end());
  }

 private:
  std::uint64_t seed_of(int repetition) const {
    return settings_.first_seed + static_cast<std::uint64_t>(repetition);
  }

  void finish(const MethodResult& m) {
    report_.add_method(m);
    plots_.push_back(m.plots);
    result_.cases[case_.name + " " + m.method] = m.settings;
  }

  void evaluate(const Sampler& sampler, int repetition, MethodResult& m) {
    const Evaluation e = place_.evaluate(sampler, seed_of(repetition), case_.name + " " + m.method);
    m.figures.push_back(e.figures);
    if (repetition == 0) {
      m.plots.method = m.method;
      m.plots.traces = e.traces;
    }
  }

  MethodResult l2hmc(const std::string& method, const L2hmcRecipe& recipe) {
    MethodResult m;
    m.method = method;
    m.settings = recipe_json(recipe);
    for (int i = 0; i < settings_.seeds; ++i) {
      std::string failure;
      const Network network = trained_network(place_, recipe, method, seed_of(i), failure);
      if (!failure.empty()) {
        report_.note(method + ", seed " + std::to_string(seed_of(i)) + ": " + failure);
      }
      evaluate(L2hmc(network), i, m);
      m.seconds.push_back(network.training.seconds);
      m.gradients.push_back(network.training.gradients);
      m.plots.trainings.push_back(network.training.history);
    }
    finish(m);
    return m;
  }

  MethodResult hmc_method(const std::string& method,
                          const std::function<TunedSampler(std::uint64_t)>& tune) {
    MethodResult m;
    m.method = method;
    for (int i = 0; i < settings_.seeds; ++i) {
      const TunedSampler tuned = tune(seed_of(i));
      evaluate(tuned.sampler, i, m);
      m.seconds.push_back(tuned.seconds);
      m.gradients.push_back(tuned.gradients);
      m.settings = to_json(tuned.sampler);
    }
    finish(m);
    return m;
  }

  void by_paper(const std::string& method, const std::vector<double>& steps) {
    std::vector<TriedStep> tried;
    const TunedSampler tuned = tune_by_paper(place_, steps, tried);
    std::string text = method + ", ten leapfrog steps:";
    for (const TriedStep& t : tried) {
      text += (&t == tried.data() ? " step size " : "; ") + significant(t.step_size) + " has ESS " +
              significant(t.ess_per_step) + " per transition at acceptance " +
              significant(t.acceptance, 2);
    }
    report_.note(text + ".");
    hmc_method(method, [&](std::uint64_t) { return tuned; });
  }

  const L2hmcCase& case_;
  const StudySettings& settings_;
  L2hmcWorkplace place_;
  Report report_;
  StudyResult& result_;
  std::vector<MethodPlots> plots_;
};

StudyResult run_study(const StudySettings& settings) {
  std::vector<std::string> known;
  for (const L2hmcCase& c : l2hmc_cases()) {
    known.push_back(c.name);
  }
  check_known(settings.only, known);
  StudyResult result;
  result.table_per_case = true;
  try {
    for (const L2hmcCase& c : l2hmc_cases()) {
      if (settings.only.empty() ||
          std::find(settings.only.begin(), settings.only.end(), c.name) != settings.only.end()) {
        CaseRun(c, settings, result).run();
      }
    }
  } catch (const Interrupted&) {
    result.interrupted = true;
  }
  result.notes.push_back(
      "ess_per_step is the paper's: 200 chains of 2000 transitions from exact draws, products of "
      "all coordinates pooled over tr(Sigma), lags of correlation above 0.05 counted; it never "
      "exceeds 1 and is about 2.5e-4 for chains that never move. ess_bulk is signed, of the worst "
      "coordinate over all chains, and ess_square that of x_j^2, which a sampler that only mirrors "
      "x lacks; hmc-tuned is tuned by the former, hmc-tuned-squares by the lesser of both. "
      "hmc-adapted is HMC as this library's warm-up leaves it, metric and trajectory "
      "length included. *_to_million count training or tuning and a million effective draws.");
  return result;
}

}  // namespace

Study l2hmc_study() {
  Study study;
  study.name = "l2hmc";
  study.description =
      "the four experiments of the L2HMC paper: trained samplers beside HMC, training counted";
  study.defaults.seeds = 5;
  study.run = run_study;
  study.options = {"--quick", "--networks"};
  return study;
}

}  // namespace lockstep::bench
