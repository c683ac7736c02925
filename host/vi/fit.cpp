#include "host/vi/fit.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "host/clock.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr int kFewestDraws = 64;
constexpr int kLargestRank = 32;

/// @throw UsageError
void check(const VariationalOptions& o, int dim) {
  const auto least = [](const std::string& name, auto value, auto bound,
                        const std::string& remedy) {
    require(value >= bound, name + " is " + std::to_string(value) + ": give " + remedy);
  };
  least("the fit's draws", o.draws, kFewestDraws,
        "at least " + std::to_string(kFewestDraws) + ", of which its expectations are means");
  least("the fit's iterations", o.iterations, 0, "at least 1, or 0 for the method's own");
  require(std::isfinite(o.tolerance) && o.tolerance > 0,
          "the fit's tolerance is " + std::to_string(o.tolerance) +
              ": give a positive number, such as 0.01");
  require(std::isfinite(o.start_radius) &&
              (o.start_radius > 0 || (o.start_radius == 0 && !o.start.empty())),
          "the fit's start radius is " + std::to_string(o.start_radius) +
              ": give a positive number, such as 2, or 0 about a given start");
  least("the fit's starts", o.starts, std::int64_t{1}, "at least 1");
  if (o.method == Approximation::low_rank) {
    require(o.rank >= 1 && o.rank <= kLargestRank,
            "the fit's rank is " + std::to_string(o.rank) + ": give 1 to " +
                std::to_string(kLargestRank) + " directions");
    require(o.ascent == Ascent::natural,
            "Stan has no low-rank family: fit it by the natural ascent, or fit mean_field or "
            "full_rank");
  }
  if (o.method == Approximation::pathfinder) {
    least("pathfinder's paths", o.paths, 1, "at least 1");
    require(o.draws >= 4 * o.paths, "the fit's draws are " + std::to_string(o.draws) +
                                        ", of pathfinder's " + std::to_string(o.paths) +
                                        " paths: give at least four for each");
  }
  require(o.start.empty() || o.start.size() == static_cast<std::size_t>(dim),
          "the fit's start has " + std::to_string(o.start.size()) +
              " values, but this target has " + std::to_string(dim) +
              " parameters: give one per parameter, unconstrained");
  for (std::size_t j = 0; j < o.start.size(); ++j) {
    require(std::isfinite(o.start[j]), "the fit's start has " + std::to_string(o.start[j]) +
                                           " for parameter " + std::to_string(j + 1) +
                                           ": give finite values");
  }
}

}  // namespace

std::string fault_of_covariance(const NormalFit& fit, int dim) {
  try {
    prepare_metric(fit.kind, fit.covariance, dim);
    return "";
  } catch (const UsageError& e) {
    return e.what();
  }
}

NormalFit fit_normal(Density& density, const VariationalOptions& options) {
  check(options, density.dim());
  const Clock clock;
  const std::int64_t before = density.evaluations();
  NormalFit fit;
  try {
    fit = options.method == Approximation::pathfinder ? fit_pathfinder(density, options)
          : options.method == Approximation::fisher   ? fit_fisher(density, options)
                                                      : fit_advi(density, options);
  } catch (const UsageError& e) {  // on its way the covariance ceased to be one
    fit.trouble = e.what();
  }
  fit.method = options.method;
  if (fit.trouble.empty()) {
    fit.trouble = fault_of_covariance(fit, density.dim());
  }
  fit.gradients = density.evaluations() - before;
  fit.seconds = clock.seconds();
  return fit;
}

}  // namespace lockstep
