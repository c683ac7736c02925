#include "bench/studies/dhmc_study.hpp"

#include <algorithm>
#include <cmath>

#include "bench/cli/table.hpp"
#include "bench/studies/dhmc_evaluation.hpp"
#include "bench/studies/dhmc_plots.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

/// Errors below this many standard errors are Monte Carlo's: of a hundred figures of a right
/// sampler the worst is beyond it once in 160 times,
constexpr double kRight = 4;
/// and of the study's thousand cells once in 1700 times.
constexpr double kRightCell = 5;
/// R-hat of chains that agree (Vehtari et al. 2021).
constexpr double kMixed = 1.01;
/// Beyond this, common errors are worth a sentence.
constexpr double kTogether = 1.5;
/// Up to so many discontinuous coordinates have a row each.
constexpr std::size_t kNamedSites = 16;

using Outcomes = std::vector<DhmcOutcome>;  // of a method, one for each seed

/// The outcome whose figure is largest.
template <class Figure>
const DhmcOutcome& worst_of(const Outcomes& outcomes, Figure figure) {
  return *std::max_element(outcomes.begin(), outcomes.end(),
                           [&](const auto& a, const auto& b) { return figure(a) < figure(b); });
}

/// Runs every method on a case, and says what came out.
class CaseRun {
 public:
  CaseRun(const DhmcCase& c, const StudySettings& settings, StudyResult& result)
      : case_(c), settings_(settings), result_(result) {}

  /// @throw Interrupted, after the rows of the methods that are done
  void run() {
    // Before the rows: a stopped study says it too. @throw FileError where the data are absent
    const std::string data = find_target(case_.target).data(target_options(case_, settings_));
    if (!data.empty()) {
      note("on " + data + ".");
    }
    std::vector<std::map<std::string, DhmcOutcome>> before(
        static_cast<std::size_t>(settings_.seeds));
    std::vector<DhmcMethodPlots> plots;
    for (const DhmcRecipe& recipe : case_.recipes) {
      Outcomes outcomes;
      for (int i = 0; i < settings_.seeds; ++i) {
        auto& done = before[static_cast<std::size_t>(i)];
        outcomes.push_back(run_recipe(case_, recipe, settings_, i, done));
        done.emplace(recipe.method, outcomes.back());
      }
      add_rows(recipe.method, outcomes);
      judge(recipe.method, outcomes);
      plots.push_back(plots_of(recipe.method, outcomes.front()));
      result_.cases[case_.name + " " + recipe.method] = settings_of(recipe, outcomes.front());
      methods_.emplace_back(recipe.method, std::move(outcomes));
    }
    add_relative_time();
    conclude();
    const auto figures = dhmc_figures(case_, plots);
    result_.figures.insert(result_.figures.end(), figures.begin(), figures.end());
  }

 private:
  /// The median over seeds and their range, beside what was published.
  template <class Value>
  StudyRow& add(const std::string& method, const std::string& metric, const Outcomes& outcomes,
                Value value) {
    std::vector<double> values;
    for (const DhmcOutcome& o : outcomes) {
      values.push_back(value(o));
    }
    StudyRow row = median_row(case_.name, method, metric, values);
    for (const PublishedFigure& p : case_.published) {
      if (p.method == method && p.metric == metric) {
        row.reference = p.value;
        row.source = p.source;
      }
    }
    result_.rows.push_back(row);
    return result_.rows.back();
  }

