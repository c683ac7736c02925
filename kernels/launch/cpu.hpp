#pragma once

/// The CPU backend: SIMD lanes times OpenMP threads. A thread takes a block of chains through
/// kChunk transitions at a time; their trace stays in its cache until it is folded into the
/// statistics.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <omp.h>

#include "kernels/launch/advance.hpp"
#include "kernels/launch/describe.hpp"
#include "kernels/launch/first_error.hpp"
#include "kernels/launch/make.hpp"
#include "kernels/launch/settings.hpp"
#include "kernels/statistics/store.hpp"
#include "kernels/statistics/streaming.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// Chains are padded to a multiple of this, which every lane width divides: a chain's arithmetic
/// never depends on where it stands.
inline constexpr std::int64_t kChainBlock = 64;

/// The lane of a target on the CPU: more registers in flight the fewer coordinates there are to
/// hide latency with. A target may say otherwise by `static constexpr int lanes_in_flight`.
template <class S, class Target>
struct CpuLane {
  using Batch = std::conditional_t<std::is_same_v<S, float>, FloatBatch, DoubleBatch>;
  static constexpr int in_flight = [] {
    if constexpr (requires { Target::lanes_in_flight; }) {
      return Target::lanes_in_flight;
    } else {
      return capacity<Target> <= 3 ? 4 : capacity<Target> <= 16 ? 2 : 1;
    }
  }();
  using Type = std::conditional_t<in_flight == 4, Twin<Twin<Batch>>,
                                  std::conditional_t<in_flight == 2, Twin<Batch>, Batch>>;
};

/// @tparam Settings  which samplers it has kernels for (settings.hpp)
/// @tparam L  the lane; a parameter so that one-chain lanes (in a file that nvcc compiles) and SIMD
///            lanes (in the library) make two classes, should both be linked into a program
template <class S, class Target, class Settings = KernelSettings<S>,
          class L = typename CpuLane<S, Target>::Type>
class CpuEngine final : public Engine {
  static constexpr int kCapacity = capacity<Target>;
  static_assert(kChainBlock % width<L> == 0);

 public:
  /// @param first_chain  global id of chain 0, for an engine that runs some chains of many
  CpuEngine(const Target& target, const SampleOptions& options, std::uint64_t first_chain = 0)
      : target_(target),
        dim_(dimension(target)),
        chains_(options.chains),
        stride_((options.chains + kChainBlock - 1) / kChainBlock * kChainBlock),
        seed_(options.seed),
        first_chain_(first_chain),
        threads_(options.threads > 0 ? options.threads : omp_get_max_threads()),
        q_(matrix()),
        gradient_(matrix()),
        momentum_(matrix()),
        potential_hi_(static_cast<std::size_t>(stride_)),
        potential_lo_(static_cast<std::size_t>(stride_)),
        info_(static_cast<std::size_t>(TraceView<S>::info_rows * stride_)),
        tally_(tallying<Settings> ? q_.size() : 0) {
    description_ = describe(target);
    description_.backend = "cpu";
    description_.device = processor_name();
    description_.lane = lane_name<S>(width<decltype(first_of(L{}))>, width<L>);
    description_.threads = threads_;
    description_.chains = chains_;
  }

  void configure(const Sampler& sampler, const PreparedMetric& metric) override {
    settings_ = Settings(sampler, metric, description_, kCapacity);
  }

  void place(std::span<const double> q) override {
    for (int j = 0; j < dim_; ++j) {
      for (std::int64_t c = 0; c < stride_; ++c) {  // padding repeats the last chain's start
        q_[at(j, c)] =
            static_cast<S>(q[static_cast<std::size_t>(j * chains_ + std::min(c, chains_ - 1))]);
      }
    }
    std::fill(momentum_.begin(), momentum_.end(), S(0));
    for_blocks([&](std::int64_t chain) { evaluate_chains<L>(target_, Solo{}, view(), chain); });
  }

  void evaluations(std::span<double> potential, std::span<double> gradient) const override {
    for (std::int64_t c = 0; c < chains_; ++c) {
      potential[static_cast<std::size_t>(c)] =
          static_cast<double>(potential_hi_[static_cast<std::size_t>(c)]) +
          static_cast<double>(potential_lo_[static_cast<std::size_t>(c)]);
    }
    if (!gradient.empty()) {
      copy_out(gradient_.data(), dim_, gradient);
    }
  }

