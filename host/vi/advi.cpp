#include "host/vi/advi.hpp"

#include <cmath>
#include <utility>

#include "host/vi/fit.hpp"
#include "host/vi/importance.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

NormalFit fit_advi(Density& density, const VariationalOptions& options) {
  Climbed climbed = options.ascent == Ascent::natural ? natural_ascent(density, options)
                                                      : stan_ascent(density, options);
  const Normal& q = climbed.q;
  const Assessment found = assess(density, q, options.seed,
                                  static_cast<std::uint32_t>(AdviSet::assessment), options.draws);
  NormalFit fit;
  fit.mean.assign(q.mean().data(), q.mean().data() + q.dim());
  fit.kind = q.covariance().kind;
  fit.covariance = q.covariance().inverse_mass;
  const Matrix draws = q.at(standard_normals(
      options.seed, static_cast<std::uint32_t>(AdviSet::starts), q.dim(), options.starts));
  fit.draws.assign(draws.data(), draws.data() + draws.size());
  fit.elbo = found.elbo;
  fit.elbo_error = found.elbo_error;
  fit.k_hat = found.k_hat;
  fit.iterations = climbed.iterations;
  fit.trouble = std::move(climbed.trouble);
  if (fit.trouble.empty() && !std::isfinite(fit.elbo)) {
    fit.trouble = "its ELBO diverged";
  }
  return fit;
}

}  // namespace lockstep
