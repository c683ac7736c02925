#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "bench/cli/arguments.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

/// Options that only some targets take; the others (--data-dir) say where to look.
constexpr const char* kParticular[] = {"--dim",  "--condition",   "--small-variance",
                                       "--eta",  "--prior-mean",  "--prior-sd",
                                       "--data", "--observations"};

/// The option names in a target's own list, whatever separates them.
std::vector<std::string> option_names(const std::string& list) {
  std::string words = list;
  for (char& c : words) {
    if (c != '-' && (c < 'a' || c > 'z')) {
      c = ' ';
    }
  }
  std::istringstream in(words);
  std::vector<std::string> names;
  for (std::string word; in >> word;) {
    if (word.rfind("--", 0) == 0) {
      names.push_back(word);
    }
  }
  return names;
}

}  // namespace

void TargetArguments::add_to(CLI::App& app, bool required) {
  app_ = &app;
  const std::string group = "Target";
  app.add_option("--target", name_, "What to sample; `lockstep-bench list` has the names")
      ->type_name("NAME")
      ->required(required)
      ->group(group);
  app.add_option("--dim", options_.dim, "Dimension (std-normal, normal, rough-well, zero-one)")
      ->group(group);
  app.add_option("--observations", options_.observations, "Rows of the made-up design (zero-one)")
      ->group(group);
  app.add_option("--condition", options_.condition,
                 "Largest over smallest precision (normal, normal-rotated)")
      ->group(group);
  app.add_option("--small-variance", options_.small_variance, "The smaller variance (scg)")
      ->group(group);
  app.add_option("--eta", options_.eta, "Height of the wells (rough-well)")->group(group);
  app.add_option("--prior-mean", options_.prior_mean, "Prior mean of mu (eight-schools)")
      ->group(group);
  app.add_option("--prior-sd", options_.prior_sd, "Prior standard deviation of mu (eight-schools)")
      ->group(group);
  app.add_option(
         "--data", options_.data_file,
         "CSV file: a header, then features and, last, a two-valued outcome (logistic, zero-one), "
         "or with counts over time in the last column (change-point)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--data-dir", options_.data_dir,
                 "Folder of data sets, searched before $LOCKSTEP_DATA and the user's cache")
      ->type_name("DIR")
      ->group(group);
}

const TargetEntry& TargetArguments::entry() const {
  const TargetEntry& entry = find_target(name_);
  const std::vector<std::string> taken = option_names(entry.options);
  for (const char* option : kParticular) {
    const bool given = app_->get_option(option)->count() > 0;
    require(!given || std::find(taken.begin(), taken.end(), option) != taken.end(),
            std::string(option) + " does not apply to target " + name_ + ", which takes " +
                (taken.empty() ? "no options" : entry.options) + ": leave it out");
  }
  for (const auto& [option, value] : {std::pair<const char*, double>{"--dim", options_.dim},
                                      {"--observations", options_.observations},
                                      {"--condition", options_.condition},
                                      {"--small-variance", options_.small_variance},
                                      {"--eta", options_.eta},
                                      {"--prior-sd", options_.prior_sd}}) {
    if (app_->get_option(option)->count() > 0) {
      check_positive(option, value);
    }
  }
  require(std::isfinite(options_.prior_mean), "--prior-mean must be finite");
  return entry;
}

void check_positive(const std::string& option, double value) {
  std::ostringstream text;
  text << value;
  require(std::isfinite(value) && value > 0,
          option + " is " + text.str() + ": give a positive number");
}

}  // namespace lockstep::bench
