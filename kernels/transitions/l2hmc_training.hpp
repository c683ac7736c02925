#pragma once

/// One transition of L2HMC that also yields the gradient of the loss (Levy, Hoffman &
/// Sohl-Dickstein, ICLR 2018, section 4.2): with x' the proposal, A its acceptance and v = A |x' -
/// x|^2 + 1e-4,
///
///   loss = mean over chains of  lambda^2 / v - v / lambda^2.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/integrators/l2hmc_adjoint.hpp"
#include "kernels/transitions/l2hmc.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

/// Keeps 1 / v finite where a proposal is rejected or does not move.
inline constexpr double kLeastJump = 1e-4;

/// What of one transition the host adds up, for each chain.
template <class L>
struct TrainingInfo {
  L loss, acceptance, jump;
  Mask<L> clipped, finite;
};

/// Trajectories from fresh noise draw the random numbers of chains with ids from here on, whatever
/// the batch and the lane's width.
inline constexpr std::uint64_t kFirstNoise = std::uint64_t{1} << 32;

/// Vectors [dim] that a trajectory and its way back need.
inline constexpr int kTrainingVectors = 17;

/// The memory of a trajectory and of its way back, in lanes. The evaluations of V lie side by side,
/// and those of X, because the gradient of a weight is a sum over all of them.
template <class L>
class TrainingMemory {
 public:
  static constexpr bool contracted_here = true;

  TrainingMemory(const AnyLayout& layout, Remember remember)
      : dim_(layout.net.dim),
        kept_(remember == Remember::steps ? layout.steps : 1),
        stride_(UpdateRecord<L>::size(layout.net)),
        records_(static_cast<std::size_t>(4 * kept_ * stride_)),
        vectors_(static_cast<std::size_t>(kTrainingVectors * dim_)),
        x_(static_cast<std::size_t>(dim_ + 3)) {}

  /// Steps that are kept.
  int kept() const { return kept_; }
  /// Between two evaluations of one network.
  int stride() const { return stride_; }
  L* records_of_v() { return records_.data(); }
  L* records_of_x() { return records_.data() + 2 * kept_ * stride_; }
  std::vector<L>& records() { return records_; }
  /// The chains' place, for the caller.
  std::vector<L>& x() { return x_; }
  /// Where step i records its k-th update: those of v come first and last.
  auto step(int i) {
    return [this, i](int k) {
      L* net = k == 0 || k == 3 ? records_of_v() : records_of_x();
      return net + (2 * (i % kept_) + (k < 2 ? 0 : 1)) * stride_;
    };
  }

  /// One of kTrainingVectors vectors [dim].
  L* vector(int k) { return vectors_.data() + k * dim_; }

 private:
  int dim_, kept_, stride_;
  std::vector<L> records_, vectors_, x_;
};

