#pragma once

/// The seam between policy and kernels: a target bound to a backend. Host code decides (step size,
/// metric, how long); an engine moves its chains. Everything crosses in float64 and plain arrays,
/// so code that drives engines needs neither CUDA nor SIMD headers.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/archive.hpp"
#include "lockstep/options.hpp"
#include "lockstep/truth.hpp"

namespace lockstep {

/// A metric ready for kernels.
struct PreparedMetric {
  Metric kind = Metric::unit;        // unit, diagonal, dense or low_rank
  std::vector<double> inverse_mass;  // as InverseMass, never empty
  /// Its root: unit, diagonal [dim]; dense: lower triangular F with M^-1 = F F', [dim][dim];
  /// low_rank: that of its diagonal, [dim].
  std::vector<double> factor;
};

/// The rank of a low-rank inverse mass of `size` values.
constexpr int rank_of(std::size_t size, int dim) {
  return static_cast<int>((size - static_cast<std::size_t>(dim)) /
                          (static_cast<std::size_t>(dim) + 1));
}

/// What an engine is.
struct EngineDescription {
  std::string backend;        // "cpu" or "cuda"
  std::string device;         // for people: the processor's or the card's name
  std::string lane;           // e.g. "float x 16 x 2 in flight"
  int threads = 1;            // CPU threads
  int threads_per_chain = 1;  // CUDA
  int dim = 0;
  std::int64_t chains = 0;
  std::vector<std::string> names;  // of the reported parameters, [dim]
  /// Coordinates along which the density jumps; only lockstep/dhmc.hpp's samplers move them.
  std::vector<int> discontinuous;
  /// Where chains start, from dim uniforms on (0, 1]: q, unconstrained. None: within start_radius.
  std::function<void(const double* u, double* q)> start;
  bool has_truth = false;
  Truth truth;
};

/// Transitions to run.
struct Launch {
  std::uint32_t first = 0;  // index of the first one in the run: what its random numbers depend on
  int count = 1;
  double step_size = 1.0;  // before jitter
  int steps = 0;           // leapfrog steps for all of them; 0: the sampler's own rule
  /// Samplers that keep their momentum draw it from N(0, M) instead: at the start, and when the
  /// metric has changed. For single transitions.
  bool fresh_momentum = false;
  /// Samplers that do not keep their momentum leave it behind all the same: `momenta` then holds,
  /// for each chain, the end of its trajectory if that was accepted, else minus its beginning.
  bool leave_momentum = false;
  /// Keeps what each chain did in the last transition, for `observed`.
  bool observe = false;
  double hop = 1.0;  // of discontinuous coordinates, before jitter
};

/// What to record while sampling.
struct Recording {
  std::int64_t draws = 0;  // transitions that will be recorded in total, at most
  /// Where the second half of the statistics begins; 0: in the middle of `draws`. Until then it
  /// begins at half of that, a quarter, ..., so that a run that stops early has halves too.
  std::int64_t middle = 0;
  int lags = 0;
  std::vector<double> centre;    // [dim], reported scale; about what lagged products are taken
  std::int64_t keep_chains = 0;  // the first so many chains' draws are kept
  int thin = 1;
  std::vector<int> keep_parameters;

  void archive(Archive& a) { a(draws, middle, lags, centre, keep_chains, thin, keep_parameters); }
};

/// Averages over all chains and transitions of a launch, added up in a fixed order.
struct Pooled {
  double acceptance = 0;
  std::int64_t divergences = 0;
};

/// Draws in host memory: [draw][row][chain], chain fastest. The rows are the kept parameters and
/// then acceptance, energy and the divergence flag.
struct Draws {
  std::vector<double> values;
  std::int64_t draws = 0, chains = 0;
  std::vector<int> parameters;
  int thin = 1;

  static constexpr int info_rows = 3;
  int rows() const { return static_cast<int>(parameters.size()) + info_rows; }
  const double* row(std::int64_t draw, int r) const {
    return values.data() + (draw * rows() + r) * chains;
  }
  void archive(Archive& a) { a(values, draws, chains, parameters, thin); }

