#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/transitions/l2hmc_training.hpp"

namespace lockstep {

/// What an iteration did, from what each lane of chains did, in their order.
/// @param infos   of the chains, then, if there are more than `blocks`, of fresh noise
/// @param blocks  lanes that hold the chains
template <class L>
TrainingStep summary(std::span<const TrainingInfo<L>> infos, std::int64_t blocks,
                     std::int64_t chains, double noise_weight) {
  using S = Scalar<L>;
  TrainingStep step;
  const auto batch = static_cast<double>(chains);
  const auto count = static_cast<std::int64_t>(infos.size());
  for (std::int64_t block = 0; block < count; ++block) {
    const TrainingInfo<L>& info = infos[static_cast<std::size_t>(block)];
    const bool noise = block >= blocks;
    S loss[width<L>], acceptance[width<L>], jump[width<L>], clipped[width<L>], lost[width<L>];
    store_lane(loss, info.loss);
    store_lane(acceptance, info.acceptance);
    store_lane(jump, info.jump);
    store_lane(clipped, select(info.clipped, L(1), L(0)));
    store_lane(lost, select(info.finite, L(0), L(1)));
    const std::int64_t real = std::min<std::int64_t>(width<L>, chains - block % blocks * width<L>);
    for (std::int64_t c = 0; c < real; ++c) {
      step.loss += static_cast<double>(loss[c]) * (noise ? noise_weight : 1.0) / batch;
      step.acceptance += noise ? 0.0 : static_cast<double>(acceptance[c]) / batch;
      step.jump += noise ? 0.0 : static_cast<double>(jump[c]) / batch;
      step.clipped += clipped[c] > S(0.5);
      step.not_finite += lost[c] > S(0.5);
    }
  }
  return step;
}

}  // namespace lockstep
