#include <algorithm>
#include <cmath>

#include "bench/studies/a_nice_study.hpp"
#include "bench/studies/convergence_study.hpp"
#include "bench/studies/default_study.hpp"
#include "bench/studies/dhmc_study.hpp"
#include "bench/studies/l2hmc_study.hpp"
#include "bench/studies/mass_matrix_study.hpp"
#include "bench/studies/posteriors_study.hpp"
#include "bench/studies/preconditioning_study.hpp"
#include "bench/studies/study.hpp"
#include "host/registry.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

const std::vector<Study>& studies() {
  static const std::vector<Study> all{
      default_study(), convergence_study(), mass_matrix_study(), posteriors_study(),
      l2hmc_study(),   a_nice_study(),      dhmc_study(),        preconditioning_study(),
  };
  return all;
}

const Study& find_study(const std::string& name) {
  std::vector<std::string> known;
  for (const Study& study : studies()) {
    if (study.name == name) {
      return study;
    }
    known.push_back(study.name);
  }
  throw UsageError("unknown study '" + name + "': did you mean '" + nearest_name(name, known) +
                   "'?");
}

void check_known(const std::vector<std::string>& names, const std::vector<std::string>& known) {
  for (const std::string& name : names) {
    require(
        std::find(known.begin(), known.end(), name) != known.end(),
        "this study has no case '" + name + "': did you mean '" + nearest_name(name, known) + "'?");
  }
}

SampleOptions options_of(const StudySettings& settings, int repetition) {
  SampleOptions options = settings.place;
  options.chains = settings.chains;
  options.seed = settings.first_seed + static_cast<std::uint64_t>(repetition);
  return options;
}

std::unique_ptr<Engine> engine_of(const std::string& target, const StudySettings& settings,
                                  const SampleOptions& options) {
  TargetOptions where;
  where.data_dir = settings.data_dir;
  return find_target(target).make(where, options);
}

StudyRow median_row(const std::string& case_name, const std::string& method,
                    const std::string& metric, const std::vector<double>& values) {
  StudyRow row{case_name, method, metric, median(values)};
  row.low = *std::min_element(values.begin(), values.end());
  row.high = *std::max_element(values.begin(), values.end());
  return row;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.size() % 2 == 1 ? *middle
                                : 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

OverSeeds over_seeds(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double x : values) {
    mean += x / n;
  }
  double squares = 0;
  for (const double x : values) {
    squares += (x - mean) * (x - mean);
  }
  return {mean, values.size() > 1 ? std::sqrt(squares / (n - 1) / n) : StudyRow::kUnknown};
}

double worst_error_in_mcse(const Fit& fit) {
  double worst = StudyRow::kUnknown;
  for (const ParameterSummary& p : fit.parameters) {
    for (const double error : {p.error_in_mcse, p.sd_error_in_mcse}) {
      worst = std::fmax(worst, std::abs(error));  // fmax passes over NaN
    }
  }
  return worst;
}

}  // namespace lockstep::bench
