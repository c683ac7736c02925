#pragma once

/// What an engine does with a case that takes it through tiles, chunks and kept draws.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lockstep/engine.hpp"
#include "tests/memory_archive.hpp"
#include "tests/same_recording.hpp"

namespace lockstep::testing {

inline constexpr std::int64_t kChains = 300;  // padded to 320: three tiles of one thread per chain

inline SampleOptions options_for(int threads_per_chain = 0) {
  SampleOptions options;
  options.chains = kChains;
  options.seed = 5;
  options.threads = 1;
  options.threads_per_chain = threads_per_chain;
  return options;
}

struct Outcome {
  std::vector<double> potential, gradient, positions, momenta, observed, tallies;
  Statistics statistics;
  Draws draws;
  Pooled warmup, sampling;
};

struct Case {
  Sampler sampler;
  PreparedMetric metric;
  int thin = 1;
  std::int64_t keep = 200;
  std::vector<double> step_factors = {};
  bool leave_momentum = false;
  int transitions = 70;  // recorded before the other engine takes over
};

inline Case case_of(int dim, Sampler sampler, Metric kind = Metric::diagonal) {
  Case run{sampler, {}, 3, 200};
  run.metric.kind = kind;
  const auto d = static_cast<std::size_t>(dim);
  if (kind == Metric::dense) {
    run.metric.inverse_mass.assign(d * d, 0.0);
    run.metric.factor.assign(d * d, 0.0);
    for (std::size_t j = 0; j < d; ++j) {
      run.metric.inverse_mass[j * d + j] = 1.25;
      run.metric.factor[j * d + j] = 1.118033988749895;
    }
  } else {
    for (std::size_t j = 0; j < d; ++j) {
      const double scale = 1 + 0.1 * static_cast<double>(j % 5);
      run.metric.factor.push_back(scale);
      run.metric.inverse_mass.push_back(scale * scale);
    }
    if (kind == Metric::low_rank) {
      run.metric.inverse_mass.push_back(2.5);
      run.metric.inverse_mass.insert(run.metric.inverse_mass.end(), d,
                                     1 / std::sqrt(static_cast<double>(d)));
    }
  }
  return run;
}

/// [dim][chains]: where the target says that chains start, else around zero.
inline std::vector<double> starts(const Engine& engine) {
  const auto dim = static_cast<std::size_t>(engine.description().dim);
  const auto chains = static_cast<std::size_t>(engine.description().chains);
  std::vector<double> q(dim * chains), u(dim), at(dim);
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = 0.5 * std::sin(static_cast<double>(i));
  }
  if (engine.description().start) {
    for (std::size_t c = 0; c < chains; ++c) {
      for (std::size_t j = 0; j < dim; ++j) {
        u[j] = 0.5 + q[j * chains + c];
      }
      engine.description().start(u.data(), at.data());
      for (std::size_t j = 0; j < dim; ++j) {
        q[j * chains + c] = at[j];
      }
    }
  }
  return q;
}

/// @param other  an engine that continues what the first one begins
inline Outcome outcome(Engine& first, const Case& run, Engine* other = nullptr) {
  const int dim = first.description().dim;
  const std::int64_t chains = first.description().chains;
  first.configure(run.sampler, run.metric);
  first.scale_steps(run.step_factors);
  const std::vector<double> q = starts(first);
  first.place(q);

  Outcome o;
  o.potential.resize(static_cast<std::size_t>(chains));
  for (auto* matrix : {&o.gradient, &o.positions, &o.momenta}) {
    matrix->resize(q.size());
  }
  const double step = run.sampler.step_size;
  const auto later = [&](std::uint32_t begin, int count) {
    Launch launch{begin, count, step, 0};
    launch.hop = run.sampler.hop;
    return launch;
  };
  Launch launch{0, 3, step, 2};
  launch.hop = run.sampler.hop;
  launch.observe = true;
  launch.leave_momentum = run.leave_momentum;
  o.warmup = first.advance(launch);
  o.observed.resize(static_cast<std::size_t>((dim + Draws::info_rows - 1) * chains));
  first.observed(1, o.observed);
  Recording recording;
  recording.draws = run.transitions + 5;  // the middle is inside the second chunk of three
  recording.lags = 2;
  recording.centre.assign(static_cast<std::size_t>(dim), 0.25);
  recording.keep_chains = run.keep;
  recording.thin = run.thin;
  recording.keep_parameters = {dim - 1, 0};
  first.record(recording);
  o.sampling = first.advance_recording(later(3, run.transitions));
  Engine& engine = other == nullptr ? first : *other;
  if (other != nullptr) {
    testing::MemoryArchive saved;
    first.archive(saved);
    testing::MemoryArchive loaded(saved.memory());
    engine.configure(run.sampler, run.metric);
    engine.archive(loaded);
    EXPECT_TRUE(loaded.at_end());
  }
  const Pooled rest =
      engine.advance_recording(later(static_cast<std::uint32_t>(3 + run.transitions), 5));
  o.sampling.acceptance =
      (run.transitions * o.sampling.acceptance + 5 * rest.acceptance) / (run.transitions + 5);
  o.sampling.divergences += rest.divergences;
  o.tallies.resize(static_cast<std::size_t>(dim));
  engine.tallies(o.tallies);
  engine.evaluations(o.potential, o.gradient);
  engine.positions(o.positions);
  engine.momenta(o.momenta);
  o.statistics = engine.statistics();
  o.draws = engine.take_draws();
  return o;
}

inline void expect_same(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.potential, b.potential);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.positions, b.positions);
  EXPECT_EQ(a.momenta, b.momenta);
  EXPECT_EQ(a.observed, b.observed);
  EXPECT_EQ(a.tallies, b.tallies);
  expect_same(a.statistics, b.statistics);
  expect_same(a.draws, b.draws);
  // CUDA adds up in units of 2^-26; the CPU adds up a chunk in single precision, whose rounding has
  // a direction where acceptance is all but 1.
  EXPECT_NEAR(a.warmup.acceptance, b.warmup.acceptance, 1e-7);
  EXPECT_NEAR(a.sampling.acceptance, b.sampling.acceptance, 1e-7);
  EXPECT_EQ(a.warmup.divergences, b.warmup.divergences);
  EXPECT_EQ(a.sampling.divergences, b.sampling.divergences);
}

}  // namespace lockstep::testing
