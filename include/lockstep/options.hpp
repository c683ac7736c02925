#pragma once

/// What a caller can ask for. Plain aggregates with defaults; `validate` says what is wrong.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep {

struct Network;

enum class Method : std::uint8_t { random_walk, hmc, l2hmc, dhmc, mixed_hmc, gibbs };
enum class Integrator : std::uint8_t { leapfrog, minimal_norm_2, minimal_norm_4 };
/// How the metric M is shaped and, unless it is given, estimated from the chains' warm-up draws:
///   automatic  dense where the draws are strongly correlated (and enough, and of at most 64
///              dimensions), else diagonal
///   diagonal   M^-1_jj = var q_j
///   dense      M^-1 = cov q
///   fisher     diagonal, M^-1_jj = sqrt(var q_j / var dU/dq_j): minimises the Fisher divergence
///   low_rank   a diagonal plus a few directions of the same criterion, for many dimensions
enum class Metric : std::uint8_t { automatic, unit, diagonal, dense, fisher, low_rank };
enum class LengthJitter : std::uint8_t { none, uniform, halton };
/// In which order DHMC visits discontinuous coordinates. `coin`: ascending or descending, by a coin
/// for each trajectory; `permutation`: a fresh one for each step. With smooth coordinates a
/// trajectory's second half goes the same way back: otherwise it would not be reversible.
enum class VisitOrder : std::uint8_t { coin, permutation };
/// Whether warm-up tunes the trajectory length, and by what: the change in the squared distance
/// from the mean (ChEES: Hoffman, Radul & Sountsov, AISTATS 2021), or along the leading principal
/// component (SNAPER: Sountsov & Hoffman, arXiv 2110.11576).
enum class Length : std::uint8_t { given, chees, snaper };
/// When warm-up sets the metric anew. `windowed`: NumPyro's windows. `pooled`: short growing
/// windows pooled over all chains, until chains agree and the step size rests. `automatic`: pooled
/// with 64 chains or more.
enum class Schedule : std::uint8_t { automatic, windowed, pooled };
enum class Backend : std::uint8_t { automatic, cpu, cuda };
enum class Precision : std::uint8_t { single_, double_ };
enum class Generator : std::uint8_t { philox, curand };

/// The inverse mass matrix M^-1, an estimate of the covariance of unconstrained q.
/// Diagonal: [dim]; dense: [dim][dim], row-major; low rank, D (I + U (Lambda - I) U') D: the
/// squares of the diagonal D [dim], then Lambda [rank], then U' [rank][dim]. Empty: the identity.
using InverseMass = std::vector<double>;

/// Everything a sampler can be told. Callers write one of the named samplers below, which convert
/// to it.
struct Sampler {
  Method method = Method::hmc;
  /// Step size; 0: tuned during warm-up by pooled dual averaging (then `warmup` must be positive).
  double step_size = 0.0;
  /// Relative half-width of the uniform step-size jitter, drawn once per transition for all chains.
  double step_jitter = 0.0;
  /// Mean number of leapfrog steps of a trajectory.
  int leapfrog = 10;
  /// How that number varies: drawn once per transition for all chains, on 1..2 leapfrog - 1.
  LengthJitter length_jitter = LengthJitter::uniform;
  Integrator integrator = Integrator::leapfrog;
  /// Estimated during warm-up unless it is the unit metric or `inverse_mass` is given.
  Metric metric = Metric::automatic;
  InverseMass inverse_mass;
  /// Generalised HMC: the fraction c of the momentum that survives a transition, in [0, 1).
  double persistence = 0.0;
  /// Acceptance probability that warm-up tunes the step size to; 0: the method's own, 0.8 for HMC,
  /// 0.574 for MALA, 0.234 for the random walk (0.44 in one dimension).
  double target_acceptance = 0.0;
  /// Whether `leapfrog` is only where the tuning of the trajectory length begins.
  Length length = Length::given;
  /// L2HMC (lockstep/l2hmc.hpp): what leads its trajectories.
  std::shared_ptr<const Network> network;
  /// Above 0: the number of leapfrog steps is uniform on leapfrog..longest, whatever length_jitter
  /// says.
  int longest = 0;
  /// Discontinuous coordinates (lockstep/dhmc.hpp): how far one moves in a step, in units of
  /// `hop_scale`. In the documents' terms the mass of its Laplace momentum is
  /// m_j = step_size / (hop * hop_scale_j). 0: tuned during warm-up to `target_no_flip`.
  double hop = 0.0;
  /// [dim]; empty: the metric's scale sqrt(M^-1_jj), so that one `hop` serves all coordinates.
  std::vector<double> hop_scale = {};
  /// Tunes each coordinate's hop on its own.
  bool hop_per_coordinate = false;
  /// Probability that a visit moves its coordinate, which warm-up tunes the hop to; 0: the method's
  /// own, 0.8 for DHMC, 0.44 for the others.
  double target_no_flip = 0.0;
  VisitOrder order = VisitOrder::coin;
  /// L2HMC on CUDA: whether wide networks are evaluated on matrix units, a sum to 5e-5 of its
  /// terms, or by float multiply-adds as on the CPU. Either way the sampler is exact.
  bool matrix_units = true;
};

