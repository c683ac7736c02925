#include "host/io/logistic_data.hpp"

#include <cmath>
#include <set>
#include <sstream>

namespace lockstep {

namespace {

std::string column_name(const Table& table, std::size_t j) {
  return table.source + ": column '" + table.columns[j] + "' ";
}

/// The outcome's larger value. Checks that there are exactly two, both integers.
double larger_class(const Table& table, std::size_t outcome) {
  std::set<double> classes;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const double y = table.at(i, outcome);
    classes.insert(y);
    if (std::floor(y) != y || classes.size() > 2) {
      std::ostringstream message;
      message << column_name(table, outcome) << "holds " << y << " in row " << i + 1
              << ": the last column is the outcome, 0/1 or two distinct integers";
      throw FileError(message.str());
    }
  }
  require<FileError>(classes.size() == 2,
                     column_name(table, outcome) +
                         "has one value only: both outcomes are needed for a regression");
  return *classes.rbegin();
}

}  // namespace

LogisticData::LogisticData(const Table& table) {
  require<FileError>(table.columns.size() >= 2,
                     table.source + ": has one column: features and, last, the outcome are needed");
  const std::size_t n = table.rows(), features = table.columns.size() - 1;
  const double one = larger_class(table, features);
  rows_ = static_cast<int>(n);
  dim_ = static_cast<int>(features) + 1;
  blocks_ = (rows_ + kRowBlock - 1) / kRowBlock;
  double_.assign(LogisticRows<double>{nullptr, blocks_, dim_}.size(), 0.0);

  constexpr auto block = static_cast<std::size_t>(kRowBlock);
  const auto slot = [&](std::size_t i, std::size_t j) -> double& {
    return double_[(i / block * (features + 1) + j) * block + i % block];
  };
  std::vector<double> sign(n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool is_one = table.at(i, features) == one;
    sign[i] = is_one ? -1 : 1;
    ones_ += is_one;
    slot(i, features) = sign[i];
  }
  const auto count = static_cast<double>(n);
  for (std::size_t j = 0; j < features; ++j) {
    double mean = 0, square = 0;
    bool constant = true;
    for (std::size_t i = 0; i < n; ++i) {
      mean += table.at(i, j) / count;
      constant = constant && table.at(i, j) == table.at(0, j);
    }
    for (std::size_t i = 0; i < n; ++i) {
      square += (table.at(i, j) - mean) * (table.at(i, j) - mean) / count;
    }
    require<FileError>(
        !constant && square > 0 && std::isfinite(square),
        column_name(table, j) + "is constant, or too large to be standardised: remove it");
    for (std::size_t i = 0; i < n; ++i) {
      slot(i, j) = sign[i] * (table.at(i, j) - mean) / std::sqrt(square);
    }
  }
  single_.assign(double_.begin(), double_.end());
}

LogisticData load_logistic(const std::string& name, const std::filesystem::path& data_dir) {
  return LogisticData(read_csv(find_data_file(name, name + ".csv", data_dir)));
}

}  // namespace lockstep