/// @param x         [dim], in units of the network's scale; replaced where accepted
/// @param weight    of each chain in the loss: 1 / batch, 0 for padding
/// @param gradient  of the parameters, added to; of log step size, s and q alone where the memory
///                  leaves its records to another kernel
template <class L, class Target, class Stream, class Memory, class Gradient>
LOCKSTEP_HD TrainingInfo<L> train_chains(const Target& target,
                                         const L2hmcNetwork<Scalar<L>, AnyShape>& network,
                                         Remember remember, const TrainingLaunch& launch,
                                         const Stream& stream, const L& weight, L* x,
                                         Memory& memory, Gradient gradient) {
  using S = Scalar<L>;
  using Network = L2hmcNetwork<S, AnyShape>;
  const auto& layout = network.layout;
  const auto& net = layout.net;
  const int dim = net.dim;
  const L cooling = L(static_cast<S>(1 / launch.temperature));
  const L step = exp(L(network.data[0]));
  L *at = memory.vector(0), *v = memory.vector(1), *gradient_at = memory.vector(2);
  L *x_bar = memory.vector(3), *v_bar = memory.vector(4), *g_bar = memory.vector(5);
  L *z = memory.vector(6), *q = memory.vector(7), *along_q = memory.vector(8);
  L *scratch = memory.vector(9), *proposal = memory.vector(10);
  L* log_scales = memory.vector(12);  // four

  // The trajectory.
  const L u = normals(stream, launch.iteration, Purpose::transition, dim, z);
  const Mask<L> forward = forward_chains<L>(stream, launch.iteration, dim);
  for (int j = 0; j < dim; ++j) {
    at[j] = x[j];
    v[j] = select(forward, z[j], -z[j]);
  }
  Sum<L> potential;
  const auto slope = [&](const L* to, L* g) {
    potential = scaled_potential(network, target, cooling, to, q, g);
  };
  slope(at, gradient_at);
  const Sum<L> before = potential + kinetic_energy(net, v);
  Path<L> path{at, v, gradient_at, Sum<L>(), L(1) < L(0)};
  using Integrator = ModifiedLeapfrog<L, Network, decltype(slope)>;
  const Integrator integrator(network, step, forward, slope);
  for (int i = 0; i < layout.steps; ++i) {
    integrator(i, path, memory.step(i));
  }
  const Sum<L> after = potential + kinetic_energy(net, v);

  // The loss, and its derivatives by |x' - x|^2 and log A.
  const L log_a = path.log_jacobian.value() - (after - before).value();
  TrainingInfo<L> info;
  info.finite = is_finite(log_a);
  const auto rising = log_a < L(0);
  info.acceptance = select(info.finite, exp(smaller(select(info.finite, log_a, L(0)), L(0))), L(0));
  L distance = L(0);
  for (int j = 0; j < dim; ++j) {
    proposal[j] = select(info.finite, at[j], x[j]);
    distance = fma(proposal[j] - x[j], proposal[j] - x[j], distance);
  }
  const L scale = L(static_cast<S>(launch.loss_scale));
  info.jump = info.acceptance * distance;
  const L jump = info.jump + L(S(kLeastJump));
  info.loss = scale / jump - jump / scale;
  info.clipped = path.clipped;
  const L by_jump = select(info.finite, -weight * (scale / (jump * jump) + L(1) / scale), L(0));
  const L by_log_a = select(rising, by_jump * info.jump, L(0));

  // The way back.
  for (int j = 0; j < dim; ++j) {
    x_bar[j] = L(2) * by_jump * info.acceptance * (proposal[j] - x[j]) -
               select(info.finite, by_log_a * gradient_at[j], L(0));
    v_bar[j] = -select(info.finite, by_log_a * v[j], L(0));
    g_bar[j] = L(0);
  }
  std::fill_n(log_scales, 4 * dim, L(0));
  PathAdjoint<L> bar{x_bar, v_bar, g_bar, by_log_a, L(0), log_scales, log_scales + 2 * dim};
  const auto curve = [&](const L* to, const L* along, L* product) {
    if (launch.stop_gradient) {
      std::fill_n(product, dim, L(0));
      return;
    }
    const S* units = network.at(layout.scale());
    for (int j = 0; j < dim; ++j) {
      q[j] = L(units[j]) * to[j];
      along_q[j] = L(units[j]) * along[j];
    }
    hessian_vector(target, static_cast<const L*>(q), static_cast<const L*>(along_q), product);
    for (int j = 0; j < dim; ++j) {
      product[j] = select(info.finite, cooling * (L(units[j]) * product[j]), L(0));
    }
  };
  const ModifiedLeapfrogAdjoint<L, Network, Integrator, decltype(curve)> adjoint(
      network, step, forward, integrator, curve);
  const auto add_gradients = [&] {
    if constexpr (Memory::contracted_here) {
      const auto add = [&](L* records, int offset) {
        const UpdateRecord<L> first(net, records);
        add_network_gradient(net, first.update.net, first.deltas, 2 * memory.kept(),
                             memory.stride(), gradient + offset);
      };
      add(memory.records_of_v(), layout.v());
      add(memory.records_of_x(), layout.x());
    }
  };
  // A path that left the numbers behind is silent: its records would turn zeros into NaN.
  const auto silence = [&] {
    if (!all(info.finite)) {
      for (L& value : memory.records()) {
        value = select(info.finite, value, L(0));
      }
    }
  };
  if (remember == Remember::steps) {
    silence();
    for (int i = layout.steps - 1; i >= 0; --i) {
      adjoint(i, bar, memory.step(i), scratch);
    }
    add_gradients();
  } else {
    const Integrator inverse(network, step, !forward, slope);
    L *kept_at = memory.vector(6), *kept_v = memory.vector(11), *kept_gradient = memory.vector(16);
    for (int i = layout.steps - 1; i >= 0; --i) {
      inverse(layout.steps - 1 - i, path, memory.step(0));
      std::copy_n(at, dim, kept_at);
      std::copy_n(v, dim, kept_v);
      std::copy_n(gradient_at, dim, kept_gradient);
      integrator(i, path, memory.step(0));
      silence();
      adjoint(i, bar, memory.step(0), scratch);
      add_gradients();
      std::copy_n(kept_at, dim, at);
      std::copy_n(kept_v, dim, v);
      std::copy_n(kept_gradient, dim, gradient_at);
    }
  }
  gradient[0] += dense::over_chains(step * bar.step);
  for (int j = 0; j < 2 * dim; ++j) {
    gradient[layout.v() + net.log_scales() + j] += dense::over_chains(bar.v_log_scales[j]);
    gradient[layout.x() + net.log_scales() + j] += dense::over_chains(bar.x_log_scales[j]);
  }

  const auto accepted = u <= info.acceptance;
  for (int j = 0; j < dim; ++j) {
    x[j] = select(accepted, proposal[j], x[j]);
  }
  return info;
}

}  // namespace lockstep