/// Hamiltonian Monte Carlo. Members as in Sampler.
struct Hmc {
  double step_size = 0.0;
  double step_jitter = 0.0;
  int leapfrog = 10;
  LengthJitter length_jitter = LengthJitter::uniform;
  Integrator integrator = Integrator::leapfrog;
  Metric metric = Metric::automatic;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.0;
  Length length = Length::given;

  operator Sampler() const {
    return {Method::hmc, step_size,    step_jitter, leapfrog,          length_jitter, integrator,
            metric,      inverse_mass, 0.0,         target_acceptance, length,        {}};
  }
};

/// The Metropolis-adjusted Langevin algorithm: HMC with one leapfrog step.
struct Mala {
  double step_size = 0.0;
  double step_jitter = 0.0;
  Metric metric = Metric::automatic;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.0;

  operator Sampler() const {
    return {Method::hmc,          step_size, step_jitter,  1,   LengthJitter::none,
            Integrator::leapfrog, metric,    inverse_mass, 0.0, target_acceptance,
            Length::given,        {}};
  }
};

/// Generalised HMC: short trajectories with persistent momentum.
struct Ghmc {
  double step_size = 0.0;
  double step_jitter = 0.0;
  int leapfrog = 1;
  double persistence = 0.9;
  Integrator integrator = Integrator::leapfrog;
  Metric metric = Metric::automatic;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.95;

  operator Sampler() const {
    return {Method::hmc,        step_size,         step_jitter,   leapfrog,
            LengthJitter::none, integrator,        metric,        inverse_mass,
            persistence,        target_acceptance, Length::given, {}};
  }
};

/// Random-walk Metropolis-Hastings.
struct RandomWalk {
  double step_size = 0.0;
  Metric metric = Metric::automatic;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.0;

  operator Sampler() const {
    return {Method::random_walk,  step_size, 0.0,          1,   LengthJitter::none,
            Integrator::leapfrog, metric,    inverse_mass, 0.0, target_acceptance,
            Length::given,        {}};
  }
};

/// Discontinuous HMC: Gaussian momenta for the smooth coordinates of a target, Laplace momenta for
/// those along which its density jumps (Nishimura, Dunson & Lu, Biometrika 2020). Members as in
/// Sampler; the metric's entries for discontinuous coordinates are their variances.
struct Dhmc {
  double step_size = 0.0;
  double hop = 0.0;
  double step_jitter = 0.1;
  int leapfrog = 10;
  int longest = 0;
  LengthJitter length_jitter = LengthJitter::uniform;
  Metric metric = Metric::diagonal;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.0;
  double target_no_flip = 0.0;
  std::vector<double> hop_scale = {};
  bool hop_per_coordinate = false;
  VisitOrder order = VisitOrder::coin;

  operator Sampler() const {
    Sampler s;
    s.method = Method::dhmc;
    s.step_size = step_size;
    s.hop = hop;
    s.step_jitter = step_jitter;
    s.leapfrog = leapfrog;
    s.longest = longest;
    s.length_jitter = length_jitter;
    s.metric = metric;
    s.inverse_mass = inverse_mass;
    s.target_acceptance = target_acceptance;
    s.target_no_flip = target_no_flip;
    s.hop_scale = hop_scale;
    s.hop_per_coordinate = hop_per_coordinate;
    s.order = order;
    return s;
  }
};

/// Mixed HMC (Zhou, NeurIPS 2020, in the corrected form of arXiv 1909.04852): during a trajectory
/// every discontinuous coordinate gets two symmetric proposals, paid for out of an exponential
/// budget of its own. Also for categories that have no order.
struct MixedHmc {
  double step_size = 0.0;
  double hop = 0.0;
  double step_jitter = 0.1;
  int leapfrog = 10;
  int longest = 0;
  LengthJitter length_jitter = LengthJitter::uniform;
  Metric metric = Metric::diagonal;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.0;

  operator Sampler() const {
    Sampler s = Dhmc{.step_size = step_size,
                     .hop = hop,
                     .step_jitter = step_jitter,
                     .leapfrog = leapfrog,
                     .longest = longest,
                     .length_jitter = length_jitter,
                     .metric = metric,
                     .inverse_mass = inverse_mass,
                     .target_acceptance = target_acceptance};
    s.method = Method::mixed_hmc;
    return s;
  }
};

