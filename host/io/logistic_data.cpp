#include "host/io/logistic_data.hpp"

#include "host/io/regression_table.hpp"

namespace lockstep {

LogisticData::LogisticData(const Table& table) {
  const std::vector<bool> is_one = two_outcomes(table);
  const std::size_t n = table.rows(), features = table.columns.size() - 1;
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
    sign[i] = is_one[i] ? -1 : 1;
    ones_ += is_one[i];
    slot(i, features) = sign[i];
  }
  std::vector<double> column(n);
  for (std::size_t j = 0; j < features; ++j) {
    for (std::size_t i = 0; i < n; ++i) {
      column[i] = table.at(i, j);
    }
    require<FileError>(
        standardise(column),
        column_name(table, j) + "is constant, or too large to be standardised: remove it");
    for (std::size_t i = 0; i < n; ++i) {
      slot(i, j) = sign[i] * column[i];
    }
  }
  single_.assign(double_.begin(), double_.end());
}

LogisticData load_logistic(const std::string& name, const std::filesystem::path& data_dir) {
  return LogisticData(read_csv(find_data_file(name, name + ".csv", data_dir)));
}

}  // namespace lockstep
