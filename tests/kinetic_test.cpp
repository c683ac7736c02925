// Gaussian kinetic energies: is the momentum's law the one whose energy enters the Metropolis
// ratio, is the velocity the derivative of that energy, and is the random walk's step its mirror
// image?

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/random/distributions.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/transitions/refreshment.hpp"
#include "tests/phase_space.hpp"

namespace lockstep {
namespace {

using testing::Kinetics;
using testing::some_dense_metric;
using testing::some_diagonal_metric;
using testing::some_low_rank_metric;
using testing::Uniform;

using Matrix = std::vector<double>;  // [d][d], row-major

Matrix inverse_mass_of(const PreparedMetric& m, std::size_t d) {
  if (m.kind == Metric::dense) {
    return m.inverse_mass;
  }
  Matrix a(d * d, 0.0);
  for (std::size_t j = 0; j < d; ++j) {
    a[j * d + j] = m.inverse_mass[j];
  }
  if (m.kind == Metric::low_rank) {  // D (I + U (Lambda - I) U') D
    const auto rank = static_cast<std::size_t>(rank_of(m.inverse_mass.size(), static_cast<int>(d)));
    for (std::size_t k = 0; k < rank; ++k) {
      const double* u = m.inverse_mass.data() + d + rank + k * d;
      for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
          a[i * d + j] += m.factor[i] * u[i] * (m.inverse_mass[d + k] - 1) * u[j] * m.factor[j];
        }
      }
    }
  }
  return a;
}

Matrix product(const Matrix& a, const Matrix& b, std::size_t d) {
  Matrix c(d * d, 0.0);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t k = 0; k < d; ++k) {
      for (std::size_t j = 0; j < d; ++j) {
        c[i * d + j] += a[i * d + k] * b[k * d + j];
      }
    }
  }
  return c;
}

Matrix transposed(const Matrix& a, std::size_t d) {
  Matrix t(d * d);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      t[i * d + j] = a[j * d + i];
    }
  }
  return t;
}

double distance_from_identity(const Matrix& a, std::size_t d) {
  double worst = 0;
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      worst = std::max(worst, std::abs(a[i * d + j] - (i == j ? 1 : 0)));
    }
  }
  return worst;
}

/// The matrix of a linear map of a vector, column by column.
template <class S, class F>
Matrix matrix_of(std::size_t d, F map) {
  Matrix a(d * d);
  for (std::size_t k = 0; k < d; ++k) {
    std::vector<S> in(d, S(0)), out(d, S(0));
    in[k] = 1;
    map(in.data(), out.data());
    for (std::size_t j = 0; j < d; ++j) {
      a[j * d + k] = static_cast<double>(out[j]);
    }
  }
  return a;
}

/// f(kinetic, inverse mass) for every metric of a target.
template <class S, class Target, class F>
void for_each_kinetic(const Target& target, F f) {
  const int d = dimension(target);
  for (const PreparedMetric& metric :
       {some_diagonal_metric(d), some_dense_metric(d), some_low_rank_metric(d)}) {
    const Kinetics<S, Target> kinetics(target, metric);
    const Matrix inverse_mass = inverse_mass_of(metric, static_cast<std::size_t>(d));
    if (metric.kind == Metric::dense) {
      SCOPED_TRACE("dense");
      f(kinetics.dense(), inverse_mass);
    } else if (metric.kind == Metric::low_rank) {
      SCOPED_TRACE("low rank");
      f(kinetics.low_rank(), inverse_mass);
    } else {
      SCOPED_TRACE("diagonal");
      f(kinetics.diagonal(), inverse_mass);
    }
  }
}

/// All that ties a metric's four functions together, exactly.
template <class S, class Target>
void is_consistent(const Target& target, double tolerance) {
  const auto d = static_cast<std::size_t>(dimension(target));
  for_each_kinetic<S>(target, [&](const auto& kinetic, const Matrix& inverse_mass) {
    // p = A z: the covariance A A' is M.
    const Matrix a = matrix_of<S>(d, [&](const S* z, S* p) { kinetic.momentum(Solo{}, z, p); });
    const Matrix covariance = product(a, transposed(a, d), d);
    EXPECT_LT(distance_from_identity(product(covariance, inverse_mass, d), d), tolerance);

    // q += step B z at step 1/2: four times the covariance is M^-1.
    const Matrix b =
        matrix_of<S>(d, [&](const S* z, S* q) { kinetic.displace(Solo{}, q, S(0.5), z); });
    Matrix displaced = product(b, transposed(b, d), d);
    for (double& x : displaced) {
      x *= 4;
    }
    EXPECT_LT(distance_from_identity(product(covariance, displaced, d), d), 4 * tolerance);

    Uniform uniform(1);
    for (int point = 0; point < 10; ++point) {
      std::vector<S> z(d), p(d), q(d), start(d);
      double z2 = 0;
      for (std::size_t j = 0; j < d; ++j) {
        z[j] = static_cast<S>(3 * uniform());
        start[j] = static_cast<S>(3 * uniform());
        z2 += static_cast<double>(z[j]) * static_cast<double>(z[j]);
      }
      kinetic.momentum(Solo{}, z.data(), p.data());
      const auto energy = static_cast<double>(kinetic.energy(Solo{}, p.data()).value());
      double direct = 0;
      q = start;
      const S step = S(0.25);
      kinetic.drift(Solo{}, q.data(), step, p.data());
      for (std::size_t i = 0; i < d; ++i) {
        double velocity = 0;
        for (std::size_t j = 0; j < d; ++j) {
          velocity += inverse_mass[i * d + j] * static_cast<double>(p[j]);
        }
        direct += 0.5 * static_cast<double>(p[i]) * velocity;
        EXPECT_NEAR(static_cast<double>(q[i]), static_cast<double>(start[i]) + 0.25 * velocity,
                    tolerance * (1 + std::abs(velocity)))
            << i;
      }
      EXPECT_NEAR(energy, direct, tolerance * (1 + direct));     // p' M^-1 p / 2
      EXPECT_NEAR(energy, 0.5 * z2, 10 * tolerance * (1 + z2));  // |z|^2 / 2: p's own exponent
    }
  });
}

