#include "host/io/netcdf.hpp"

#include <filesystem>

#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

#if defined(LOCKSTEP_WITH_NETCDF)

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <numeric>

#include <fcntl.h>
#include <netcdf.h>
#include <unistd.h>

#include "host/gradients.hpp"
#include "host/io/json.hpp"
#include "host/io/whole_file.hpp"
#include "kernels/transitions/trajectory.hpp"
#include "lockstep/config.hpp"

namespace lockstep {

namespace {

namespace fs = std::filesystem;

/// Values that are transposed at a time: what the writer needs beside the draws, 16 MiB of doubles.
constexpr std::int64_t kBlock = std::int64_t{1} << 21;

/// Failures of the library: its own words, which do not tell a full disk from other trouble.
void check(int status, const char* doing) {
  if (status != NC_NOERR) {
    throw FileError(std::string(doing) + ": " + nc_strerror(status));
  }
}

/// An open file; abandoned unless it is closed.
class NetcdfFile {
 public:
  explicit NetcdfFile(const fs::path& path) : path_(path) {
    check(nc_create(path.c_str(), NC_NETCDF4 | NC_CLOBBER, &id_), "creating the file");
    open_ = true;
    check(nc_set_fill(id_, NC_NOFILL, nullptr), "creating the file");
  }
  ~NetcdfFile() {
    if (open_) {
      make_room();
      nc_close(id_);
    }
  }
  NetcdfFile(const NetcdfFile&) = delete;
  NetcdfFile& operator=(const NetcdfFile&) = delete;

  int id() const { return id_; }
  void close() {
    open_ = false;
    const int status = nc_close(id_);
    if (status != NC_NOERR) {
      make_room();
    }
    check(status, "writing (is the disk full?)");
  }

 private:
  /// HDF5 below writes what it still holds when a file is closed and again when the process ends,
  /// and a process that cannot write it then dies. So a file that is given up leaves it the room.
  void make_room() const {
    std::error_code ignored;
    fs::resize_file(path_, 0, ignored);
  }

  fs::path path_;
  int id_ = 0;
  bool open_ = false;
};

void attribute(int id, int variable, const char* name, const std::string& text) {
  check(nc_put_att_text(id, variable, name, text.size(), text.c_str()), name);
}
void attribute(int id, const char* name, const std::string& text) {
  attribute(id, NC_GLOBAL, name, text);
}
void attribute(int id, const char* name, std::int64_t number) {
  const long long value = number;
  check(nc_put_att_longlong(id, NC_GLOBAL, name, NC_INT64, 1, &value), name);
}

std::string now() {
  const std::time_t t = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&t, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &utc);
  return text;
}

/// What made the draws, at the file and at each group, since readers open either.
void describe(int id, const Fit& fit, const std::string& created_at) {
  attribute(id, "created_at", created_at);
  attribute(id, "inference_library", std::string("lockstep"));
  attribute(id, "inference_library_version", std::string(LOCKSTEP_VERSION));
  attribute(id, "sampler", to_json(fit.sampler).dump());
  const unsigned long long seed = fit.options.seed;
  check(nc_put_att_ulonglong(id, NC_GLOBAL, "seed", NC_UINT64, 1, &seed), "seed");
  attribute(id, "chains_run", fit.options.chains);
  attribute(id, "warmup", fit.options.warmup);
  attribute(id, "thin", fit.options.thin);
  attribute(id, "interrupted", std::string(fit.interrupted ? "true" : "false"));
  attribute(id, "digest", fit.digest());
  if (fit.engine.has_truth) {
    attribute(id, "truth_source", fit.engine.truth.source);
  }
}

/// A dimension and its coordinate variable. A length of 0 means "unlimited" to netCDF, which then
/// reads as 0 too.
struct Coordinate {
  int dimension = 0, variable = 0;
  std::vector<long long> labels;
};

Coordinate coordinate(int group, const std::string& name, std::vector<long long> labels) {
  Coordinate c;
  c.labels = std::move(labels);
  check(nc_def_dim(group, name.c_str(), c.labels.size(), &c.dimension), name.c_str());
  check(nc_def_var(group, name.c_str(), NC_INT64, 1, &c.dimension, &c.variable), name.c_str());
  return c;
}

std::vector<long long> counted(std::int64_t n) {
  std::vector<long long> labels(static_cast<std::size_t>(n));
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}

/// A group with its (chain, draw) dimensions.
struct Group {
  int id = 0;
  std::vector<Coordinate> coordinates;  // chain and draw first

  Group(const NetcdfFile& file, const std::string& name, const Draws& draws) {
    check(nc_def_grp(file.id(), name.c_str(), &id), name.c_str());
    coordinates.push_back(coordinate(id, "chain", counted(draws.chains)));
    coordinates.push_back(coordinate(id, "draw", counted(draws.draws)));
  }

