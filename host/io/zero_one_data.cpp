#include "host/io/zero_one_data.hpp"

#include <algorithm>
#include <cmath>

#include "host/io/regression_table.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Some of a table's columns and rows.
Table part_of(const Table& table, const std::vector<std::size_t>& rows,
              const std::vector<std::size_t>& columns) {
  Table part;
  part.source = table.source;
  for (const std::size_t j : columns) {
    part.columns.push_back(table.columns[j]);
  }
  for (const std::size_t i : rows) {
    for (const std::size_t j : columns) {
      part.values.push_back(table.at(i, j));
    }
  }
  return part;
}

std::vector<std::size_t> up_to(std::size_t n) {
  std::vector<std::size_t> list(n);
  for (std::size_t i = 0; i < n; ++i) {
    list[i] = i;
  }
  return list;
}

/// The table without the features that have more than `kMostMissing` gaps.
Table without_gappy_columns(const Table& table) {
  std::vector<std::size_t> columns;
  const std::size_t outcome = table.columns.size() - 1;
  for (std::size_t j = 0; j <= outcome; ++j) {
    int gaps = 0;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      gaps += std::isnan(table.at(i, j));
    }
    if (gaps <= ZeroOneData::kMostMissing || j == outcome) {
      columns.push_back(j);
    }
  }
  return part_of(table, up_to(table.rows()), columns);
}

Table without_incomplete_rows(const Table& table) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    bool complete = true;
    for (std::size_t j = 0; j < table.columns.size(); ++j) {
      complete = complete && !std::isnan(table.at(i, j));
    }
    if (complete) {
      rows.push_back(i);
    }
  }
  return part_of(table, rows, up_to(table.columns.size()));
}

Table without_constant_columns(const Table& table) {
  std::vector<std::size_t> columns;
  const std::size_t outcome = table.columns.size() - 1;
  for (std::size_t j = 0; j <= outcome; ++j) {
    bool constant = true;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      constant = constant && table.at(i, j) == table.at(0, j);
    }
    if (!constant || j == outcome) {
      columns.push_back(j);
    }
  }
  return part_of(table, up_to(table.rows()), columns);
}

bool both_outcomes(const Table& table) {
  const std::size_t outcome = table.columns.size() - 1;
  for (std::size_t i = 1; i < table.rows(); ++i) {
    if (table.at(i, outcome) != table.at(0, outcome)) {
      return true;
    }
  }
  return false;
}

std::string counted(std::size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace

ZeroOneData::ZeroOneData(const Table& table) {
  two_outcomes(table);  // before cleaning, so that complaints name the file's own rows
  const Table known = without_gappy_columns(table);
  const Table complete = without_incomplete_rows(known);
  require<FileError>(complete.rows() > 0,
                     table.source + ": every row has a gap in one of the features with at most " +
                         std::to_string(kMostMissing) + ": fill gaps, or remove features");
  const Table clean = without_constant_columns(complete);
  const std::size_t features = clean.columns.size() - 1, n = clean.rows();
  require<FileError>(features > 0, table.source + ": no feature is left: each has more than " +
                                       std::to_string(kMostMissing) +
                                       " gaps or is constant in the " + counted(n, "complete row") +
                                       ": fill gaps, or add features");
  require<FileError>(both_outcomes(clean), column_name(clean, features) +
                                               "has one value only in the rows without gaps: both "
                                               "outcomes are needed for a regression");
  const std::vector<bool> is_one = two_outcomes(clean);

  dim_ = static_cast<int>(features) + 1;
  observations_ = static_cast<int>(n);
  ones_ = static_cast<int>(std::count(is_one.begin(), is_one.end(), true));
  rows_ = (observations_ + kRowBlock - 1) / kRowBlock * kRowBlock;
  double_.assign(SignedDesign<double>{nullptr, rows_, dim_}.size(), 0.0);
  for (std::size_t j = 0; j <= features; ++j) {
    std::vector<double> column(n, 1.0);
    if (j < features) {
      for (std::size_t i = 0; i < n; ++i) {
        column[i] = clean.at(i, j);
      }
      require<FileError>(standardise(column), column_name(clean, j) +
                                                  "varies too much or too little to be "
                                                  "standardised: rescale or remove it");
    }
    for (std::size_t i = 0; i < n; ++i) {
      double_[j * static_cast<std::size_t>(rows_) + i] = is_one[i] ? column[i] : -column[i];
    }
  }
  single_.assign(double_.begin(), double_.end());

  description_ = std::to_string(n) + " x " + std::to_string(dim_) + ", outcomes " +
                 std::to_string(ones_) + " : " + std::to_string(observations_ - ones_);
  if (clean.values.size() < table.values.size()) {
    description_ += "; left out " +
                    counted(table.columns.size() - known.columns.size(), "gappy column") + ", " +
                    counted(known.rows() - complete.rows(), "incomplete row") + ", " +
                    counted(complete.columns.size() - clean.columns.size(), "constant column");
  }
}

}  // namespace lockstep
