/// Maps to constrained parameters: values, Jacobians against finite differences and determinants,
/// inverses, and what float makes of extremes.

#include "kernels/targets/transforms.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "host/eigen.hpp"
#include "kernels/autodiff/dual.hpp"
#include "kernels/lane/normal_tail.hpp"

namespace lockstep {
namespace {

const double kPlaces[] = {-9, -3.5, -1, -0.25, 0.0, 0.125, 0.7, 2, 6, 11};

/// Central difference, extrapolated once.
template <class F>
double slope(F f, double x) {
  const auto difference = [&](double h) { return (f(x + h) - f(x - h)) / (2 * h); };
  return (4 * difference(5e-4) - difference(1e-3)) / 3;
}

template <class Map>
void is_right(const Map& map) {
  for (const double q : kPlaces) {
    SCOPED_TRACE(q);
    const Mapped<double> at = map.map(q);
    const double step = slope([&](double t) { return map.map(t).x; }, q);
    EXPECT_NEAR(at.slope, step, 1e-7 * std::abs(step) + 1e-10);
    EXPECT_NEAR(at.log_jacobian, std::log(std::abs(at.slope)), 1e-12 * (1 + std::abs(q)));
    const double bend = slope([&](double t) { return map.map(t).log_jacobian; }, q);
    EXPECT_NEAR(at.log_jacobian_slope, bend, 1e-8);
    // The inverse loses what x has not got: digits of its distance from the bound.
    EXPECT_NEAR(map.inverse(at.x), q, 1e-14 * (1 + std::abs(at.x)) / std::abs(at.slope));
    // Automatic derivatives go through the same code.
    using D = Dual<double, 1>;
    D t(q);
    t.d[0] = 1;
    EXPECT_NEAR(map.map(t).x.d[0], at.slope, 1e-12 * std::abs(at.slope));
    EXPECT_NEAR(map.map(t).log_jacobian.d[0], at.log_jacobian_slope, 1e-12);
  }
}

TEST(Transforms, Positive) {
  is_right(Positive{});
  EXPECT_DOUBLE_EQ(Positive{}.map(std::log(3.0)).x, 3);
}
TEST(Transforms, LowerBound) {
  is_right(LowerBound{-2.5});
  EXPECT_DOUBLE_EQ(LowerBound{-2.5}.map(0.0).x, -1.5);
}
TEST(Transforms, UpperBound) {
  is_right(UpperBound{4});
  EXPECT_DOUBLE_EQ(UpperBound{4}.map(0.0).x, 3);
}
TEST(Transforms, Interval) {
  is_right(Interval(-3, 7));
  is_right(Interval(0, 1));
  EXPECT_DOUBLE_EQ(Interval(-3, 7).map(0.0).x, 2);
  EXPECT_DOUBLE_EQ(Interval(0, 1).map(2.0).x, 1 / (1 + std::exp(-2.0)));
  EXPECT_THROW(Interval(1, 1), UsageError);
  EXPECT_THROW(Interval(0, INFINITY), UsageError);
}

/// log |det dx/dq| of n outputs in n inputs, by differences.
template <class F>
double log_determinant(F map, const std::vector<double>& q) {
  const auto n = static_cast<Eigen::Index>(q.size());
  Eigen::MatrixXd jacobian(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = 0; i < n; ++i) {
      jacobian(i, j) = slope(
          [&](double t) {
            std::vector<double> moved = q;
            moved[static_cast<std::size_t>(j)] = t;
            return map(moved)[static_cast<std::size_t>(i)];
          },
          q[static_cast<std::size_t>(j)]);
    }
  }
  return std::log(std::abs(jacobian.determinant()));
}

std::vector<double> somewhere(std::size_t n, unsigned seed) {
  std::mt19937_64 bits(seed);
  std::vector<double> q(n);
  for (double& x : q) {
    x = 3 * (static_cast<double>(bits() >> 11) * 0x1p-52 - 1);
  }
  return q;
}

TEST(Transforms, Ordered) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const std::vector<double> q = somewhere(5, seed);
    std::vector<double> x(5), back(5);
    const double log_jacobian = Ordered{}.map(q.data(), x.data(), 5);
    for (std::size_t i = 1; i < 5; ++i) {
      EXPECT_LT(x[i - 1], x[i]);
    }
    const auto map = [](const std::vector<double>& at) {
      std::vector<double> out(at.size());
      Ordered{}.map(at.data(), out.data(), static_cast<int>(at.size()));
      return out;
    };
    EXPECT_NEAR(log_jacobian, log_determinant(map, q), 1e-7);
    Ordered{}.inverse(x.data(), back.data(), 5);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(back[i], q[i], 1e-12);
    }
    Ordered{}.map(back.data(), back.data(), 5);  // in place
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(back[i], x[i], 1e-12);
    }
  }
}

