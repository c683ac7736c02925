#include "bench/cli/arguments.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

void add_place(CLI::App& app, SampleOptions& options) {
  const std::string group = "Place";
  add_choice(app, "--backend", options.backend, kBackendNames,
             "auto: CUDA where there is a device")
      ->default_str("auto")
      ->group(group);
  app.add_option("--threads", options.threads, "CPU threads; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->type_name("INT")
      ->capture_default_str()
      ->group(group);
  app.add_option("--devices", options.devices, "CUDA devices, e.g. 0,1 [the first]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::NonNegativeNumber)
      ->type_name("LIST")
      ->group(group);
}

void check_place(const SampleOptions& options) {
  if (options.backend == Backend::cpu) {
    require(options.devices.empty(),
            "--devices names CUDA devices, which --backend cpu does not use: leave one out");
  }
  if (options.backend == Backend::cuda) {
    std::string why;
    require(!cuda_devices(&why).empty(), "--backend cuda: " + why + "; use --backend cpu or auto");
  }
}

}  // namespace lockstep::bench
