#include "host/io/npy.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "host/io/whole_file.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

/// The header of an .npy file, version 1.0 (NumPy enhancement proposal 1): a magic, a length, and a
/// Python literal, padded so that the data begin at a multiple of 64 bytes.
std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string literal = "{'descr': '<f8', 'fortran_order': False, 'shape': (";
  for (const std::int64_t n : shape) {
    literal += std::to_string(n) + ", ";
  }
  literal += "), }";
  constexpr std::size_t prefix = 10;
  literal.append(63 - (prefix + literal.size()) % 64, ' ');
  literal += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(literal.size() & 0xff);
  header += static_cast<char>(literal.size() >> 8);
  return header + literal;
}

/// What a header's literal says of the array.
struct NpyShape {
  bool fortran = false;
  std::vector<std::int64_t> shape;
};

/// The text after `key` in a header's literal.
/// @throw FileError
std::string after(const std::string& literal, const std::string& key, const std::string& name) {
  const std::size_t at = literal.find("'" + key + "':");
  require<FileError>(at != std::string::npos, name + " has no '" + key +
                                                  "' in its header: it is "
                                                  "damaged");
  return literal.substr(literal.find_first_not_of(' ', at + key.size() + 3));
}

NpyShape shape_in(const std::string& literal, const std::string& name) {
  const std::string type = after(literal, "descr", name).substr(0, 5);
  require<FileError>(type == "'<f8'", name + " holds numbers of type " + type +
                                          ": save it as float64, in NumPy by x.astype('<f8')");
  NpyShape found;
  found.fortran = after(literal, "fortran_order", name).starts_with("True");
  std::istringstream numbers(after(literal, "shape", name).substr(1));
  for (std::int64_t n; numbers >> n; numbers.ignore(1, ',')) {
    found.shape.push_back(n);
  }
  return found;
}

}  // namespace

NpyMatrix read_npy_matrix(const std::filesystem::path& path) {
  const std::string name = path.string();
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  require<FileError>(
      in.good() && std::filesystem::is_regular_file(path),
      name + " cannot be read: " + (errno != 0 ? std::strerror(errno) : "it is no ordinary file"));
  unsigned char begin[10] = {};
  in.read(reinterpret_cast<char*>(begin), sizeof begin);
  require<FileError>(in.good() && std::memcmp(begin, "\x93NUMPY", 6) == 0,
                     name + " is no .npy file: `--positions-out` writes one, or numpy.save");
  require<FileError>(begin[6] == 1, name + " has .npy format version " + std::to_string(begin[6]) +
                                        ", but this program reads version 1");
  std::string literal(static_cast<std::size_t>(begin[8]) + 256 * begin[9], ' ');
  in.read(literal.data(), static_cast<std::streamsize>(literal.size()));
  require<FileError>(in.good(), name + " is truncated");
  const NpyShape about = shape_in(literal, name);
  require<FileError>(about.shape.size() == 2 && about.shape[0] > 0 && about.shape[1] > 0,
                     name + " is not a matrix: it must have the shape (points, parameters)");
  NpyMatrix m{about.shape[0], about.shape[1], {}};
  const std::uint64_t there = std::filesystem::file_size(path) - 10 - literal.size();
  const auto rows = static_cast<std::uint64_t>(m.rows),
             columns = static_cast<std::uint64_t>(m.columns);
  require<FileError>(there % sizeof(double) == 0 && there / sizeof(double) / columns == rows &&
                         there / sizeof(double) % columns == 0,
                     name + " is torn: it has " + std::to_string(there) + " bytes of numbers for " +
                         std::to_string(m.rows) + " x " + std::to_string(m.columns));
  m.values.resize(static_cast<std::size_t>(rows * columns));
  in.read(reinterpret_cast<char*>(m.values.data()),
          static_cast<std::streamsize>(m.values.size() * sizeof(double)));
  require<FileError>(in.good(), name + " could not be read to its end");
  if (about.fortran) {
    const std::vector<double> columnwise = m.values;
    for (std::uint64_t i = 0; i < rows; ++i) {
      for (std::uint64_t j = 0; j < columns; ++j) {
        m.values[i * columns + j] = columnwise[j * rows + i];
      }
    }
  }
  return m;
}

void Fit::write_positions(const std::filesystem::path& path) const {
  WholeFileWriter array(path);
  array.write(npy_header({options.chains, engine.dim}));
  std::vector<double> chain(static_cast<std::size_t>(engine.dim));
  for (std::int64_t c = 0; c < options.chains; ++c) {
    for (int j = 0; j < engine.dim; ++j) {
      chain[static_cast<std::size_t>(j)] =
          positions[static_cast<std::size_t>(j * options.chains + c)];
    }
    array.write(chain.data(), chain.size() * sizeof(double));
  }
  array.commit();
}

void Fit::write_draws(const std::filesystem::path& path) const {
  const auto columns = static_cast<std::int64_t>(draws.parameters.size());
  WholeFileWriter array(path);
  array.write(npy_header({draws.chains, draws.draws, columns}));
  std::vector<double> chain(static_cast<std::size_t>(draws.draws * columns));
  for (std::int64_t c = 0; c < draws.chains; ++c) {
    for (std::int64_t t = 0; t < draws.draws; ++t) {
      for (std::int64_t j = 0; j < columns; ++j) {
        chain[static_cast<std::size_t>(t * columns + j)] = draws.row(t, static_cast<int>(j))[c];
      }
    }
    array.write(chain.data(), chain.size() * sizeof(double));
  }
  array.commit();
  nlohmann::json names = nlohmann::json::array();
  for (const int j : draws.parameters) {
    names.push_back(engine.names[static_cast<std::size_t>(j)]);
  }
  const nlohmann::json sidecar = {
      {"file", path.filename().string()},
      {"dimensions", {"chain", "draw", "parameter"}},
      {"shape", {draws.chains, draws.draws, columns}},
      {"parameters", names},
      {"thin", draws.thin},
      {"chains_run", options.chains},
      {"warmup", options.warmup},
      {"seed", options.seed},
      {"step_size", sampler.step_size},
      {"digest", digest()},
  };
  WholeFileWriter beside(path.string() + ".json");
  beside.write(sidecar.dump(2) + "\n");
  beside.commit();
}

}  // namespace lockstep