  /// One quantity of all kept draws, [draw][chain].
  std::vector<double> column(int r) const {
    std::vector<double> out;
    out.reserve(static_cast<std::size_t>(draws * chains));
    for (std::int64_t t = 0; t < draws; ++t) {
      out.insert(out.end(), row(t, r), row(t, r) + chains);
    }
    return out;
  }
};

/// Streamed per-chain statistics, [..][chains], as kernels accumulate them
/// (statistics/streaming.hpp).
struct Statistics {
  int dim = 0;
  std::int64_t chains = 0;
  std::int64_t draws[2] = {0, 0};                    // in the first and second half
  std::vector<double> mean[2], m2[2];                // [dim][chains] of the reported x, per half
  std::vector<double> mean_square[2], m2_square[2];  // of x^2
  std::vector<double> acceptance;                    // [chains], mean
  std::vector<double> divergences;                   // [chains], count
  std::vector<double> squared_jump;                  // [chains], mean of |x_t - x_{t-1}|^2
  std::vector<double> energy_mean, energy_m2, energy_jump;  // [chains]; jump: sum (H_t - H_{t-1})^2
  int lags = 0;
  std::vector<double> autocovariance;  // [lags + 1][dim][chains], about each chain's own mean
};

class Engine {
 public:
  virtual ~Engine() = default;

  const EngineDescription& description() const { return description_; }
  /// Adds what is known of the target's law from elsewhere.
  void know(Truth truth) {
    description_.has_truth = true;
    description_.truth = std::move(truth);
  }

  /// Sets the sampler and its metric for the launches that follow. The random walk leaves gradients
  /// behind: after it, a sampler that needs them also needs `place`.
  virtual void configure(const Sampler& sampler, const PreparedMetric& metric) = 0;

  /// Puts the chains at q, [dim][chains], unconstrained, and evaluates the target there.
  virtual void place(std::span<const double> q) = 0;
  /// U and dU/dq at the chains' positions, [chains] and [dim][chains]; the gradient may be left out
  /// (empty). The random walk leaves gradients behind.
  virtual void evaluations(std::span<double> potential, std::span<double> gradient) const = 0;
  /// Unconstrained positions, [dim][chains].
  virtual void positions(std::span<double> q) const = 0;
  /// Momenta, [dim][chains], of samplers that keep them.
  virtual void momenta(std::span<double> p) const = 0;

  /// Gives each chain a factor of the step size, [chains]; none: all one.
  virtual void scale_steps(std::span<const double> factors) = 0;

  /// Moves every chain; records nothing but the pooled figures.
  virtual Pooled advance(const Launch& launch) = 0;
  /// What each chain did in the last transition of the last `advance`, which was told to observe:
  /// rows from `first_row` on, [rows][chains]. Rows are the parameters on the reported scale, then
  /// those of Draws.
  virtual void observed(int first_row, std::span<double> values) const = 0;

  /// What the last launch's transitions tallied, summed over chains, [dim]: for each discontinuous
  /// coordinate min(1, exp(-dU)) of every visit, the probability that the visit moved it.
  virtual void tallies(std::span<double> sums) const { std::fill(sums.begin(), sums.end(), 0.0); }

  /// Prepares recording: clears the statistics, allocates the kept draws.
  virtual void record(const Recording& recording) = 0;
  /// Moves every chain and records each transition.
  virtual Pooled advance_recording(const Launch& launch) = 0;
  virtual Statistics statistics() const = 0;
  /// A copy of the draws kept so far.
  virtual Draws draws() const = 0;
  /// Hands them over; nothing can be recorded after that.
  virtual Draws take_draws() = 0;

  /// Saves or restores the chains and what is recorded of them, bit for bit. An engine that is
  /// restored has the same target, chains, precision and backend as the one that was saved, and is
  /// configured by its caller.
  virtual void archive(Archive& archive) = 0;

  /// Keeps alive what the target points into.
  void keep(std::shared_ptr<const void> data) { data_ = std::move(data); }

 protected:
  EngineDescription description_;

 private:
  std::shared_ptr<const void> data_;
};

}  // namespace lockstep
