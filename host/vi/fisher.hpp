#pragma once

#include <cstdint>

#include "host/adapt/metric.hpp"

namespace lockstep {

/// The normal law N(m, Sigma) that is nearest to a law's draws in the Fisher divergence, the mean
/// of |grad log pi - grad log N|^2 in the norm of Sigma, given the draws' gradients:
///   Sigma Cov(g) Sigma = Cov(q),   m = mean(q) - Sigma mean(g),   g = dU/dq.
/// Exact where the law is normal, whatever law the draws are from.
struct FisherMatch {
  Eigen::VectorXd mean;
  Matrix covariance;  // Sigma, [dim][dim]; diagonal_fisher_match: its diagonal, [dim][1]
};

/// @param draws, gradients  [dim][n], unconstrained
/// @throw UsageError  for shapes that do not fit, or not more than dim draws in general position
FisherMatch fisher_match(const Matrix& draws, const Matrix& gradients);

/// The nearest of those with diagonal Sigma: Sigma_jj^2 = var q_j / var g_j.
/// @throw UsageError  for shapes that do not fit, or a coordinate that does not vary
FisherMatch diagonal_fisher_match(const Matrix& draws, const Matrix& gradients);

/// What fit_fisher finds is stationary on standard_normals(seed, kFisherSet, dim, draws): the match
/// of m + F z and the gradients there is N(m, Sigma) again.
inline constexpr std::uint32_t kFisherSet = 0;

}  // namespace lockstep
