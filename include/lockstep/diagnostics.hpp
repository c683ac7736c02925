#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lockstep {

// Convergence and efficiency diagnostics, host side, float64.
//
// Conventions shared by everything below:
//  - C chains, T draws per chain, N = C * T. Units are the quantity's unless a ratio is named.
//  - Definitions follow Vehtari, Gelman, Simpson, Carpenter & Buerkner, "Rank-normalization,
//    folding, and localization: an improved R-hat" (Bayesian Analysis 2021), in the form ArviZ
//    gives them: a split drops the middle draw of an odd-length chain; any NaN, T < 4, or (for
//    R-hat) C < 2 gives NaN; a quantity that never changes has ESS = N and no R-hat (NaN).
//  - One departure from ArviZ: "never changes" means max - min <= 1e-15 max|x| rather than
//    1e-15, so that no diagnostic depends on the unit of measurement.
//  - Invalid arguments (sizes that disagree, probabilities outside [0, 1], a superchain length
//    that does not divide C) throw UsageError.

/// Stored draws of one scalar quantity: a non-owning view of values[draw * chains + chain].
struct Trace {
  std::span<const double> values;
  std::size_t draws = 0;
  std::size_t chains = 0;

  double operator()(std::size_t draw, std::size_t chain) const {
    return values[draw * chains + chain];
  }
};

/// Streamed summaries of one half of every chain, indexed by chain.
struct HalfMoments {
  std::vector<double> mean;
  std::vector<double> m2;  ///< sum of squared deviations from `mean`
  std::size_t count = 0;   ///< draws in this half, equal for all chains
};

/// Streamed summaries of every chain of one scalar quantity: enough for split R-hat, nested R-hat
/// and the between-chain ESS without any stored draw. Counts of the halves may differ; for an odd
/// number of draws, leave the middle one out to reproduce `split_rhat(Trace)` exactly.
struct ChainMoments {
  HalfMoments first;
  HalfMoments second;
};

/// Summaries of stored draws; an odd middle draw is left out, as in a split.
ChainMoments chain_moments(Trace trace);

/// What a table of results shows for one scalar quantity.
struct Diagnosis {
  double mean = 0;
  double sd = 0;  ///< over all draws, divisor N - 1
  double q05 = 0;
  double q50 = 0;
  double q95 = 0;
  double mcse_mean = 0;
  double ess_bulk = 0;
  double ess_tail = 0;
  double rhat = 0;  ///< rank-normalised
};

/// All of Diagnosis with one sort. Equal to the single functions below; undefined entries are NaN.
Diagnosis diagnose(Trace trace);

// ---- R-hat -------------------------------------------------------------------------------------

/// sqrt((B/W + n - 1) / n) over the 2C half chains of n draws, with W the mean of their variances
/// and B/n the variance of their means (Gelman et al., BDA3, section 11.4).
double split_rhat(Trace trace);
double split_rhat(const ChainMoments& moments);

/// The larger of split R-hat on rank-normalised draws (location) and on rank-normalised distances
/// from the median (scale, tails). Vehtari et al. 2021, section 4; ArviZ method "rank".
double rhat(Trace trace);

/// Nested R-hat, sqrt(1 + B/W), for superchains of M consecutive chains, M = chains_per_superchain:
/// B is the variance of superchain means; W the mean over superchains of (variance between its
/// chain means + mean variance within its chains). Margossian et al., "Nested R-hat: assessing the
/// convergence of Markov chain Monte Carlo when running many short chains" (Bayesian Analysis
/// 2024), eqs. 4-8. Chains of one superchain share their starting point. Defined from one draw per
/// chain on (for T = 1 the variance within a chain counts as 0); NaN for fewer than two
/// superchains.
double nested_rhat(Trace trace, std::size_t chains_per_superchain);
double nested_rhat(const ChainMoments& moments, std::size_t chains_per_superchain);

/// Nested R-hat of half chains, the larger of rank-normalised draws and rank-normalised distances
/// from the median. The two halves of a chain belong to the same superchain. ArviZ method "rank".
double rank_nested_rhat(Trace trace, std::size_t chains_per_superchain);

// ---- effective sample size, in draws (of N) ----------------------------------------------------