  void add_rows(const std::string& method, const Outcomes& outcomes) {
    if (case_.law) {
      StudyRow& row = add(method, "total_variation", outcomes,
                          [](const auto& o) { return o.law.total_variation; });
      std::vector<double> expected;
      for (const DhmcOutcome& o : outcomes) {
        expected.push_back(o.law.expected);
      }
      row.reference = median(expected);
      row.source = "what right draws with as much Monte Carlo error have on average";
      add(method, "worst_cell_in_mcse", outcomes,
          [](const auto& o) { return o.law.worst_in_mcse; });
    }
    if (!std::isnan(outcomes.front().worst_error)) {
      add(method, "worst_error_in_mcse", outcomes, [](const auto& o) { return o.worst_error; });
    }
    add(method, "min_ess_per_100", outcomes, [](const auto& o) { return o.min_ess_per_100(); });
    add(method, "ess_per_second", outcomes,
        [](const auto& o) { return o.fit.ess_per_second_min(); });
    add(method, "rhat_max", outcomes, [](const auto& o) { return o.fit.rhat_max(); });
    add(method, "common_error_ratio", outcomes, [](const auto& o) { return o.common_error; });
    add(method, "acceptance", outcomes, [](const auto& o) { return o.fit.acceptance; });
    add_no_flip(method, outcomes);
    add(method, "path_length", outcomes, [](const auto& o) { return o.path_length(); });
    const auto per_draw = [&](const char* metric, double ChainWork::*member) {
      add(method, metric, outcomes,
          [&](const auto& o) { return o.sampling.*member / o.sampling.transitions; });
    };
    per_draw("coordinate_updates_per_draw", &ChainWork::visits);
    per_draw("gradients_per_draw", &ChainWork::gradients);
    add(method, "tuning_seconds", outcomes, [](const auto& o) { return o.tuning_seconds; });
    add(method, "tuning_coordinate_updates", outcomes,
        [](const auto& o) { return o.tuning.visits; });
    add(method, "tuning_gradients", outcomes, [](const auto& o) { return o.tuning.gradients; });
  }

  /// Over all coordinates, of the least and the most mobile one, and, where they are few, of each.
  void add_no_flip(const std::string& method, const Outcomes& outcomes) {
    const auto by_rate = [](const VisitSummary& a, const VisitSummary& b) {
      return a.no_flip < b.no_flip;
    };
    const std::vector<VisitSummary>& first = outcomes.front().fit.visits;
    if (first.empty()) {
      return;
    }
    add(method, "no_flip", outcomes, [](const auto& o) { return o.fit.no_flip(); });
    if (first.size() == 1) {
      return;
    }
    add(method, "no_flip_lowest", outcomes, [&](const auto& o) {
      return std::min_element(o.fit.visits.begin(), o.fit.visits.end(), by_rate)->no_flip;
    });
    add(method, "no_flip_highest", outcomes, [&](const auto& o) {
      return std::max_element(o.fit.visits.begin(), o.fit.visits.end(), by_rate)->no_flip;
    });
    for (std::size_t i = 0; first.size() <= kNamedSites && i < first.size(); ++i) {
      add(method, "no_flip " + first[i].name, outcomes,
          [&](const auto& o) { return o.fit.visits[i].no_flip; });
    }
  }

  void note(const std::string& text) { result_.notes.push_back(case_.name + ": " + text); }

  /// Says where the worst seed's draws are not the law's, and where its chains do not mix. Chains
  /// that do not mix have not forgotten where they started: what is off proves nothing then.
  void judge(const std::string& method, const Outcomes& outcomes) {
    const DhmcOutcome& cells =
        worst_of(outcomes, [](const auto& x) { return x.law.worst_in_mcse; });
    const DhmcOutcome& error = worst_of(outcomes, [](const auto& x) { return x.worst_error; });
    const DhmcOutcome& slow = worst_of(outcomes, [](const auto& x) { return x.fit.rhat_max(); });
    const DhmcOutcome& common = worst_of(outcomes, [](const auto& x) { return x.common_error; });
    std::string off;
    if (case_.law && !(cells.law.worst_in_mcse < kRightCell)) {
      off = "total variation is " + significant(cells.law.total_variation) +
            ", where right draws with as much Monte Carlo error have " +
            significant(cells.law.expected) + ", and a cell is " +
            significant(cells.law.worst_in_mcse) + " standard errors off";
    }
    if (error.worst_error >= kRight) {
      off += (off.empty() ? "" : "; ") + error.worst_figure + " is " +
             significant(error.worst_error) + " combined standard errors off";
    }
    if (!(slow.fit.rhat_max() < kMixed)) {
      note(method + " does not mix in " + std::to_string(slow.fit.draws_done) +
           " transitions: R-hat is " + significant(slow.fit.rhat_max(), 4) + ", and " +
           slow.worst_name() + " has " + significant(slow.min_ess_per_100()) +
           " effective draws in 100" + (off.empty() ? "." : "; " + off + "."));
    } else if (!off.empty()) {
      note(method + " is WRONG: " + off + ".");
    }
    const bool judged = case_.law || !std::isnan(error.worst_error);
    judged_ = judged_ || judged;
    if (judged && off.empty()) {
      right_.push_back(method);
    }
    if (common.common_error > kTogether) {
      note(method + "'s chains err together, by what they share: standard errors are " +
           significant(common.common_error) + " times what the variance between chains says.");
    }
  }

