/// The kernels for targets with discontinuous coordinates, compiled once for all of them.

#include "kernels/launch/dhmc.hpp"

#include "kernels/launch/cpu.hpp"

namespace lockstep {

template <class S>
std::unique_ptr<Engine> make_cpu_discontinuous_engine(std::shared_ptr<const BlockTarget<S>> target,
                                                      const SampleOptions& options) {
  using Target = ErasedTarget<S, kMostDiscontinuous>;
  auto engine =
      std::make_unique<CpuEngine<S, Target, DiscontinuousSettings<S>>>(Target(target), options);
  if (target->has_truth()) {
    engine->know(target->truth());
  }
  return engine;
}

template std::unique_ptr<Engine> make_cpu_discontinuous_engine<float>(
    std::shared_ptr<const BlockTarget<float>>, const SampleOptions&);
template std::unique_ptr<Engine> make_cpu_discontinuous_engine<double>(
    std::shared_ptr<const BlockTarget<double>>, const SampleOptions&);

}  // namespace lockstep
