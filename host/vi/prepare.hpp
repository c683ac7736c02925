#pragma once

#include <functional>

#include "host/vi/density.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// What makes a fit: fit_normal, but in tests.
using MakeFit = std::function<NormalFit(Density&, const VariationalOptions&)>;

/// `recipe_of` with fits by `fit`.
Recipe recipe_of(const PrepareOptions& how, const Sampler& sampler, const SampleOptions& options,
                 const EngineDescription& about, MakeEngine make, MakeFit fit);

}  // namespace lockstep
