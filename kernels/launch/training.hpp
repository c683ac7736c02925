#pragma once

/// Training L2HMC's networks on the CPU: SIMD lanes times OpenMP threads. A block of chains, one
/// lane, goes through a whole transition and back, and adds up its gradient in memory of its own;
/// the blocks' gradients are then added in order, so that threads change no bit.

#include <algorithm>
#include <memory>
#include <vector>

#include <omp.h>

#include "kernels/launch/first_error.hpp"
#include "kernels/launch/l2hmc.hpp"
#include "kernels/launch/training_summary.hpp"
#include "kernels/transitions/l2hmc_training.hpp"

namespace lockstep {

template <class S, class Target, class L>
class CpuTrainingEngine final : public TrainingEngine {
 public:
  CpuTrainingEngine(const Target& target, const TrainingPlace& place)
      : target_(target),
        place_(place),
        layout_(layout_of(place.shape)),
        dim_(place.shape.dim),
        blocks_((place.batch + width<L> - 1) / width<L>),
        threads_(place.threads > 0 ? place.threads : omp_get_max_threads()),
        q_(static_cast<std::size_t>(dim_ * blocks_ * width<L>)),
        gradients_(static_cast<std::size_t>(2 * blocks_ * layout_.parameters())),
        infos_(static_cast<std::size_t>(2 * blocks_)),
        memory_(static_cast<std::size_t>(threads_), TrainingMemory<L>(layout_, place.remember)) {
    require(dim_ == dimension(target_), "the networks' shape is of another target");
  }

  int dim() const override { return dim_; }

  void place(std::span<const double> q) override {
    for (int j = 0; j < dim_; ++j) {
      for (std::int64_t c = 0; c < blocks_ * width<L>; ++c) {  // padding repeats the last chain
        q_[at(j, c)] = static_cast<S>(
            q[static_cast<std::size_t>(j * place_.batch + std::min(c, place_.batch - 1))]);
      }
    }
  }

  void positions(std::span<double> q) const override {
    for (int j = 0; j < dim_; ++j) {
      for (std::int64_t c = 0; c < place_.batch; ++c) {
        q[static_cast<std::size_t>(j * place_.batch + c)] = static_cast<double>(q_[at(j, c)]);
      }
    }
  }

  TrainingStep step(const Network& network, const TrainingLaunch& launch,
                    std::span<double> gradient) override {
    const std::vector<S> data = packed<S>(network);
    const L2hmcNetwork<S, AnyShape> net{layout_, data.data()};
    const bool noise = launch.noise_weight > 0;
    const std::int64_t count = noise ? 2 * blocks_ : blocks_;
    FirstError error;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_)
    for (std::int64_t block = 0; block < count; ++block) {
      const std::int64_t chain = block % blocks_ * width<L>;
      error.guard(chain, width<L>, [&] {
        train_block(net, launch, block, memory_[static_cast<std::size_t>(omp_get_thread_num())]);
      });
    }
    error.rethrow();
    return added_up(launch, count, gradient);
  }

  void archive(Archive& a) override {
    a.bytes(q_.data(), q_.size() * sizeof(S));
  }

 private:
  std::size_t at(int j, std::int64_t c) const {
    return static_cast<std::size_t>(j * blocks_ * width<L> + c);
  }

  /// The chains' blocks come first, then as many of fresh noise.
  void train_block(const L2hmcNetwork<S, AnyShape>& net, const TrainingLaunch& launch,
                   std::int64_t block, TrainingMemory<L>& memory) {
    const bool noise = block >= blocks_;
    const std::int64_t first = block % blocks_ * width<L>;
    const auto stream =
        Stream<L>::of(place_.seed, static_cast<std::uint64_t>(first) + (noise ? kFirstNoise : 0));
    S weights[width<L>];
    const double weight = (noise ? launch.noise_weight : 1.0) / static_cast<double>(place_.batch);
    for (int c = 0; c < width<L>; ++c) {
      weights[c] = first + c < place_.batch ? static_cast<S>(weight) : S(0);
    }
    S* gradient = gradients_.data() + block * layout_.parameters();
    std::fill_n(gradient, layout_.parameters(), S(0));

    const S* scale = net.at(layout_.scale());
    std::vector<L>& x = memory.x();
    if (noise) {
      normals(stream, launch.iteration, Purpose::training, dim_, x.data());
    } else {
      for (int j = 0; j < dim_; ++j) {
        x[static_cast<std::size_t>(j)] = load_lane<L>(&q_[at(j, first)]) / L(scale[j]);
      }
    }
    infos_[static_cast<std::size_t>(block)] =
        train_chains(target_, net, place_.remember, launch, stream, load_lane<L>(weights), x.data(),
                     memory, gradient);
    if (!noise) {
      for (int j = 0; j < dim_; ++j) {
        store_lane(&q_[at(j, first)], L(scale[j]) * x[static_cast<std::size_t>(j)]);
      }
    }
  }

  /// In the order of blocks and chains.
  TrainingStep added_up(const TrainingLaunch& launch, std::int64_t count,
                        std::span<double> gradient) const {
    const TrainingStep step = summary<L>({infos_.data(), static_cast<std::size_t>(count)}, blocks_,
                                         place_.batch, launch.noise_weight);
    const auto n = static_cast<std::size_t>(layout_.parameters());
#pragma omp parallel for schedule(static) num_threads(threads_)
    for (std::size_t k = 0; k < n; ++k) {
      double sum = 0;
      for (std::int64_t block = 0; block < count; ++block) {
        sum += static_cast<double>(gradients_[static_cast<std::size_t>(block) * n + k]);
      }
      gradient[k] = sum;
    }
    return step;
  }

  Target target_;
  TrainingPlace place_;
  AnyLayout layout_;
  int dim_;
  std::int64_t blocks_;
  int threads_;
  std::vector<S> q_;          // [dim][blocks * width]
  std::vector<S> gradients_;  // [2 * blocks][parameters]
  std::vector<TrainingInfo<L>> infos_;
  std::vector<TrainingMemory<L>> memory_;  // [threads]
};

}  // namespace lockstep
