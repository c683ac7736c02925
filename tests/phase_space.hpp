#pragma once

/// Points of phase space, metrics that are not the identity, and the map that an integrator is:
/// what the proofs of exactness start from.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/integrators/palindromic.hpp"
#include "kernels/launch/describe.hpp"
#include "kernels/launch/settings.hpp"

namespace lockstep::testing {

/// Uniform on [-1, 1].
class Uniform {
 public:
  explicit Uniform(unsigned seed) : bits_(seed) {}
  double operator()() { return static_cast<double>(bits_() >> 11) * 0x1p-52 - 1; }

  /// Floats in double, so that every lane can start from the same numbers.
  std::vector<double> vector(int n, double spread) {
    std::vector<double> x(static_cast<std::size_t>(n));
    for (double& value : x) {
      value = static_cast<float>(spread * (*this)());
    }
    return x;
  }

 private:
  std::mt19937_64 bits_;
};

/// Inverse masses between 0.6 and 1.9, another for each neighbour.
inline PreparedMetric some_diagonal_metric(int dim) {
  PreparedMetric m;
  m.kind = Metric::diagonal;
  for (int j = 0; j < dim; ++j) {
    m.factor.push_back(static_cast<float>(1.1 + 0.3 * std::sin(1.0 + 2.3 * j)));
    m.inverse_mass.push_back(m.factor.back() * m.factor.back());
  }
  return m;
}

/// M^-1 = F F' with a lower triangular F that couples all coordinates.
inline PreparedMetric some_dense_metric(int dim) {
  PreparedMetric m;
  m.kind = Metric::dense;
  const auto d = static_cast<std::size_t>(dim);
  m.factor.assign(d * d, 0.0);
  m.inverse_mass.assign(d * d, 0.0);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t k = 0; k <= i; ++k) {
      const double wave =
          std::sin(1.0 + 1.7 * static_cast<double>(i) + 0.6 * static_cast<double>(k));
      m.factor[i * d + k] =
          static_cast<float>(i == k ? 1.0 + 0.3 * wave : 0.5 * wave / std::sqrt(dim));
    }
  }
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      for (std::size_t k = 0; k <= std::min(i, j); ++k) {
        m.inverse_mass[i * d + j] += m.factor[i * d + k] * m.factor[j * d + k];
      }
    }
  }
  return m;
}

/// The diagonal of `some_diagonal_metric` and up to two directions, one long, one short.
inline PreparedMetric some_low_rank_metric(int dim) {
  PreparedMetric m = some_diagonal_metric(dim);
  m.kind = Metric::low_rank;
  const int rank = std::min(dim, 2);
  std::vector<double> u(static_cast<std::size_t>(rank * dim));
  for (int k = 0; k < rank; ++k) {  // rows of the sine transform are orthonormal
    for (int j = 0; j < dim; ++j) {
      u[static_cast<std::size_t>(k * dim + j)] =
          std::sqrt(2.0 / (dim + 1)) * std::sin(M_PI * (k + 1) * (j + 1) / (dim + 1));
    }
    m.inverse_mass.push_back(k == 0 ? 9.0 : 0.25);
  }
  m.inverse_mass.insert(m.inverse_mass.end(), u.begin(), u.end());
  return m;
}

/// A metric as the kernels of one target see it. The kinetics point into this object.
template <class S, class Target>
class Kinetics {
 public:
  Kinetics(const Target& target, const PreparedMetric& metric)
      : dim_(dimension(target)), settings_(Sampler{}, metric, describe(target), capacity<Target>) {}
  Kinetics(const Kinetics&) = delete;

  DiagonalMetric<S, capacity<Target>, exact_dimension<Target>> diagonal() const {
    return {
        detail::table<S, capacity<Target>>(settings_.inverse_mass, settings_.inverse_mass.data()),
        detail::table<S, capacity<Target>>(settings_.factor, settings_.factor.data()), dim_};
  }
  DenseMetric<S, capacity<Target>, exact_dimension<Target>> dense() const {
    return {settings_.inverse_mass.data(), settings_.factor.data(), dim_};
  }
  LowRankMetric<S, capacity<Target>, exact_dimension<Target>> low_rank() const {
    return {settings_.factor.data(), settings_.inverse_mass.data(),
            settings_.factor.data() + capacity<Target>, dim_, settings_.rank};
  }

 private:
  int dim_;
  KernelSettings<S> settings_;
};

/// Moves (q, p), [dim][width<L>] each, by `steps` steps.
template <class L, class Target, class Kinetic, class Integrator>
[[gnu::noinline]] void integrate(const Target& target, const Kinetic& kinetic,
                                 const Integrator& integrator, double step, int steps,
                                 std::vector<Scalar<L>>& q, std::vector<Scalar<L>>& p) {
  constexpr int n = capacity<Target>;
  const int d = dimension(target);
  Position<L, n> x;
  L momentum[n];
  for (int j = 0; j < d; ++j) {
    x.q[j] = load_lane<L>(q.data() + j * width<L>);
    momentum[j] = load_lane<L>(p.data() + j * width<L>);
  }
  x.potential = potential_and_gradient(target, Solo{}, x.q, x.gradient);
  integrator(target, kinetic, Solo{}, L(static_cast<Scalar<L>>(step)), steps, x, momentum);
  for (int j = 0; j < d; ++j) {
    store_lane(q.data() + j * width<L>, x.q[j]);
    store_lane(p.data() + j * width<L>, momentum[j]);
  }
}

/// dU/dq in double, as an oracle.
template <class Target>
[[gnu::noinline]] std::vector<double> gradient_at(const Target& target,
                                                  const std::vector<double>& q) {
  std::vector<double> g(q.size());
  potential_and_gradient(target, q.data(), g.data());
  return g;
}

/// U in double, as an oracle.
template <class Target>
[[gnu::noinline]] double energy_at(const Target& target, const std::vector<double>& q) {
  return potential(target, q.data()).value();
}

/// H = U + p' M^-1 p / 2 in double.
template <class Target>
double hamiltonian(const Target& target, const PreparedMetric& metric, const std::vector<double>& q,
                   const std::vector<double>& p) {
  const std::size_t d = q.size();
  double twice = 0;
  for (std::size_t i = 0; i < d; ++i) {
    if (metric.kind == Metric::dense) {
      for (std::size_t j = 0; j < d; ++j) {
        twice += p[i] * metric.inverse_mass[i * d + j] * p[j];
      }
    } else {
      twice += p[i] * metric.inverse_mass[i] * p[i];
    }
  }
  return energy_at(target, q) + 0.5 * twice;
}

/// A step size well inside the stable regime at q: `fraction` over the square root of a bound on
/// the largest eigenvalue of the Hessian (its Frobenius norm, by central differences), times one on
/// the inverse mass.
template <class Target>
double stable_step(const Target& target, const std::vector<double>& q, double fraction) {
  double sum = 0;
  for (std::size_t k = 0; k < q.size(); ++k) {
    constexpr double h = 1e-5;
    std::vector<double> up = q, down = q;
    up[k] += h;
    down[k] -= h;
    const std::vector<double> a = gradient_at(target, up), b = gradient_at(target, down);
    for (std::size_t j = 0; j < q.size(); ++j) {
      sum += (a[j] - b[j]) * (a[j] - b[j]) / (4 * h * h);
    }
  }
  constexpr double largest_inverse_mass = 2;
  return fraction / std::sqrt(largest_inverse_mass * std::sqrt(sum));
}

}  // namespace lockstep::testing
