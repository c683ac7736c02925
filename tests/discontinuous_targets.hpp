#pragma once

/// Every target of the library with discontinuous coordinates, for tests that hold for all of them.
/// (all_targets.hpp has those with a gradient everywhere.)

#include "kernels/targets/binomial_n.hpp"
#include "kernels/targets/change_point.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "kernels/targets/mixture_indicator.hpp"
#include "kernels/targets/sign.hpp"

namespace lockstep::testing_targets {

/// f(name, target, slack): how far U in float may be off, since cells there have other widths.
template <class F>
void for_each_discontinuous_target(F f) {
  f("integer-grid", IntegerGrid{}, 0.0);
  f("mixed-grid", MixedGrid{}, 0.0);
  f("binomial-n", BinomialN{}, 2e-3);
  f("sign", Sign{}, 0.0);
  f("change-point", ChangePoint{}, 0.0);
  f("change-point, four years", ChangePoint({3, 0, 1, 7}), 0.0);
  f("mixture-indicator", MixtureIndicator{}, 0.0);
}

}  // namespace lockstep::testing_targets
