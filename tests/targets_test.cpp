// Are the densities the ones they claim to be? Formulas written down a second time, moments by
// quadrature, reference posteriors where the data are at hand, and what float lanes may lose.

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "host/eigen.hpp"
#include "host/io/reference.hpp"
#include "kernels/integrators/evaluate.hpp"
#include "kernels/lane/approximate.hpp"
#include "kernels/lane/trigonometry.hpp"
#include "lockstep/error.hpp"
#include "tests/all_targets.hpp"

namespace lockstep {
namespace {

using testing_targets::for_each_target;
using testing_targets::small_regression;

constexpr double kPi = 3.141592653589793;
constexpr double kEps = std::numeric_limits<float>::epsilon();

/// Uniform on [-1, 1].
class Uniform {
 public:
  explicit Uniform(unsigned seed) : bits_(seed) {}
  double operator()() { return static_cast<double>(bits_() >> 11) * 0x1p-52 - 1; }

 private:
  std::mt19937_64 bits_;
};

/// Floats in double, so that every lane starts from the same numbers.
std::vector<double> random_point(Uniform& uniform, int d, double spread) {
  std::vector<double> q(static_cast<std::size_t>(d));
  for (double& x : q) {
    x = static_cast<float>(spread * uniform());
  }
  return q;
}

template <class Target>
double energy(const Target& target, const std::vector<double>& q) {
  return potential(target, q.data()).value();
}

/// What one lane computes at q, chain k of `width<L>` at (1 - k / 64) q.
template <class L>
struct Evaluated {
  std::vector<std::vector<double>> q;  // [chain][dim]
  std::vector<double> potential, beside_gradient;
  std::vector<std::vector<double>> gradient, kicked;  // [chain][dim]
};

template <class L, class Target>
Evaluated<L> evaluate(const Target& target, const std::vector<double>& q, double scale) {
  using S = Scalar<L>;
  constexpr int w = width<L>;
  const std::size_t d = q.size();
  Evaluated<L> r;
  r.q.assign(w, q);
  std::vector<L> x(d), g(d), p(d, L(S(0)));
  S buffer[w];
  for (std::size_t j = 0; j < d; ++j) {
    for (int k = 0; k < w; ++k) {
      buffer[k] = static_cast<S>((1 - k / 64.0) * q[j]);
      r.q[k][j] = buffer[k];
    }
    x[j] = load_lane<L>(buffer);
  }
  const auto spread_out = [&](const Sum<L>& u) {
    S hi[w], lo[w];
    store_lane(hi, u.hi);
    store_lane(lo, u.lo);
    std::vector<double> values(w);
    for (int k = 0; k < w; ++k) {
      values[k] = static_cast<double>(hi[k]) + static_cast<double>(lo[k]);
    }
    return values;
  };
  const auto transposed = [&](const std::vector<L>& lanes) {
    std::vector<std::vector<double>> values(w, std::vector<double>(d));
    for (std::size_t j = 0; j < d; ++j) {
      store_lane(buffer, lanes[j]);
      for (int k = 0; k < w; ++k) {
        values[k][j] = buffer[k];
      }
    }
    return values;
  };
  r.potential = spread_out(potential(target, static_cast<const L*>(x.data())));
  r.beside_gradient =
      spread_out(potential_and_gradient(target, static_cast<const L*>(x.data()), g.data()));
  kick(target, Solo{}, static_cast<const L*>(x.data()), L(static_cast<S>(scale)), p.data());
  r.gradient = transposed(g);
  r.kicked = transposed(p);
  return r;
}

double largest(const std::vector<double>& x) {
  double m = 0;
  for (const double v : x) {
    m = std::max(m, std::abs(v));
  }
  return m;
}

// ---- every target on every lane ---------------------------------------------------------------

/// `energy_error` and `gradient_error` are relative to the largest term that goes in, for which the
/// energy's or the gradient's size at the point and at twice the point stand.
template <class L>
void agrees_with_double(double energy_error, double gradient_error) {
  for_each_target<Scalar<L>>([&](const char* name, const auto& target, double spread) {
    SCOPED_TRACE(name);
    Uniform uniform(3);
    const int d = dimension(target);
    for (int point = 0; point < 50; ++point) {
      const std::vector<double> q = random_point(uniform, d, spread);
      const double scale = -0.125;  // a power of two: p = scale g exactly as far as g goes
      const Evaluated<L> got = evaluate<L>(target, q, scale);
      for (int k = 0; k < width<L>; ++k) {
        const Evaluated<double> expected = evaluate<double>(target, got.q[k], scale);
        const double u = expected.potential[0];
        const double u_size = 1 + std::abs(u);
        const double g_size = 1 + u_size / spread + largest(expected.gradient[0]);
        EXPECT_EQ(got.beside_gradient[k], got.potential[k]);
        ASSERT_NEAR(got.potential[k], u, energy_error * u_size);
        for (int j = 0; j < d; ++j) {
          ASSERT_NEAR(got.gradient[k][j], expected.gradient[0][j], gradient_error * g_size) << j;
          ASSERT_NEAR(got.kicked[k][j] / scale, expected.gradient[0][j], gradient_error * g_size)
              << j;
        }
      }
    }
  });
}

// Energies lose no more than a few roundings of their largest terms, some of which, logarithms of
// scales, are larger than their sum. (Data and constants are
// rounded to float too.) Gradients lose more where a steep density multiplies a rounded position,
// and where `kick` takes an approximate function: mog's slope is 40 times a logistic function.
TEST(Lanes, FloatAgreesWithDouble) {
  agrees_with_double<float>(16 * kEps, 32 * kEps);
}
TEST(Lanes, FloatBatchAgreesWithDouble) {
  agrees_with_double<FloatBatch>(16 * kEps, 32 * kEps);
}
TEST(Lanes, TwinAgreesWithDouble) {
  agrees_with_double<Twin<FloatBatch>>(16 * kEps, 32 * kEps);
}
TEST(Lanes, DoubleBatchAgreesWithDouble) {
  agrees_with_double<DoubleBatch>(1e-14, 1e-13);
}

TEST(Lanes, SeparableTermsAddUp) {
  for_each_target<double>([&](const char* name, const auto& target, double spread) {
    if constexpr (Separable<std::decay_t<decltype(target)>>) {
      Uniform uniform(5);
      const std::vector<double> q = random_point(uniform, dimension(target), spread);
      double sum = 0;
      for (int j = 0; j < dimension(target); ++j) {
        sum += target.term(j, q[static_cast<std::size_t>(j)]);
      }
      EXPECT_NEAR(energy(target, q), sum, 1e-12 * (1 + std::abs(sum))) << name;
    }
  });
}

TEST(Lanes, NonFinitePositionsHaveNonFiniteEnergies) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for_each_target<float>([&](const char* name, const auto& target, double) {
    const int d = dimension(target);
    for (int j = 0; j < d; ++j) {
      for (const float x : bad) {
        std::vector<FloatBatch> q(static_cast<std::size_t>(d), FloatBatch(0.5f)), g = q;
        q[static_cast<std::size_t>(j)] = FloatBatch(x);
        const auto u =
            potential_and_gradient(target, static_cast<const FloatBatch*>(q.data()), g.data());
        EXPECT_FALSE(any(is_finite(u.value()))) << name << ' ' << j << ' ' << x;
      }
    }
  });
}

TEST(Lanes, NamesAndTruthHaveTheRightLength) {
  for_each_target<double>([&](const char* name, const auto& target, double) {
    const auto d = static_cast<std::size_t>(dimension(target));
    EXPECT_EQ(target.names().size(), d) << name;
    if constexpr (HasTruth<std::decay_t<decltype(target)>>) {
      EXPECT_EQ(target.truth().mean.size(), d) << name;
      EXPECT_EQ(target.truth().sd.size(), d) << name;
      EXPECT_EQ(target.truth().source, "exact") << name;
    }
  });
}

TEST(Lanes, LongNormalsKeepTheirEnergyInFloat) {
  // 4096 terms near 8: a plain float sum would be off by some 1e-2.
  const StdNormalN<4096> target(4096);
  Uniform uniform(9);
  std::vector<float> q(4096);
  double exact = 0;
  for (float& x : q) {
    x = static_cast<float>(4 + uniform());
    exact += 0.5 * static_cast<double>(x) * x;
  }
  const Sum<float> u = target.potential(static_cast<const float*>(q.data()));
  EXPECT_NEAR(static_cast<double>(u.hi) + u.lo, exact, 1e-3);
}

TEST(Lanes, ScgKeepsItsEnergyAlongTheRidge) {
  // The precision matrix would multiply 20 * 20 by 50 four times, and lose 1e-3 of a sum near 4.
  const Scg target;
  Uniform uniform(10);
  for (int i = 0; i < 1000; ++i) {
    const auto a = static_cast<float>(20 * uniform());
    const auto b = static_cast<float>(a + 0.3 * uniform());
    const float q[] = {a, b};
    const double x = (double(a) + b) / std::sqrt(2.0), y = (double(b) - a) / std::sqrt(2.0);
    const double exact = x * x / 200 + y * y / 0.02;
    EXPECT_NEAR(target.potential(static_cast<const float*>(q)), exact, 4 * kEps * exact);
  }
}

// ---- moments ------------------------------------------------------------------------------------

/// Mean and standard deviation of each coordinate of exp(-U) over a box, by the trapezoidal rule,
/// which converges faster than any power of the step for smooth densities that vanish at the edge.
struct Box {
  double low[2], high[2];
  int points[2];
};

template <class Target>
void moments_match(const Target& target, const Box& box, double tolerance) {
  double weight = 0, first[2] = {0, 0}, second[2] = {0, 0};
  for (int i = 0; i <= box.points[0]; ++i) {
    for (int k = 0; k <= box.points[1]; ++k) {
      const std::vector<double> q{box.low[0] + (box.high[0] - box.low[0]) * i / box.points[0],
                                  box.low[1] + (box.high[1] - box.low[1]) * k / box.points[1]};
      const double w = std::exp(-energy(target, q));
      weight += w;
      for (int j = 0; j < 2; ++j) {
        first[j] += w * q[j];
        second[j] += w * q[j] * q[j];
      }
    }
  }
  const Truth truth = target.truth();
  for (std::size_t j = 0; j < 2; ++j) {
    const double mean = first[j] / weight, sd = std::sqrt(second[j] / weight - mean * mean);
    EXPECT_NEAR(mean, truth.mean[j], tolerance) << j;
    EXPECT_NEAR(sd, truth.sd[j], tolerance) << j;
  }
}

TEST(Moments, Scg) {
  moments_match(Scg{}, {{-60, -60}, {60, 60}, {3000, 3000}}, 1e-7);
}
TEST(Moments, ScgOfTheNotebook) {
  moments_match(Scg(0.1), {{-60, -60}, {60, 60}, {1200, 1200}}, 1e-7);
}
TEST(Moments, Mog) {
  moments_match(Mog{}, {{-6, -4}, {6, 4}, {800, 400}}, 1e-9);
}
TEST(Moments, Mog2) {
  moments_match(Mog2{}, {{-25, -18}, {12, 18}, {1200, 1200}}, 1e-8);
}
TEST(Moments, Mog2OfEqualVariances) {
  moments_match(Mog(5, 0.25), {{-10, -5}, {10, 5}, {800, 400}}, 1e-9);
}
TEST(Moments, Mog6) {
  moments_match(Mog6{}, {{-10, -10}, {10, 10}, {800, 800}}, 1e-9);
}
TEST(Moments, Ring) {
  moments_match(Ring{}, {{-6, -6}, {6, 6}, {1200, 1200}}, 1e-7);
}
TEST(Moments, Ring5) {  // kinks between the rings: the rule converges with the square of its step
  moments_match(Ring5{}, {{-8, -8}, {8, 8}, {2000, 2000}}, 1e-5);
}
TEST(Moments, Banana) {
  moments_match(Banana{}, {{-70, -12}, {70, 160}, {1400, 1000}}, 1e-7);
}

TEST(Moments, Mog2ModesHaveEqualWeight) {
  const Mog2 target;
  double left = 0, right = 0;
  for (int i = 0; i <= 1600; ++i) {
    for (int k = 0; k <= 1200; ++k) {
      const double x = -25 + 0.025 * i, y = -18 + 0.03 * k;
      (x < 2 ? left : right) += std::exp(-energy(target, {x, y}));
    }
  }
  EXPECT_NEAR(right / (left + right), 0.5, 1e-4);  // the wide mode reaches beyond x = 2
}

TEST(Moments, RoughWell) {
  // Both regimes: ripples that matter (eta = 0.5, 2) and ripples that do not (0.01).
  for (const double eta : {2.0, 0.5, 0.01}) {
    const RoughWell<2> target(eta);
    double weight = 0, second = 0;
    for (int i = -200000; i <= 200000; ++i) {
      const double x = 6e-5 * i;
      const double w = std::exp(-target.term(0, x));
      weight += w;
      second += w * x * x;
    }
    EXPECT_NEAR(target.truth().sd[0], std::sqrt(second / weight), 1e-9) << eta;
  }
  EXPECT_EQ(RoughWell<2>(0.01).truth().sd[1], 1);
  EXPECT_GT(std::abs(RoughWell<2>(0.5).truth().sd[0] - 1), 1e-2);
}

TEST(Moments, IcgSpectrum) {
  const Truth truth = Icg{}.truth();
  EXPECT_NEAR(truth.sd[0], 0.1, 1e-12);
  EXPECT_NEAR(truth.sd[49], 10, 1e-12);
  std::vector<double> q(50, 0.0);
  for (std::size_t j = 0; j < 50; ++j) {
    if (j > 0) {
      EXPECT_NEAR(truth.sd[j] / truth.sd[j - 1], std::pow(100, 1.0 / 49), 1e-12) << j;
    }
    q.assign(50, 0.0);
    q[j] = truth.sd[j];
    EXPECT_NEAR(energy(Icg{}, q), 0.5, 1e-12) << j;  // one standard deviation out
  }
}

// ---- formulas written down a second time
// ----------------------------------------------------------

/// The difference of U between random points is that of `formula`.
template <class Target, class Formula>
void energy_is(const Target& target, double spread, Formula formula) {
  Uniform uniform(21);
  const std::vector<double> origin = random_point(uniform, dimension(target), spread);
  for (int i = 0; i < 20; ++i) {
    const std::vector<double> q = random_point(uniform, dimension(target), spread);
    const double expected = formula(q) - formula(origin);
    EXPECT_NEAR(energy(target, q) - energy(target, origin), expected,
                1e-11 * (1 + std::abs(expected)));
  }
}

double normal_energy(double x, double mean, double sd) {
  return 0.5 * (x - mean) * (x - mean) / (sd * sd) + std::log(sd);
}

TEST(Formulas, Mixtures) {
  const auto mixture = [](const std::vector<double>& q, double m, double v1, double v2) {
    const double r1 = (q[0] + m) * (q[0] + m) + q[1] * q[1];
    const double r2 = (q[0] - m) * (q[0] - m) + q[1] * q[1];
    return -std::log(std::exp(-r1 / (2 * v1)) / v1 + std::exp(-r2 / (2 * v2)) / v2);
  };
  energy_is(Mog{}, 3, [&](const auto& q) { return mixture(q, 2, 0.1, 0.1); });
  energy_is(Mog2{}, 5, [&](const auto& q) { return mixture(q, 5, 3, 0.05); });
}

TEST(Formulas, Rings) {
  energy_is(Ring{}, 4,
            [](const auto& q) { return std::pow((std::hypot(q[0], q[1]) - 2) / 0.4, 2); });
  energy_is(Ring5{}, 5, [](const auto& q) {
    double least = HUGE_VAL;
    for (int k = 1; k <= 5; ++k) {
      least = std::min(least, std::pow((std::hypot(q[0], q[1]) - k) / 0.2, 2));
    }
    return least;
  });
}

TEST(Formulas, Mog6) {
  energy_is(Mog6{}, 6, [](const auto& q) {
    double density = 0;
    for (int k = 0; k < 6; ++k) {
      const double x = q[0] - 5 * std::cos(k * kPi / 3), y = q[1] - 5 * std::sin(k * kPi / 3);
      density += std::exp(-(x * x + y * y) / (2 * 0.25));
    }
    return -std::log(density);
  });
}

TEST(Formulas, RoughWell) {
  energy_is(RoughWell<2>{}, 3, [](const auto& q) {
    return 0.5 * (q[0] * q[0] + q[1] * q[1]) +
           0.01 * (std::cos(q[0] / 0.01) + std::cos(q[1] / 0.01));
  });
}

TEST(Formulas, Banana) {
  energy_is(Banana{}, 20, [](const auto& q) {
    return normal_energy(q[0], 0, 10) + normal_energy(q[1], 0.03 * (q[0] * q[0] - 100), 1);
  });
}

double funnel(const std::vector<double>& q) {
  double u = normal_energy(q[0], 0, 3);
  for (std::size_t i = 1; i < 10; ++i) {
    u += normal_energy(q[i], 0, std::exp(q[0] / 2));
  }
  return u;
}

TEST(Formulas, Funnel) {
  energy_is(Funnel{}, 4, funnel);
  // Non-centred: the density of the reported x times the Jacobian of the map, exp(9 v / 2).
  energy_is(FunnelNc{}, 1.5, [](const std::vector<double>& q) {
    std::vector<double> x(10);
    FunnelNc{}.constrain(q.data(), x.data());
    return funnel(x) - 4.5 * x[0];
  });
}

TEST(Formulas, FunnelTruth) {
  for (const Truth& truth : {Funnel{}.truth(), FunnelNc{}.truth()}) {
    EXPECT_EQ(truth.sd[0], 3);
    EXPECT_TRUE(std::isnan(truth.sd[1]));  // known, but no run can be compared with it
  }
}

double eight_schools(const std::vector<double>& theta, double mu, double tau, NormalPrior prior) {
  const double y[] = {28, 8, -3, 7, -1, 1, 18, 12}, sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
  double u = normal_energy(mu, prior.mean, prior.sd) + std::log1p(tau * tau / 25);
  for (std::size_t j = 0; j < 8; ++j) {
    u += normal_energy(theta[j], mu, tau) + normal_energy(y[j], theta[j], sigma[j]);
  }
  return u;
}

TEST(Formulas, EightSchools) {
  for (const NormalPrior prior : {NormalPrior{}, NormalPrior{-2, 3}}) {
    energy_is(EightSchools(prior), 3, [&](const std::vector<double>& q) {
      return eight_schools(q, q[8], std::exp(q[9]), prior) - q[9];
    });
    // Non-centred: the map theta = mu + tau t has Jacobian tau^8.
    energy_is(EightSchoolsNc(prior), 3, [&](const std::vector<double>& q) {
      std::vector<double> x(10);
      EightSchoolsNc(prior).constrain(q.data(), x.data());
      for (std::size_t j = 0; j < 8; ++j) {
        EXPECT_NEAR(x[j], q[8] + std::exp(q[9]) * q[j],
                    1e-14 * (1 + std::abs(x[j]) + std::abs(q[8])));
      }
      return eight_schools(x, x[8], x[9], prior) - 9 * q[9];
    });
  }
  EXPECT_EQ(EightSchools{}.names()[7], "theta[8]");
  EXPECT_EQ(EightSchools{}.names()[9], "tau");
}

TEST(Formulas, Logistic) {
  // The rows again, unsigned and unblocked.
  const LogisticRows<double> rows = small_regression().view<double>();
  const auto formula = [&](const std::vector<double>& w) {
    double u = 0;
    for (const double x : w) {
      u += normal_energy(x, 0, 1);
    }
    for (int i = 0; i < small_regression().rows(); ++i) {
      const double* block = rows.z + (i / kRowBlock) * 5 * kRowBlock + i % kRowBlock;
      const double sign = block[4 * kRowBlock];  // of the column of ones
      double eta = 0;
      for (int j = 0; j < 5; ++j) {
        eta += sign * block[j * kRowBlock] * w[static_cast<std::size_t>(j)];
      }
      const double p = 1 / (1 + std::exp(-eta));
      u -= sign < 0 ? std::log(p) : std::log1p(-p);  // sign -1 means outcome 1
    }
    return u;
  };
  energy_is(Logistic<double, 5>(rows), 2, formula);
  energy_is(LogisticN<double, 16>(rows), 2, formula);
}

TEST(Formulas, LogisticMovesItsData) {
  const LogisticRows<double> rows = small_regression().view<double>();
  const Logistic<double, 5> target(rows);
  std::vector<double> copy;
  const Logistic<double, 5> moved = target.moved([&](const double* p, std::size_t n) {
    EXPECT_EQ(p, rows.z);
    EXPECT_EQ(n, 5u * 5 * kRowBlock);  // 37 rows in five blocks
    copy.assign(p, p + n);
    return static_cast<const double*>(copy.data());
  });
  const std::vector<double> w{0.1, -0.2, 0.3, 0.4, -0.5};
  EXPECT_EQ(energy(moved, w), energy(target, w));
  copy.assign(copy.size(), 0.0);  // it does read the copy
  EXPECT_NE(energy(moved, w), energy(target, w));
}

TEST(Formulas, LogisticSurvivesLargeWeights) {
  const Logistic<float, 5> target(small_regression().view<float>());
  const std::vector<FloatBatch> q(5, FloatBatch(1e4f));
  std::vector<FloatBatch> g(5), p(5, FloatBatch(0.f));
  const auto u = target.potential_and_gradient(q.data(), g.data());
  target.kick(q.data(), FloatBatch(1.f), p.data());
  EXPECT_TRUE(all(is_finite(u.value())));
  for (std::size_t j = 0; j < 5; ++j) {
    EXPECT_TRUE(all(is_finite(g[j]))) << j;
    EXPECT_TRUE(all(is_finite(p[j]))) << j;
  }
}

TEST(Formulas, SenselessArgumentsAreRefused) {
  EXPECT_THROW(StdNormalN<8>(0), UsageError);
  EXPECT_THROW(StdNormalN<8>(9), UsageError);
  EXPECT_THROW(RoughWellN<8>(9), UsageError);
  EXPECT_THROW(RoughWell<2>(0), UsageError);
  EXPECT_THROW(Scg(-1), UsageError);
  EXPECT_THROW(Mog(2, std::nan("")), UsageError);
  EXPECT_THROW(Mog2(0), UsageError);
  EXPECT_THROW(Mog6(5, 0), UsageError);
  EXPECT_THROW(Rings<1>(2, -1), UsageError);
  EXPECT_THROW(EightSchools({0, 0}), UsageError);
  EXPECT_THROW(EightSchoolsNc({INFINITY, 1}), UsageError);
  EXPECT_THROW((Logistic<double, 4>(small_regression().view<double>())), UsageError);
  EXPECT_THROW((LogisticN<double, 4>(small_regression().view<double>())), UsageError);
}

// ---- functions that the targets brought along ---------------------------------------------------

/// Largest |f(x) - exact(x)| over the range, on lane L.
template <class L, class F, class Exact>
double worst_error(double low, double high, F f, Exact exact) {
  constexpr int w = width<L>;
  double worst = 0;
  Scalar<L> x[w], y[w];
  const int steps = 20000;
  for (int i = 0; i < steps; ++i) {
    for (int k = 0; k < w; ++k) {
      x[k] = static_cast<Scalar<L>>(low + (high - low) * (i + k / double(w)) / steps);
    }
    store_lane(y, f(load_lane<L>(x)));
    for (int k = 0; k < w; ++k) {
      const double error = std::abs(static_cast<double>(y[k]) - exact(static_cast<double>(x[k])));
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
  }
  return worst;
}

template <class L>
void cycles_are_accurate(double bound) {
  const double k = 15.875;  // exactly representable: only the function's own error is seen
  const L cycles = L(static_cast<Scalar<L>>(k));
  const auto angle = [&](double x) {
    return 2 * kPi * static_cast<double>(std::remainder(static_cast<long double>(k) * x, 1.0L));
  };
  for (const double range : {0.05, 5.0, 1e3, 1e5}) {  // k x up to 1.6e6 < 2^21
    const double s = worst_error<L>(
        -range, range, [&](const L& x) { return sin_cycles(x, cycles); },
        [&](double x) { return std::sin(angle(x)); });
    const double c = worst_error<L>(
        -range, range, [&](const L& x) { return cos_cycles(x, cycles); },
        [&](double x) { return std::cos(angle(x)); });
    EXPECT_LT(s, bound) << range;
    EXPECT_LT(c, bound) << range;
  }
}

TEST(Functions, CyclesOnFloat) {
  cycles_are_accurate<float>(4e-7);
}
TEST(Functions, CyclesOnFloatBatch) {
  cycles_are_accurate<FloatBatch>(4e-7);
}
TEST(Functions, CyclesOnTwin) {
  cycles_are_accurate<Twin<FloatBatch>>(4e-7);
}
TEST(Functions, CyclesOnDouble) {
  cycles_are_accurate<double>(1e-15);
}
TEST(Functions, CyclesOnDoubleBatch) {
  cycles_are_accurate<DoubleBatch>(1e-15);
}

TEST(Functions, CosineStaysBoundedBeyondItsRange) {
  // A well that turned bottomless far out would trap a diverging chain.
  const FloatBatch k(15.9154943f);
  for (float x = 1; x < 1e30f; x *= 1.37f) {
    EXPECT_TRUE(all(abs(cos_cycles(FloatBatch(x), k)) <= FloatBatch(1.f))) << x;
  }
}

TEST(Functions, ApproximateLogistic) {
  const auto exact = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto error = [&]<class L>(L, double range) {
    return worst_error<L>(
        -range, range, [](const L& x) { return approximate_logistic(x); }, exact);
  };
  for (const double range : {1.0, 30.0, 200.0}) {
    EXPECT_LT(error(float{}, range), 2e-7) << range;
    EXPECT_LT(error(FloatBatch{}, range), 2e-7) << range;
    EXPECT_LT(error(Twin<FloatBatch>{}, range), 2e-7) << range;
    EXPECT_LT(error(double{}, range), 1e-15) << range;
  }
}

// ---- reference posteriors
// ------------------------------------------------------------------------

/// The path of a data set's file, or an empty one when it is not on this machine.
std::filesystem::path data_file(const std::string& name, const std::string& file) {
  try {
    return find_data_file(name, file);
  } catch (const FileError&) {
    return {};
  }
}

#define LOCKSTEP_FIND_OR_SKIP(path, name, file)                                          \
  const std::filesystem::path path = data_file(name, file);                              \
  if (path.empty()) {                                                                    \
    GTEST_SKIP() << name << "/" << file << " is not on this machine: set LOCKSTEP_DATA"; \
  }

TEST(References, EightSchools) {
  LOCKSTEP_FIND_OR_SKIP(path, "eight_schools", "reference.json");
  const EightSchoolsNc target;
  const Truth truth = truth_of(read_reference(path, "hierarchical_posteriordb"), target.names());
  // Given (mu, s) the t_j are independent normals, with mean m_j = tau (y_j - mu) / (sigma_j^2 +
  // tau^2) and precision 1 + tau^2 / sigma_j^2: integrate them out, and sum over (mu, s).
  double weight = 0;
  std::vector<double> first(10, 0.0), second(10, 0.0), q(10), x(10);
  for (double s = -12; s <= 6; s += 0.02) {
    const double tau = std::exp(s);
    for (double mu = -25; mu <= 30; mu += 0.1) {
      q[8] = mu;
      q[9] = s;
      double log_volume = 0;
      std::vector<double> variance(10, 0.0);
      for (std::size_t j = 0; j < 8; ++j) {
        const double sigma2 = EightSchools::error[j] * EightSchools::error[j];
        q[j] = tau * (EightSchools::effect[j] - mu) / (sigma2 + tau * tau);
        const double precision = 1 + tau * tau / sigma2;
        log_volume -= 0.5 * std::log(precision);
        variance[j] = tau * tau / precision;
      }
      const double w = std::exp(-energy(target, q) + log_volume);
      target.constrain(q.data(), x.data());
      weight += w;
      for (std::size_t j = 0; j < 10; ++j) {
        first[j] += w * x[j];
        second[j] += w * (x[j] * x[j] + variance[j]);
      }
    }
  }
  for (std::size_t j = 0; j < 10; ++j) {
    const double mean = first[j] / weight, sd = std::sqrt(second[j] / weight - mean * mean);
    EXPECT_NEAR(mean, truth.mean[j], 4.5 * truth.error_mean[j]) << target.names()[j];
    EXPECT_NEAR(sd, truth.sd[j], 4.5 * truth.error_sd[j]) << target.names()[j];
  }
}

/// With hundreds of observations the posterior is nearly normal about its mode: the reference means
/// lie within a fraction of a standard deviation of it (a few per cent further out), and the
/// reference standard deviations are those of the inverse Hessian. A wrong standardisation, order
/// or sign of the data moves weights by whole standard deviations.
void reference_is_near_the_mode(const std::string& name, double mean_limit, double sd_limit) {
  LOCKSTEP_FIND_OR_SKIP(path, name, "reference.json");
  const LogisticData data = load_logistic(name);
  const LogisticN<double, 64> target(data.view<double>());
  const int d = target.dim();
  const Truth truth = truth_of(read_reference(path, "logistic"), target.names());

  Eigen::VectorXd w = Eigen::VectorXd::Zero(d), g(d), e(d);
  Eigen::MatrixXd hessian(d, d);
  for (int iteration = 0; iteration < 20; ++iteration) {
    potential_and_gradient(target, static_cast<const double*>(w.data()), g.data());
    for (int j = 0; j < d; ++j) {
      e = Eigen::VectorXd::Unit(d, j);
      hessian_vector(target, static_cast<const double*>(w.data()),
                     static_cast<const double*>(e.data()), hessian.col(j).data());
    }
    w -= hessian.llt().solve(g);
  }
  ASSERT_LT(g.norm(), 1e-9);
  const Eigen::MatrixXd covariance = hessian.llt().solve(Eigen::MatrixXd::Identity(d, d));
  for (int j = 0; j < d; ++j) {
    const auto k = static_cast<std::size_t>(j);
    EXPECT_NEAR(w[j], truth.mean[k], mean_limit * truth.sd[k]) << target.names()[k];
    EXPECT_NEAR(std::sqrt(covariance(j, j)), truth.sd[k], sd_limit * truth.sd[k])
        << target.names()[k];
  }
}

TEST(References, GermanCredit) {
  reference_is_near_the_mode("german_credit_numeric", 0.5, 0.05);
}
TEST(References, AustralianCredit) {
  reference_is_near_the_mode("australian_credit", 0.5, 0.1);
}
TEST(References, HeartDisease) {
  reference_is_near_the_mode("heart_disease", 0.5, 0.1);
}

TEST(References, GermanCreditData) {
  LOCKSTEP_FIND_OR_SKIP(path, "german_credit_numeric", "german_credit_numeric.csv");
  const LogisticData data(read_csv(path));
  EXPECT_EQ(data.rows(), 1000);
  EXPECT_EQ(data.dim(), 25);
  EXPECT_EQ(data.ones(), 300);  // bad risks
  EXPECT_NO_THROW((Logistic<float, 25>(data.view<float>())));
}

}  // namespace
}  // namespace lockstep
