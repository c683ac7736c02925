// Would the tests of L2HMC notice? Each erratum of the paper's appendix, and each other known way
// to lose exactness, must fail the check that is there to catch it. The true kernel passes all
// checks, with the same seeds.
//
// Kernels stay as they are: a mutant gives trajectories backwards other numbers to read than
// trajectories forwards, or comes from another rule, another stream or another target.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/l2hmc_laws.hpp"

namespace lockstep {
namespace {

using testing::Bent;
using testing::Journey;
using testing::journey;
using testing::Leg;
using testing::leg;
using testing::log_determinant;
using testing::Packed;
using testing::random_network;
using testing::starting_at;
using testing::Wild;

constexpr int kDim = 2, kSteps = 4;
constexpr double kStep = 0.15;

/// V and X share all but their heads, so that a head of one can stand in for the other's.
Network some_network() {
  Network network = random_network({kDim, kSteps, 6, 2}, kStep, 3, {3, 0.3});
  const AnyLayout layout = layout_of(network.shape);
  double* p = network.parameters.data();
  std::copy(p + layout.v(), p + layout.v() + layout.net.heads(), p + layout.x());
  network.masks = {0, 1, 1, 0, 0, 0, 1, 0};
  return network;
}

// ---- mutants
// ----------------------------------------------------------------------------------------

/// A kernel that may have a fault.
struct Variant {
  using Fault = std::function<void(std::vector<double>&, const AnyLayout&)>;

  std::string name;
  Fault backwards = {};                                  // in what trajectories backwards read
  double jacobian_forwards = 1, jacobian_backwards = 1;  // log J is multiplied by this
  bool resamples = true;                                 // the direction
  bool recomputes = true;                                // dU/dx, where positions have moved
};

// Faults in what trajectories backwards read. Columns of the heads are S, Q, T.

/// f(column of the heads and their bias, dim columns) of one network.
template <class F>
void for_head(const AnyLayout& layout, int first, int head, F f) {
  const auto& net = layout.net;
  for (int row = 0; row <= net.width; ++row) {  // the last is the bias
    for (int j = 0; j < net.dim; ++j) {
      f(static_cast<std::size_t>(first + net.heads() + row * net.outputs() + head * net.dim + j));
    }
  }
}

/// exp(-eps S_v) for exp(-eps S_x), equations 10 and 11 of the first version.
void s_of_v_for_s_of_x(std::vector<double>& data, const AnyLayout& layout) {
  const auto shift = static_cast<std::size_t>(layout.x() - layout.v());
  for_head(layout, layout.x(), 0, [&](std::size_t i) { data[i] = data[i - shift]; });
  for (int j = 0; j < layout.net.dim; ++j) {
    data[static_cast<std::size_t>(layout.x_scales() + j)] =
        data[static_cast<std::size_t>(layout.v_scales() + j)];
  }
}

/// exp(-S_v) for exp(-eps / 2 S_v), equations 9 and 12.
void no_half_step(std::vector<double>& data, const AnyLayout& layout) {
  for (int j = 0; j < layout.net.dim; ++j) {
    data[static_cast<std::size_t>(layout.v_scales() + j)] *= 2 / kStep;
  }
}

void sign_of_t(std::vector<double>& data, const AnyLayout& layout) {
  for_head(layout, layout.v(), 2, [&](std::size_t i) { data[i] = -data[i]; });
}

void mask_order(std::vector<double>& data, const AnyLayout& layout) {
  for (int i = layout.masks(); i < layout.scale(); ++i) {
    data[static_cast<std::size_t>(i)] = 1 - data[static_cast<std::size_t>(i)];
  }
}

void masks_redrawn(std::vector<double>& data, const AnyLayout& layout) {
  const double others[] = {1, 0, 1, 1, 0, 1, 1, 0};
  std::copy(std::begin(others), std::end(others), data.begin() + layout.masks());
}

void time_index(std::vector<double>& data, const AnyLayout& layout) {
  for (int t = 0; t < layout.steps / 2; ++t) {
    for (int k = 0; k < 2; ++k) {
      std::swap(data[static_cast<std::size_t>(layout.times() + 2 * t + k)],
                data[static_cast<std::size_t>(layout.times() + 2 * (layout.steps - 1 - t) + k)]);
    }
  }
}

struct Rule {
  double factor;  // of log J
  Info<double> operator()(const Sum<double>& before, const Sum<double>& after, double log_jacobian,
                          double u) const {
    return Metropolis{}(before, after, factor * log_jacobian, u);
  }
};

/// Words of a chain, but for the one that is the direction's coin: that may always say forwards.
struct Coins {
  Stream<double> stream;
  bool resamples;
};
Words<double> words(const Coins& coins, std::uint32_t transition, Purpose purpose,
                    std::uint32_t block) {
  static_assert(kDim <= 2, "the coin is in the first block");
  Words<double> w = lockstep::words(coins.stream, transition, purpose, block);
  if (!coins.resamples) {
    w.word[3].bits = 0;
  }
  return w;
}

/// A target that may leave the gradient at what it was.
struct Sloped : Bent<kDim> {
  bool recomputes;
  template <class T>
  Sum<T> potential_and_gradient(const T* x, T* gradient) const {
    T fresh[kDim];
    const Sum<T> u = lockstep::potential_and_gradient(Bent<kDim>{}, x, fresh);
    if (recomputes) {
      std::copy(fresh, fresh + kDim, gradient);
    }
    return u;
  }
};

/// The transition of a variant, of the kernel's own parts.
class Trial {
 public:
  explicit Trial(const Variant& variant)
      : variant_(variant), forwards_(some_network()), backwards_(some_network()) {
    if (variant.backwards) {
      variant.backwards(backwards_.data, backwards_.layout);
    }
  }

