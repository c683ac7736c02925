#pragma once

/// The prebuilt targets by name.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/autodiff/check_gradient.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

template <class S>
class BlockTarget;

/// What the prebuilt targets can be told. NaN and 0 mean the target's own default.
struct TargetOptions {
  int dim = 0;                // std-normal, normal, normal-rotated, rough-well, zero-one
  int observations = 0;       // zero-one
  double small_variance = 0;  // scg
  double condition = 0;       // normal, normal-rotated
  double eta = 0;             // rough-well
  double prior_mean = 0;      // eight-schools: mu ~ N(prior_mean, prior_sd)
  double prior_sd = 0;
  std::filesystem::path data_file;  // logistic, zero-one, change-point
  std::filesystem::path data_dir;   // searched first for data sets
};

/// Where a target's reference figures are: one posterior of FOLDER/reference.json.
struct ReferenceName {
  std::string folder, posterior;  // empty: there are none
};

/// A prebuilt target.
struct TargetEntry {
  std::string name;
  std::string description;  // one line
  std::string options;      // the TargetOptions it takes, for help: "--dim", ...
  bool needs_data = false;
  bool discontinuous = false;  // its density jumps along some coordinates: for dhmc, mixed-hmc, ...
  ReferenceName reference;     // with the target's own defaults
  /// Binds the target to a backend. @throw FileError if data is absent, UsageError for bad options
  std::function<std::unique_ptr<Engine>(const TargetOptions&, const SampleOptions&)> make;
  /// L2HMC's engine on CUDA, in float; null where the target has none.
  std::function<std::unique_ptr<Engine>(const TargetOptions&, const SampleOptions&)>
      make_cuda_l2hmc = [](const auto&, const auto&) { return nullptr; };
  /// What trains its networks there; null where the target has none.
  std::function<std::unique_ptr<TrainingEngine>(const TargetOptions&, const TrainingPlace&)>
      make_cuda_training = [](const auto&, const auto&) { return nullptr; };
  /// The target for kernels that are compiled once for all targets.
  std::function<std::shared_ptr<const BlockTarget<float>>(const TargetOptions&)> block_float;
  std::function<std::shared_ptr<const BlockTarget<double>>(const TargetOptions&)> block_double;
  /// Tells an engine what is known of the target's law from elsewhere.
  std::function<void(const TargetOptions&, Engine&)> tell = [](const auto&, auto&) {};
  std::function<GradientReport(const TargetOptions&, const GradientOptions&)> check;
  std::function<int(const TargetOptions&)> dim;
  /// What the data are, in words, where that is not plain from the name: a made-up design says so.
  std::function<std::string(const TargetOptions&)> data = [](const auto&) { return std::string(); };
};

const std::vector<TargetEntry>& targets();

/// An engine that can run the sampler on the target: `make`'s, or L2HMC's own.
/// @throw UsageError  as `make` does, and if L2HMC cannot run where `options` say
std::unique_ptr<Engine> make_engine(const TargetEntry& entry, const Sampler& sampler,
                                    const TargetOptions& target, const SampleOptions& options);

/// What trains L2HMC's networks for the target.
/// @param options  precision, backend and, by place_of, all that the engine must know
std::unique_ptr<TrainingEngine> make_training_engine(const TargetEntry& entry,
                                                     const TargetOptions& target,
                                                     const L2hmcOptions& options);

/// @throw UsageError  naming the nearest known name
const TargetEntry& find_target(const std::string& name);

/// The known name that is fewest edits away from `name`.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

}  // namespace lockstep
