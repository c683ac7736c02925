#pragma once

#include "host/diagnostics/columns.hpp"

namespace lockstep::diagnostics {

/// ESS of the mean of all columns by Geyer's initial monotone positive sequence.
double geyer_ess(const Centred& columns);

/// ESS of the indicator of x <= threshold over half chains.
double indicator_ess(const Columns& halves, double threshold);

}  // namespace lockstep::diagnostics