  static constexpr int dim = kDim;

  Info<double> operator()(const Bent<kDim>&, const Solo& group, const Stream<double>& stream,
                          std::uint32_t transition, Position<double, kDim>& x,
                          double* unused) const {
    const Coins coins{stream, variant_.resamples};
    const bool forward = forward_chains<double>(coins, transition, kDim);
    Trajectory trajectory;
    trajectory.step_size = kStep;
    const transitions::L2hmc<double, AnyShape, Rule> l2hmc{
        network(forward),
        trajectory,
        {forward ? variant_.jacobian_forwards : variant_.jacobian_backwards}};
    Sloped target;
    target.recomputes = variant_.recomputes;
    return l2hmc(target, group, coins, transition, x, unused);
  }

  Leg<double> go(bool forward, const Leg<double>& from) const {
    Leg<double> to = leg<double>(Bent<kDim>{}, network(forward), kStep, forward, from, nullptr,
                                 variant_.recomputes);
    to.log_jacobian *= forward ? variant_.jacobian_forwards : variant_.jacobian_backwards;
    return to;
  }

  double exact_log_jacobian(bool forward, const Leg<double>& from) const {
    return log_determinant<kDim>(Bent<kDim>{}, network(forward), kStep, forward, from);
  }

 private:
  L2hmcNetwork<double, AnyShape> network(bool forward) const {
    return (forward ? forwards_ : backwards_).net();
  }

