#include "host/io/dataset.hpp"
#include "host/io/reference.hpp"
#include "host/registry/entry.hpp"

namespace lockstep::registry {

TargetEntry referenced(TargetEntry e, std::string folder, std::string posterior,
                       std::function<bool(const TargetOptions&)> applies) {
  e.reference = {std::move(folder), std::move(posterior)};
  e.tell = [name = e.reference, applies](const TargetOptions& t, Engine& engine) {
    if (!applies(t)) {
      return;
    }
    std::filesystem::path file;
    try {
      file = find_data_file(name.folder, "reference.json", t.data_dir);
    } catch (const FileError&) {
      return;
    }
    engine.know(truth_of(read_reference(file, name.posterior), engine.description().names));
  };
  e.make = [make = e.make, tell = e.tell](const TargetOptions& t, const SampleOptions& s) {
    auto engine = make(t, s);
    tell(t, *engine);
    return engine;
  };
  return e;
}

}  // namespace lockstep::registry
