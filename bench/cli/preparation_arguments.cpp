#include <filesystem>

#include "bench/cli/arguments.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

/// What the table spells, and files.
template <class Table>
std::string names_and_files(const Table& table, const char* file) {
  std::string all;
  for (const auto& entry : table) {
    all += std::string(entry.second) + "|";
  }
  return all + file;
}

/// Whether `given` names a file and none of the table's.
template <class Table>
bool is_file(const std::string& given, const Table& table, const char* extension) {
  for (const auto& entry : table) {
    if (entry.second == given) {
      return false;
    }
  }
  return given.ends_with(extension) || std::filesystem::exists(given);
}

}  // namespace

void PreparationArguments::add_to(CLI::App& app) {
  app_ = &app;
  const std::string group = "Preparation";
  app.add_option("--init", init_,
                 "Where chains start: at random, by draws of the model's prior or of a fitted "
                 "normal, where another run ended (--positions-out); or PyMC's recipes, which say "
                 "the metric too")
      ->type_name(names_and_files(kInitNames, "FILE.npy"))
      ->capture_default_str()
      ->group(group);
  add_choice(app, "--vi-family", how_.family, kViNames,
             "Of --init vi: by the ELBO, or fisher's divergence [mean-field]")
      ->group(group);
  app.add_option("--metric-init", metric_,
                 "The metric that warm-up begins with, never the last; auto: what the init's fit "
                 "found, else starts: Fisher's diagonal of the starts")
      ->type_name(names_and_files(kMetricInitNames, "FILE.json"))
      ->capture_default_str()
      ->group(group);
  app.add_option("--metric-weight", how_.weight,
                 "Draws that it counts for in every estimate of the warm-up")
      ->type_name("FLOAT")
      ->capture_default_str()
      ->group(group);
  app.add_option("--most-k-hat", how_.most_k_hat,
                 "A fit with a k-hat above this is not used, and a warning says so")
      ->type_name("FLOAT")
      ->capture_default_str()
      ->group(group);
}

PrepareOptions PreparationArguments::options() const {
  PrepareOptions how = how_;
  how.most_k_hat_metric = how.most_k_hat;
  const bool file = is_file(init_, kInitNames, ".npy");
  how.init = file ? Init::file : choice("--init", init_, kInitNames);
  how.start_file = file ? init_ : "";
  const bool metric_file = is_file(metric_, kMetricInitNames, ".json");
  how.metric = metric_file ? MetricInit::file : choice("--metric-init", metric_, kMetricInitNames);
  how.metric_file = metric_file ? metric_ : "";

  const auto given = [this](const char* option) { return app_->get_option(option)->count() > 0; };
  require(!given("--vi-family") || how.init == Init::vi,
          "--vi-family does not apply to --init " + init_ + ": leave it out, or choose vi");
  const bool recipe = is_recipe(how.init);
  for (const char* option : {"--metric-init", "--metric-weight"}) {
    require(!given(option) || !recipe, std::string(option) + " does not apply to --init " + init_ +
                                           ", a recipe that says it: leave it out");
  }
  const bool fits =
      how.init == Init::vi || how.init == Init::pathfinder || how.init == Init::advi_adapt_diag;
  const bool metric =
      how.metric != MetricInit::starts && (how.metric != MetricInit::automatic || fits);
  require(!given("--metric-weight") || metric,
          "--metric-weight weighs a metric that is there before the draws: choose a --metric-init, "
          "or an --init that fits one");
  const bool fits_metric = how.metric != MetricInit::automatic && !metric_file &&
                           how.metric != MetricInit::starts && how.metric != MetricInit::unit;
  require(!given("--most-k-hat") || fits || fits_metric,
          "--most-k-hat judges fits, and none is asked for: choose --init vi or pathfinder");
  return how;
}

void PreparationArguments::settle(const PrepareOptions& how, Sampler& sampler) {
  if (is_recipe(how.init) && sampler.metric == Metric::automatic) {
    sampler.metric = Metric::diagonal;
  }
}

}  // namespace lockstep::bench