  void positions(std::span<double> q) const override { copy_out(q_.data(), dim_, q); }
  void momenta(std::span<double> p) const override { copy_out(momentum_.data(), dim_, p); }

  void scale_steps(std::span<const double> factors) override {
    step_scale_.clear();
    for (std::int64_t c = 0; !factors.empty() && c < stride_; ++c) {
      step_scale_.push_back(
          static_cast<S>(factors[static_cast<std::size_t>(std::min(c, chains_ - 1))]));
    }
  }

  void observed(int first_row, std::span<double> values) const override {
    copy_out(info_.data() + first_row * stride_, static_cast<std::int64_t>(values.size()) / chains_,
             values);
  }

  void tallies(std::span<double> sums) const override {
    if constexpr (tallying<Settings>) {
      sum_rows(tally_.data(), stride_, chains_, sums);
    } else {
      Engine::tallies(sums);
    }
  }

  Pooled advance(const Launch& launch) override {
    Pooled pooled;
    std::fill(tally_.begin(), tally_.end(), S(0));
    const int parameters = launch.observe ? dim_ : 0;
    info_.resize(static_cast<std::size_t>((parameters + TraceView<S>::info_rows) * stride_));
    for (int t = 0; t < launch.count; ++t) {
      const TraceView<S> trace{info_.data(), stride_, parameters, 0};
      with_kernel(launch, [&](const auto& transition) {
        for_blocks([&](std::int64_t chain) {
          advance_block(transition, chain, launch.first + static_cast<std::uint32_t>(t), 1, trace);
        });
      });
      const Pooled one = pool(trace, 1);
      pooled.acceptance += one.acceptance / launch.count;
      pooled.divergences += one.divergences;
    }
    return pooled;
  }

  void record(const Recording& recording) override {
    store_ = StatisticsStore(recording, dim_, chains_, stride_);
  }

  Pooled advance_recording(const Launch& launch) override {
    const StatisticsView statistics = store_.view();
    std::fill(tally_.begin(), tally_.end(), S(0));
    const double accepted = store_.total_acceptance();
    const double diverged = store_.total_divergences();
    with_kernel(launch, [&](const auto& transition) {
      const Team team(*this, launch.count);
      FirstError error;
#pragma omp parallel num_threads(team.size())
      {
        const std::int64_t w = width<L>;
        std::vector<S> scratch;
#pragma omp for schedule(static)
        for (std::int64_t block = 0; block < stride_ / w; ++block) {
          const std::int64_t chain = block * w;
          error.guard(first_chain(chain), w, [&] {
            scratch.resize(static_cast<std::size_t>(kChunk * (dim_ + 3) * w));
            const TraceView<S> trace{scratch.data(), w, dim_, chain};
            store_.for_chunks(launch.count, [&](int done, int n, const ChunkPlace& place) {
              advance_block(transition, chain, launch.first + static_cast<std::uint32_t>(done), n,
                            trace);
              fold_chunk<L>(trace, 0, n, statistics, chain, place);
              if (statistics.lags > 0) {
                for (std::int64_t c = chain; c < chain + w; ++c) {
                  fold_lags(trace, 0, n, statistics, c, place);
                }
              }
              store_.keep(trace, 0, n, chain, w, place.first_draw);
            });
          });
        }
      }
      error.rethrow();
    });
    store_.advance(launch.count);
    Pooled pooled;
    pooled.acceptance = (store_.total_acceptance() - accepted) /
                        (static_cast<double>(launch.count) * static_cast<double>(chains_));
    pooled.divergences = static_cast<std::int64_t>(store_.total_divergences() - diverged);
    return pooled;
  }

  Statistics statistics() const override {
    return store_.statistics();
  }
  Draws draws() const override {
    return store_.draws();
  }
  Draws take_draws() override {
    return store_.take_draws();
  }

  void archive(Archive& a) override {
    for (std::vector<S>* array : {&q_, &gradient_, &momentum_, &potential_hi_, &potential_lo_}) {
      a.bytes(array->data(), array->size() * sizeof(S));
    }
    Recording recording = store_.recording();
    a(recording);
    if (recording.draws > 0) {
      if (a.reading()) {
        record(recording);
      }
      store_.archive(a);
    }
  }

