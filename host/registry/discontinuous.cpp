/// Targets whose density jumps: embedded integers and discontinuous likelihoods.

#include "host/registry/entry.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"

namespace lockstep::registry {

Entries discontinuous() {
  return {
      entry("integer-grid", "two integers on 0..5, law exp(-(m - n)^2 / 3 - |m + n - 5| / 4)", "",
            [](const TargetOptions&) { return IntegerGrid{}; }),
      entry("mixed-grid", "two integers on 0..3 and a normal number whose law they set", "",
            [](const TargetOptions&) { return MixedGrid{}; }),
  };
}

}  // namespace lockstep::registry
