#pragma once

/// Every target of the library with discontinuous coordinates, for tests that hold for all of them.
/// (all_targets.hpp has those with a gradient everywhere.)

#include "kernels/targets/change_point.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "kernels/targets/mixture_indicator.hpp"
#include "kernels/targets/sign.hpp"

namespace lockstep::testing_targets {

/// f(name, target).
template <class F>
void for_each_discontinuous_target(F f) {
  f("integer-grid", IntegerGrid{});
  f("mixed-grid", MixedGrid{});
  f("sign", Sign{});
  f("change-point", ChangePoint{});
  f("change-point, four years", ChangePoint({3, 0, 1, 7}));
  f("mixture-indicator", MixtureIndicator{});
}

}  // namespace lockstep::testing_targets