 private:
  std::vector<S> matrix() const {
    return std::vector<S>(static_cast<std::size_t>(dim_ * stride_));
  }
  /// The chain's number for people.
  std::int64_t first_chain(std::int64_t chain) const {
    return static_cast<std::int64_t>(first_chain_) + chain;
  }
  std::size_t at(int j, std::int64_t c) const {
    return static_cast<std::size_t>(j * stride_ + c);
  }

  template <class M>
  static auto first_of(const Twin<M>& x) {
    return first_of(x.lo);
  }
  template <class M>
  static M first_of(const M& x) {
    return x;
  }

  ChainsView<S> view() {
    return {q_.data(),
            gradient_.data(),
            momentum_.data(),
            potential_hi_.data(),
            potential_lo_.data(),
            stride_,
            first_chain_,
            step_scale_.empty() ? nullptr : step_scale_.data(),
            tally_.data()};
  }

  void copy_out(const S* from, std::int64_t rows, std::span<double> to) const {
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(from + r * stride_, chains_, to.begin() + r * chains_);
    }
  }

  /// The threads for one launch: one where waking others would cost more than the work, by the time
  /// that the last launch took. Results do not depend on it.
  class Team {
   public:
    Team(CpuEngine& engine, int transitions)
        : engine_(engine), transitions_(transitions), begin_(omp_get_wtime()) {
      size_ = engine.core_seconds_ * transitions < 2e-4 ? 1 : engine.threads_;
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;
    ~Team() { engine_.core_seconds_ = (omp_get_wtime() - begin_) * size_ / transitions_; }
    int size() const { return size_; }

   private:
    CpuEngine& engine_;
    int transitions_, size_;
    double begin_;
  };

  template <class F>
  void for_blocks(F f) {
    const std::int64_t w = width<L>;
    const Team team(*this, 1);
    FirstError error;
#pragma omp parallel for schedule(static) num_threads(team.size())
    for (std::int64_t block = 0; block < stride_ / w; ++block) {
      error.guard(first_chain(block * w), w, [&] { f(block * w); });
    }
    error.rethrow();
  }

  /// One function, not inlined: the kernel's body is compiled once for warm-up and recording.
  template <class Transition>
  [[gnu::noinline]] void advance_block(const Transition& transition, std::int64_t chain,
                                       std::uint32_t first, int count, const TraceView<S>& trace) {
    advance_chains<L, Stream<L>>(target_, transition, Solo{}, view(), seed_, chain, first, count,
                                 trace);
  }

  template <class F>
  void with_kernel(const Launch& launch, F f) {
    settings_.template with_transition<kCapacity, exact_dimension<Target>>(
        settings_.arrays([](const std::vector<S>& array) { return array.data(); }), dim_,
        trajectory_of(settings_.sampler, seed_, launch), f);
  }

  /// Chain by chain, so the sum does not depend on threads.
  Pooled pool(const TraceView<S>& trace, int count) const {
    Pooled pooled;
    for (int t = 0; t < count; ++t) {
      const S* acceptance = trace.info(t, TraceView<S>::acceptance);
      const S* divergent = trace.info(t, TraceView<S>::divergent);
      for (std::int64_t c = 0; c < chains_; ++c) {
        pooled.acceptance += acceptance[c];
        pooled.divergences += divergent[c] > S(0.5);
      }
    }
    pooled.acceptance /= static_cast<double>(count) * static_cast<double>(chains_);
    return pooled;
  }

  Target target_;
  int dim_;
  std::int64_t chains_, stride_;
  std::uint64_t seed_, first_chain_;
  int threads_;
  double core_seconds_ = 0;  // of one transition of all chains
  std::vector<S> q_, gradient_, momentum_, potential_hi_, potential_lo_, info_, step_scale_, tally_;
  Settings settings_;
  StatisticsStore store_;
};

template <class S, class Target>
std::unique_ptr<Engine> make_cpu_engine(const Target& target, const SampleOptions& options) {
  return std::make_unique<CpuEngine<S, Target>>(target, options);
}

}  // namespace lockstep
