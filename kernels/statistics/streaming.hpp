#pragma once

/// Statistics that accumulate while the chains run, so that no draw need be stored. Each chain owns
/// its accumulators; a chunk of at most kChunk transitions is summed in the lane's precision about
/// a pivot and then merged in float64 (Chan, Golub & LeVeque 1983):
///
///   delta = mean_b - mean_a,  mean = mean_a + delta n_b / n,  M2 = M2_a + M2_b + delta^2 n_a n_b /
///   n.

#include <cstdint>

#include "kernels/lane/math.hpp"
#include "kernels/statistics/trace.hpp"

namespace lockstep {

/// Transitions summed in single precision before they are merged. Chunks begin at multiples of it
/// and end with their launch, so launches of whole chunks give the same bits however many they are.
inline constexpr int kChunk = 32;

/// Accumulators of every chain; arrays of [..][stride] doubles, chain fastest.
struct StatisticsView {
  double* moments = nullptr;       // [half 2][statistic 4][dim]: mean, M2 of x; mean, M2 of x^2
  double* acceptance = nullptr;    // sum of acceptance probabilities
  double* divergences = nullptr;   // number of divergent transitions
  double* squared_jump = nullptr;  // sum of |x_t - x_{t-1}|^2
  double* energy = nullptr;        // [3]: mean of H, M2 of H, sum of (H_t - H_{t-1})^2
  double* previous = nullptr;      // [dim + 1]: x and H of the draw before this chunk
  double* centre = nullptr;        // [dim], not per chain: about what lagged products are taken
  double* history = nullptr;       // [lags][dim]: x - centre of the last `lags` draws, oldest first
  double* head = nullptr;          // [lags][dim]: x - centre of the first `lags` draws
  double* products = nullptr;      // [lags + 1][dim]: sum_t (x_t - c)(x_{t-k} - c)
  std::int64_t stride = 0;
  int dim = 0;
  int lags = 0;  // 0: no autocovariances