  void add_relative_time() {
    const auto walk = std::find_if(methods_.begin(), methods_.end(),
                                   [](const auto& m) { return m.first == "rwm"; });
    if (walk == methods_.end()) {
      return;
    }
    const double unit = walk->second.front().seconds_per_draw();
    for (const auto& [method, outcomes] : methods_) {
      add(method, "relative_time_per_draw", outcomes,
          [&](const auto& o) { return o.seconds_per_draw() / unit; });
    }
  }

  void conclude() {
    if (!right_.empty()) {
      std::string text;
      for (const std::string& method : right_) {
        text += (text.empty() ? "" : ", ") + method;
      }
      note(text + ": every figure whose truth is known within " + significant(kRight, 1) +
           " standard errors, every cell within " + significant(kRightCell, 1) + ".");
    }
    if (!judged_) {
      note("nothing to judge draws by: the law is not known, or its reference figures are absent.");
    }
    std::string text = "the worst coordinate and its effective draws in 100 are";
    for (const auto& [method, outcomes] : methods_) {
      const DhmcOutcome& o = outcomes.front();
      text += (&outcomes == &methods_.front().second ? " " : "; ") + o.worst_name() + " with " +
              method + ", " + significant(o.min_ess_per_100());
    }
    note(text + ".");
    for (const std::string& remark : case_.remarks) {
      note(remark);
    }
  }

  DhmcMethodPlots plots_of(const std::string& method, const DhmcOutcome& o) const {
    DhmcMethodPlots p;
    p.method = method;
    p.law = o.law;
    for (const VisitSummary& v : o.fit.visits) {
      p.no_flip.push_back(v.no_flip);
    }
    p.autocorrelation = o.autocorrelation;
    p.worst = o.worst_name();
    p.work_per_lag = o.sampling.evaluations() / o.sampling.transitions * o.fit.options.thin;
    p.chains = o.fit.options.chains;
    return p;
  }

  /// The first seed's; a metric of many numbers stays out of the page.
  static Json settings_of(const DhmcRecipe& recipe, const DhmcOutcome& o) {
    Json j = to_json(o.fit.sampler);
    j.erase("inverse_mass");
    j.update({{"chains", o.fit.options.chains},
              {"warmup", o.fit.warmup_done},
              {"draws", o.fit.draws_done},
              {"pilot", recipe.pilot.empty() ? Json(nullptr) : Json(recipe.pilot)},
              {"worst_coordinate", o.worst_name()}});
    return j;
  }

  const DhmcCase& case_;
  const StudySettings& settings_;
  StudyResult& result_;
  std::vector<std::pair<std::string, Outcomes>> methods_;
  std::vector<std::string> right_;  // methods
  bool judged_ = false;
};

StudyResult run_study(const StudySettings& settings) {
  std::vector<std::string> known;
  for (const DhmcCase& c : dhmc_cases()) {
    known.push_back(c.name);
  }
  check_known(settings.only, known);
  StudyResult result;
  result.table_per_case = true;
  try {
    for (const DhmcCase& c : dhmc_cases()) {
      if (!settings.only.empty() &&
          std::find(settings.only.begin(), settings.only.end(), c.name) == settings.only.end()) {
        continue;
      }
      try {
        CaseRun(c, settings, result).run();
      } catch (const FileError& absent) {
        if (c.takes_data && !settings.data.empty()) {
          throw;  // who names a file wants that one
        }
        result.notes.push_back(c.name + ": left out: " + absent.what());
      }
    }
  } catch (const Interrupted&) {
    result.interrupted = true;
  }
  result.notes.push_back(
      "ESS are bulk ESS of the worst coordinate, the same for n and log n; per second of sampling "
      "of all chains, tuning apart. A coordinate update is one difference of the potential; what a "
      "pilot's chains took to set a method up counts as its tuning. no_flip is the share of visits "
      "that move their coordinate, by their probabilities min(1, exp(-dU)), over all chains. "
      "common_error_ratio is the standard error by the course of the chains' mean in time over "
      "that "
      "by the variance between chains, at least 1.");
  return result;
}

}  // namespace

Study dhmc_study() {
  Study study;
  study.name = "dhmc";
  study.description =
      "discontinuous HMC beside Mixed HMC, Gibbs and the random walk, its published table and laws "
      "that can be summed";
  study.defaults.chains = 1024;
  study.run = run_study;
  study.options = {"--quick", "--data"};
  return study;
}

}  // namespace lockstep::bench
