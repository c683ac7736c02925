#pragma once

#include <string>
#include <vector>

#include "host/io/dataset.hpp"
#include "kernels/targets/zero_one.hpp"

namespace lockstep {

/// The data of a classification by the 0-1 loss, ready for its target: a table with gaps, cleaned
/// as Nishimura, Dunson & Lu (Biometrika 2020) clean the SECOM data, the features that are left
/// centred and divided by their standard deviation (divisor N), a column of ones appended last,
/// rows signed by their outcome. Owns what the targets made from it point to: it must outlive them.
///
/// Cleaning leaves out, in this order, features with more than `kMostMissing` gaps, rows that still
/// have one, and features that are constant in the rows left.
class ZeroOneData {
 public:
  static constexpr int kMostMissing = 20;

  /// @param table  features and, last, the outcome: two integers, the larger of which counts as +1
  /// @throw FileError naming the file and what is wrong when nothing is left, or one outcome only
  explicit ZeroOneData(const Table& table);

  /// The number of weights: features left, and one for the column of ones.
  int dim() const { return dim_; }
  /// The number of rows left.
  int observations() const { return observations_; }
  /// How many outcomes are +1.
  int ones() const { return ones_; }
  /// "1477 x 377, outcomes 100 : 1377; left out 5 gappy columns, 90 incomplete rows, 116 constant
  /// columns".
  const std::string& description() const { return description_; }

  /// The design for targets on float or double lanes.
  template <class S>
  SignedDesign<S> view() const {
    if constexpr (std::is_same_v<S, float>) {
      return {single_.data(), rows_, dim_};
    } else {
      static_assert(std::is_same_v<S, double>);
      return {double_.data(), rows_, dim_};
    }
  }

 private:
  int dim_ = 0, observations_ = 0, ones_ = 0, rows_ = 0;
  std::string description_;
  std::vector<double> double_;  // [dim][rows], kernels/targets/zero_one.hpp
  std::vector<float> single_;   // the same, rounded
};

/// A made-up table of the SECOM data's shape and kind: features that share 20 hidden factors, so
/// that many are strongly correlated, and outcomes, 100 in 1477 of them 1, that the first factors
/// predict weakly. The same numbers everywhere.
/// @param features  besides the outcome
Table synthetic_classification(int observations, int features);

}  // namespace lockstep
