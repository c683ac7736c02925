#pragma once

#include <string>

#include "host/vi/density.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// @throw UsageError           for options that make no sense
/// @throw InitialisationError  if no start with a finite potential is found
NormalFit fit_normal(Density& density, const VariationalOptions& options);

/// Why the fit's covariance, left so by rounding, is none: a clause; empty if it is one.
std::string fault_of_covariance(const NormalFit& fit, int dim);

/// Of its methods: mean_field, full_rank and low_rank,
NormalFit fit_advi(Density& density, const VariationalOptions& options);
/// fisher,
NormalFit fit_fisher(Density& density, const VariationalOptions& options);
/// and pathfinder.
NormalFit fit_pathfinder(Density& density, const VariationalOptions& options);

}  // namespace lockstep
