#pragma once

/// How a target comes behind virtual functions (erased.hpp): its own code, in lanes.

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/integrators/coordinatewise.hpp"
#include "kernels/lane/lane.hpp"
#include "kernels/launch/erased.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// @tparam L  the lane in which the target is evaluated; its width divides every block
template <class S, class Target, class L>
class LaneTarget final : public BlockTarget<S> {
  static constexpr int n = capacity<Target>;

 public:
  explicit LaneTarget(const Target& target) : target_(target) {}

  int dim() const override { return dimension(target_); }

  void potential_and_gradient(const S* q, S* gradient, S* hi, S* lo, int chains) const override {
    for (int c = 0; c < chains; c += width<L>) {
      L at[n], slope[n];
      load(q + c, chains, at);
      const Sum<L> u = lockstep::potential_and_gradient(target_, static_cast<const L*>(at), slope);
      store(slope, chains, gradient + c);
      store_lane(hi + c, u.hi);
      store_lane(lo + c, u.lo);
    }
  }

  void hessian_vector(const S* q, const S* v, S* product, int chains) const override {
    for (int c = 0; c < chains; c += width<L>) {
      L at[n], along[n], out[n];
      load(q + c, chains, at);
      load(v + c, chains, along);
      lockstep::hessian_vector(target_, static_cast<const L*>(at), static_cast<const L*>(along),
                               out);
      store(out, chains, product + c);
    }
  }

  void constrain(const S* q, S* x, int chains) const override {
    for (int c = 0; c < chains; c += width<L>) {
      L at[n], reported[n];
      load(q + c, chains, at);
      if constexpr (HasConstrain<Target, L>) {
        target_.constrain(static_cast<const L*>(at), reported);
        store(reported, chains, x + c);
      } else {
        store(at, chains, x + c);
      }
    }
  }

  std::vector<int> discontinuous() const override { return discontinuous_coordinates(target_); }

  void potential([[maybe_unused]] const S* q, [[maybe_unused]] S* hi, [[maybe_unused]] S* lo,
                 [[maybe_unused]] int chains) const override {
    if constexpr (HasDiscontinuities<Target>) {
      for (int c = 0; c < chains; c += width<L>) {
        L at[n];
        load(q + c, chains, at);
        const Sum<L> u = lockstep::potential(target_, static_cast<const L*>(at));
        store_lane(hi + c, u.hi);
        store_lane(lo + c, u.lo);
      }
    }
  }

  void sweep([[maybe_unused]] const Visits<S>& visits, [[maybe_unused]] std::uint64_t seed,
             [[maybe_unused]] std::uint64_t first_chain, [[maybe_unused]] const S* hop,
             [[maybe_unused]] S* q, [[maybe_unused]] S* r, [[maybe_unused]] S* tally,
             [[maybe_unused]] int chains) const override {
    if constexpr (HasDiscontinuities<Target>) {
      for (int c = 0; c < chains; c += width<L>) {
        const auto stream = Stream<L>::of(seed, first_chain + static_cast<std::uint64_t>(c));
        L at[n], momentum[n], sum[n];
        load(q + c, chains, at);
        load(r + c, chains, momentum);
        load(tally + c, chains, sum);
        sweep_coordinates(target_, visits, stream, load_lane<L>(hop + c), at, momentum, sum);
        store(at, chains, q + c);
        store(momentum, chains, r + c);
        store(sum, chains, tally + c);
      }
    }
  }

  bool has_conditional() const override { return HasConditional<Target, L>; }
  std::function<void(const double*, double*)> start() const override { return start_of(target_); }
  std::vector<std::string> names() const override { return names_of(target_); }
  bool has_truth() const override { return HasTruth<Target>; }
  Truth truth() const override {
    if constexpr (HasTruth<Target>) {
      return target_.truth();
    } else {
      return {};
    }
  }

 private:
  void load(const S* from, int chains, L* to) const {
    for_coordinates(target_, [&](int j) { to[j] = load_lane<L>(from + j * chains); });
  }
  void store(const L* from, int chains, S* to) const {
    for_coordinates(target_, [&](int j) { store_lane(to + j * chains, from[j]); });
  }

  Target target_;
};

template <class S, class Target>
std::shared_ptr<const BlockTarget<S>> block_target(const Target& target, int most) {
  require(dimension(target) <= most, "this sampler serves targets of up to " +
                                         std::to_string(most) + " parameters, and this one has " +
                                         std::to_string(dimension(target)));
  return std::make_shared<LaneTarget<S, Target, BlockLane<S>>>(target);
}

}  // namespace lockstep
