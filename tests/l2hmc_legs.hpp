#pragma once

/// What the proofs of L2HMC start from: networks that nobody trained, a density with nothing in its
/// favour, and the map that the modified leapfrog is, one leg of it at a time.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/networks/packed.hpp"
#include "kernels/transitions/l2hmc.hpp"

namespace lockstep::testing {

// ---- networks
// ---------------------------------------------------------------------------------------

/// How far from zero a network is, and from the half-masks that one is trained with.
struct Wild {
  double heads = 1;         // T, and S and Q before they are bounded, are of this order
  double log_scales = 0.3;  // standard deviation of s and q
  double mean_log_scale = 0;
};

/// A network with nothing zero and nothing alike. All weights are normal: in the trunk of variance
/// 1 / inputs, so that units are of order one. Masks are coin tosses, not half and half, and the
/// first two rows are empty and full.
inline Network random_network(const NetworkShape& shape, double step_size, unsigned seed,
                              const Wild& wild = {}) {
  const AnyLayout layout = layout_of(shape);
  const auto& net = layout.net;
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal;
  Network network;
  network.shape = shape;
  network.parameters.resize(static_cast<std::size_t>(layout.parameters()));
  network.parameters[0] = std::log(step_size);
  for (const int first : {layout.v(), layout.x()}) {
    const auto fill = [&](int from, int to, double sd, double mean = 0) {
      for (int i = first + from; i < first + to; ++i) {
        network.parameters[static_cast<std::size_t>(i)] = mean + sd * normal(bits);
      }
    };
    for (int layer = 0; layer < net.hidden; ++layer) {
      const int inputs = layer == 0 ? net.inputs() : net.width;
      fill(net.weights(layer), net.bias(layer) + net.width, 1 / std::sqrt(inputs));
    }
    fill(net.heads(), net.log_scales(), wild.heads / std::sqrt(net.width));
    fill(net.log_scales(), net.size(), wild.log_scales, wild.mean_log_scale);
  }
  const auto d = static_cast<std::size_t>(shape.dim);
  for (std::size_t i = 0; i < d * static_cast<std::size_t>(shape.steps); ++i) {
    const bool coin = (bits() >> 63) != 0;
    network.masks.push_back(i < d ? 0 : i < 2 * d ? 1 : coin);
  }
  network.scale.assign(d, 1.0);
  return network;
}

/// A network that returns zero.
inline Network zero_network(const NetworkShape& shape, double step_size) {
  Network network = random_network(shape, step_size, 1);
  for (std::size_t i = 1; i < network.parameters.size(); ++i) {
    network.parameters[i] = 0;
  }
  return network;
}

/// A network as kernels read it. What `net` returns points into this object.
template <class S>
struct Packed {
  AnyLayout layout;
  std::vector<S> data;

  explicit Packed(const Network& network)
      : layout(layout_of(network.shape)), data(packed<S>(network)) {}
  L2hmcNetwork<S, AnyShape> net() const { return {layout, data.data()}; }
};

// ---- a target
// ---------------------------------------------------------------------------------------

/// Skewed and bent, with exact draws: y_j = x_j - sin(x_{j-1}) are independent, of density
///   2 exp(-y) / (1 + exp(-y))^3,   that is, of distribution function F(y) = (1 + exp(-y))^-2.
template <int N>
struct Bent {
  static constexpr int dim = N;

  template <class T>
  T potential(const T* x) const {
    T u = T(0);
    for (int j = 0; j < N; ++j) {
      const T y = j == 0 ? x[0] : x[j] - sin(x[j - 1]);
      u = u + y + T(3) * softplus(-y);
    }
    return u;
  }

  /// F(y_j), which are independent and uniform on [0, 1]; and back.
  static std::vector<double> to_uniform(const std::vector<double>& x) {
    std::vector<double> u(x.size());
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double y = j == 0 ? x[0] : x[j] - std::sin(x[j - 1]);
      u[j] = std::pow(1 + std::exp(-y), -2);
    }
    return u;
  }
  static std::vector<double> from_uniform(const std::vector<double>& u) {
    std::vector<double> x(u.size());
    for (std::size_t j = 0; j < x.size(); ++j) {
      x[j] = -std::log(1 / std::sqrt(u[j]) - 1) + (j == 0 ? 0 : std::sin(x[j - 1]));
    }
    return x;
  }
};

