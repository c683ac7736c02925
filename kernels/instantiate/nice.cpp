/// The kernels of A-NICE-MC, compiled once for all targets.

#include "kernels/launch/nice.hpp"

#include "kernels/launch/cpu.hpp"

namespace lockstep {

template <class S>
std::unique_ptr<Engine> make_cpu_nice_engine(std::shared_ptr<const BlockTarget<S>> target,
                                             const NiceNetwork& network,
                                             const SampleOptions& options) {
  auto engine = std::make_unique<CpuEngine<S, NiceTarget<S>, NiceSettings<S>>>(
      NiceTarget<S>(target, network), options);
  if (target->has_truth()) {
    engine->know(target->truth());
  }
  return engine;
}

template std::unique_ptr<Engine> make_cpu_nice_engine<float>(
    std::shared_ptr<const BlockTarget<float>>, const NiceNetwork&, const SampleOptions&);
template std::unique_ptr<Engine> make_cpu_nice_engine<double>(
    std::shared_ptr<const BlockTarget<double>>, const NiceNetwork&, const SampleOptions&);

}  // namespace lockstep
