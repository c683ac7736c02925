#pragma once

/// What a caller can ask for. Plain aggregates with defaults; `validate` says what is wrong.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lockstep {

enum class Method : std::uint8_t { random_walk, hmc };
enum class Integrator : std::uint8_t { leapfrog, minimal_norm_2, minimal_norm_4 };
/// `automatic` is dense where the warm-up's pooled draws are strongly correlated (and enough, and
/// of at most 64 dimensions), else diagonal.
enum class Metric : std::uint8_t { automatic, unit, diagonal, dense };
enum class LengthJitter : std::uint8_t { none, uniform, halton };
enum class Backend : std::uint8_t { automatic, cpu, cuda };
enum class Precision : std::uint8_t { single_, double_ };
enum class Generator : std::uint8_t { philox, curand };

/// The inverse mass matrix M^-1, an estimate of the covariance of unconstrained q.
/// Diagonal: [dim]; dense: [dim][dim], row-major. Empty: the identity.
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

  operator Sampler() const {
    return {Method::hmc, step_size, step_jitter,  leapfrog, length_jitter,
            integrator,  metric,    inverse_mass, 0.0,      target_acceptance};
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
            Integrator::leapfrog, metric,    inverse_mass, 0.0, target_acceptance};
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
    return {Method::hmc, step_size, step_jitter,  leapfrog,    LengthJitter::none,
            integrator,  metric,    inverse_mass, persistence, target_acceptance};
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
            Integrator::leapfrog, metric,    inverse_mass, 0.0, target_acceptance};
  }
};

/// What a run has done so far.
struct Progress {
  bool warming_up = false;
  std::int64_t done = 0, total = 0;  // transitions per chain, warm-up and draws together
  double acceptance = 0;             // mean over chains, lately
  std::int64_t divergences = 0;      // so far, after warm-up
  double step_size = 0;
  double seconds = 0;  // since the run began
};

/// How many chains, how long, where, and what to keep.
struct SampleOptions {
  std::int64_t chains = 1024;
  int warmup = 300;  // transitions per chain before the sampler is frozen
  int draws = 500;   // transitions per chain that count
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

  /// Called between launches; returning false stops the run, which then reports what it has.
  std::function<bool(const Progress&)> progress;
};

/// Throws UsageError that names the option, its value and the remedy.
/// @param dim  of the target
void validate(const Sampler& sampler, const SampleOptions& options, int dim);

}  // namespace lockstep
