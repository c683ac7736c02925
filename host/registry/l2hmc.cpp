#include "kernels/launch/l2hmc.hpp"

#include "host/registry.hpp"
#include "host/validate.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

std::unique_ptr<Engine> make_engine(const TargetEntry& entry, const Sampler& sampler,
                                    const TargetOptions& target, const SampleOptions& options) {
  require_suited(sampler, entry.discontinuous);
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
  Sampler trained;
  trained.method = Method::l2hmc;
  require_suited(trained, entry.discontinuous);
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
