#include "kernels/launch/l2hmc.hpp"

#include "host/registry.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

std::unique_ptr<Engine> make_engine(const TargetEntry& entry, const Sampler& sampler,
                                    const TargetOptions& target, const SampleOptions& options) {
  const bool for_jumps = sampler.method == Method::dhmc || sampler.method == Method::mixed_hmc ||
                         sampler.method == Method::gibbs;
  require(entry.discontinuous || !for_jumps,
          "target " + entry.name + " is smooth, and has no use for this sampler: choose hmc");
  require(!entry.discontinuous || for_jumps || sampler.method == Method::random_walk,
          "the density of target " + entry.name +
              " jumps, which this sampler would not see: choose dhmc, mixed-hmc, gibbs or rwm");
  if (sampler.method != Method::l2hmc) {
    return entry.make(target, options);
  }
  const bool single = options.precision == Precision::single_;
  std::unique_ptr<Engine> engine;
  if (single && resolve_backend(options.backend, built_with_cuda()) == Backend::cuda) {
    engine = entry.make_cuda_l2hmc(target, options);
  }
  if (engine == nullptr) {
    require(options.backend != Backend::cuda,
            "L2HMC runs on CUDA in float only, and not on every target: for this one, choose "
            "--backend cpu or auto");
    engine = single ? make_cpu_l2hmc_engine<float>(entry.block_float(target), options)
                    : make_cpu_l2hmc_engine<double>(entry.block_double(target), options);
  }
  entry.tell(target, *engine);
  return engine;
}

std::unique_ptr<TrainingEngine> make_training_engine(const TargetEntry& entry,
                                                     const TargetOptions& target,
                                                     const L2hmcOptions& options) {
  const TrainingPlace place = place_of(options, entry.dim(target));
  const bool single = options.precision == Precision::single_;
  if (single && resolve_backend(options.backend, built_with_cuda()) == Backend::cuda) {
    if (auto engine = entry.make_cuda_training(target, place)) {
      return engine;
    }
  }
  require(options.backend != Backend::cuda,
          "networks are trained on CUDA in float only, and not on every target: for this one, "
          "choose --backend cpu or auto");
  return single ? make_cpu_training_engine<float>(entry.block_float(target), place)
                : make_cpu_training_engine<double>(entry.block_double(target), place);
}

}  // namespace lockstep
