#pragma once

/// A target behind virtual functions: samplers that do much work per gradient, such as L2HMC with
/// its networks, are compiled once for all targets and call them a block of chains at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/autodiff/gradient.hpp"
#include "kernels/integrators/coordinatewise.hpp"
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
  /// U alone; of targets with discontinuous coordinates.
  virtual void potential(const S* q, S* hi, S* lo, int chains) const = 0;
  /// Coordinates along which U jumps, in ascending order.
  virtual std::vector<int> discontinuous() const = 0;
  /// integrators/coordinatewise.hpp; hop is [chains].
  virtual void sweep(const Visits<S>& visits, std::uint64_t seed, std::uint64_t first_chain,
                     const S* hop, S* q, S* r, S* tally, int chains) const = 0;
  /// Whether it can visit coordinates by drawing from their conditional laws.
  virtual bool has_conditional() const = 0;
  /// Where chains start (EngineDescription::start).
  virtual std::function<void(const double* u, double* q)> start() const = 0;
  virtual std::vector<std::string> names() const = 0;
  virtual bool has_truth() const = 0;
  virtual Truth truth() const = 0;
};

/// The most parameters of a target that L2HMC's networks serve.
inline constexpr int kMostErased = 256;

/// A target of up to `max_dim` dimensions that kernels compiled in the library can run. Copies
/// share what they point to.
template <class S, int Most = kMostErased>
class ErasedTarget {
 public:
  static constexpr int max_dim = Most;
  static constexpr int lanes_in_flight = 2;

  explicit ErasedTarget(std::shared_ptr<const BlockTarget<S>> target)
      : target_(std::move(target)), jumps_(!target_->discontinuous().empty()) {}
  int dim() const { return target_->dim(); }
  std::vector<std::string> names() const { return target_->names(); }
  bool has_conditional() const { return target_->has_conditional(); }
  std::vector<int> discontinuous_coordinates() const { return target_->discontinuous(); }
  std::function<void(const double*, double*)> start_function() const { return target_->start(); }

  template <class L>
  Sum<L> potential(const L* q) const {
    if (!jumps_) {
      L gradient[max_dim];
      return potential_and_gradient(q, gradient);
    }
    const Block<L> at(q, dim());
    S hi[width<L>], lo[width<L>];
    target_->potential(at.values, hi, lo, width<L>);
    return {load_lane<L>(hi), load_lane<L>(lo)};
  }
  template <class L>
  void sweep(const Visits<S>& visits, const Stream<L>& stream, const L& hop, L* q, L* r,
             L* tally) const {
    Block<L> at(q, dim()), momentum(r, dim()), sum(tally, dim());
    S hops[width<L>];
    store_lane(hops, hop);
    target_->sweep(visits, stream.seed, stream.first_chain(), hops, at.values, momentum.values,
                   sum.values, width<L>);
    at.to(q, dim());
    momentum.to(r, dim());
    sum.to(tally, dim());
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
  bool jumps_;  // with discontinuous coordinates
};

/// The lane in which a target is called from the library's kernels.
#if LOCKSTEP_WITH_XSIMD
template <class S>
using BlockLane = Twin<std::conditional_t<std::is_same_v<S, float>, FloatBatch, DoubleBatch>>;
#else
template <class S>
using BlockLane = S;
#endif

/// The target behind virtual functions. Defined in lane_target.hpp, which a user's own target is
/// compiled with; for the prebuilt targets instantiate/ holds it.
/// @throw UsageError  if it has more than `most` parameters
template <class S, class Target>
std::shared_ptr<const BlockTarget<S>> block_target(const Target& target, int most = kMostErased);

}  // namespace lockstep