// ---- the map
// ----------------------------------------------------------------------------------------

/// Points of phase space, x and v [dim], and what has been added up on the way there.
template <class L>
struct Leg {
  std::vector<L> x, v;
  L log_jacobian = L(0);
  Mask<L> clipped = L(1) < L(0);
};

/// All steps of a trajectory from `at`: forwards the chains that say so, backwards the others.
/// @param records  if not null, receives what the updates leave behind, Update<L>::size(net) lanes
///                 for each of the four of each step
/// @param refresh  whether dU/dx is computed anew after positions move (always, but for a mutant)
template <class L, class Target>
Leg<L> leg(const Target& target, const L2hmcNetwork<Scalar<L>, AnyShape>& network, const L& step,
           const Mask<L>& forward, const Leg<L>& at, std::vector<L>* records = nullptr,
           bool refresh = true) {
  const auto& net = network.layout.net;
  const auto d = static_cast<std::size_t>(net.dim);
  Leg<L> to = at;
  std::vector<L> q(d), gradient(d);
  const auto slope = [&](const L* x, L* g) {
    if (refresh) {
      scaled_potential(network, target, L(1), x, q.data(), g);
    }
  };
  scaled_potential(network, target, L(1), to.x.data(), q.data(), gradient.data());
  Path<L> path{to.x.data(), to.v.data(), gradient.data(), Sum<L>(), L(1) < L(0)};
  const int size = Update<L>::size(net);
  std::vector<L> memory(static_cast<std::size_t>(4 * network.layout.steps * size));
  const ModifiedLeapfrog<L, L2hmcNetwork<Scalar<L>, AnyShape>, decltype(slope)> advance(
      network, step, forward, slope);
  for (int i = 0; i < network.layout.steps; ++i) {
    advance(i, path, [&](int k) { return memory.data() + (4 * i + k) * size; });
  }
  to.log_jacobian = path.log_jacobian.value();
  to.clipped = path.clipped;
  if (records != nullptr) {
    *records = memory;
  }
  return to;
}

/// x and v of a chain, [2 dim].
inline Leg<double> starting_at(const std::vector<double>& point) {
  const auto half = static_cast<std::ptrdiff_t>(point.size() / 2);
  return {{point.begin(), point.begin() + half}, {point.begin() + half, point.end()}};
}

/// The largest difference between two points of phase space, relative where they are large.
inline double distance(const Leg<double>& a, const Leg<double>& b) {
  double worst = 0;
  const auto compare = [&](const std::vector<double>& p, const std::vector<double>& q) {
    for (std::size_t j = 0; j < p.size(); ++j) {
      const double d = std::abs(p[j] - q[j]) / (1 + std::abs(p[j]));
      worst = d <= worst ? worst : d;  // NaN is larger than anything
    }
  };
  compare(a.x, b.x);
  compare(a.v, b.v);
  return worst;
}

/// log |det d(x', v') / d(x, v)| by automatic differentiation and elimination.
template <int N, class Target>
double log_determinant(const Target& target, const L2hmcNetwork<double, AnyShape>& network,
                       double step, bool forward, const Leg<double>& at) {
  using D = Dual<double, 2 * N>;
  Leg<D> start;
  for (std::size_t j = 0; j < N; ++j) {
    start.x.push_back(D(at.x[j]));
    start.v.push_back(D(at.v[j]));
    start.x[j].d[j] = 1;
    start.v[j].d[N + j] = 1;
  }
  const Leg<D> end = leg<D>(target, network, D(step), forward, start);
  std::vector<std::vector<double>> m;
  for (const auto& half : {end.x, end.v}) {
    for (const D& value : half) {
      m.emplace_back(value.d, value.d + 2 * N);
    }
  }
  double sum = 0;
  for (std::size_t k = 0; k < m.size(); ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < m.size(); ++i) {
      pivot = std::abs(m[i][k]) > std::abs(m[pivot][k]) ? i : pivot;
    }
    std::swap(m[k], m[pivot]);
    sum += std::log(std::abs(m[k][k]));
    for (std::size_t i = k + 1; i < m.size(); ++i) {
      const double factor = m[i][k] / m[k][k];
      for (std::size_t j = k; j < m.size(); ++j) {
        m[i][j] -= factor * m[k][j];
      }
    }
  }
  return sum;
}

}  // namespace lockstep::testing
