/// Networks as JSON:
///
///   {"format": "lockstep network", "version": 1,
///    "shape": {"dim": d, "steps": T, "width": h, "hidden": l},
///    "parameters": {"log_step_size": [1], "V.A": [d h], ..., "X.q": [d]},   as Network::views
///    "masks": [[0 or 1, d of them], T lists], "scale": [d], "training": {...}}
///
/// Numbers are written with the fewest digits that are read back to the same bits.

#include <fstream>

#include "host/io/json.hpp"
#include "host/io/whole_file.hpp"
#include "lockstep/error.hpp"
#include "lockstep/network.hpp"

namespace lockstep {

namespace {

constexpr const char* kFormat = "lockstep network";
constexpr int kVersion = 1;

/// What a point of the history holds, in the order of the file's columns.
template <class F>
void for_columns(F f) {
  f("loss", &TrainingPoint::loss);
  f("acceptance", &TrainingPoint::acceptance);
  f("jump", &TrainingPoint::jump);
  f("clipped", &TrainingPoint::clipped);
  f("not_finite", &TrainingPoint::not_finite);
  f("step_size", &TrainingPoint::step_size);
  f("temperature", &TrainingPoint::temperature);
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_("network file " + path.string()) {
    std::error_code ignored;
    std::ifstream in(path);
    require<FileError>(in.good() && !std::filesystem::is_directory(path, ignored),
                       "cannot read the " + file_ +
                           ": name a file that `lockstep-bench train` or Network::save wrote");
    try {
      json_ = Json::parse(in);
    } catch (const Json::exception&) {
      malformed("is not JSON, or only a part of it");
    }
    if (!json_.is_object() || json_.value("format", Json()) != kFormat) {
      malformed("has no \"format\": \"" + std::string(kFormat) + "\"");
    }
    const Json version = json_.value("version", Json());
    require<FileError>(version == kVersion,
                       file_ + " has version " + shown(version) + ", but this program reads " +
                           std::to_string(kVersion) + ": train the network anew");
  }

  Network network() const {
    Network n;
    const Json& shape = at(json_, "shape");
    n.shape = {integer<int>(shape, "dim"), integer<int>(shape, "steps"),
               integer<int>(shape, "width"), integer<int>(shape, "hidden")};
    valid([&] { n.shape.validate(); });
    const Json& parameters = at(json_, "parameters");
    for (const Network::View& view : n.views()) {
      const auto size =
          static_cast<std::size_t>(view.rows) * static_cast<std::size_t>(view.columns);
      const std::vector<double> part = numbers(parameters, view.name, size);
      n.parameters.insert(n.parameters.end(), part.begin(), part.end());
    }
    read_masks(n);
    n.scale = numbers(json_, "scale", static_cast<std::size_t>(n.shape.dim));
    read_training(at(json_, "training"), n.training);
    valid([&] { n.validate(); });
    return n;
  }

 private:
  [[noreturn]] void malformed(const std::string& what) const {
    throw FileError(file_ + " " + what +
                    ": name another file that `lockstep-bench train` or Network::save wrote, or "
                    "train the network anew");
  }

  /// Runs a check whose complaint is the file's fault.
  template <class Check>
  void valid(Check check) const {
    try {
      check();
    } catch (const UsageError& e) {
      malformed("holds no valid network (" + std::string(e.what()) + ")");
    }
  }

  static std::string shown(const Json& value) {
    return value.is_null() ? "nothing" : value.dump().substr(0, 40);
  }

  const Json& at(const Json& object, const std::string& key) const {
    if (!object.is_object() || !object.contains(key)) {
      malformed("has no \"" + key + "\"");
    }
    return object[key];
  }

  template <class Int>
  Int integer(const Json& object, const std::string& key) const {
    const Json& value = at(object, key);
    const auto n = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    if (n < 0 || n > std::numeric_limits<Int>::max()) {
      malformed("has " + shown(value) + " as its \"" + key + "\"");
    }
    return static_cast<Int>(n);
  }

  double number(const Json& value, const std::string& key) const {
    if (!value.is_number()) {
      malformed("has " + shown(value) + " in \"" + key + "\", where a number should be");
    }
    return value.get<double>();
  }

  std::vector<double> numbers(const Json& object, const std::string& key, std::size_t size) const {
    const Json& list = at(object, key);
    if (!list.is_array() || list.size() != size) {
      malformed("has " +
                (list.is_array() ? std::to_string(list.size()) + " numbers" : shown(list)) +
                " in \"" + key + "\", where its shape needs " + std::to_string(size));
    }
    std::vector<double> values;
    for (const Json& value : list) {
      values.push_back(number(value, key));
    }
    return values;
  }

  void read_masks(Network& n) const {
    const Json& masks = at(json_, "masks");
    if (!masks.is_array() || masks.size() != static_cast<std::size_t>(n.shape.steps)) {
      malformed("has no \"masks\" for each of its " + std::to_string(n.shape.steps) + " steps");
    }
    for (const Json& mask : masks) {
      if (!mask.is_array() || mask.size() != static_cast<std::size_t>(n.shape.dim)) {
        malformed("has " + shown(mask) + " in \"masks\", where its shape needs a list of " +
                  std::to_string(n.shape.dim));
      }
      for (const Json& bit : mask) {
        if (bit != 0 && bit != 1) {
          malformed("has " + shown(bit) + " in \"masks\", where 0 or 1 should be");
        }
        n.masks.push_back(bit.get<std::uint8_t>());
      }
    }
  }

  void read_training(const Json& j, TrainingRecord& t) const {
    const Json& target = at(j, "target");
    if (!target.is_string()) {
      malformed("has " + shown(target) + " as its \"target\"");
    }
    t.target = target;
    t.iterations = integer<std::int64_t>(j, "iterations");
    t.kept = integer<std::int64_t>(j, "kept");
    t.batch = integer<std::int64_t>(j, "batch");
    for (const auto& [key, value] : {std::pair<const char*, double*>{"seconds", &t.seconds},
                                     {"gradients", &t.gradients},
                                     {"loss", &t.loss},
                                     {"acceptance", &t.acceptance},
                                     {"jump", &t.jump}}) {
      *value = number(at(j, key), key);
    }
    const Json& history = at(j, "history");
    const Json& iterations = at(history, "iteration");
    t.history.resize(iterations.size());
    for (std::size_t i = 0; i < t.history.size(); ++i) {
      t.history[i].iteration = static_cast<std::int64_t>(number(iterations[i], "iteration"));
    }
    for_columns([&](const char* key, double TrainingPoint::*member) {
      const std::vector<double> column = numbers(history, key, t.history.size());
      for (std::size_t i = 0; i < column.size(); ++i) {
        t.history[i].*member = column[i];
      }
    });
  }

  std::string file_;
  Json json_;
};

}  // namespace

Json to_json(const TrainingRecord& t) {
  Json j;
  j["target"] = t.target;
  j["iterations"] = t.iterations;
  j["kept"] = t.kept;
  j["batch"] = t.batch;
  j["seconds"] = json_number(t.seconds);
  j["gradients"] = json_number(t.gradients);
  j["loss"] = json_number(t.loss);
  j["acceptance"] = json_number(t.acceptance);
  j["jump"] = json_number(t.jump);
  Json history;
  history["iteration"] = Json::array();
  for (const TrainingPoint& p : t.history) {
    history["iteration"].push_back(p.iteration);
  }
  for_columns([&](const char* key, double TrainingPoint::*member) {
    history[key] = Json::array();
    for (const TrainingPoint& p : t.history) {
      history[key].push_back(json_number(p.*member));
    }
  });
  j["history"] = std::move(history);
  return j;
}

void Network::save(const std::filesystem::path& file) const {
  validate();
  Json j;
  j["format"] = kFormat;
  j["version"] = kVersion;
  j["shape"] = {
      {"dim", shape.dim}, {"steps", shape.steps}, {"width", shape.width}, {"hidden", shape.hidden}};
  for (const View& view : views()) {
    const double* const first = parameters.data() + view.offset;
    j["parameters"][view.name] = std::vector<double>(first, first + view.rows * view.columns);
  }
  j["masks"] = Json::array();
  for (int t = 0; t < shape.steps; ++t) {
    const std::uint8_t* const mask = masks.data() + t * shape.dim;
    j["masks"].push_back(std::vector<int>(mask, mask + shape.dim));
  }
  j["scale"] = scale;
  j["training"] = to_json(training);
  WholeFileWriter out(file);
  out.write(j.dump() + "\n");
  out.commit();
}

Network Network::load(const std::filesystem::path& file) {
  return Reader(file).network();
}

}  // namespace lockstep