/// ESS of half chains by Geyer's initial monotone positive sequence, at most N log10(N).
/// `ess_bulk` uses rank-normalised draws, `ess_mean` the draws, `ess_sd` the squared distances from
/// the overall mean, `ess_quantile` the indicator of x <= quantile(p), `ess_tail` the lower of the
/// 5 % and 95 % quantiles.
double ess_bulk(Trace trace);
double ess_tail(Trace trace);
double ess_mean(Trace trace);
double ess_sd(Trace trace);
double ess_quantile(Trace trace, double probability);

/// ESS of the mean from the spread of the chain means alone: with independent, stationary chains,
/// Var(chain mean) = sigma^2 / (ESS / C), whatever the autocorrelation within chains:
///   V   = sum_c n_c (mean_c - mean)^2 / (C - 1)      the variance one draw would need alone
///   s^2 = (sum_c (n_c - 1) var_c + C V) / N          sigma^2, without bias
///   ESS = N s^2 / V
/// Relative standard error sqrt(2 / (C - 1)): meant for many chains. NaN for C < 2 or NaN input;
/// infinite when all chain means agree exactly. Not bounded by N: antithetic chains exceed it.
/// `variances` have divisor n_c - 1 and are ignored where n_c = 1.
double ess_between_chains(Trace trace);
double ess_between_chains(const ChainMoments& moments);
double ess_between_chains(std::span<const double> means, std::span<const double> variances,
                          std::span<const std::size_t> counts);

// ---- Monte Carlo standard error, in the quantity's unit ----------------------------------------

/// sd / sqrt(ess_mean).
double mcse_mean(Trace trace);
/// Delta method on the variance: sqrt(Var((x - mean)^2) / ess_sd / (4 Var(x))), divisors N.
double mcse_sd(Trace trace);
/// Half the distance between the order statistics at the 16 % and 84 % points of the quantile's
/// Beta(ESS p + 1, ESS (1 - p) + 1) law, ESS = ess_quantile(p).
double mcse_quantile(Trace trace, double probability);

// ---- other -------------------------------------------------------------------------------------

/// Quantiles of all N draws, linear between order statistics (R's type 7). NaN if there are
/// no draws or one is NaN.
std::vector<double> quantiles(Trace trace, std::span<const double> probabilities);

/// Autocovariances at lags 0 .. T-1, each chain about its own mean, divisor T, mean over chains.
std::vector<double> autocovariance(Trace trace);

/// Energy Bayesian fraction of missing information (Betancourt, "Diagnosing suboptimal cotangent
/// disintegrations in HMC", 2016): mean squared energy change / energy variance.
struct EnergyFraction {
  std::vector<double> per_chain;
  double pooled = 0;  ///< mean squared change over all chains / mean variance within chains
};

/// E-BFMI of a trace of total energies, one per transition. NaN where a chain has fewer than two
/// draws or a constant energy. Below about 0.3 the momentum refreshment limits the sampler.
EnergyFraction e_bfmi(Trace energies);

/// Expected squared jump distance of one coordinate: mean over chains and successive draws of
/// (x_{t+1} - x_t)^2, in squared units. Sum over coordinates for a vector. NaN for T < 2.
double esjd(Trace trace);

/// How `paper_ess_per_transition` turns autocorrelations into one number.
struct PaperEssOptions {
  enum class Rule {
    mask,      ///< the authors' program: every lag with rho > cutoff counts
    truncate,  ///< the camera-ready text: lags before the first with rho < cutoff count
  };
  Rule rule = Rule::mask;
  double cutoff = 0.05;
  bool normalise = true;  ///< divide by the covariance trace (published Rough Well figures did not)
};

/// ESS per transition as defined for L2HMC (Levy, Hoffman & Sohl-Dickstein, ICLR 2018, appendix on
/// effective sample size; the authors' program for details the text leaves open):
///   rho_t = mean over chains and T - t times of (x_tau - mu) . (x_{tau+t} - mu) / tr(Sigma),
///   ESS   = 1 / (1 + 2 sum_{t=1}^{T-2} rho_t [rho_t counts]).
/// One Trace per coordinate, all of one shape; `mean` holds the true means, `covariance_trace` is
/// the target's tr(Sigma) > 0. Pooled over coordinates, so wide ones dominate; never above 1; about
/// 1/(2T) for chains that never move.
double paper_ess_per_transition(std::span<const Trace> coordinates, std::span<const double> mean,
                                double covariance_trace, PaperEssOptions options = {});

}  // namespace lockstep
