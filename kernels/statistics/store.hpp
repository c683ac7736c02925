#pragma once

/// Host memory behind StatisticsView, and the kept draws: what a recording run has gathered.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "kernels/statistics/streaming.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// Cuts transitions into chunks that start at multiples of kChunk draws and never straddle two
/// halves, so that launches of whole chunks give the same bits.
///
/// Nobody knows where a run will stop, so the halves grow with it: the second one begins after
/// ..., middle / 4, middle / 2, middle draws (the smaller ones rounded up to whole chunks), and
/// each time the two before it become the first. So the second is never the longer one but by
/// rounding, and a whole run has the halves it would have had anyway.
class ChunkPlan {
 public:
  ChunkPlan() = default;
  /// @param middle  0: half of `draws`, an odd run's middle draw with the first half
  explicit ChunkPlan(std::int64_t draws, std::int64_t middle = 0) {
    const auto whole_chunks = [](std::int64_t n) { return (n + kChunk - 1) / kChunk * kChunk; };
    begins_.push_back(middle > 0 ? middle : (draws + 1) / 2);
    for (std::int64_t b = whole_chunks((begins_.back() + 1) / 2); b < begins_.back();
         b = whole_chunks((b + 1) / 2)) {
      begins_.push_back(b);
    }
    std::reverse(begins_.begin(), begins_.end());
  }

  /// Calls f(offset, n, place) for `count` draws that follow `done` earlier ones.
  template <class F>
  void for_chunks(std::int64_t done, int count, F f) const {
    for (int offset = 0; offset < count;) {
      const std::int64_t draw = done + offset;
      const auto next = std::upper_bound(begins_.begin(), begins_.end(), draw);
      const std::int64_t until_chunk = kChunk - draw % kChunk;
      const std::int64_t until_half = next == begins_.end() ? until_chunk : *next - draw;
      const int n = static_cast<int>(
          std::min({until_chunk, until_half, static_cast<std::int64_t>(count - offset)}));
      ChunkPlace place{draw, draw, 0, 0};
      if (next != begins_.begin()) {
        const auto begin = next - 1;
        place.half = 1;
        place.in_half = draw - *begin;
        place.joined = draw == *begin && begin != begins_.begin() ? draw - *(begin - 1) : 0;
      }
      f(offset, n, place);
      offset += n;
    }
  }

  /// Draws in the first half when so many are done.
  std::int64_t first_half(std::int64_t done) const {
    const auto next = std::lower_bound(begins_.begin(), begins_.end(), done);
    return next == begins_.begin() ? done : *(next - 1);
  }

 private:
  std::vector<std::int64_t> begins_;  // of the second half, ascending
};

class StatisticsStore {
 public:
  StatisticsStore() = default;
  /// @param here  whether the arrays are to be in this memory; a backend with memory of its own
  /// asks
  ///              for_arrays how large they are, and allocates them here when it brings them
  StatisticsStore(const Recording& recording, int dim, std::int64_t chains, std::int64_t stride,
                  bool here = true)
      : recording_(recording),
        dim_(dim),
        chains_(chains),
        stride_(stride),
        plan_(recording.draws, recording.middle) {
    if (recording_.lags > 0) {
      recording_.centre.resize(static_cast<std::size_t>(dim_), 0.0);
    } else {
      recording_.centre.clear();
    }
    if (here) {
      allocate();
    }
    kept_.parameters = recording_.keep_parameters;
    if (kept_.parameters.empty()) {
      kept_.parameters.resize(static_cast<std::size_t>(dim_));
      std::iota(kept_.parameters.begin(), kept_.parameters.end(), 0);
    }
    kept_.chains = std::min(recording_.keep_chains, chains_);
    kept_.thin = recording_.thin;
    kept_.values.resize(
        static_cast<std::size_t>(recording_.draws / recording_.thin * kept_.rows() * kept_.chains));
  }

  StatisticsView view() {
    StatisticsView v;
    for_arrays([&](double* StatisticsView::*array, std::vector<double>& memory, std::size_t) {
      v.*array = memory.data();
    });
    v.stride = stride_;
    v.dim = dim_;
    v.lags = recording_.lags;
    return v;
  }