/// HMC on the smooth coordinates, then one update of each discontinuous one: drawn from its
/// conditional law where the target offers that, else a Metropolis step.
struct Gibbs {
  double step_size = 0.0;
  double hop = 0.0;
  double step_jitter = 0.1;
  int leapfrog = 10;
  int longest = 0;
  LengthJitter length_jitter = LengthJitter::uniform;
  Metric metric = Metric::diagonal;
  InverseMass inverse_mass = {};
  double target_acceptance = 0.0;
  double target_no_flip = 0.0;

  operator Sampler() const {
    Sampler s = Dhmc{.step_size = step_size,
                     .hop = hop,
                     .step_jitter = step_jitter,
                     .leapfrog = leapfrog,
                     .longest = longest,
                     .length_jitter = length_jitter,
                     .metric = metric,
                     .inverse_mass = inverse_mass,
                     .target_acceptance = target_acceptance,
                     .target_no_flip = target_no_flip};
    s.method = Method::gibbs;
    return s;
  }
};

/// What a run has done so far.
struct Progress {
  bool warming_up = false;
  std::int64_t done = 0, total = 0;  // transitions per chain, warm-up and draws together
  double acceptance = 0;             // mean over chains, lately
  std::int64_t divergences = 0;      // so far, after warm-up
  double step_size = 0;
  double seconds = 0;   // since the run began
  std::string missing;  // what `until` still lacked when it was last looked at; empty: nothing
};

/// How warm-up goes about it.
struct Adaptation {
  Schedule schedule = Schedule::automatic;
  /// Each chain tunes a step size of its own from its own acceptance, as if it were alone.
  bool per_chain_step_size = false;
  /// The shrinkage of estimated metrics, n / (n + 5) S + 1e-3 * 5 / (n + 5) I as in Stan.
  bool regularise = true;
  /// Estimates a dense metric from fewer than 100 draws per dimension too.
  bool force_dense = false;
  /// Moves chains that stay far from the others to the place of a random settled one.
  bool restart_stranded = true;
  /// Ends a pooled warm-up early, once chains agree and the step size rests.
  bool stop_early = true;
};

/// When sampling ends before `draws`: as soon as every figure that is not 0 is reached by every
/// parameter that varies. Looked at after 64, 96, 128, 192, 256, 384, ... draws per chain and at
/// the last, so that equal seeds stop equally. With 64 chains or more the figures are streamed: ESS
/// and MCSE are those between chains. With fewer they are those of the kept draws.
struct Until {
  double nested_rhat = 0;  // at most
  double ess = 0;          // at least, of all draws together
  double mcse = 0;         // at most, of the mean, in units of the parameter's standard deviation
  bool any() const { return nested_rhat > 0 || ess > 0 || mcse > 0; }
};

/// How many chains, how long, where, and what to keep.
struct SampleOptions {
  std::int64_t chains = 1024;
  int warmup = 300;  // transitions per chain before the sampler is frozen
  int draws = 500;   // transitions per chain that count; with `until` or `max_hours`, at most
  std::uint64_t seed = 1;

  Backend backend = Backend::automatic;
  int threads = 0;           // CPU threads; 0: all
  std::vector<int> devices;  // CUDA devices; empty: the first
  Precision precision = Precision::single_;
  Generator generator = Generator::philox;
  int threads_per_chain =
      0;  // CUDA: 1 to 32, a power of two; 0: chosen for the dimension and chains

  /// Draws kept in memory: of the first `keep_chains` chains (-1: all), every `thin`-th transition.
  std::int64_t keep_chains = 256;
  int thin = 1;
  std::vector<int> keep_parameters;  // empty: all
  /// Lags of the autocovariances that are accumulated while sampling; 0: none.
  int lags = 0;

  /// Start positions on the unconstrained scale, [dim][chains] with the chain fastest; empty:
  /// uniform on [-start_radius, start_radius], the same for each run of `superchain` neighbouring
  /// chains (nested R-hat compares such superchains).
  std::vector<double> start;
  double start_radius = 2.0;
  int superchain = 16;

  Adaptation adaptation;
  /// Keeps the warm-up's draws too, of the same chains and parameters.
  bool keep_warmup = false;
  Until until;
  /// Of this call, not counting what a checkpoint brings; what is done by then is reported. 0: no
  /// limit.
  double max_hours = 0;

  /// A run saves itself here every `checkpoint_minutes` (0: after each launch) and when it ends,
  /// however it ends, and goes on from this file if it exists: to the same bits as if it had never
  /// stopped. A finished run's file stays, and only leads to the same report again. Everything must
  /// be asked for as before but `threads`, `threads_per_chain`, `max_hours`, `checkpoint_minutes`
  /// and `progress`. Empty: never.
  std::string checkpoint;
  double checkpoint_minutes = 10;

  /// Called between launches; returning false stops the run, which then reports what it has.
  std::function<bool(const Progress&)> progress;
};

/// Throws UsageError that names the option, its value and the remedy.
/// @param dim  of the target
void validate(const Sampler& sampler, const SampleOptions& options, int dim);

}  // namespace lockstep
