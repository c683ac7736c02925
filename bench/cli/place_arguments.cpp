#include <algorithm>
#include <thread>

#include "bench/cli/arguments.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

void add_place(CLI::App& app, SampleOptions& options) {
  const std::string group = "Place";
  add_choice(app, "--backend", options.backend, kBackendNames, "auto: CUDA where there is a device")
      ->default_str("auto")
      ->group(group);
  app.add_option("--threads", options.threads, "CPU threads; 0: all")
      ->type_name("INT")
      ->capture_default_str()
      ->group(group);
  app.add_option("--devices", options.devices, "CUDA devices, e.g. 0,1 [the first]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("LIST")
      ->group(group);
}

void check_place(const SampleOptions& options) {
  // Far more threads than processors end in a crash of the thread library, not in an error.
  const int most = std::max(256, 4 * static_cast<int>(std::thread::hardware_concurrency()));
  require(options.threads >= 0 && options.threads <= most,
          "--threads is " + std::to_string(options.threads) + ": give 1 to " +
              std::to_string(most) + ", or 0 for all processors");
  for (const int device : options.devices) {
    require(device >= 0, "--devices names " + std::to_string(device) +
                             ": devices are counted from 0 (`lockstep-bench list`)");
  }
  if (options.backend == Backend::cpu) {
    require(options.devices.empty(),
            "--devices names CUDA devices, which --backend cpu does not use: leave one out");
  }
  if (options.backend == Backend::cuda) {
    std::string why;
    const bool none = cuda_devices(&why).empty();
    require(!none, "--backend cuda: " + why + "; use --backend cpu or auto");
  }
}

void check_settled(const SampleOptions& options, const EngineDescription& engine) {
  if (engine.backend == "cuda") {
    return;
  }
  const std::string only = " is for CUDA, and this runs on the cpu backend: leave it out";
  require(options.generator != Generator::curand, "--rng curand" + only);
  require(options.devices.empty(), "--devices" + only);
  require(options.threads_per_chain == 0, "--threads-per-chain" + only);
}

}  // namespace lockstep::bench
