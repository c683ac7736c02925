#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/studies/convergence.hpp"
#include "bench/studies/preconditioning_cases.hpp"
#include "host/adapt/metric.hpp"

namespace lockstep::bench {

/// What a long run tells of a case's law.
struct KnownLaw {
  Matrix q;  // draws, [dim][draws], unconstrained
  SecondMoments moments;
  PreparedMetric adapted;  // what the pooled warm-up ended with
};

/// @throw Interrupted
KnownLaw known_law(const PreconditioningCase& c, const StudySettings& settings);

/// A way to a metric, and to starts.
struct PreconditioningMethod {
  std::string name;
  Metric metric = Metric::automatic;      // of the warm-up
  std::optional<Approximation> fit = {};  // what prepares it
  Init init = Init::uniform;              // how it is handed over
  bool of_law = false;                    // its metric is measured on the law's draws instead
};

/// identity, stan (the diagonal of variances), pooled (the default), the fits, and PyMC's recipes.
const std::vector<PreconditioningMethod>& preconditioning_methods();

/// One method on one case, one seed. NaN where a figure is not defined or was not reached.
struct PreconditioningFigures {
  double kappa_median = StudyRow::kUnknown, kappa_95 = StudyRow::kUnknown;
  double kappa_bar = StudyRow::kUnknown;  // from covariances, without a Hessian
  double edge = StudyRow::kUnknown;       // 2 / sqrt(lambda_max), median over draws
  double step_size = StudyRow::kUnknown;  // that reaches acceptance 0.8 in the metric
  double elbo = StudyRow::kUnknown, k_hat = StudyRow::kUnknown;
  double gradients_of_fit = StudyRow::kUnknown;     // of a chain
  double gradients_of_warmup = StudyRow::kUnknown;  // of a chain
  double gradients_to_rhat = StudyRow::kUnknown, gradients_to_bias = StudyRow::kUnknown;
  double seconds_to_rhat = StudyRow::kUnknown;
  std::vector<double> gradients, squared_bias;  // of a chain, and of the ensemble then
  std::vector<std::string> warnings;
};

/// @throw Interrupted
PreconditioningFigures evaluate(const PreconditioningCase& c, const PreconditioningMethod& method,
                                const KnownLaw& law, const StudySettings& settings, int repetition);

}  // namespace lockstep::bench
