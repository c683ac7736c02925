#include "host/io/dataset.hpp"
#include "host/io/reference.hpp"
#include "host/registry/entry.hpp"

namespace lockstep::registry {

TargetEntry referenced(TargetEntry e, std::string folder, std::string posterior,
                       std::function<bool(const TargetOptions&)> applies) {
  e.reference = {std::move(folder), std::move(posterior)};
  e.make = [make = e.make, name = e.reference, applies](
               const TargetOptions& t, const SampleOptions& s) -> std::unique_ptr<Engine> {
    auto engine = make(t, s);
    if (!applies(t)) {
      return engine;
    }
    std::filesystem::path file;
    try {
      file = find_data_file(name.folder, "reference.json", t.data_dir);
    } catch (const FileError&) {
      return engine;
    }
    engine->know(truth_of(read_reference(file, name.posterior), engine->description().names));
    return engine;
  };
  return e;
}

}  // namespace lockstep::registry
