#include "kernels/launch/l2hmc.hpp"

#include "host/registry.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

std::unique_ptr<Engine> make_engine(const TargetEntry& entry, const Sampler& sampler,
                                    const TargetOptions& target, const SampleOptions& options) {
  if (sampler.method != Method::l2hmc) {
    return entry.make(target, options);
  }
  require(options.backend != Backend::cuda,
          "L2HMC runs on the cpu backend only: choose that, or auto");
  auto engine = options.precision == Precision::double_
                    ? make_cpu_l2hmc_engine<double>(entry.block_double(target), options)
                    : make_cpu_l2hmc_engine<float>(entry.block_float(target), options);
  entry.tell(target, *engine);
  return engine;
}

std::unique_ptr<TrainingEngine> make_training_engine(const TargetEntry& entry,
                                                     const TargetOptions& target,
                                                     const L2hmcOptions& options) {
  const TrainingPlace place = place_of(options, entry.dim(target));
  return options.precision == Precision::double_
             ? make_cpu_training_engine<double>(entry.block_double(target), place)
             : make_cpu_training_engine<float>(entry.block_float(target), place);
}

}  // namespace lockstep
