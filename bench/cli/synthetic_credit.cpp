#include "bench/cli/synthetic_credit.hpp"

#include <cstdlib>
#include <random>
#include <string>
#include <system_error>

#include "bench/cli/output_file.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

SyntheticCredit::SyntheticCredit() {
  std::string name = (std::filesystem::temp_directory_path() / "lockstep-XXXXXX").string();
  require<FileError>(mkdtemp(name.data()) != nullptr,
                     "cannot make a temporary folder like " + name);
  folder_ = name;
  constexpr int rows = 1000, features = 24;
  std::mt19937 bits(1994);
  std::string csv;
  for (int j = 0; j < features; ++j) {
    csv.append("x").append(std::to_string(j + 1)).append(",");
  }
  csv += "outcome\n";
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < features; ++j) {
      csv.append(std::to_string(bits() % 100)).append(",");
    }
    csv += bits() % 10 < 3 ? "2\n" : "1\n";
  }
  const std::filesystem::path data = folder_ / "german_credit_numeric";
  std::filesystem::create_directory(data);
  write_file(data / "german_credit_numeric.csv", csv);
}

SyntheticCredit::~SyntheticCredit() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace lockstep::bench