  enum Moment { mean = 0, m2 = 1, mean_square = 2, m2_square = 3 };
  constexpr double* moment(int half, Moment which, int j) const {
    return moments + ((half * 4 + which) * static_cast<std::int64_t>(dim) + j) * stride;
  }
};

/// Where a chunk lies in the run.
struct ChunkPlace {
  std::int64_t first_draw = 0;  // draws before this chunk
  std::int64_t in_half = 0;     // of which in the same half
  int half = 0;                 // 0 or 1
  /// The second half begins anew with this chunk: its draws so far, this many, become the end of
  /// the first half.
  std::int64_t joined = 0;
};

/// Merges n values of mean `s1 / n` about `pivot` and squares `s2` into (mean, M2) of `before`
/// values.
LOCKSTEP_INLINE void merge_moments(double* mean, double* m2, std::int64_t before, int n,
                                   double pivot, double s1, double s2) {
  const double chunk_mean = pivot + s1 / n;
  const double chunk_m2 = s2 - s1 * s1 / n;
  const double total = static_cast<double>(before + n);
  const double delta = chunk_mean - *mean;
  *mean += delta * n / total;
  *m2 += (chunk_m2 > 0 ? chunk_m2 : 0) + delta * delta * static_cast<double>(before) * n / total;
}

/// Appends the second half of `count` draws to the first of `before`, and empties it.
template <class L>
LOCKSTEP_HD inline void join_halves(const StatisticsView& stats, std::int64_t chain,
                                    std::int64_t before, std::int64_t count) {
  using Moment = StatisticsView::Moment;
  for (int j = 0; j < stats.dim; ++j) {
    for (std::int64_t c = chain; c < chain + width<L>; ++c) {
      for (const int which : {StatisticsView::mean, StatisticsView::mean_square}) {
        const auto mean = static_cast<Moment>(which), m2 = static_cast<Moment>(which + 1);
        double* const second_mean = stats.moment(1, mean, j) + c;
        double* const second_m2 = stats.moment(1, m2, j) + c;
        merge_moments(stats.moment(0, mean, j) + c, stats.moment(0, m2, j) + c, before,
                      static_cast<int>(count), *second_mean, 0, *second_m2);
        *second_mean = *second_m2 = 0;
      }
    }
  }
}

/// Folds transitions [from, from + n) of the trace into the statistics of chains
/// [chain, chain + width<L>); n <= kChunk.
template <class L>
LOCKSTEP_HD inline void fold_chunk(const TraceView<Scalar<L>>& trace, int from, int n,
                                   const StatisticsView& stats, std::int64_t chain,
                                   const ChunkPlace& place) {
  using S = Scalar<L>;
  using Trace = TraceView<S>;
  constexpr int w = width<L>;
  const bool first = place.first_draw == 0;
  if (place.joined > 0) {
    join_halves<L>(stats, chain, place.first_draw - place.joined, place.joined);
  }
  S pivot[w], s1[w], s2[w], r1[w], r2[w], jump[w];
  const auto at = [&](int t, int row) { return load_lane<L>(trace.row(from + t, row) + chain); };

  L jumps = L(0);
  for (int j = 0; j < stats.dim; ++j) {
    const L c = at(0, j);
    L sum = L(0), square = L(0), sum2 = L(0), square2 = L(0);
    if (!first) {
      for (int i = 0; i < w; ++i) {
        s1[i] = static_cast<S>(stats.previous[j * stats.stride + chain + i]);
      }
    }
    L before = first ? c : load_lane<L>(s1);
    for (int t = 0; t < n; ++t) {
      const L x = at(t, j);
      const L a = x - c;
      const L b = a * (x + c);  // x^2 - c^2, and exactly zero where x = c
      const L step = x - before;
      sum = sum + a;
      square = fma(a, a, square);
      sum2 = sum2 + b;
      square2 = fma(b, b, square2);
      jumps = fma(step, step, jumps);
      before = x;
    }
    store_lane(pivot, c);
    store_lane(s1, sum);
    store_lane(s2, square);
    store_lane(r1, sum2);
    store_lane(r2, square2);
    S last[w];
    store_lane(last, before);
    for (int i = 0; i < w; ++i) {
      const double p = pivot[i];
      merge_moments(stats.moment(place.half, StatisticsView::mean, j) + chain + i,
                    stats.moment(place.half, StatisticsView::m2, j) + chain + i, place.in_half, n,
                    p, s1[i], s2[i]);
      merge_moments(stats.moment(place.half, StatisticsView::mean_square, j) + chain + i,
                    stats.moment(place.half, StatisticsView::m2_square, j) + chain + i,
                    place.in_half, n, p * p, r1[i], r2[i]);
      stats.previous[j * stats.stride + chain + i] = last[i];
    }
  }
  store_lane(jump, jumps);

  const int acceptance = trace.parameters + Trace::acceptance;
  const int energy = trace.parameters + Trace::energy;
  const int divergent = trace.parameters + Trace::divergent;
  double* const energy_previous = stats.previous + stats.dim * stats.stride + chain;
  const L c = at(0, energy);
  if (!first) {
    for (int i = 0; i < w; ++i) {
      s1[i] = static_cast<S>(energy_previous[i]);
    }
  }
  L before = first ? c : load_lane<L>(s1);
  L accepted = L(0), diverged = L(0), sum = L(0), square = L(0), steps = L(0);
  for (int t = 0; t < n; ++t) {
    const L h = at(t, energy);
    const L a = h - c;
    const L step = h - before;
    accepted = accepted + at(t, acceptance);
    diverged = diverged + at(t, divergent);
    sum = sum + a;
    square = fma(a, a, square);
    steps = fma(step, step, steps);
    before = h;
  }
  S last[w], accepts[w], diverges[w];
  store_lane(pivot, c);
  store_lane(s1, sum);
  store_lane(s2, square);
  store_lane(r1, steps);
  store_lane(last, before);
  store_lane(accepts, accepted);
  store_lane(diverges, diverged);
  for (int i = 0; i < w; ++i) {
    stats.acceptance[chain + i] += accepts[i];
    stats.divergences[chain + i] += diverges[i];
    stats.squared_jump[chain + i] += jump[i];
    merge_moments(stats.energy + chain + i, stats.energy + stats.stride + chain + i,
                  place.first_draw, n, pivot[i], s1[i], s2[i]);
    stats.energy[2 * stats.stride + chain + i] += r1[i];
    energy_previous[i] = last[i];
  }
}

/// Adds the lagged products of transitions [from, from + n) of one chain.
template <class S>
LOCKSTEP_HD inline void fold_lags(const TraceView<S>& trace, int from, int n,
                                  const StatisticsView& stats, std::int64_t chain,
                                  const ChunkPlace& place) {
  for (int j = 0; j < stats.dim; ++j) {
    const auto past = [&](int k) -> double& {  // x_{t-k} - c for the draw about to be added, k >= 1
      return stats.history[((stats.lags - k) * std::int64_t{stats.dim} + j) * stats.stride + chain];
    };
    for (int t = 0; t < n; ++t) {
      const double x = trace.row(from + t, j)[chain] - stats.centre[j];
      stats.products[j * stats.stride + chain] += x * x;
      for (int k = 1; k <= stats.lags; ++k) {  // history starts as zeros: absent draws add nothing
        stats.products[(k * std::int64_t{stats.dim} + j) * stats.stride + chain] += x * past(k);
      }
      for (int k = stats.lags; k > 1; --k) {
        past(k) = past(k - 1);
      }
      past(1) = x;
      if (const std::int64_t draw = place.first_draw + t; draw < stats.lags) {
        stats.head[(draw * stats.dim + j) * stats.stride + chain] = x;
      }
    }
  }
}

}  // namespace lockstep
