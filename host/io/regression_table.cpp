#include "host/io/regression_table.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "lockstep/error.hpp"

namespace lockstep {

std::string column_name(const Table& table, std::size_t column) {
  return table.source + ": column '" + table.columns[column] + "' ";
}

std::vector<bool> two_outcomes(const Table& table) {
  require<FileError>(table.columns.size() >= 2,
                     table.source + ": has one column: features and, last, the outcome are needed");
  const std::size_t outcome = table.columns.size() - 1;
  std::set<double> classes;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const double y = table.at(i, outcome);
    require<FileError>(!std::isnan(y), column_name(table, outcome) + "is empty in row " +
                                           std::to_string(i + 1) +
                                           ": the last column is the outcome, and all are needed");
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
  std::vector<bool> is_one(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    is_one[i] = table.at(i, outcome) == *classes.rbegin();
  }
  return is_one;
}

bool standardise(std::vector<double>& column) {
  const auto count = static_cast<double>(column.size());
  double mean = 0, square = 0;
  for (const double x : column) {
    mean += x / count;
  }
  for (const double x : column) {
    square += (x - mean) * (x - mean) / count;
  }
  const bool constant =
      std::all_of(column.begin(), column.end(), [&](double x) { return x == column.front(); });
  if (constant || !(square > 0) || !std::isfinite(square)) {
    return false;
  }
  for (double& x : column) {
    x = (x - mean) / std::sqrt(square);
  }
  return true;
}

}  // namespace lockstep
