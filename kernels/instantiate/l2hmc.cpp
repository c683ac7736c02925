/// L2HMC's kernels, compiled once for all targets.

#include "kernels/launch/l2hmc.hpp"

#include "kernels/launch/cpu.hpp"
#include "kernels/launch/training.hpp"

namespace lockstep {

template <class S>
std::unique_ptr<Engine> make_cpu_l2hmc_engine(std::shared_ptr<const BlockTarget<S>> target,
                                              const SampleOptions& options) {
  require(target->discontinuous().empty(),
          "the target's density jumps, which L2HMC would not see: choose DHMC");
  auto engine = std::make_unique<CpuEngine<S, ErasedTarget<S>, L2hmcSettings<S>>>(
      ErasedTarget<S>(target), options);
  if (target->has_truth()) {
    engine->know(target->truth());
  }
  return engine;
}

template <class S>
std::unique_ptr<TrainingEngine> make_cpu_training_engine(
    std::shared_ptr<const BlockTarget<S>> target, const TrainingPlace& place) {
  return std::make_unique<CpuTrainingEngine<S, ErasedTarget<S>, BlockLane<S>>>(
      ErasedTarget<S>(std::move(target)), place);
}

template std::unique_ptr<Engine> make_cpu_l2hmc_engine<float>(
    std::shared_ptr<const BlockTarget<float>>, const SampleOptions&);
template std::unique_ptr<Engine> make_cpu_l2hmc_engine<double>(
    std::shared_ptr<const BlockTarget<double>>, const SampleOptions&);
template std::unique_ptr<TrainingEngine> make_cpu_training_engine<float>(
    std::shared_ptr<const BlockTarget<float>>, const TrainingPlace&);
template std::unique_ptr<TrainingEngine> make_cpu_training_engine<double>(
    std::shared_ptr<const BlockTarget<double>>, const TrainingPlace&);

}  // namespace lockstep
