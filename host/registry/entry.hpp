#pragma once

/// What the entries of the registry are made of. A family of targets is one file here: it includes
/// its targets' headers, and nothing else does.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/registry.hpp"
#include "kernels/instantiate/cuda_dhmc.hpp"
#include "kernels/instantiate/cuda_l2hmc.hpp"
#include "kernels/integrators/check_delta.hpp"
#include "kernels/launch/dhmc.hpp"
#include "kernels/launch/erased.hpp"
#include "kernels/launch/l2hmc.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/error.hpp"

namespace lockstep::registry {

using Entries = std::vector<TargetEntry>;

// The families, each in its file.
Entries analytic();
Entries hierarchical();
Entries binary_regressions();
Entries linear_regressions();
Entries counts_and_mixtures();
Entries time_series();
Entries discontinuous();
Entries zero_one();

#if LOCKSTEP_WITH_CUDA
inline constexpr bool kWithCuda = true;
#else
inline constexpr bool kWithCuda = false;
#endif

/// Binds a target to the backend that `options` ask for.
template <class S, class Target>
std::unique_ptr<Engine> bind(const Target& target, const SampleOptions& options) {
  constexpr bool cuda = kWithCuda && std::is_same_v<S, float>;
  require(options.backend != Backend::cuda || !kWithCuda || cuda,
          "the prebuilt targets run on CUDA in float only: choose --precision float, or the cpu "
          "backend");
  if (resolve_backend(options.backend, cuda) == Backend::cuda) {
    if constexpr (cuda) {
      return make_cuda_engine<S>(target, options);
    }
  }
  return make_cpu_engine<S>(target, options);
}

/// The same for a target with discontinuous coordinates.
template <class S, class Target>
requires HasDiscontinuities<Target> std::unique_ptr<Engine> bind(const Target& target,
                                                                 const SampleOptions& options) {
  constexpr bool cuda = kWithCuda && std::is_same_v<S, float> && has_cuda_dhmc<Target>;
  require(options.backend != Backend::cuda || !kWithCuda || cuda,
          "this target runs on CUDA in float only, if at all: choose --precision float, or the cpu "
          "backend");
  if (resolve_backend(options.backend, cuda) == Backend::cuda) {
    if constexpr (cuda) {
      return make_cuda_discontinuous_engine(target, options);
    }
  }
  return make_cpu_discontinuous_engine<S>(block_target<S>(target, kMostDiscontinuous), options);
}

template <class Target>
std::unique_ptr<Engine> bind(const Target& target, const SampleOptions& options) {
  return options.precision == Precision::double_ ? bind<double>(target, options)
                                                 : bind<float>(target, options);
}

/// TargetEntry::make_cuda_l2hmc for the target.
template <class Target>
std::unique_ptr<Engine> bind_cuda_l2hmc(const Target& target, const SampleOptions& options) {
  if constexpr (kWithCuda && has_cuda_l2hmc<Target>) {
    return make_cuda_l2hmc_engine(target, options);
  } else {
    return nullptr;
  }
}

/// TargetEntry::make_cuda_training for the target.
template <class Target>
std::unique_ptr<TrainingEngine> bind_cuda_training(const Target& target,
                                                   const TrainingPlace& place) {
  if constexpr (kWithCuda && has_cuda_l2hmc<Target>) {
    return make_cuda_training_engine(target, place);
  } else {
    return nullptr;
  }
}

/// An entry whose target is made by `make(TargetOptions)`.
template <class Make>
TargetEntry entry(std::string name, std::string description, std::string options, Make make) {
  TargetEntry e;
  e.name = std::move(name);
  e.description = std::move(description);
  e.options = std::move(options);
  e.discontinuous = HasDiscontinuities<decltype(make(TargetOptions{}))>;
  e.make = [make](const TargetOptions& t, const SampleOptions& s) { return bind(make(t), s); };
  e.make_cuda_l2hmc = [make](const TargetOptions& t, const SampleOptions& s) {
    return bind_cuda_l2hmc(make(t), s);
  };
  e.make_cuda_training = [make](const TargetOptions& t, const TrainingPlace& p) {
    return bind_cuda_training(make(t), p);
  };
  e.block_float = [make](const TargetOptions& t) { return block_target<float>(make(t)); };
  e.block_double = [make](const TargetOptions& t) { return block_target<double>(make(t)); };
  e.check = [make](const TargetOptions& t, const GradientOptions& g) {
    return check_target(make(t), g);
  };
  e.dim = [make](const TargetOptions& t) { return dimension(make(t)); };
  return e;
}

/// A block target that keeps alive what it points into.
template <class S, class Data, class MakeTarget>
std::shared_ptr<const BlockTarget<S>> owning_block(std::shared_ptr<const Data> data,
                                                   MakeTarget target) {
  const auto block = block_target<S>(target(*data, S{}));
  return {block.get(), [data, block](const BlockTarget<S>*) {}};
}

/// An entry whose target needs data: `load(TargetOptions)` reads them and owns what the targets
/// point to, `target(data, S())` is the target on data of scalar S.
template <class Load, class MakeTarget>
TargetEntry data_entry(std::string name, std::string description, std::string options, Load load,
                       MakeTarget target) {
  TargetEntry e;
  e.name = std::move(name);
  e.description = std::move(description);
  e.options = std::move(options);
  e.needs_data = true;
  e.discontinuous = HasDiscontinuities<decltype(target(load(TargetOptions{}), double{}))>;
  e.make = [=](const TargetOptions& t, const SampleOptions& s) {
    using Data = decltype(load(t));
    const auto data = std::make_shared<const Data>(load(t));
    auto engine = s.precision == Precision::double_ ? bind<double>(target(*data, double{}), s)
                                                    : bind<float>(target(*data, float{}), s);
    engine->keep(data);
    return engine;
  };
  e.block_float = [=](const TargetOptions& t) {
    return owning_block<float>(std::make_shared<const decltype(load(t))>(load(t)), target);
  };
  e.block_double = [=](const TargetOptions& t) {
    return owning_block<double>(std::make_shared<const decltype(load(t))>(load(t)), target);
  };
  e.check = [=](const TargetOptions& t, const GradientOptions& g) {
    const auto data = load(t);
    return check_target(target(data, double{}), g);
  };
  e.dim = [=](const TargetOptions& t) {
    const auto data = load(t);
    return dimension(target(data, double{}));
  };
  return e;
}

/// The entry with figures to compare a run with: those of `posterior` in `folder`/reference.json.
/// Where that file is not to be found, and where `applies(TargetOptions)` is false, a run has no
/// truth.
TargetEntry referenced(
    TargetEntry e, std::string folder, std::string posterior,
    std::function<bool(const TargetOptions&)> applies = [](const TargetOptions&) { return true; });

}  // namespace lockstep::registry
