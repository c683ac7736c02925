#include <cstddef>
#include <limits>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Sum over successive draws of (x_{t+1} - x_t)^2, per chain.
std::vector<double> squared_changes(Trace trace) {
  std::vector<double> sums(trace.chains);
  for (std::size_t draw = 1; draw < trace.draws; ++draw) {
    for (std::size_t c = 0; c < trace.chains; ++c) {
      const double change = trace(draw, c) - trace(draw - 1, c);
      sums[c] += change * change;
    }
  }
  return sums;
}

}  // namespace

EnergyFraction e_bfmi(Trace energies) {
  diagnostics::check(energies, "e_bfmi");
  if (energies.draws < 2 || energies.chains < 1) {
    return {std::vector<double>(energies.chains, nan), nan};
  }
  // Both means have T - 1 terms: changes, and degrees of freedom of the variance.
  std::vector<double> changes = squared_changes(energies);
  const diagnostics::Centred centred = diagnostics::centre(energies);
  double change = 0;
  double spread = 0;
  for (std::size_t c = 0; c < energies.chains; ++c) {
    change += changes[c];
    spread += centred.m2[c];
    changes[c] /= centred.m2[c];
  }
  return {std::move(changes), change / spread};
}

double esjd(Trace trace) {
  diagnostics::check(trace, "esjd");
  if (trace.draws < 2 || trace.chains < 1) {
    return nan;
  }
  return diagnostics::mean(squared_changes(trace)) / static_cast<double>(trace.draws - 1);
}

}  // namespace lockstep