  int variable(const std::string& name, nc_type type, const std::vector<int>& more = {}) const {
    std::vector<int> dims{coordinates[0].dimension, coordinates[1].dimension};
    dims.insert(dims.end(), more.begin(), more.end());
    int v = 0;
    check(nc_def_var(id, name.c_str(), type, static_cast<int>(dims.size()), dims.data(), &v),
          name.c_str());
    return v;
  }

  void write_coordinates() const {
    for (const Coordinate& c : coordinates) {
      const std::size_t start = 0, count = c.labels.size();
      if (count > 0) {
        check(nc_put_vara_longlong(id, c.variable, &start, &count, c.labels.data()),
              "writing coordinates");
      }
    }
  }
};

/// Fills a variable of shape (chain, draw, shape...), block by block, with value(draw, chain,
/// entry).
/// @tparam T  double or signed char, as the variable's type
template <class T, class F>
void fill(const Group& group, int variable, const Draws& draws,
          const std::vector<std::size_t>& shape, F value) {
  std::int64_t width = 1;
  for (const std::size_t n : shape) {
    width *= static_cast<std::int64_t>(n);
  }
  const std::int64_t per_block = std::max<std::int64_t>(1, kBlock / width);
  const std::int64_t draws_at_once = std::max<std::int64_t>(1, std::min(draws.draws, per_block));
  const std::int64_t chains_at_once = std::max<std::int64_t>(1, per_block / draws_at_once);
  std::vector<T> block;
  for (std::int64_t c = 0; c < draws.chains; c += chains_at_once) {
    const std::int64_t chains = std::min(chains_at_once, draws.chains - c);
    for (std::int64_t t = 0; t < draws.draws; t += draws_at_once) {
      const std::int64_t n = std::min(draws_at_once, draws.draws - t);
      block.resize(static_cast<std::size_t>(chains * n * width));
      // In the order of the draws, which are larger than the block.
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t w = 0; w < width; ++w) {
          for (std::int64_t k = 0; k < chains; ++k) {
            block[static_cast<std::size_t>((k * n + i) * width + w)] =
                static_cast<T>(value(t + i, c + k, static_cast<std::size_t>(w)));
          }
        }
      }
      std::vector<std::size_t> start{static_cast<std::size_t>(c), static_cast<std::size_t>(t)};
      std::vector<std::size_t> count{static_cast<std::size_t>(chains), static_cast<std::size_t>(n)};
      start.resize(2 + shape.size(), 0);
      count.insert(count.end(), shape.begin(), shape.end());
      check(nc_put_vara(group.id, variable, start.data(), count.data(), block.data()),
            "writing draws (is the disk full?)");
    }
  }
}

void write_parameters(const NetcdfFile& file, const std::string& name, const Fit& fit,
                      const Draws& draws, const std::string& created_at) {
  std::vector<std::string> names;
  for (const int j : draws.parameters) {
    names.push_back(fit.engine.names[static_cast<std::size_t>(j)]);
  }
  const std::vector<NetcdfVariable> variables = netcdf_variables(names);
  Group group(file, name, draws);
  std::vector<int> ids;
  for (const NetcdfVariable& v : variables) {
    std::vector<int> dims;
    for (std::size_t d = 0; d < v.indices.size(); ++d) {
      group.coordinates.push_back(coordinate(group.id, v.dimension(d), v.indices[d]));
      dims.push_back(group.coordinates.back().dimension);
    }
    ids.push_back(group.variable(v.name, NC_DOUBLE, dims));
  }
  describe(group.id, fit, created_at);
  group.write_coordinates();
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const NetcdfVariable& v = variables[i];
    std::vector<std::size_t> shape;
    for (const auto& indices : v.indices) {
      shape.push_back(indices.size());
    }
    fill<double>(group, ids[i], draws, shape,
                 [&](std::int64_t t, std::int64_t c, std::size_t entry) {
                   return draws.row(t, v.columns[entry])[c];
                 });
  }
}

/// What all chains share in each kept draw; empty where it is not known or not shared.
struct Shared {
  std::vector<double> step_size, n_steps;
};

Shared shared_while_sampling(const Fit& fit) {
  Shared shared;
  const Launch launch{fit.first_transition, static_cast<int>(fit.draws_done), fit.sampler.step_size,
                      0, false};
  // The lengths are a function of the seed; their sum says whether it is the function used here.
  if (fit.options.adaptation.per_chain_step_size ||
      gradients_of(fit.sampler, fit.engine, fit.options.seed, launch) != fit.gradients_sampling) {
    return shared;
  }
  const Trajectory trajectory = trajectory_of(fit.sampler, fit.options.seed, launch);
  for (std::int64_t k = 0; k < fit.draws.draws; ++k) {
    const auto transition =
        static_cast<std::uint32_t>(fit.first_transition + (k + 1) * fit.draws.thin - 1);
    const bool walk = fit.sampler.method == Method::random_walk;
    shared.step_size.push_back(walk ? fit.sampler.step_size : trajectory.step_size_at(transition));
    shared.n_steps.push_back(walk ? 1 : trajectory.steps_at(transition));
  }
  return shared;
}

