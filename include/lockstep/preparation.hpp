#pragma once

/// What is found out about a target before its warm-up: a normal approximation of its law, which
/// gives a metric to begin with, starts for every chain, and a bill.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "lockstep/options.hpp"

namespace lockstep {

/// Which normal N(m, Sigma), and what makes it near to exp(-U):
///   mean_field  diagonal Sigma, by the ELBO (ADVI: Kucukelbir et al., JMLR 2017)
///   full_rank   any Sigma, by the ELBO
///   low_rank    a diagonal and a few directions, by the ELBO
///   fisher      any Sigma, by the Fisher divergence, in closed form from draws and their gradients
///   pathfinder  the inverse Hessians along many optimisation paths, the best by its ELBO, and
///               draws of all paths resampled by their importance (Zhang et al., JMLR 2022)
enum class Approximation : std::uint8_t { mean_field, full_rank, low_rank, fisher, pathfinder };

/// How mean_field, full_rank and low_rank climb the ELBO:
///   natural  Newton's method on averages over q, by the path-only gradient: some ten iterations
///   path     Stan's step sizes and stopping rule, by the path-only gradient (Roeder, Wu &
///   Duvenaud,
///            NeurIPS 2017), which makes no noise at a normal target's optimum
///   stan     Stan's, by its gradient. The latter two are for comparison, and not for low_rank.
enum class Ascent : std::uint8_t { natural, path, stan };

/// How far a fit has come.
struct VariationalProgress {
  int iteration = 0, most = 0;
  double elbo = 0;  // lately
};

/// How a fit is made. 0: the method's own.
struct VariationalOptions {
  Approximation method = Approximation::pathfinder;
  std::uint64_t seed = 1;
  int draws = 1024;    // points of a gradient, and of the ELBO and k-hat of what was found
  int iterations = 0;  // at most
  Ascent ascent = Ascent::natural;
  /// ADVI: ends when the next iteration would change q by fewer nats; of Stan's rule, the relative
  /// change of the ELBO.
  double tolerance = 0.01;
  int rank = 8;               // low_rank: directions, at most, and fewer than dim
  int paths = 64;             // pathfinder
  double start_radius = 2;    // fits begin uniform on +- this,
  std::vector<double> start;  // or here: [dim], unconstrained
  std::int64_t starts = 64;   // draws that are handed over
  /// Called between iterations; returning false stops the fit, which is then in trouble.
  std::function<bool(const VariationalProgress&)> progress;
};

/// A normal approximation of exp(-U) on the unconstrained scale, and what it cost.
struct NormalFit {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  Approximation method = Approximation::pathfinder;
  std::vector<double> mean;        // m, [dim]
  Metric kind = Metric::diagonal;  // the form of Sigma: diagonal, dense or low_rank
  InverseMass covariance;          // Sigma, which is an inverse mass
  std::vector<double> draws;       // [dim][VariationalOptions::starts]
  double elbo = kUnknown;          // E_q[-U - log q], U without its constants, and
  double elbo_error = kUnknown;    // its standard error
  /// Pareto shape of the importance ratios of its draws (Vehtari et al., JMLR 2024): above 0.7 they
  /// do not cover the law.
  double k_hat = kUnknown;
  int iterations = 0;
  std::int64_t gradients = 0;  // evaluations of U and its gradient, of all points together
  double seconds = 0;
  std::string trouble;  // why it should not be used, a clause; empty: nothing is wrong
};

}  // namespace lockstep
