#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/studies/preconditioning_evaluation.hpp"

namespace lockstep::bench {

/// How soon the ensemble is near the law: squared bias against gradients, fits included.
/// @param methods  by name, the figures of each seed; the first seed is drawn
StudyFigure bias_plot(const std::string& case_name,
                      const std::map<std::string, std::vector<PreconditioningFigures>>& methods);

/// Of all laws that are not normal: gradients until superchains agree, of some methods against the
/// pooled default.
/// @param costs  by case, then method; infinite where they did not agree
StudyFigure cost_plot(const std::map<std::string, std::map<std::string, double>>& costs);

}  // namespace lockstep::bench
