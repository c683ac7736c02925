#pragma once

#include <string>
#include <vector>

#include "host/io/checkpoint.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/preparation.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

/// Everything that the bits of a run depend on: program, backend, target, sampler, options. A
/// target is known by its parameters' names and by its potential and gradient at a few fixed
/// points, which tell another data file or another density of the same name.
///
/// Moves the engine's chains: for before they are started.
std::vector<Setting> configuration_of(Engine& engine, const Sampler& sampler,
                                      const SampleOptions& options);

/// What of a preparation that is already made the bits depend on, in a few words.
std::string settings_of(const Preparation& preparation);

/// The same of one that is yet to be made: for a file, its contents.
std::string settings_of(const PrepareOptions& how);

/// The same of training: a target is known by its name and by the gradient of the loss at fixed
/// points.
std::vector<Setting> configuration_of(TrainingEngine& engine, const std::string& target,
                                      const L2hmcOptions& options);

}  // namespace lockstep
