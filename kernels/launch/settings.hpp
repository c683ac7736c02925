#pragma once

/// From what the caller asked for to the kernel that does it: every combination that is built, in
/// one place.

#include <cmath>
#include <vector>

#include "kernels/transitions/hmc.hpp"
#include "kernels/transitions/random_walk.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace detail {

template <class S, int N>
MetricTable<S, N> table(const std::vector<S>& values, const S* array) {
  MetricTable<S, N> t;
  if constexpr (N <= 64) {
    for (int j = 0; j < N; ++j) {
      t.at[j] = values[static_cast<std::size_t>(j)];
    }
  } else {
    t.at = array;
  }
  return t;
}

}  // namespace detail

/// The kernels of Hamiltonian Monte Carlo and the random walk: the sampler and metric that launches
/// use, the metric's arrays in the backend's scalar and layout.
///
/// An engine is a template on such a class. Others with the same members bring other samplers.
template <class S>
struct KernelSettings {
  Sampler sampler;
  Metric metric = Metric::unit;
  /// Diagonal: [capacity] each. Dense: [dim][capacity] each. Low rank: the vectors,
  /// [rank][capacity], and the scale, [capacity], followed by the coefficients, [3][rank].
  std::vector<S> inverse_mass, factor;
  int rank = 0;

  /// @param about     what the engine says of itself
  /// @param capacity  row stride of the kernels' matrices
  KernelSettings() = default;
  KernelSettings(const Sampler& s, const PreparedMetric& m, const EngineDescription& about,
                 int capacity)
      : sampler(s), metric(m.kind) {
    require(s.method == Method::hmc || s.method == Method::random_walk,
            "these kernels are those of HMC and the random walk: include lockstep/l2hmc.hpp or "
            "lockstep/dhmc.hpp for the other samplers");
    const int dim = about.dim;
    const auto pad = [&](const double* from, int rows) {
      std::vector<S> to(static_cast<std::size_t>(rows) * capacity, S(1));
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < dim; ++j) {
          to[static_cast<std::size_t>(i) * capacity + j] =
              static_cast<S>(from[static_cast<std::size_t>(i) * dim + j]);
        }
      }
      return to;
    };
    if (m.kind == Metric::low_rank) {
      rank = rank_of(m.inverse_mass.size(), dim);
      const double* values = m.inverse_mass.data() + dim;
      inverse_mass = pad(values + rank, rank);
      factor = pad(m.factor.data(), 1);
      for (const double power : {1.0, -0.5, 0.5}) {
        for (int k = 0; k < rank; ++k) {
          factor.push_back(static_cast<S>(std::pow(values[k], power) - 1));
        }
      }
    } else {
      const int rows = m.kind == Metric::dense ? dim : 1;
      inverse_mass = pad(m.inverse_mass.data(), rows);
      factor = pad(m.factor.data(), rows);
    }
  }

  /// Where kernels find the arrays: in memory of the backend that runs them.
  struct Arrays {
    const S* inverse_mass = nullptr;
    const S* factor = nullptr;
  };
  /// @param place  puts a vector into that memory and returns where it is
  template <class Place>
  Arrays arrays(Place place) const {
    return {place(inverse_mass), place(factor)};
  }

  /// Calls f(transition) with the transition that these settings describe.
  template <int N, bool Exact, class F>
  void with_transition(const Arrays& arrays, int dim, const Trajectory& trajectory, F f) const {
    const auto with_kinetic = [&](const auto& kinetic) {
      constexpr bool diagonal = std::decay_t<decltype(kinetic)>::separable;
      if (sampler.method == Method::random_walk) {
        f(transitions::RandomWalk{kinetic, trajectory});
        return;
      }
      if constexpr (diagonal) {
        if (sampler.integrator == Integrator::leapfrog && sampler.persistence == 0 &&
            !trajectory.leave_momentum) {
          f(transitions::Hmc{kinetic, Leapfrog{}, FullRefreshment{}, trajectory});
          return;
        }
      }
      // The general kernel; persistence 0 refreshes the momentum in full.
      f(transitions::Hmc{kinetic, Palindromic{palindrome_of(sampler.integrator)},
                         PartialRefreshment{trajectory.fresh_momentum ? 0.0 : sampler.persistence},
                         trajectory});
    };
    if (metric == Metric::dense) {
      with_kinetic(DenseMetric<S, N, Exact>{arrays.inverse_mass, arrays.factor, dim});
    } else if (metric == Metric::low_rank) {
      with_kinetic(LowRankMetric<S, N, Exact>{arrays.factor, arrays.inverse_mass, arrays.factor + N,
                                              dim, rank});
    } else {
      with_kinetic(
          DiagonalMetric<S, N, Exact>{detail::table<S, N>(inverse_mass, arrays.inverse_mass),
                                      detail::table<S, N>(factor, arrays.factor), dim});
    }
  }
};

}  // namespace lockstep
