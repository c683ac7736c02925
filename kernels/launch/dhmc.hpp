#pragma once

/// Engines for targets with discontinuous coordinates: which kernels they run, and how one is made.

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/launch/erased.hpp"
#include "kernels/launch/settings.hpp"
#include "kernels/launch/smooth_metric.hpp"
#include "kernels/transitions/dhmc.hpp"

namespace lockstep {

/// The most parameters of a target with discontinuous coordinates.
inline constexpr int kMostDiscontinuous = 512;

/// The kernels of DHMC, Mixed HMC, Gibbs and the random walk; a template argument of engines, as
/// KernelSettings (settings.hpp) is.
template <class S>
struct DiscontinuousSettings {
  static constexpr bool tallies = true;

  Sampler sampler;
  std::vector<int> sites;

  DiscontinuousSettings() = default;
  DiscontinuousSettings(const Sampler& s, const PreparedMetric& metric,
                        const EngineDescription& about, int capacity)
      : sampler(s), sites(about.discontinuous) {
    require(s.method != Method::hmc && s.method != Method::l2hmc,
            "the density jumps along " +
                (sites.empty() ? std::string("some coordinates")
                               : about.names[static_cast<std::size_t>(sites.front())]) +
                ", which " + (s.method == Method::hmc ? "HMC" : "L2HMC") +
                " would not see: choose DHMC, Mixed HMC, Gibbs or the random walk");
    Sampler plain = s;
    plain.method = Method::random_walk;  // of the kernels that read a metric's arrays
    // Discontinuous coordinates have no Gaussian momentum, except for the random walk.
    metric_ = KernelSettings<S>(
        plain, s.method == Method::random_walk ? metric : smooth_metric(metric, about.dim, sites),
        about, capacity);
    scale_.assign(static_cast<std::size_t>(capacity), S(1));
    for (int j = 0; j < about.dim; ++j) {
      const auto k = static_cast<std::size_t>(j);
      scale_[k] =
          static_cast<S>(s.hop_scale.empty() ? scale_of(metric, about.dim, j) : s.hop_scale[k]);
    }
    const std::int64_t longest = s.longest > 0 ? s.longest
                                 : s.length_jitter == LengthJitter::none
                                     ? s.leapfrog
                                     : 2 * std::int64_t{s.leapfrog} - 1;
    require(Sites<S, 1>::blocks(longest, static_cast<std::int64_t>(sites.size())) <= max_blocks,
            "trajectories of up to " + std::to_string(longest) + " steps with " +
                std::to_string(sites.size()) +
                " discontinuous coordinates use up the random numbers of their orders: take "
                "fewer steps");
  }

  struct Arrays {
    typename KernelSettings<S>::Arrays metric;
    const S* scale = nullptr;
  };
  template <class Place>
  Arrays arrays(Place place) const {
    return {metric_.arrays(place), place(scale_)};
  }

  template <int N, bool Exact, class F>
  void with_transition(const Arrays& arrays, int dim, const Trajectory& trajectory, F f) const {
    using Kinetic = AnyMetric<S, N, false>;
    const Kinetic kinetic = any_metric<N>(arrays.metric, dim);
    if (sampler.method == Method::random_walk) {
      f(transitions::RandomWalk{kinetic, trajectory});
      return;
    }
    Sites<S, N> at{};
    for (const int j : sites) {
      at.at[at.count++] = static_cast<std::uint16_t>(j);
    }
    at.scale = arrays.scale;
    at.order = sampler.order;
    at.seed = trajectory.seed;
    const Discontinuous<Kinetic, S, N> parts{kinetic, at, trajectory};
    if (sampler.method == Method::dhmc) {
      f(transitions::Dhmc<Kinetic, S, N, Visit::laplace>{parts});
    } else if (sampler.method == Method::mixed_hmc) {
      f(transitions::Dhmc<Kinetic, S, N, Visit::exchange>{parts});
    } else {
      f(transitions::Gibbs<Kinetic, S, N>{parts});
    }
  }

 private:
  /// sqrt(M^-1_jj).
  static double scale_of(const PreparedMetric& m, int dim, int j) {
    const double* values = m.inverse_mass.data();
    if (m.kind == Metric::dense) {
      return std::sqrt(values[static_cast<std::int64_t>(j) * dim + j]);
    }
    if (m.kind != Metric::low_rank) {
      return std::sqrt(values[j]);
    }
    const int rank = rank_of(m.inverse_mass.size(), dim);
    double bracket = 1;
    for (int k = 0; k < rank; ++k) {
      const double u = values[dim + rank + static_cast<std::int64_t>(k) * dim + j];
      bracket += u * u * (values[dim + k] - 1);
    }
    return std::sqrt(values[j] * bracket);
  }

  template <int N>
  AnyMetric<S, N, false> any_metric(const typename KernelSettings<S>::Arrays& arrays,
                                    int dim) const {
    using Any = AnyMetric<S, N, false>;
    Any any{};
    if (metric_.metric == Metric::dense) {
      any.kind = Any::Kind::dense;
      any.dense = {arrays.inverse_mass, arrays.factor, dim};
    } else if (metric_.metric == Metric::low_rank) {
      any.kind = Any::Kind::low_rank;
      any.low_rank = {arrays.factor, arrays.inverse_mass, arrays.factor + N, dim, metric_.rank};
    } else {
      any.diagonal = {detail::table<S, N>(metric_.inverse_mass, arrays.inverse_mass),
                      detail::table<S, N>(metric_.factor, arrays.factor), dim};
    }
    return any;
  }

  KernelSettings<S> metric_;
  std::vector<S> scale_;
};

/// An engine that runs them for a target with discontinuous coordinates. Compiled in the library.
template <class S>
std::unique_ptr<Engine> make_cpu_discontinuous_engine(std::shared_ptr<const BlockTarget<S>> target,
                                                      const SampleOptions& options);

/// The same on CUDA, in single precision, for targets whose dimension is known to the compiler.
/// Defined in cuda_dhmc.cuh.
/// @throw BackendError  where there is no device, or its driver or memory fails
template <class Target>
std::unique_ptr<Engine> make_cuda_discontinuous_engine(const Target& target,
                                                       const SampleOptions& options);

}  // namespace lockstep
