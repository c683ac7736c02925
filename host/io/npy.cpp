#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host/io/whole_file.hpp"
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

}  // namespace

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
