/// `list`: what there is to choose from.

#include <iostream>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/table.hpp"
#include "bench/studies/study.hpp"
#include "kernels/lane/lane.hpp"
#include "kernels/launch/describe.hpp"
#include "kernels/launch/make.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {
namespace {

struct Arguments {
  bool json = false;
};

/// The dimension with no option given; empty where it depends on data that are absent or not named.
std::string dimension_of(const TargetEntry& entry) {
  try {
    return std::to_string(entry.dim({}));
  } catch (const Error&) {
    return "data";
  }
}

std::string megabytes(std::size_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

Json as_json() {
  Json j;
  j["lockstep"] = LOCKSTEP_VERSION;
  j["targets"] = Json::array();
  for (const TargetEntry& t : targets()) {
    const std::string dim = dimension_of(t);
    j["targets"].push_back({{"name", t.name},
                            {"dimension", dim == "data" ? Json(nullptr) : Json(std::stoi(dim))},
                            {"description", t.description},
                            {"discontinuous", t.discontinuous},
                            {"options", t.options},
                            {"needs_data", t.needs_data}});
  }
  j["samplers"] = Json::array();
  for (const SamplerDescription& s : sampler_descriptions()) {
    j["samplers"].push_back({{"name", s.name}, {"description", s.description}});
  }
  j["studies"] = Json::array();
  for (const Study& s : studies()) {
    j["studies"].push_back({{"name", s.name}, {"description", s.description}});
  }
  std::string why;
  const std::vector<CudaDevice> devices = cuda_devices(&why);
  j["backends"]["cpu"] = {{"device", processor_name()}, {"lane_floats", width<FloatBatch>}};
  Json cuda;
  cuda["built"] = built_with_cuda();
  cuda["why_none"] = devices.empty() ? Json(why) : Json(nullptr);
  cuda["devices"] = Json::array();
  for (const CudaDevice& d : devices) {
    cuda["devices"].push_back({{"index", d.index},
                               {"name", d.name},
                               {"compute_capability", d.compute_capability},
                               {"memory_bytes", d.memory_bytes},
                               {"multiprocessors", d.multiprocessors}});
  }
  j["backends"]["cuda"] = cuda;
  return j;
}

void print() {
  TextTable target_table({"target", "dim", "description", "options"}, 4);
  for (const TargetEntry& t : targets()) {
    target_table.add(
        {t.name + (t.discontinuous ? " *" : ""), dimension_of(t), t.description, t.options});
  }
  TextTable sampler_table({"sampler", "description"}, 2);
  for (const SamplerDescription& s : sampler_descriptions()) {
    sampler_table.add({s.name, s.description});
  }
  TextTable study_table({"study", "description"}, 2);
  for (const Study& s : studies()) {
    study_table.add({s.name, s.description});
  }
  TextTable backend_table({"backend", "device"}, 2);
  backend_table.add({"cpu", processor_name() + ", " + std::to_string(width<FloatBatch>) +
                                " floats to a register"});
  std::string why;
  const std::vector<CudaDevice> devices = cuda_devices(&why);
  for (const CudaDevice& d : devices) {
    backend_table.add({"cuda", std::to_string(d.index) + ": " + d.name + ", sm " +
                                   d.compute_capability + ", " + std::to_string(d.multiprocessors) +
                                   " multiprocessors, " + megabytes(d.memory_bytes)});
  }
  if (devices.empty()) {
    backend_table.add({"cuda", "none: " + why});
  }
  std::cout << target_table.text()
            << "* its density jumps along some parameters: for dhmc, mixed-hmc, gibbs and rwm\n\n"
            << sampler_table.text() << '\n'
            << study_table.text() << '\n'
            << backend_table.text();
}

}  // namespace

Command list_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("list", "Targets, samplers, studies, backends and devices");
  auto a = std::make_shared<Arguments>();
  app->add_flag("--json", a->json, "One JSON object on stdout");
  return {app, [a] {
            if (a->json) {
              std::cout << as_json().dump(2) << '\n';
            } else {
              print();
            }
            return static_cast<int>(kOk);
          }};
}

}  // namespace lockstep::bench
