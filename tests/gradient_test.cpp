// check_gradient: it accepts every target of the library, and notices each kind of mistake.

#include <gtest/gtest.h>

#include "kernels/autodiff/check_gradient.hpp"
#include "tests/all_targets.hpp"

namespace lockstep {
namespace {

// The extrapolated differences are good to 1e-9 or better on these targets, and a slip in a formula
// is rarely smaller than 1e-3: any limit between the two would do.
constexpr double kTolerance = 1e-6;

TEST(CheckGradient, AcceptsEveryTarget) {
  testing_targets::for_each_target<double>([](const char* name, const auto& target, double spread) {
    GradientOptions options;
    options.spread = spread;
    options.tolerance = kTolerance;
    const GradientReport report = check_gradient(target, options);
    EXPECT_TRUE(report.passed()) << name << '\n' << report.summary();
    // Automatic derivatives leave nothing more to compare.
    const bool by_hand = HasGradient<std::decay_t<decltype(target)>, double>;
    EXPECT_GE(report.checks.size(), by_hand ? 3u : 2u) << name;
  });
}

/// U = q_0^2 / 2 + q_1^4 / 4 + q_0 q_1, each derivative of which can be wrong by a factor.
struct Quartic {
  static constexpr int dim = 2;
  double gradient_factor = 1, hessian_factor = 1, kick_factor = 1, value_shift = 0;

  template <class T>
  T potential(const T* q) const {
    const T square = q[1] * q[1];
    return T(0.5) * q[0] * q[0] + T(0.25) * square * square + q[0] * q[1];
  }
  template <class T>
  T potential_and_gradient(const T* q, T* g) const {
    g[0] = q[0] + q[1];
    g[1] = T(gradient_factor) * (q[1] * q[1] * q[1] + q[0]);
    return potential(q) + T(value_shift);
  }
  template <class T>
  void hessian_vector(const T* q, const T* v, T* h) const {
    h[0] = v[0] + v[1];
    h[1] = T(hessian_factor) * (T(3) * q[1] * q[1] * v[1] + v[0]);
  }
  template <class T>
  void kick(const T* q, T scale, T* p) const {
    p[0] = fma(scale * T(kick_factor), q[0] + q[1], p[0]);
    p[1] = fma(scale, q[1] * q[1] * q[1] + q[0], p[1]);
  }
  std::vector<std::string> names() const { return {"first", "second"}; }
};

const DerivativeCheck& check_named(const GradientReport& report, const std::string& what) {
  for (const DerivativeCheck& check : report.checks) {
    if (check.what == what) {
      return check;
    }
  }
  throw Error("no check of " + what);
}

TEST(CheckGradient, AcceptsTheRightQuartic) {
  const GradientReport report = check_gradient(Quartic{});
  EXPECT_TRUE(report.passed()) << report.summary();
  EXPECT_EQ(report.checks.size(), 4u);
}

TEST(CheckGradient, NamesTheCoordinateOfAWrongGradient) {
  const GradientReport report = check_gradient(Quartic{.gradient_factor = 1.001});
  EXPECT_FALSE(report.passed());
  const DerivativeCheck& check = check_named(report, "gradient");
  EXPECT_EQ(check.coordinate, 1);
  EXPECT_EQ(check.name, "second");
  EXPECT_NEAR(check.error, 1e-3, 1e-5);
  const double q0 = check.at[0], q1 = check.at[1];
  EXPECT_NEAR(check.expected, q1 * q1 * q1 + q0, 1e-8);
  EXPECT_NEAR(check.computed, 1.001 * check.expected, 1e-8);
  EXPECT_NE(report.summary().find("FAILED"), std::string::npos);
  EXPECT_NE(report.summary().find("second"), std::string::npos);
}

TEST(CheckGradient, NoticesAWrongHessianVectorProduct) {
  const GradientReport report = check_gradient(Quartic{.hessian_factor = 1.001});
  EXPECT_EQ(report.worst().what, "Hessian-vector product");
  EXPECT_EQ(report.worst().name, "second");
  EXPECT_FALSE(report.passed());
  EXPECT_LT(check_named(report, "gradient").error, 1e-8);
}

TEST(CheckGradient, NoticesAWrongKick) {
  const GradientReport report = check_gradient(Quartic{.kick_factor = 0.999});
  EXPECT_EQ(report.worst().what, "kick");
  EXPECT_EQ(report.worst().name, "first");
  EXPECT_FALSE(report.passed());
}

TEST(CheckGradient, NoticesAnotherPotentialBesideTheGradient) {
  const GradientReport report = check_gradient(Quartic{.value_shift = 0.01});
  EXPECT_EQ(report.worst().what, "potential");
  EXPECT_FALSE(report.passed());
}

TEST(CheckGradient, NanDoesNotPass) {
  EXPECT_FALSE(check_gradient(Quartic{.gradient_factor = std::nan("")}).passed());
}

/// Separable, with a kick_term that has the wrong sign in one coordinate.
struct WrongTerm : SeparableTarget<WrongTerm> {
  static constexpr int dim = 3;
  template <class T>
  T term(int, const T& x) const {
    return exp(x);
  }
  template <class T>
  T slope(int, const T& x) const {
    return exp(x);
  }
  template <class T>
  T kick_term(int j, const T& x, const T& scale, const T& p) const {
    return fma(j == 2 ? -scale : scale, exp(x), p);
  }
};

TEST(CheckGradient, NoticesAWrongTermOfASeparableTarget) {
  const GradientReport report = check_gradient(WrongTerm{});
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(check_named(report, "slope").coordinate, 2);
  EXPECT_EQ(check_named(report, "slope").name, "q[3]");
  EXPECT_LT(check_named(report, "gradient").error, 1e-8);
}

/// Only a potential: both derivatives are automatic.
struct PotentialOnly {
  static constexpr int max_dim = 9;
  int dim() const { return 6; }
  template <class T>
  T potential(const T* q) const {
    T u = T(0);
    for (int j = 0; j < 6; ++j) {
      u = u + log1p(exp(q[j])) * cos(q[(j + 1) % 6]) + sqrt(T(1) + q[j] * q[j]);
    }
    return u;
  }
};

TEST(CheckGradient, AcceptsAutomaticDerivatives) {
  const GradientReport report = check_gradient(PotentialOnly{});
  EXPECT_TRUE(report.passed()) << report.summary();
  EXPECT_EQ(report.checks.size(), 2u);  // nothing else is offered
}

/// Finite nowhere.
struct Hopeless {
  static constexpr int dim = 1;
  template <class T>
  T potential(const T* q) const {
    return log(-exp(q[0]));
  }
};

TEST(CheckGradient, RefusesWhatItCannotCheck) {
  EXPECT_THROW(check_gradient(Hopeless{}), InitialisationError);
  EXPECT_THROW(check_gradient(Quartic{}, {.points = 0}), UsageError);
  EXPECT_THROW(check_gradient(Quartic{}, {.spread = -1}), UsageError);
  EXPECT_THROW(check_gradient(Quartic{}, {.tolerance = 0}), UsageError);
  EXPECT_THROW(check_gradient(Quartic{}, {.step = std::nan("")}), UsageError);
}

TEST(CheckGradient, SameSeedSamePoints) {
  const GradientReport a = check_gradient(Quartic{}, {.seed = 5});
  const GradientReport b = check_gradient(Quartic{}, {.seed = 5});
  const GradientReport c = check_gradient(Quartic{}, {.seed = 6});
  EXPECT_EQ(a.checks[0].at, b.checks[0].at);
  EXPECT_NE(a.checks[0].at, c.checks[0].at);
}

}  // namespace
}  // namespace lockstep