Shared shared_while_warming_up(const Fit& fit) {
  Shared shared;
  const Draws& draws = fit.warmup_draws;
  if (fit.options.adaptation.per_chain_step_size ||
      static_cast<std::int64_t>(fit.adaptation.size()) < draws.draws * draws.thin) {
    return shared;
  }
  for (std::int64_t k = 0; k < draws.draws; ++k) {
    const AdaptationStep& step = fit.adaptation[static_cast<std::size_t>((k + 1) * draws.thin - 1)];
    shared.step_size.push_back(step.step_size);
    shared.n_steps.push_back(std::round(step.length / step.step_size));
  }
  return shared;
}

void write_sample_stats(const NetcdfFile& file, const std::string& name, const Fit& fit,
                        const Draws& draws, const Shared& shared, const std::string& created_at) {
  const Group group(file, name, draws);
  const int acceptance = group.variable("acceptance_rate", NC_DOUBLE);
  const int energy = group.variable("energy", NC_DOUBLE);
  const int diverging = group.variable("diverging", NC_BYTE);
  attribute(group.id, diverging, "dtype", "bool");  // as xarray marks them
  const int step_size = shared.step_size.empty() ? -1 : group.variable("step_size", NC_DOUBLE);
  const int n_steps = shared.n_steps.empty() ? -1 : group.variable("n_steps", NC_INT64);
  describe(group.id, fit, created_at);
  group.write_coordinates();

  const auto info = [&](int row) {
    return [&draws, r = static_cast<int>(draws.parameters.size()) + row](
               std::int64_t t, std::int64_t c, std::size_t) { return draws.row(t, r)[c]; };
  };
  const auto everywhere = [](const std::vector<double>& values) {
    return [&values](std::int64_t t, std::int64_t, std::size_t) {
      return values[static_cast<std::size_t>(t)];
    };
  };
  fill<double>(group, acceptance, draws, {}, info(0));
  fill<double>(group, energy, draws, {}, info(1));
  fill<signed char>(group, diverging, draws, {}, info(2));
  if (step_size >= 0) {
    fill<double>(group, step_size, draws, {}, everywhere(shared.step_size));
  }
  if (n_steps >= 0) {
    fill<long long>(group, n_steps, draws, {}, everywhere(shared.n_steps));
  }
}

/// Has the file system set the room aside, so that a full disk, a quota or a limit is found before
/// HDF5 begins, which takes failures in the middle badly.
void reserve(const fs::path& path, const Fit& fit) {
  std::int64_t bytes = 1 << 16;
  for (const Draws* d : {&fit.draws, &fit.warmup_draws}) {
    const auto variables = static_cast<std::int64_t>(d->parameters.size()) + Draws::info_rows + 2;
    bytes += variables * (8 * d->chains * d->draws + 1024);
  }
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  require<FileError>(file >= 0, std::strerror(errno));
  const int error = posix_fallocate(file, 0, bytes);
  ::close(file);
  require<FileError>(error == 0, std::string(std::strerror(error)) + ": it needs " +
                                     std::to_string(bytes / 1'000'000 + 1) +
                                     " MB; keep fewer chains or parameters, or choose another "
                                     "folder");
}

}  // namespace

void require_netcdf(const std::string&) {}

void Fit::write_netcdf(const fs::path& path) const {
  require(draws.chains > 0, path.string() + ": no draws were kept: set keep_chains above 0");
  const std::string created_at = now();
  WholeFile whole(path);
  try {
    reserve(whole.temporary(), *this);
    NetcdfFile file(whole.temporary());
    describe(file.id(), *this, created_at);
    write_parameters(file, "posterior", *this, draws, created_at);
    write_sample_stats(file, "sample_stats", *this, draws, shared_while_sampling(*this),
                       created_at);
    if (warmup_draws.draws > 0) {
      write_parameters(file, "warmup_posterior", *this, warmup_draws, created_at);
      write_sample_stats(file, "warmup_sample_stats", *this, warmup_draws,
                         shared_while_warming_up(*this), created_at);
    }
    file.close();
  } catch (const FileError& e) {
    cannot_write(path, e.what());
  }
  whole.commit();
}

}  // namespace lockstep

#else

namespace lockstep {

void require_netcdf(const std::string& who) {
  throw UsageError(who +
                   ": this build has no netCDF library: install libnetcdf-dev and build again, or "
                   "choose a name that ends in .npy");
}

void Fit::write_netcdf(const std::filesystem::path& path) const {
  require_netcdf(path.string());
}

}  // namespace lockstep

#endif