TEST(Transforms, Simplex) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const std::vector<double> q = somewhere(4, seed);
    std::vector<double> x(5), back(4);
    const double log_jacobian = Simplex{}.map(q.data(), x.data(), 5);
    double sum = 0;
    for (const double piece : x) {
      EXPECT_GT(piece, 0);
      sum += piece;
    }
    EXPECT_NEAR(sum, 1, 1e-14);
    // The first four coordinates are a chart of the simplex.
    const auto map = [](const std::vector<double>& at) {
      std::vector<double> out(at.size() + 1);
      Simplex{}.map(at.data(), out.data(), static_cast<int>(out.size()));
      return out;
    };
    EXPECT_NEAR(log_jacobian, log_determinant(map, q), 1e-6);
    Simplex{}.inverse(x.data(), back.data(), 5);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(back[i], q[i], 1e-12);
    }
  }
  const std::vector<double> centre(4, 0.0);
  std::vector<double> x(5);
  Simplex{}.map(centre.data(), x.data(), 5);
  for (const double piece : x) {
    EXPECT_NEAR(piece, 0.2, 1e-15);
  }
}

/// In float, far out: nothing is infinite or NaN before exp(q) is, and log-Jacobians stay those of
/// double.
TEST(Transforms, FloatKeepsItsTails) {
  for (const float q : {-80.f, -30.f, -17.f, 17.f, 30.f, 80.f}) {
    SCOPED_TRACE(q);
    const Interval interval(-1, 3);
    const auto single = interval.map(q);
    const auto exact = interval.map(static_cast<double>(q));
    EXPECT_NEAR(single.log_jacobian, exact.log_jacobian, 1e-6 * std::abs(exact.log_jacobian));
    EXPECT_NEAR(single.slope, exact.slope, 1e-5 * exact.slope);
    EXPECT_NEAR(single.log_jacobian_slope, exact.log_jacobian_slope, 1e-6);
    EXPECT_GE(single.x, -1);
    EXPECT_LE(single.x, 3);
    EXPECT_NEAR(log_logistic(q), log_logistic(static_cast<double>(q)),
                1e-6 * std::abs(log_logistic(static_cast<double>(q))));
    std::vector<float> stick{q, -q, q / 2}, x(4);
    std::vector<double> stick_exact{q, -q, q / 2}, x_exact(4);
    const float log_jacobian = Simplex{}.map(stick.data(), x.data(), 4);
    const double log_jacobian_exact = Simplex{}.map(stick_exact.data(), x_exact.data(), 4);
    EXPECT_NEAR(log_jacobian, log_jacobian_exact, 1e-5 * std::abs(log_jacobian_exact));
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(x[i], x_exact[i], 2e-5 * x_exact[i] + 1e-38);
    }
  }
}

TEST(Transforms, LanesAgree) {
  const Interval interval(-20, 20);
  for (const double q : kPlaces) {
    const auto one = interval.map(static_cast<float>(q));
    const auto many = interval.map(FloatBatch(static_cast<float>(q)));
    float x[width<FloatBatch>], j[width<FloatBatch>];
    store_lane(x, many.x);
    store_lane(j, many.log_jacobian);
    EXPECT_NEAR(x[0], one.x, 4e-6) << q;
    EXPECT_NEAR(j[0], one.log_jacobian, 4e-6) << q;
  }
}

TEST(NormalTail, MillsRatio) {
  for (double t = 0; t < 30; t += 0.01) {
    const double tail = 0.5 * std::erfc(t / std::sqrt(2.0));
    const double density = std::exp(-0.5 * t * t) / std::sqrt(2 * std::acos(-1.0));
    // erfc and exp of a large square carry t^2 roundings themselves.
    const double exact = tail / density;
    EXPECT_NEAR(mills_ratio(t), exact, (4e-15 + 3e-16 * t * t) * exact) << t;
    EXPECT_NEAR(mills_ratio(static_cast<float>(t)),
                mills_ratio(static_cast<double>(static_cast<float>(t))), 6e-7 * exact)
        << t;
  }
  // Beyond, R = 1/t - 1/t^3 + 3/t^5 - ...
  for (const double t : {100.0, 1e4, 1e8}) {
    EXPECT_NEAR(mills_ratio(t) * t, 1 - 1 / (t * t) + 3 / (t * t * t * t), 1e-10) << t;
  }
}

}  // namespace
}  // namespace lockstep
