#include "host/vi/fit.hpp"

#include "host/clock.hpp"

namespace lockstep {

NormalFit fit_normal(Density& density, const VariationalOptions& options) {
  const Clock clock;
  const std::int64_t before = density.evaluations();
  NormalFit fit = options.method == Approximation::pathfinder ? fit_pathfinder(density, options)
                  : options.method == Approximation::fisher   ? fit_fisher(density, options)
                                                              : fit_advi(density, options);
  fit.method = options.method;
  fit.gradients = density.evaluations() - before;
  fit.seconds = clock.seconds();
  return fit;
}

}  // namespace lockstep