  Variant variant_;
  Packed<double> forwards_, backwards_;
};

// ---- checks
// -----------------------------------------------------------------------------------------

struct Verdict {
  double statistic, limit;
  bool pass() const { return statistic <= limit; }
};

/// The worst of f(start) over some points and both directions.
template <class F>
double worst(F f) {
  exact::Random bits(9);
  double result = 0;
  for (int i = 0; i < 40; ++i) {
    std::vector<double> z(2 * kDim);
    for (double& value : z) {
      value = exact::normal(bits);
    }
    for (const bool forward : {true, false}) {
      const double statistic = f(starting_at(z), forward);
      result = statistic <= result ? result : statistic;  // NaN is larger than anything
    }
  }
  return result;
}

const char* const check_names[] = {"round trip", "antisymmetry", "determinant",
                                   "acceptance", "moments",      "flux"};

std::vector<Verdict> examine(const Variant& variant) {
  const Trial trial(variant);
  const Journey j = journey<double, kDim>(trial, 1 << 18, 1, 31);
  return {
      {worst([&](const Leg<double>& start, bool forward) {
         return testing::distance(start, trial.go(!forward, trial.go(forward, start)));
       }),
       1e-9},
      {worst([&](const Leg<double>& start, bool forward) {
         const Leg<double> end = trial.go(forward, start);
         return std::abs(end.log_jacobian + trial.go(!forward, end).log_jacobian);
       }),
       1e-9},
      {worst([&](const Leg<double>& start, bool forward) {
         return std::abs(trial.go(forward, start).log_jacobian -
                         trial.exact_log_jacobian(forward, start));
       }),
       1e-8},
      {testing::acceptance_error(j), 4},
      {testing::worst_moment(j), 4},
      {testing::worst_flux(j), 4},
  };
}

void print(const Variant& variant, const std::vector<Verdict>& verdicts) {
  std::printf("%-44s", variant.name.c_str());
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    std::printf("  %s%s %.2g", verdicts[i].pass() ? "" : "*", check_names[i],
                verdicts[i].statistic);
  }
  std::printf("\n");
}

TEST(L2hmcMutants, TrueKernelSurvives) {
  const Variant variant{"L2HMC"};
  const std::vector<Verdict> verdicts = examine(variant);
  print(variant, verdicts);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_TRUE(verdicts[i].pass()) << check_names[i] << ": " << verdicts[i].statistic;
  }
}

/// @param by  checks that must each fail
void is_killed(const Variant& variant, const std::vector<std::string>& by) {
  const std::vector<Verdict> verdicts = examine(variant);
  print(variant, verdicts);
  for (const std::string& check : by) {
    const auto killer = static_cast<std::size_t>(
        std::find(std::begin(check_names), std::end(check_names), check) - std::begin(check_names));
    ASSERT_LT(killer, verdicts.size()) << check;
    EXPECT_FALSE(verdicts[killer].pass()) << variant.name << " passes the check of " << check
                                          << " with " << verdicts[killer].statistic;
  }
}

// The errata of the paper's appendix, in what it prints for steps backwards.
TEST(L2hmcMutants, MomentumsScaleForPositionsBackwards) {
  is_killed({"S of V for S of X backwards", s_of_v_for_s_of_x}, {"round trip", "antisymmetry"});
}
TEST(L2hmcMutants, NoHalfStepBackwards) {
  is_killed({"exp(-S) for exp(-eps/2 S) backwards", no_half_step},
            {"round trip", "antisymmetry", "acceptance", "moments"});
}
TEST(L2hmcMutants, SignOfTranslationBackwards) {
  is_killed({"T of the other sign in v backwards", sign_of_t}, {"round trip", "antisymmetry"});
}

// Orders in which steps and halves are undone: laws hardly show them.
TEST(L2hmcMutants, MaskOrderBackwards) {
  is_killed({"mask order backwards", mask_order}, {"round trip", "antisymmetry"});
}
TEST(L2hmcMutants, TimeIndexBackwards) {
  is_killed({"time index backwards", time_index}, {"round trip", "antisymmetry"});
}
TEST(L2hmcMutants, MasksRedrawnBackwards) {
  is_killed({"masks redrawn backwards", masks_redrawn}, {"round trip", "antisymmetry"});
}

TEST(L2hmcMutants, NoJacobian) {
  is_killed({"no Jacobian", {}, 0, 0}, {"determinant", "acceptance", "moments"});
}
TEST(L2hmcMutants, NoJacobianForwards) {
  is_killed({"no Jacobian forwards", {}, 0, 1}, {"antisymmetry", "determinant", "moments"});
}
TEST(L2hmcMutants, SignOfJacobianBackwards) {
  is_killed({"Jacobian of the other sign backwards", {}, 1, -1},
            {"antisymmetry", "determinant", "acceptance", "moments"});
}

TEST(L2hmcMutants, DirectionNotResampled) {
  is_killed({"always forwards", {}, 1, 1, false}, {"acceptance", "moments", "flux"});
}
TEST(L2hmcMutants, GradientNotRecomputed) {
  is_killed({"gradient of the start", {}, 1, 1, true, false}, {"round trip"});
}

}  // namespace
}  // namespace lockstep
