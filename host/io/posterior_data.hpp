#pragma once

/// The data of the reference posteriors, each a folder with data.json (or a CSV table) in it, ready
/// for their targets. These own what the targets made from them point to.
///
/// Every function here throws FileError when a file is absent (see find_data_file) or not what its
/// target needs, naming the file and the entry.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "kernels/targets/brownian_motion.hpp"
#include "kernels/targets/item_response.hpp"
#include "kernels/targets/linear_regression.hpp"

namespace lockstep {

/// Numbers in both precisions, for targets on float and on double lanes.
class Column {
 public:
  Column() = default;
  explicit Column(std::vector<double> values)
      : double_(std::move(values)), single_(double_.begin(), double_.end()) {}

  int size() const { return static_cast<int>(double_.size()); }
  /// [size]. @tparam S  float or double
  template <class S>
  const S* data() const {
    if constexpr (std::is_same_v<S, float>) {
      return single_.data();
    } else {
      static_assert(std::is_same_v<S, double>);
      return double_.data();
    }
  }

 private:
  std::vector<double> double_;
  std::vector<float> single_;
};

/// AR(5), arK: y_t on an intercept and its five predecessors, the first five values given.
/// alpha, beta_k ~ N(0, 10), sigma ~ HalfCauchy(0, 2.5).
LinearRegressionModel load_ark(const std::filesystem::path& data_dir = {});

/// Children's test scores on their mothers' high school (0/1), IQ and, with `interaction`, the
/// product. Flat priors on the coefficients, sigma ~ HalfCauchy(0, 2.5); predictors as they are,
/// neither centred nor scaled, so that the coefficients are strongly correlated.
LinearRegressionModel load_kidiq(bool interaction, const std::filesystem::path& data_dir = {});

/// Summer temperatures at Kilpisjarvi on the year, which lies far from nought: intercept and slope
/// are correlated almost to -1. Normal priors from the file, flat on sigma > 0.
LinearRegressionModel load_kilpisjarvi(const std::filesystem::path& data_dir = {});

/// A series and the standard deviation before it.
struct GarchData {
  Column y;
  double first_sd = 0;
};
GarchData load_garch11(const std::filesystem::path& data_dir = {});

/// The observations of low_dim_gauss_mix.
Column load_normal_mixture(const std::filesystem::path& data_dir = {});

/// Standardised years, and the counts' moments sum_i C_i x_i^k, k = 0..3.
struct PoissonData {
  Column x;
  double moment[4] = {0, 0, 0, 0};
};
PoissonData load_peregrine(const std::filesystem::path& data_dir = {});

/// Observed positions and the scales that the simpler of the two targets knows.
struct BrownianData {
  BrownianPath::Observations y = {};
  double innovation_scale = 0, observation_scale = 0;
};
BrownianData load_brownian(const std::filesystem::path& data_dir = {});

/// The squares of the S&P 500's centred returns.
Column load_squared_returns(const std::filesystem::path& data_dir = {});

/// Who answered what, from a table with columns student, question (both from 0) and correct (0/1).
class AnswerData {
 public:
  explicit AnswerData(const std::filesystem::path& file);

  /// For targets on float or double lanes.
  template <class S>
  Answers<S> view() const {
    return {first_.data(), question_.data(), right_.data<S>(), students_, questions_, first_.back(),
            total_};
  }

 private:
  std::vector<int> first_, question_;
  Column right_;
  int students_ = 0, questions_ = 0;
  double total_ = 0;
};
AnswerData load_item_response(const std::filesystem::path& data_dir = {});

}  // namespace lockstep
