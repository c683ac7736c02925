#pragma once

/// Several engines as one: each has a run of neighbouring chains, numbered globally, so that a
/// chain draws the same numbers wherever it runs.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

class ShardedEngine final : public Engine {
 public:
  /// @param shards  at least one, of the same target and precision, in the order of their chains
  explicit ShardedEngine(std::vector<std::unique_ptr<Engine>> shards) : shards_(std::move(shards)) {
    require(!shards_.empty(), "a sharded engine needs at least one engine, but was given none");
    description_ = shards_.front()->description();
    description_.chains = 0;
    description_.device.clear();
    for (const auto& shard : shards_) {
      first_.push_back(description_.chains);
      description_.chains += shard->description().chains;
      description_.device +=
          (description_.device.empty() ? "" : " + ") + shard->description().device;
    }
  }

  void configure(const Sampler& sampler, const PreparedMetric& metric) override {
    for_shards([&](std::size_t i) { shards_[i]->configure(sampler, metric); });
    description_.threads_per_chain = shards_.front()->description().threads_per_chain;
  }

  void place(std::span<const double> q) override {
    for_shards([&](std::size_t i) {
      std::vector<double> part(static_cast<std::size_t>(description_.dim * chains_of(i)));
      for (int j = 0; j < description_.dim; ++j) {
        std::copy_n(q.begin() + j * description_.chains + first_[i], chains_of(i),
                    part.begin() + j * chains_of(i));
      }
      shards_[i]->place(part);
    });
  }

  void evaluations(std::span<double> potential, std::span<double> gradient) const override {
    for_shards([&](std::size_t i) {
      std::vector<double> u(static_cast<std::size_t>(chains_of(i)));
      std::vector<double> g(
          gradient.empty() ? 0 : static_cast<std::size_t>(description_.dim * chains_of(i)));
      shards_[i]->evaluations(u, g);
      insert(u, i, potential);
      insert(g, i, gradient);
    });
  }
  void positions(std::span<double> q) const override {
    for_shards([&](std::size_t i) {
      std::vector<double> part(static_cast<std::size_t>(description_.dim * chains_of(i)));
      shards_[i]->positions(part);
      insert(part, i, q);
    });
  }
  void momenta(std::span<double> p) const override {
    for_shards([&](std::size_t i) {
      std::vector<double> part(static_cast<std::size_t>(description_.dim * chains_of(i)));
      shards_[i]->momenta(part);
      insert(part, i, p);
    });
  }

  void scale_steps(std::span<const double> factors) override {
    for_shards([&](std::size_t i) {
      shards_[i]->scale_steps(factors.empty()
                                  ? factors
                                  : factors.subspan(static_cast<std::size_t>(first_[i]),
                                                    static_cast<std::size_t>(chains_of(i))));
    });
  }

  void observed(int first_row, std::span<double> values) const override {
    for_shards([&](std::size_t i) {
      const auto rows = static_cast<std::int64_t>(values.size()) / description_.chains;
      std::vector<double> part(static_cast<std::size_t>(rows * chains_of(i)));
      shards_[i]->observed(first_row, part);
      insert(part, i, values);
    });
  }

  void tallies(std::span<double> sums) const override {
    std::vector<std::vector<double>> parts(shards_.size(), std::vector<double>(sums.size()));
    for_shards([&](std::size_t i) { shards_[i]->tallies(parts[i]); });
    std::fill(sums.begin(), sums.end(), 0.0);
    for (const std::vector<double>& part : parts) {
      std::transform(sums.begin(), sums.end(), part.begin(), sums.begin(), std::plus<>());
    }
  }

  Pooled advance(const Launch& launch) override {
    return pooled([&](Engine& shard) { return shard.advance(launch); });
  }

  void record(const Recording& recording) override {
    for_shards([&](std::size_t i) {
      Recording part = recording;
      part.keep_chains =
          std::clamp<std::int64_t>(recording.keep_chains - first_[i], 0, chains_of(i));
      shards_[i]->record(part);
    });
  }

  Pooled advance_recording(const Launch& launch) override {
    return pooled([&](Engine& shard) { return shard.advance_recording(launch); });
  }

  Statistics statistics() const override {
    std::vector<Statistics> parts(shards_.size());
    for_shards([&](std::size_t i) { parts[i] = shards_[i]->statistics(); });
    Statistics all;
    all.dim = description_.dim;
    all.chains = description_.chains;
    all.lags = parts.front().lags;
    all.draws[0] = parts.front().draws[0];
    all.draws[1] = parts.front().draws[1];
    const auto join = [&](auto member) {
      std::vector<std::vector<double>> columns;
      for (Statistics& part : parts) {
        columns.push_back(std::move(member(part)));
      }
      member(all) = joined(columns);
    };
    for (int half = 0; half < 2; ++half) {
      join([half](Statistics & s) -> auto& { return s.mean[half]; });
      join([half](Statistics & s) -> auto& { return s.m2[half]; });
      join([half](Statistics & s) -> auto& { return s.mean_square[half]; });
      join([half](Statistics & s) -> auto& { return s.m2_square[half]; });
    }
    join([](Statistics & s) -> auto& { return s.acceptance; });
    join([](Statistics & s) -> auto& { return s.divergences; });
    join([](Statistics & s) -> auto& { return s.squared_jump; });
    join([](Statistics & s) -> auto& { return s.energy_mean; });
    join([](Statistics & s) -> auto& { return s.energy_m2; });
    join([](Statistics & s) -> auto& { return s.energy_jump; });
    join([](Statistics & s) -> auto& { return s.autocovariance; });
    return all;
  }

