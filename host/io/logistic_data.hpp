#pragma once

#include <string>
#include <vector>

#include "host/io/dataset.hpp"
#include "kernels/targets/logistic.hpp"

namespace lockstep {

/// The data of a logistic regression, ready for its target: each feature column centred and divided
/// by its standard deviation (divisor N), a column of ones appended last, rows signed and blocked
/// as `LogisticRows` says. Owns what the targets made from it point to: it must outlive them.
class LogisticData {
 public:
  /// The last column of the table is the outcome: two distinct integers, the larger of which counts
  /// as 1 (so 0/1 as it stands, and of German credit's 1 = good and 2 = bad the bad risk).
  /// @throw FileError naming the file and the column when a feature is constant, the outcome has
  ///        other than two values or no integers, or there is no feature.
  explicit LogisticData(const Table& table);

  /// The number of weights: features, and one for the column of ones.
  int dim() const { return dim_; }
  /// The number of observations.
  int rows() const { return rows_; }
  /// How many outcomes are 1.
  int ones() const { return ones_; }

  /// The rows for targets on float or double lanes.
  template <class S>
  LogisticRows<S> view() const {
    if constexpr (std::is_same_v<S, float>) {
      return {single_.data(), blocks_, dim_};
    } else {
      static_assert(std::is_same_v<S, double>);
      return {double_.data(), blocks_, dim_};
    }
  }

 private:
  int dim_ = 0, rows_ = 0, ones_ = 0, blocks_ = 0;
  std::vector<double> double_;  // [blocks][dim][kRowBlock]
  std::vector<float> single_;   // the same, rounded
};

/// The data set `name`, a folder with `name`.csv in it.
/// @throw FileError when it is not found (see find_data_file) or malformed.
LogisticData load_logistic(const std::string& name, const std::filesystem::path& data_dir = {});

}  // namespace lockstep
