/// Independent observations that are not normal.

#include "host/io/posterior_data.hpp"
#include "host/registry/entry.hpp"
#include "kernels/targets/normal_mixture.hpp"
#include "kernels/targets/poisson_regression.hpp"

namespace lockstep::registry {

Entries counts_and_mixtures() {
  return {
      referenced(
          data_entry(
              "peregrine", "Poisson regression on a cubic trend, bounded coefficients",
              "--data-dir", [](const TargetOptions& t) { return load_peregrine(t.data_dir); },
              [](const PoissonData& data, auto s) {
                using S = decltype(s);
                return PoissonRegression<S>(data.x.data<S>(), data.x.size(), data.moment);
              }),
          "glm_poisson_peregrine", "glm_poisson"),
      referenced(
          data_entry(
              "gauss-mix", "two-component normal mixture, ordered means, 1000 observations",
              "--data-dir", [](const TargetOptions& t) { return load_normal_mixture(t.data_dir); },
              [](const Column& y, auto s) {
                using S = decltype(s);
                return NormalMixture<S>(y.data<S>(), y.size());
              }),
          "low_dim_gauss_mix", "low_dim_gauss_mix"),
  };
}

}  // namespace lockstep::registry