  Draws draws() const override {
    std::vector<Draws> parts(shards_.size());
    for_shards([&](std::size_t i) { parts[i] = shards_[i]->draws(); });
    return joined(parts);
  }
  Draws take_draws() override {
    std::vector<Draws> parts(shards_.size());
    for_shards([&](std::size_t i) { parts[i] = shards_[i]->take_draws(); });
    return joined(parts);
  }

  /// Shard by shard: what is restored has the same shards.
  void archive(Archive& a) override {
    for (const auto& shard : shards_) {
      shard->archive(a);
    }
  }

 private:
  static Draws joined(const std::vector<Draws>& parts) {
    Draws all;
    all.draws = parts.front().draws;
    all.parameters = parts.front().parameters;
    all.thin = parts.front().thin;
    for (const Draws& part : parts) {
      all.chains += part.chains;
    }
    all.values.reserve(static_cast<std::size_t>(all.draws * all.rows() * all.chains));
    for (std::int64_t k = 0; k < all.draws; ++k) {
      for (int r = 0; r < all.rows(); ++r) {
        for (const Draws& part : parts) {
          all.values.insert(all.values.end(), part.row(k, r), part.row(k, r) + part.chains);
        }
      }
    }
    return all;
  }

  std::int64_t chains_of(std::size_t i) const { return shards_[i]->description().chains; }

  /// f(i) for every shard, each in a thread of its own; throws what the first of them threw.
  template <class F>
  void for_shards(F f) const {
    std::vector<std::exception_ptr> errors(shards_.size());
    const auto guarded = [&](std::size_t i) {
      try {
        f(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < shards_.size(); ++i) {
      threads.emplace_back(guarded, i);
    }
    guarded(0);
    threads.clear();  // joins
    for (const std::exception_ptr& error : errors) {
      if (error) {
        std::rethrow_exception(error);
      }
    }
  }

  template <class F>
  Pooled pooled(F advance) {
    std::vector<Pooled> parts(shards_.size());
    for_shards([&](std::size_t i) { parts[i] = advance(*shards_[i]); });
    Pooled all;
    for (std::size_t i = 0; i < parts.size(); ++i) {  // in the order of the chains
      all.acceptance += parts[i].acceptance * static_cast<double>(chains_of(i));
      all.divergences += parts[i].divergences;
    }
    all.acceptance /= static_cast<double>(description_.chains);
    return all;
  }

  /// Rows of shard i, [rows][its chains], into rows of all chains.
  void insert(const std::vector<double>& part, std::size_t i, std::span<double> whole) const {
    const std::int64_t n = chains_of(i);
    for (std::int64_t r = 0; r < static_cast<std::int64_t>(part.size()) / n; ++r) {
      std::copy_n(part.begin() + r * n, n, whole.begin() + r * description_.chains + first_[i]);
    }
  }
  std::vector<double> joined(const std::vector<std::vector<double>>& parts) const {
    const std::int64_t rows = static_cast<std::int64_t>(parts.front().size()) / chains_of(0);
    std::vector<double> whole(static_cast<std::size_t>(rows * description_.chains));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      insert(parts[i], i, whole);
    }
    return whole;
  }

  std::vector<std::unique_ptr<Engine>> shards_;
  std::vector<std::int64_t> first_;  // chain that each shard begins with
};

/// One engine for each device, the chains dealt evenly in order; without devices, or with one, an
/// engine of its own.
/// @param devices  empty: device 0
/// @param make     (device, first chain, chains) -> engine
/// @throw UsageError  if a device is named twice, or there are more devices than chains
inline std::unique_ptr<Engine> make_sharded(
    std::int64_t chains, const std::vector<int>& devices,
    const std::function<std::unique_ptr<Engine>(int, std::int64_t, std::int64_t)>& make) {
  if (devices.size() <= 1) {
    return make(devices.empty() ? 0 : devices.front(), 0, chains);
  }
  const auto n = static_cast<std::int64_t>(devices.size());
  require(n <= chains, "devices: " + std::to_string(n) + " were given for " +
                           std::to_string(chains) + " chains; name at most one per chain");
  for (std::size_t i = 1; i < devices.size(); ++i) {
    require(std::find(devices.begin(), devices.begin() + i, devices[i]) == devices.begin() + i,
            "devices: " + std::to_string(devices[i]) + " was named twice; name each one once");
  }
  std::vector<std::unique_ptr<Engine>> shards;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t first = chains * i / n, end = chains * (i + 1) / n;
    shards.push_back(make(devices[static_cast<std::size_t>(i)], first, end - first));
  }
  return std::make_unique<ShardedEngine>(std::move(shards));
}

}  // namespace lockstep
