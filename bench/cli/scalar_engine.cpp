#include "bench/cli/scalar_engine.hpp"

#include "host/io/capture_data.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/dhmc.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/jolly_seber.hpp"
#include "kernels/targets/mixed_grid.hpp"

namespace lockstep::bench {

namespace {

template <class Target>
std::unique_ptr<Engine> scalar(const Target& target, const SampleOptions& options) {
  return std::make_unique<CpuEngine<float, Target, DiscontinuousSettings<float>, float>>(target,
                                                                                         options);
}

}  // namespace

std::unique_ptr<Engine> make_scalar_engine(const TargetEntry& entry, const TargetOptions& target,
                                           SampleOptions options) {
  options.threads = 1;
  options.backend = Backend::cpu;
  if (entry.name == "integer-grid") {
    return scalar(IntegerGrid{}, options);
  }
  if (entry.name == "mixed-grid") {
    return scalar(MixedGrid{}, options);
  }
  if (entry.name == "jolly-seber") {
    return scalar(JollySeber<kCapsidOccasions>(load_capsid(target.data_dir)), options);
  }
  return nullptr;
}

}  // namespace lockstep::bench
