#pragma once

/// What is found out about a target before its warm-up: a normal approximation of its law, which
/// gives a metric to begin with, starts for every chain, and a bill.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/options.hpp"

namespace lockstep {

class Engine;
struct EngineDescription;

/// Which normal N(m, Sigma), and what makes it near to exp(-U):
///   mean_field  diagonal Sigma, by the ELBO (ADVI: Kucukelbir et al., JMLR 2017)
///   full_rank   any Sigma, by the ELBO
///   low_rank    a diagonal and a few directions, by the ELBO
///   fisher      any Sigma, by the Fisher divergence, in closed form from draws and their gradients
///   pathfinder  the inverse Hessians along many optimisation paths, the best of each by its ELBO
///               (Zhang et al., JMLR 2022); then a normal matched to their draws and gradients by
///               importance. What is handed over is resampled by importance from all draws
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
  int paths = 16;             // pathfinder
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
  /// Pareto shape of the importance ratios of its draws (Vehtari et al., JMLR 2024), Pathfinder's
  /// of all draws, as of one mixture: above 0.7 they do not cover the law.
  double k_hat = kUnknown;
  int iterations = 0;
  std::int64_t gradients = 0;  // evaluations of U and its gradient, of all points together
  double seconds = 0;
  std::string trouble;  // why it should not be used, a clause; empty: nothing is wrong
};

/// Where a superchain starts, from dim uniforms on (0, 1]: q, unconstrained.
using StartLaw = std::function<void(const double* u, double* q)>;

/// What warm-up is handed: where chains start, the metric that it begins with, and what it cost to
/// know. It makes no difference to the law that is sampled, only to how soon.
struct Preparation {
  std::string name;  // what was done, for people: "pathfinder"; empty: nothing
  /// [dim][chains], unconstrained, the chain fastest; empty: by `start_law`.
  std::vector<double> start;
  /// Drawn again where the potential is not finite. None: as SampleOptions say.
  StartLaw start_law;
  /// Sigma_0, an estimate of the covariance of unconstrained q: the inverse mass with which warm-up
  /// begins, in the form of `kind`: diagonal, dense or low_rank. Empty: warm-up begins as without.
  Metric kind = Metric::diagonal;
  InverseMass inverse_mass;
  /// Sigma_0 enters every estimate of the warm-up like so many draws with that covariance; what is
  /// frozen always comes from the chains' draws. 0: warm-up only begins there.
  double weight = 50;
  std::int64_t gradients = 0;  // evaluations of U and its gradient, of all points together
  double seconds = 0;
  double elbo = NormalFit::kUnknown, k_hat = NormalFit::kUnknown;  // of the fit, if one was made
  std::vector<std::string> warnings;                               // sentences
};

/// How chains are started:
///   uniform            as SampleOptions say
///   prior              by draws from the model's prior
///   vi, pathfinder     by draws of a fit
///   file               where another run's chains ended, or at its draws
///   jitter_adapt_diag  uniform on +- 1, the identity as 10 pseudo-draws of a diagonal metric, and
///   advi_adapt_diag    by draws of mean-field ADVI, its variances as 50: PyMC's recipes (4.0,
///                      pymc/sampling: init_nuts), under this library's warm-up
enum class Init : std::uint8_t {
  uniform,
  prior,
  vi,
  pathfinder,
  file,
  jitter_adapt_diag,
  advi_adapt_diag
};

/// Whether it says the metric, too.
constexpr bool is_recipe(Init init) {
  return init == Init::jitter_adapt_diag || init == Init::advi_adapt_diag;
}

/// Which metric warm-up begins with: what the fit of `Init` found (automatic), Fisher's diagonal of
/// the starts (starts: what warm-up does by itself), the identity, that of a fit, or of a file.
enum class MetricInit : std::uint8_t {
  automatic,
  starts,
  unit,
  mean_field,
  full_rank,
  low_rank,
  fisher,
  pathfinder,
  file
};

/// How a run is prepared.
struct PrepareOptions {
  Init init = Init::uniform;
  MetricInit metric = MetricInit::automatic;
  Approximation family = Approximation::mean_field;  // of Init::vi
  double weight = 50;                                // Preparation::weight; recipes have their own
  /// A fit whose k-hat is above this is not trusted to say where chains start, and
  double most_k_hat = 0.7;
  /// above this not with a metric either: warm-up then begins as without a fit, and a warning says
  /// so.
  double most_k_hat_metric = 0.7;
  StartLaw prior;                     // Init::prior
  std::filesystem::path start_file;   // Init::file: as Fit::write_positions writes it
  std::filesystem::path metric_file;  // MetricInit::file: as `--metric-out` writes it
  /// How fits are made; method, seed and starts are set for them.
  VariationalOptions fit;
};

/// A preparation yet to be made: a run that goes on from its checkpoint has no use for it.
struct Recipe {
  std::string settings;  // what it depends on beside the run's settings; empty: nothing is done
  std::function<Preparation()> make;
};

/// An engine of so many chains for the target of a run.
using MakeEngine = std::function<std::unique_ptr<Engine>(std::int64_t chains)>;

/// What an engine that fits are made on is told, for a run on engine `about`: double precision
/// where the run is on the CPU.
SampleOptions options_of_fits(SampleOptions options, const EngineDescription& about,
                              std::int64_t chains);

/// How to make what `how` asks for.
/// @param about  of the run's engine
/// @param make   engines for fits
/// @throw UsageError  for what makes no sense, or does not go with the sampler or the target
/// @throw FileError   for files that cannot be read or are malformed, from here and Recipe::make
Recipe recipe_of(const PrepareOptions& how, const Sampler& sampler, const SampleOptions& options,
                 const EngineDescription& about, MakeEngine make);

}  // namespace lockstep
