// Statistics that were gathered in passing are those of the stored draws, computed in two passes in
// double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/lane/lane.hpp"
#include "kernels/launch/make.hpp"
#include "kernels/statistics/store.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "lockstep/error.hpp"
#include "tests/memory_archive.hpp"
#include "tests/phase_space.hpp"

namespace lockstep {
namespace {

/// Draws of some chains as kernels leave them: [draw][parameter or info][chain].
template <class S>
struct Trace {
  int dim;
  std::int64_t draws, chains;
  std::vector<S> values;

  TraceView<S> view() { return {values.data(), chains, dim, 0}; }
  double at(std::int64_t t, int row, std::int64_t c) const {
    return static_cast<double>(
        values[static_cast<std::size_t>((t * (dim + TraceView<S>::info_rows) + row) * chains + c)]);
  }
};

/// Autoregressive parameters of means 0, 1000 and -3 and different widths; energies about 50.
template <class S>
Trace<S> made_up(std::int64_t draws, std::int64_t chains) {
  Trace<S> trace{3, draws, chains, {}};
  const double mean[] = {0, 1000, -3}, sd[] = {1, 0.5, 10}, phi[] = {0.8, -0.5, 0};
  std::mt19937 bits(1);
  std::normal_distribution<double> normal;
  std::vector<double> x(static_cast<std::size_t>(3 * chains), 0.0);
  for (std::int64_t t = 0; t < draws; ++t) {
    for (int row = 0; row < 6; ++row) {
      for (std::int64_t c = 0; c < chains; ++c) {
        double value = 0;
        if (row < 3) {
          double& state = x[static_cast<std::size_t>(row * chains + c)];
          state = phi[row] * state + normal(bits);
          value = mean[row] + sd[row] * state;
        } else if (row == 3) {
          value = static_cast<double>(bits()) * 0x1p-32;
        } else if (row == 4) {
          value = 50 + 3 * normal(bits);
        } else {
          value = bits() % 9 == 0 ? 1 : 0;
        }
        trace.values.push_back(static_cast<S>(value));
      }
    }
  }
  return trace;
}

/// Folds the next `count` draws of the trace as a launch does.
template <class L>
void fold_on(StatisticsStore& store, Trace<Scalar<L>>& trace, int count) {
  const StatisticsView statistics = store.view();
  const auto begun = static_cast<int>(store.done());
  store.for_chunks(count, [&](int offset, int n, const ChunkPlace& place) {
    EXPECT_TRUE(n >= 1 && n <= kChunk);
    for (std::int64_t chain = 0; chain < trace.chains; chain += width<L>) {
      fold_chunk<L>(trace.view(), begun + offset, n, statistics, chain, place);
      for (std::int64_t c = chain; statistics.lags > 0 && c < chain + width<L>; ++c) {
        fold_lags(trace.view(), begun + offset, n, statistics, c, place);
      }
      store.keep(trace.view(), begun + offset, n, chain, width<L>, place.first_draw);
    }
  });
  store.advance(count);
}

/// Folds the whole trace, launch by launch.
template <class L>
StatisticsStore fold(Trace<Scalar<L>>& trace, const Recording& recording,
                     const std::vector<int>& launches) {
  StatisticsStore store(recording, trace.dim, trace.chains, trace.chains);
  for (const int count : launches) {
    fold_on<L>(store, trace, count);
  }
  return store;
}

// ---- two passes in double
// ---------------------------------------------------------------------------

struct TwoPass {
  double mean = 0, m2 = 0;
  explicit TwoPass(const std::vector<double>& x) {
    for (const double value : x) {
      mean += value / static_cast<double>(x.size());
    }
    for (const double value : x) {
      m2 += (value - mean) * (value - mean);
    }
  }
};

double autocovariance(const std::vector<double>& x, int lag) {
  const TwoPass all(x);
  double sum = 0;
  for (std::size_t t = static_cast<std::size_t>(lag); t < x.size(); ++t) {
    sum += (x[t] - all.mean) * (x[t - static_cast<std::size_t>(lag)] - all.mean);
  }
  return sum / static_cast<double>(x.size());
}

/// @param at  at(draw, row, chain): parameters, then acceptance, energy and divergence
/// @param precision  what the draws' scalar keeps of a sum of kChunk terms
/// @param half       draws in the first half; 0: an odd run's middle draw is in it
template <class At>
void are_those_of(const Statistics& s, int dim, std::int64_t draws, std::int64_t chains, At at,
                  double precision, std::int64_t half = 0) {
  half = half > 0 ? half : (draws + 1) / 2;
  ASSERT_EQ(s.dim, dim);
  ASSERT_EQ(s.chains, chains);
  ASSERT_EQ(s.draws[0], std::min(half, draws));
  ASSERT_EQ(s.draws[1], draws - half);
  for (std::int64_t c = 0; c < chains; ++c) {
    const auto chain = static_cast<std::size_t>(c);
    double jump = 0;
    for (int j = 0; j < dim; ++j) {
      const auto jc = static_cast<std::size_t>(j * chains + c);
      std::vector<double> all;
      for (int h = 0; h < 2; ++h) {
        std::vector<double> x, squares;
        for (std::int64_t t = h == 0 ? 0 : half; t < (h == 0 ? half : draws); ++t) {
          x.push_back(at(t, j, c));
          squares.push_back(x.back() * x.back());
          all.push_back(x.back());
        }
        if (x.empty()) {
          continue;
        }
        const TwoPass expected(x), expected_square(squares);
        const auto n = static_cast<double>(x.size());
        const double sd = std::sqrt(expected.m2 / n);
        const double square_sd = std::sqrt(expected_square.m2 / n);
        EXPECT_NEAR(s.mean[h][jc], expected.mean,
                    precision * (sd + 1e-6 * std::abs(expected.mean)));
        EXPECT_NEAR(s.m2[h][jc], expected.m2, precision * expected.m2);
        EXPECT_NEAR(s.mean_square[h][jc], expected_square.mean,
                    precision * (square_sd + 1e-6 * expected_square.mean));
        EXPECT_NEAR(s.m2_square[h][jc], expected_square.m2, precision * expected_square.m2);
      }
      for (std::size_t t = 1; t < all.size(); ++t) {
        jump += (all[t] - all[t - 1]) * (all[t] - all[t - 1]);
      }
      const double variance = autocovariance(all, 0);
      for (int k = 0; s.lags > 0 && k <= s.lags; ++k) {
        const auto at_lag = static_cast<std::size_t>((std::int64_t{k} * dim + j) * chains + c);
        const double expected = k < draws ? autocovariance(all, k) : 0;
        EXPECT_NEAR(s.autocovariance[at_lag], expected, precision * variance) << "lag " << k;
      }
    }
    EXPECT_NEAR(s.squared_jump[chain] * static_cast<double>(draws - 1), jump, precision * jump);

    std::vector<double> energy;
    double accepted = 0, divergent = 0, energy_jump = 0;
    for (std::int64_t t = 0; t < draws; ++t) {
      accepted += at(t, dim, c) / static_cast<double>(draws);
      energy.push_back(at(t, dim + 1, c));
      divergent += at(t, dim + 2, c);
      if (t > 0) {
        energy_jump += std::pow(
            energy[static_cast<std::size_t>(t)] - energy[static_cast<std::size_t>(t) - 1], 2);
      }
    }
    const TwoPass expected(energy);
    EXPECT_NEAR(s.acceptance[chain], accepted, precision);
    EXPECT_EQ(s.divergences[chain], divergent);
    EXPECT_NEAR(s.energy_mean[chain], expected.mean,
                precision * std::sqrt(expected.m2 / static_cast<double>(draws)));
    EXPECT_NEAR(s.energy_m2[chain], expected.m2, precision * expected.m2);
    EXPECT_NEAR(s.energy_jump[chain], energy_jump, precision * energy_jump);
  }
}

Recording recording_of(std::int64_t draws, int lags) {
  Recording r;
  r.draws = draws;
  r.lags = lags;
  r.centre = {0.25, 999.5, 0};
  return r;
}

constexpr double kFloatPrecision = 2e-5, kDoublePrecision = 1e-11;

template <class L>
void folds(std::int64_t draws, int lags, const std::vector<int>& launches) {
  SCOPED_TRACE(draws);
  Trace<Scalar<L>> trace = made_up<Scalar<L>>(draws, 2 * std::int64_t{width<L>});
  const Statistics s = fold<L>(trace, recording_of(draws, lags), launches).statistics();
  are_those_of(
      s, 3, draws, trace.chains,
      [&](std::int64_t t, int row, std::int64_t c) { return trace.at(t, row, c); },
      sizeof(Scalar<L>) == 4 ? kFloatPrecision : kDoublePrecision);
}

TEST(Streaming, IsTheTwoPassResult) {
  folds<FloatBatch>(77, 4, {77});       // odd, and no multiple of a chunk
  folds<FloatBatch>(128, 0, {64, 64});  // even, whole chunks
  folds<FloatBatch>(640, 40, {640});    // more lags than a chunk has draws
  folds<float>(33, 3, {20, 13});
  folds<Twin<FloatBatch>>(100, 2, {1, 31, 67, 1});
  folds<double>(77, 4, {77});
  folds<DoubleBatch>(500, 7, {96, 404});
}

TEST(Streaming, AChainThatStandsStillHasNoVariance) {
  Trace<float> trace = made_up<float>(90, 16);
  for (std::int64_t t = 0; t < 90; ++t) {
    for (int row = 0; row < 3; ++row) {
      trace.view().row(static_cast<int>(t), row)[5] = 1234.567f;
    }
  }
  const Statistics s = fold<float>(trace, recording_of(90, 2), {90}).statistics();
  for (const std::size_t jc : {5, 16 + 5, 32 + 5}) {
    for (int h = 0; h < 2; ++h) {
      EXPECT_EQ(s.mean[h][jc], static_cast<double>(1234.567f));
      EXPECT_EQ(s.m2[h][jc], 0);
      EXPECT_EQ(s.m2_square[h][jc], 0);
    }
    EXPECT_NEAR(s.autocovariance[jc], 0, 1e-6);
  }
  EXPECT_EQ(s.squared_jump[5], 0);
  EXPECT_GT(s.m2[0][4], 0);
}

TEST(Streaming, ShortRuns) {
  folds<float>(3, 5, {3});  // fewer draws than lags
  folds<float>(2, 1, {1, 1});
}

bool same(const Statistics& a, const Statistics& b) {
  bool equal = a.acceptance == b.acceptance && a.divergences == b.divergences &&
               a.squared_jump == b.squared_jump && a.energy_mean == b.energy_mean &&
               a.energy_m2 == b.energy_m2 && a.energy_jump == b.energy_jump &&
               a.autocovariance == b.autocovariance;
  for (int h = 0; h < 2; ++h) {
    equal = equal && a.mean[h] == b.mean[h] && a.m2[h] == b.m2[h] &&
            a.mean_square[h] == b.mean_square[h] && a.m2_square[h] == b.m2_square[h];
  }
  return equal;
}

TEST(Streaming, LaunchesOfWholeChunksGiveTheSameBits) {
  const std::int64_t draws = 157;
  Trace<float> trace = made_up<float>(draws, 32);
  const Recording recording = recording_of(draws, 6);
  const Statistics whole = fold<float>(trace, recording, {157}).statistics();
  for (const std::vector<int>& launches :
       {std::vector<int>{32, 125}, {64, 64, 29}, {32, 32, 32, 32, 29}, {128, 29}}) {
    EXPECT_TRUE(same(whole, fold<float>(trace, recording, launches).statistics()));
  }
  // And so do lanes of another width.
  EXPECT_TRUE(same(whole, fold<FloatBatch>(trace, recording, {96, 61}).statistics()));
}

TEST(Streaming, ChunksDoNotStraddleHalves) {
  const ChunkPlan plan(157);  // halves of 79 and 78; before that the second begins at 64, and at 32
  std::int64_t next = 0;
  plan.for_chunks(0, 157, [&](int offset, int n, const ChunkPlace& place) {
    const std::int64_t begin = next < 32 ? 0 : next < 64 ? 32 : next < 79 ? 64 : 79;
    EXPECT_EQ(offset, next);
    EXPECT_EQ(place.first_draw, next);
    EXPECT_EQ(place.half, next < 32 ? 0 : 1);
    EXPECT_EQ(place.in_half, next - begin);
    EXPECT_EQ(place.joined, next == 64 ? 32 : next == 79 ? 15 : 0);
    next += n;
    EXPECT_TRUE(next == 79 || next == 157 || next % kChunk == 0);
  });
  EXPECT_EQ(next, 157);
}

TEST(Streaming, HalvesGrowWithTheRun) {
  const ChunkPlan plan(1000), powers(1000, 512);
  EXPECT_EQ(plan.first_half(1000), 500);
  EXPECT_EQ(powers.first_half(768), 512);
  for (std::int64_t done = 64; done <= 512; done *= 2) {  // even at every power of two
    EXPECT_EQ(powers.first_half(done), done / 2);
    EXPECT_EQ(powers.first_half(done / 2 * 3), done);
  }
  for (std::int64_t done = 1; done <= 1000; ++done) {
    const std::int64_t first = plan.first_half(done);
    EXPECT_TRUE(first >= 1 && first <= done);
    EXPECT_GE(first, std::min<std::int64_t>(done - kChunk, done / 2)) << done;  // not the shorter
  }
}

TEST(Streaming, ARunThatStopsEarlyHasHalvesToo) {
  Trace<float> trace = made_up<float>(1000, 16);
  const Recording recording = recording_of(1000, 3);
  for (const int done : {20, 33, 64, 65, 128, 200, 256, 300, 500, 501, 777}) {
    SCOPED_TRACE(done);
    are_those_of(
        fold<FloatBatch>(trace, recording, {done}).statistics(), 3, done, 16,
        [&](std::int64_t t, int row, std::int64_t c) { return trace.at(t, row, c); },
        kFloatPrecision, ChunkPlan(1000).first_half(done));
  }
}

TEST(Streaming, GoesOnFromAnArchive) {
  const std::int64_t draws = 157;
  Trace<float> trace = made_up<float>(draws, 32);
  Recording recording = recording_of(draws, 6);
  recording.keep_chains = 21;
  recording.thin = 3;
  StatisticsStore whole = fold<float>(trace, recording, {157});
  for (const int done : {0, 1, 32, 79, 96, 157}) {
    SCOPED_TRACE(done);
    StatisticsStore begun = fold<float>(trace, recording, {done});
    testing::MemoryArchive saved;
    begun.archive(saved);
    // Of the draws only those that are kept so far, so that a checkpoint is no larger than it must
    // be: 3 parameters and 3 figures of 21 chains.
    testing::MemoryArchive none;
    StatisticsStore(recording, 3, 32, 32).archive(none);
    EXPECT_EQ(saved.memory().size() - none.memory().size(), 8u * (done / 3) * 6 * 21);

    testing::MemoryArchive loaded(saved.memory());
    StatisticsStore store(recording, 3, 32, 32);
    store.archive(loaded);
    EXPECT_TRUE(loaded.at_end());
    fold_on<float>(store, trace, 157 - done);
    EXPECT_TRUE(same(store.statistics(), whole.statistics()));
    EXPECT_EQ(store.draws().values, whole.draws().values);
  }
  recording.draws = 100;  // another run's
  testing::MemoryArchive saved;
  whole.archive(saved);
  testing::MemoryArchive loaded(saved.memory());
  EXPECT_THROW(StatisticsStore(recording, 3, 32, 32).archive(loaded), FileError);
}

// ---- kept draws
// -------------------------------------------------------------------------------------

TEST(Keeping, SelectsTheRightDraws) {
  const std::int64_t draws = 100, chains = 32;
  Trace<float> trace = made_up<float>(draws, chains);
  Recording recording = recording_of(draws, 0);
  recording.keep_chains = 21;  // ends inside a register
  recording.thin = 3;
  recording.keep_parameters = {2, 0};
  const Draws kept = fold<FloatBatch>(trace, recording, {40, 60}).take_draws();
  ASSERT_EQ(kept.draws, 33);
  ASSERT_EQ(kept.chains, 21);
  ASSERT_EQ(kept.thin, 3);
  ASSERT_EQ(kept.parameters, (std::vector<int>{2, 0}));
  ASSERT_EQ(kept.rows(), 5);
  const int rows[] = {2, 0, 3, 4, 5};
  for (std::int64_t k = 0; k < kept.draws; ++k) {
    for (int r = 0; r < 5; ++r) {
      for (std::int64_t c = 0; c < kept.chains; ++c) {
        ASSERT_EQ(kept.row(k, r)[c], trace.at(3 * k + 2, rows[r], c)) << k << ", " << r;
      }
    }
  }
}

// ---- through an engine
// ------------------------------------------------------------------------------

constexpr std::int64_t kChains = 70;
constexpr int kDraws = 101;

std::unique_ptr<Engine> engine_after(const Recording& recording, const std::vector<int>& launches) {
  SampleOptions options;
  options.chains = kChains;
  options.seed = 4;
  options.threads = 2;
  auto engine = make_cpu_engine<float>(EightSchoolsNc{}, options);
  Hmc hmc;
  hmc.step_size = 0.5;
  hmc.leapfrog = 3;
  engine->configure(hmc, testing::some_diagonal_metric(10));
  testing::Uniform uniform(5);
  engine->place(uniform.vector(10 * kChains, 1));
  engine->record(recording);
  int first = 0;
  for (const int count : launches) {
    engine->advance_recording({static_cast<std::uint32_t>(first), count, 0.5, 0});
    first += count;
  }
  return engine;
}

Recording all_of_it() {
  Recording recording;
  recording.draws = kDraws;
  recording.lags = 3;
  recording.centre.assign(10, 1.0);
  recording.keep_chains = kChains;
  return recording;
}

TEST(Engines, StatisticsAreThoseOfTheDraws) {
  const auto engine = engine_after(all_of_it(), {64, 37});
  const Statistics statistics = engine->statistics();
  const Draws draws = engine->take_draws();
  ASSERT_EQ(draws.draws, kDraws);
  are_those_of(
      statistics, 10, kDraws, kChains,
      [&](std::int64_t t, int row, std::int64_t c) { return draws.row(t, row)[c]; },
      kFloatPrecision);

  // Draws are on the reported scale: the last one belongs to the final positions.
  std::vector<double> q(10 * kChains);
  engine->positions(q);
  for (std::int64_t c = 0; c < kChains; ++c) {
    std::vector<double> at(10), reported(10);
    for (std::int64_t j = 0; j < 10; ++j) {
      at[static_cast<std::size_t>(j)] = q[static_cast<std::size_t>(j * kChains + c)];
    }
    EightSchoolsNc{}.constrain(static_cast<const double*>(at.data()), reported.data());
    for (int j = 0; j < 10; ++j) {
      EXPECT_NEAR(draws.row(kDraws - 1, j)[c], reported[static_cast<std::size_t>(j)],
                  1e-6 * (1 + std::abs(reported[static_cast<std::size_t>(j)]) + std::abs(at[8])));
    }
  }
}

TEST(Engines, KeepLessOfTheSame) {
  const Draws all = engine_after(all_of_it(), {kDraws})->take_draws();
  Recording less = all_of_it();
  less.keep_chains = 13;
  less.thin = 4;
  less.keep_parameters = {9, 3};
  const auto engine = engine_after(less, {32, 69});
  EXPECT_TRUE(same(engine->statistics(), engine_after(all_of_it(), {kDraws})->statistics()));
  const Draws kept = engine->take_draws();
  ASSERT_EQ(kept.draws, kDraws / 4);
  const int rows[] = {9, 3, 10, 11, 12};
  for (std::int64_t k = 0; k < kept.draws; ++k) {
    for (int r = 0; r < kept.rows(); ++r) {
      for (std::int64_t c = 0; c < 13; ++c) {
        ASSERT_EQ(kept.row(k, r)[c], all.row(4 * k + 3, rows[r])[c]) << k << ", " << r;
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