  /// Calls f(member of StatisticsView, the memory behind it, its size) for each array. All begin as
  /// zeros, except the centre, which is known.
  template <class F>
  void for_arrays(F f) {
    const auto rows = [&](std::int64_t n) { return static_cast<std::size_t>(n * stride_); };
    const std::int64_t lags = recording_.lags, d = dim_;
    f(&StatisticsView::moments, moments_, rows(8 * d));
    f(&StatisticsView::acceptance, acceptance_, rows(1));
    f(&StatisticsView::divergences, divergences_, rows(1));
    f(&StatisticsView::squared_jump, squared_jump_, rows(1));
    f(&StatisticsView::energy, energy_, rows(3));
    f(&StatisticsView::previous, previous_, rows(d + 1));
    f(&StatisticsView::centre, recording_.centre, recording_.centre.size());
    f(&StatisticsView::history, history_, rows(lags * d));
    f(&StatisticsView::head, head_, rows(lags * d));
    f(&StatisticsView::products, products_, rows(lags > 0 ? (lags + 1) * d : 0));
  }
  void allocate() {
    for_arrays([](double* StatisticsView::*, std::vector<double>& memory, std::size_t size) {
      memory.resize(size, 0.0);
    });
  }

  template <class F>
  void for_chunks(int count, F f) const {
    plan_.for_chunks(done_, count, f);
  }
  void advance(int count) { done_ += count; }
  std::int64_t done() const { return done_; }

  /// Of the first so many chains draws thin - 1, 2 thin - 1, ... are kept.
  std::int64_t kept_chains() const { return kept_.chains; }
  int thin() const { return kept_.thin; }
  /// The rows of a trace that are kept: parameters, then all info rows.
  std::vector<int> kept_rows() const {
    std::vector<int> rows = kept_.parameters;
    for (int i = 0; i < Draws::info_rows; ++i) {
      rows.push_back(dim_ + i);
    }
    return rows;
  }
  /// Where row r of those belongs for the k-th kept draw, [kept chains].
  double* kept_row(std::int64_t k, int r) {
    return kept_.values.data() + (k * kept_.rows() + r) * kept_.chains;
  }

  /// Copies the draws of chains [chain, chain + width) that are kept.
  template <class S>
  void keep(const TraceView<S>& trace, int from, int n, std::int64_t chain, std::int64_t width,
            std::int64_t first_draw) {
    if (chain >= kept_.chains) {
      return;
    }
    const std::int64_t last = std::min(chain + width, kept_.chains);
    const std::vector<int> rows = kept_rows();
    for (int t = 0; t < n; ++t) {
      const std::int64_t draw = first_draw + t;
      if ((draw + 1) % kept_.thin != 0) {
        continue;
      }
      for (int r = 0; r < kept_.rows(); ++r) {
        const S* source = trace.row(from + t, rows[static_cast<std::size_t>(r)]);
        double* to = kept_row(draw / kept_.thin, r);
        for (std::int64_t c = chain; c < last; ++c) {
          to[c] = source[c];
        }
      }
    }
  }

  double total_acceptance() const { return total(acceptance_); }
  double total_divergences() const { return total(divergences_); }

  Statistics statistics() const;
  /// The draws kept so far.
  Draws draws() const {
    Draws d;
    d.draws = done_ / kept_.thin;
    d.chains = kept_.chains;
    d.parameters = kept_.parameters;
    d.thin = kept_.thin;
    d.values.assign(kept_.values.begin(), kept_.values.begin() + filled());
    return d;
  }
  /// Hands them over.
  Draws take_draws() {
    kept_.draws = done_ / kept_.thin;
    kept_.values.resize(static_cast<std::size_t>(filled()));
    return std::move(kept_);
  }

  /// As far along, with arrays to be filled and no kept draws.
  StatisticsStore without_draws() const {
    Recording recording = recording_;
    recording.keep_chains = 0;
    StatisticsStore store(recording, dim_, chains_, stride_);
    store.done_ = done_;
    return store;
  }

  /// Saves or restores how much is done and the draws kept so far, but not the arrays. What is
  /// restored must have been made for the same recording.
  void archive_draws(Archive& a) {
    a(done_);
    require<FileError>(done_ >= 0 && done_ <= recording_.draws,
                       "an archive of " + std::to_string(done_) + " draws was read, but " +
                           std::to_string(recording_.draws) + " are recorded: it is another run's");
    a.bytes(kept_.values.data(), static_cast<std::size_t>(filled()) * sizeof(double));
  }
  /// These and the arrays.
  void archive(Archive& a) {
    archive_draws(a);
    for_arrays([&](double* StatisticsView::*, std::vector<double>& memory, std::size_t size) {
      a.bytes(memory.data(), size * sizeof(double));
    });
  }
  const Recording& recording() const { return recording_; }

