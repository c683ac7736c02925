#pragma once

/// A target behind virtual functions: samplers that do much work per gradient, such as L2HMC with
/// its networks, are compiled once for all targets and call them a block of chains at a time.

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/lane/lane.hpp"
#include "kernels/targets/names.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// Arrays are [dim][chains], chain fastest.
template <class S>
class BlockTarget {
 public:
  virtual ~BlockTarget() = default;
  virtual int dim() const = 0;
  /// U = hi + lo, [chains] each, and dU/dq.
  virtual void potential_and_gradient(const S* q, S* gradient, S* hi, S* lo, int chains) const = 0;
  /// H(q) v.
  virtual void hessian_vector(const S* q, const S* v, S* product, int chains) const = 0;
  /// q on the reported scale.
  virtual void constrain(const S* q, S* x, int chains) const = 0;
  virtual std::vector<std::string> names() const = 0;
  virtual bool has_truth() const = 0;
  virtual Truth truth() const = 0;
};

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

/// A target of up to `max_dim` dimensions that kernels compiled in the library can run. Copies
/// share what they point to.
template <class S>
class ErasedTarget {
 public:
  static constexpr int max_dim = 256;
  static constexpr int lanes_in_flight = 2;

  explicit ErasedTarget(std::shared_ptr<const BlockTarget<S>> target)
      : target_(std::move(target)) {}
  int dim() const { return target_->dim(); }
  std::vector<std::string> names() const { return target_->names(); }

  template <class L>
  Sum<L> potential(const L* q) const {
    L gradient[max_dim];
    return potential_and_gradient(q, gradient);
  }
  template <class L>
  Sum<L> potential_and_gradient(const L* q, L* gradient) const {
    Block<L> at(q, dim()), slope;
    S hi[width<L>], lo[width<L>];
    target_->potential_and_gradient(at.values, slope.values, hi, lo, width<L>);
    slope.to(gradient, dim());
    return {load_lane<L>(hi), load_lane<L>(lo)};
  }
  template <class L>
  void hessian_vector(const L* q, const L* v, L* product) const {
    const Block<L> at(q, dim()), along(v, dim());
    Block<L> out;
    target_->hessian_vector(at.values, along.values, out.values, width<L>);
    out.to(product, dim());
  }
  template <class L>
  void constrain(const L* q, L* x) const {
    const Block<L> at(q, dim());
    Block<L> reported;
    target_->constrain(at.values, reported.values, width<L>);
    reported.to(x, dim());
  }

 private:
  /// A lane array as plain numbers, [dim][width].
  template <class L>
  struct Block {
    S values[max_dim * width<L>];
    Block() = default;
    Block(const L* from, int dim) {
      for (int j = 0; j < dim; ++j) {
        store_lane(values + j * width<L>, from[j]);
      }
    }
    void to(L* q, int dim) const {
      for (int j = 0; j < dim; ++j) {
        q[j] = load_lane<L>(values + j * width<L>);
      }
    }
  };

  std::shared_ptr<const BlockTarget<S>> target_;
};

/// The lane in which a target is called from the library's kernels.
#if LOCKSTEP_WITH_XSIMD
template <class S>
using BlockLane = Twin<std::conditional_t<std::is_same_v<S, float>, FloatBatch, DoubleBatch>>;
#else
template <class S>
using BlockLane = S;
#endif

template <class S, class Target>
std::shared_ptr<const BlockTarget<S>> block_target(const Target& target) {
  static_assert(capacity<Target> <= ErasedTarget<S>::max_dim || !HasStaticDimension<Target>,
                "L2HMC's networks serve targets of up to 256 parameters");
  require(dimension(target) <= ErasedTarget<S>::max_dim,
          "L2HMC's networks serve targets of up to " + std::to_string(ErasedTarget<S>::max_dim) +
              " parameters, and this one has " + std::to_string(dimension(target)));
  return std::make_shared<LaneTarget<S, Target, BlockLane<S>>>(target);
}

}  // namespace lockstep
