#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "host/adapt/metric.hpp"

namespace lockstep {

/// Diagonal metrics of a normal law with precision H and covariance Sigma = H^-1:
///   stan        M^-1_ii = Sigma_ii, the variances
///   mean_field  M^-1_ii = 1 / H_ii, which maximises the ELBO (Jacobi's scaling)
///   fisher      M^-1_ii = sqrt(Sigma_ii / H_ii), since H = Cov(grad U)
enum class DiagonalMetric : std::uint8_t { stan, mean_field, fisher };

inline constexpr std::array<DiagonalMetric, 3> kDiagonalMetrics = {
    DiagonalMetric::stan, DiagonalMetric::mean_field, DiagonalMetric::fisher};
inline constexpr std::array<std::string_view, 3> kDiagonalMetricNames = {"stan", "mean-field",
                                                                         "fisher"};

/// The condition number of H, and of M^-1/2 H M^-1/2 with each of kDiagonalMetrics.
struct Conditioning {
  double kappa = 0;
  std::array<double, 3> scaled = {};
};

/// @param precision  H, [dim][dim], symmetric and positive definite
Conditioning conditioning(const Matrix& precision);

/// A normal law on which a diagonal metric is worse than none.
struct Counterexample {
  DiagonalMetric metric = DiagonalMetric::stan;
  Matrix precision;  // H, [dim][dim], its geometric mean of eigenvalues 1
  Conditioning conditioning;
  double random_ratio = 0;  // the largest found before climbing

  int dim() const { return static_cast<int>(precision.rows()); }
  /// kappa with the metric over kappa without.
  double ratio() const;
};

/// How far diagonal metrics can make the condition number of a normal law worse: for each metric
/// and each dim of 2..10 the largest ratio found. First among `random` laws of random rotations and
/// spectra, then by `steps` steps up from each of the best four: small random turns and stretches,
/// kept where they help, of a size that follows how often they do. Condition numbers stay below
/// 1e8. Stan's diagonal of H is the mean field's of H^-1, inverted: one search serves both, and the
/// counterexamples of one are the inverses of the other's.
/// Ordered by metric, then dim.
std::vector<Counterexample> search_diagonal_metrics(std::uint64_t seed, int random, int steps);

}  // namespace lockstep