 private:
  double total(const std::vector<double>& per_chain) const {
    return std::accumulate(per_chain.begin(), per_chain.begin() + chains_, 0.0);
  }
  std::vector<double> narrow(const std::vector<double>& from, std::int64_t first_row,
                             std::int64_t rows, double scale = 1.0) const;
  /// Values of kept draws so far.
  std::int64_t filled() const { return done_ / kept_.thin * kept_.rows() * kept_.chains; }

  Recording recording_;
  int dim_ = 0;
  std::int64_t chains_ = 0, stride_ = 0, done_ = 0;
  ChunkPlan plan_;
  std::vector<double> moments_, acceptance_, divergences_, squared_jump_, energy_, previous_,
      history_, head_, products_;
  Draws kept_;
};

/// Rows [first_row, first_row + rows) without the padding.
inline std::vector<double> StatisticsStore::narrow(const std::vector<double>& from,
                                                   std::int64_t first_row, std::int64_t rows,
                                                   double scale) const {
  std::vector<double> to(static_cast<std::size_t>(rows * chains_));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < chains_; ++c) {
      to[static_cast<std::size_t>(r * chains_ + c)] =
          scale * from[static_cast<std::size_t>((first_row + r) * stride_ + c)];
    }
  }
  return to;
}

inline Statistics StatisticsStore::statistics() const {
  Statistics s;
  s.dim = dim_;
  s.chains = chains_;
  s.draws[0] = plan_.first_half(done_);
  s.draws[1] = done_ - s.draws[0];
  for (int half = 0; half < 2; ++half) {
    const auto take = [&](int moment) {
      return narrow(moments_, (half * 4 + moment) * std::int64_t{dim_}, dim_);
    };
    s.mean[half] = take(StatisticsView::mean);
    s.m2[half] = take(StatisticsView::m2);
    s.mean_square[half] = take(StatisticsView::mean_square);
    s.m2_square[half] = take(StatisticsView::m2_square);
  }
  const double per_draw = done_ > 0 ? 1.0 / static_cast<double>(done_) : 0.0;
  s.acceptance = narrow(acceptance_, 0, 1, per_draw);
  s.divergences = narrow(divergences_, 0, 1);
  s.squared_jump =
      narrow(squared_jump_, 0, 1, done_ > 1 ? 1.0 / static_cast<double>(done_ - 1) : 0);
  s.energy_mean = narrow(energy_, 0, 1);
  s.energy_m2 = narrow(energy_, 1, 1);
  s.energy_jump = narrow(energy_, 2, 1);
  s.lags = recording_.lags;
  if (s.lags > 0) {
    // With y = x - c, n draws of mean m:  sum_{t>=k} (y_t - m)(y_{t-k} - m)
    //   = products_k - m (sum of all but the first k) - m (sum of all but the last k) + (n - k)
    //   m^2.
    s.autocovariance.resize(static_cast<std::size_t>((s.lags + 1) * std::int64_t{dim_} * chains_));
    const auto n = static_cast<double>(done_);
    for (int j = 0; j < dim_; ++j) {
      for (std::int64_t c = 0; c < chains_; ++c) {
        const auto in = [&](const std::vector<double>& a, std::int64_t row) {
          return a[static_cast<std::size_t>((row * dim_ + j) * stride_ + c)];
        };
        const std::size_t jc = static_cast<std::size_t>(j * chains_ + c);
        const double whole = static_cast<double>(s.draws[0]) * s.mean[0][jc] +
                             static_cast<double>(s.draws[1]) * s.mean[1][jc] -
                             n * recording_.centre[static_cast<std::size_t>(j)];
        const double m = whole / n;
        double first = 0, last = 0;
        for (int k = 0; k <= s.lags && k < done_; ++k) {
          if (k > 0) {
            first += in(head_, k - 1);
            last += in(history_, s.lags - k);
          }
          s.autocovariance[static_cast<std::size_t>(((std::int64_t{k} * dim_) + j) * chains_ + c)] =
              (in(products_, k) - m * (whole - first) - m * (whole - last) + (n - k) * m * m) / n;
        }
      }
    }
  }
  return s;
}

}  // namespace lockstep