TEST(Kinetic, MomentumEnergyAndVelocityBelongTogether) {
  is_consistent<double>(StdNormal<1>{}, 1e-14);
  is_consistent<double>(StdNormal<5>{}, 1e-12);
  is_consistent<double>(StdNormalN<64>(13), 1e-12);   // the arrays' rows are longer than d
  is_consistent<double>(StdNormalN<100>(70), 1e-11);  // and do not fit a kernel's arguments
  is_consistent<float>(StdNormal<5>{}, 1e-5);
  is_consistent<float>(StdNormalN<64>(13), 1e-5);
}

TEST(Kinetic, DenseIsDiagonalWhereItIs) {
  constexpr int d = 7;
  using Target = StdNormal<d>;
  const PreparedMetric diagonal = some_diagonal_metric(d);
  PreparedMetric dense;
  dense.kind = Metric::dense;
  dense.inverse_mass.assign(d * d, 0.0);
  dense.factor.assign(d * d, 0.0);
  for (std::size_t j = 0; j < d; ++j) {
    dense.inverse_mass[j * d + j] = diagonal.inverse_mass[j];
    dense.factor[j * d + j] = diagonal.factor[j];
  }
  const Kinetics<double, Target> one(Target{}, diagonal), other(Target{}, dense);
  Uniform uniform(2);
  const std::vector<double> z = uniform.vector(d, 3);
  std::vector<double> p1(d), p2(d);
  one.diagonal().momentum(Solo{}, z.data(), p1.data());
  other.dense().momentum(Solo{}, z.data(), p2.data());
  EXPECT_EQ(p1, p2);
  EXPECT_NEAR(one.diagonal().energy(Solo{}, p1.data()).value(),
              other.dense().energy(Solo{}, p2.data()).value(), 1e-14);
  std::vector<double> q1 = uniform.vector(d, 2), q2 = q1;
  one.diagonal().drift(Solo{}, q1.data(), 0.3, p1.data());
  other.dense().drift(Solo{}, q2.data(), 0.3, p2.data());
  one.diagonal().displace(Solo{}, q1.data(), 0.3, z.data());
  other.dense().displace(Solo{}, q2.data(), 0.3, z.data());
  for (std::size_t j = 0; j < d; ++j) {
    EXPECT_NEAR(q1[j], q2[j], 1e-15) << j;
  }
}

/// The same from random numbers: E p p' = M, each entry within four standard errors,
/// Var(mean of p_i p_j) = (M_ii M_jj + M_ij^2) / n.
TEST(Kinetic, RefreshedMomentaHaveTheMassAsCovariance) {
  constexpr int d = 5;
  using Target = StdNormal<d>;
  constexpr int n = 1 << 16;
  for_each_kinetic<float>(Target{}, [&](const auto& kinetic, const Matrix& inverse_mass) {
    using L = FloatBatch;
    Matrix sum(d * d, 0.0);
    for (int chain = 0; chain < n; chain += width<L>) {
      L p[d];
      const auto stream = Stream<L>::of(3, static_cast<std::uint64_t>(chain));
      FullRefreshment{}.template operator()<d, true>(kinetic, Solo{}, d, stream, 17u, p);
      float buffer[d][width<L>];
      for (int j = 0; j < d; ++j) {
        store_lane(buffer[j], p[j]);
      }
      for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
          for (int k = 0; k < width<L>; ++k) {
            sum[i * d + j] += static_cast<double>(buffer[i][k]) * static_cast<double>(buffer[j][k]);
          }
        }
      }
    }
    // M, from the map whose exactness is shown above.
    const Matrix a =
        matrix_of<float>(d, [&](const float* z, float* p) { kinetic.momentum(Solo{}, z, p); });
    const Matrix mass = product(a, transposed(a, d), d);
    ASSERT_LT(distance_from_identity(product(mass, inverse_mass, d), d), 1e-5);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const double m = mass[i * d + j];
        const double error = std::sqrt((mass[i * d + i] * mass[j * d + j] + m * m) / n);
        EXPECT_NEAR(sum[i * d + j] / n, m, 4 * error) << i << ", " << j;
      }
    }
  });
}

}  // namespace
}  // namespace lockstep
