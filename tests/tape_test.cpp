// The reverse-mode tape: each operation's first and second derivatives against central differences,
// then what is made of operations: shared sub-expressions, networks, gradient penalties,
// optimisers.

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/autodiff/layers.hpp"
#include "host/autodiff/operations.hpp"
#include "host/autodiff/optimiser.hpp"
#include "lockstep/error.hpp"
#include "tests/memory_archive.hpp"
#include "tests/message_of.hpp"

namespace lockstep::tape {
namespace {

using Inputs = std::vector<Variable>;
using Function = std::function<Variable(const Inputs&)>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Numbers in [low, high] without a pattern.
Matrix numbers(Index rows, Index cols, int seed, double low = -1, double high = 1) {
  RandomSequence random(static_cast<std::uint64_t>(seed), Purpose::data);
  Matrix m(rows, cols);
  for (Index i = 0; i < m.size(); ++i) {
    m.data()[i] = low + (high - low) * random.uniform();
  }
  return m;
}

Inputs parameters_of(const std::vector<Matrix>& values) {
  Inputs inputs;
  for (const Matrix& m : values) {
    inputs.push_back(Variable::parameter(m));
  }
  return inputs;
}

/// Gradients of a number against central differences of fourth order, (8 (f(h) - f(-h)) -
/// (f(2h) - f(-2h))) / (12 h), whose error is of order h^4 and 1e-16 / h.
void agrees_with_differences(const Function& f, const std::vector<Matrix>& at,
                             double tolerance = 1e-7) {
  const Inputs inputs = parameters_of(at);
  const std::vector<Variable> got = gradients(f(inputs), inputs);
  for (std::size_t k = 0; k < at.size(); ++k) {
    ASSERT_EQ(got[k].rows(), at[k].rows());
    ASSERT_EQ(got[k].cols(), at[k].cols());
    for (Index i = 0; i < at[k].size(); ++i) {
      const auto moved = [&](double by) {
        std::vector<Matrix> x = at;
        x[k].data()[i] += by;
        return f(parameters_of(x)).scalar();
      };
      const double h = 1e-3;
      const double expected =
          (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
      EXPECT_NEAR(got[k].value().data()[i], expected, tolerance * (1 + std::abs(expected)))
          << "input " << k << ", element " << i;
    }
  }
}

/// A number made of all elements, each with a weight of its own.
Variable weighted(const Variable& x, int seed) {
  return sum(x * Variable(numbers(x.rows(), x.cols(), seed, 0.5, 1.5)));
}

/// First derivatives, then those of the gradients.
void check_derivatives(const std::string& name, const Function& f, const std::vector<Matrix>& at) {
  SCOPED_TRACE(name);
  const Function first = [&](const Inputs& x) { return weighted(f(x), 1); };
  agrees_with_differences(first, at);
  agrees_with_differences(
      [&](const Inputs& x) {
        const std::vector<Variable> g = gradients(first(x), x, true);
        Variable total(0.0);
        for (std::size_t k = 0; k < g.size(); ++k) {
          total = total + weighted(g[k], 2 + static_cast<int>(k));
        }
        return total;
      },
      at);
}

// ---- operations -------------------------------------------------------------------------------

TEST(Operations, OfOneVariable) {
  const Matrix any = numbers(3, 2, 11, -2, 2), positive = numbers(3, 2, 12, 0.5, 2);
  // Away from the kinks at 0, +-0.9.
  Matrix apart(3, 2);
  apart << -1.5, 0.3, 2.2, -0.4, 1.1, -0.7;
  const struct {
    const char* name;
    Variable (*f)(const Variable&);
    Matrix at;
  } cases[] = {
      {"minus", [](const Variable& x) { return -x; }, any},
      {"exp", exp, any},
      {"log", log, positive},
      {"sqrt", sqrt, positive},
      {"square", square, any},
      {"sin", sin, any},
      {"cos", cos, any},
      {"tanh", tanh, any},
      {"sigmoid", sigmoid, any},
      {"softplus", softplus, any},
      {"relu", relu, apart},
      {"clamp", [](const Variable& x) { return clamp(x, -0.9, 0.9); }, apart},
      {"transpose", transpose, any},
      {"sum", sum, any},
      {"mean", mean, any},
      {"sum over rows", sum_over_rows, any},
      {"sum over columns", sum_over_columns, any},
      {"columns", [](const Variable& x) { return columns(x, 1, 1); }, any},
      {"broadcast", [](const Variable& x) { return broadcast_to(sum_over_rows(x), 4, 2); }, any},
  };
  for (const auto& c : cases) {
    // The square makes second derivatives of linear operations something to get wrong.
    check_derivatives(c.name, [&](const Inputs& x) { return c.f(x[0]); }, {c.at});
    check_derivatives(std::string("square of ") + c.name,
                      [&](const Inputs& x) { return square(c.f(x[0])); }, {c.at});
    check_derivatives(std::string(c.name) + " of a square",
                      [&](const Inputs& x) { return c.f(square(x[0])); }, {c.at});
  }
}

TEST(Operations, OfTwoVariablesAndTheirBroadcasts) {
  const struct {
    const char* name;
    Variable (*f)(const Variable&, const Variable&);
  } cases[] = {
      {"sum", [](const Variable& a, const Variable& b) { return a + b; }},
      {"difference", [](const Variable& a, const Variable& b) { return a - b; }},
      {"product", [](const Variable& a, const Variable& b) { return a * b; }},
      {"quotient", [](const Variable& a, const Variable& b) { return a / b; }},
      {"minimum", minimum},
      {"maximum", maximum},
  };
  const std::pair<Index, Index> shapes[] = {{3, 2}, {1, 2}, {3, 1}, {1, 1}};
  for (const auto& c : cases) {
    for (const auto& [rows, cols] : shapes) {
      for (const auto& [other_rows, other_cols] : shapes) {
        check_derivatives(
            c.name, [&](const Inputs& x) { return square(c.f(x[0], x[1])); },
            {numbers(rows, cols, 21, 0.5, 2), numbers(other_rows, other_cols, 22, 0.5, 2)});
      }
    }
  }
}

TEST(Operations, MatrixProduct) {
  check_derivatives("matmul", [](const Inputs& x) { return matmul(x[0], x[1]); },
                    {numbers(3, 4, 31), numbers(4, 2, 32)});
  check_derivatives("matmul, squared", [](const Inputs& x) { return square(matmul(x[0], x[1])); },
                    {numbers(3, 4, 33), numbers(4, 2, 34)});
  Matrix a(1, 2), b(2, 1);
  a << 2, 3;
  b << 5, 7;
  EXPECT_EQ(matmul(a, b).scalar(), 31);
}

TEST(Operations, Concatenation) {
  check_derivatives("concatenate",
                    [](const Inputs& x) {
                      return square(concatenate({x[0], x[1], x[0]}));
                    },
                    {numbers(3, 2, 41), numbers(3, 1, 42)});
}

TEST(Operations, SelectionByMask) {
  Mask mask(2, 2);
  mask << true, false, false, true;
  check_derivatives("select", [&](const Inputs& x) { return square(select(mask, x[0], x[1])); },
                    {numbers(2, 2, 51), numbers(1, 2, 52)});
}

TEST(Operations, NothingPassesFromTheSideNotTaken) {
  Mask mask(1, 2);
  mask << true, false;
  Matrix value(1, 2);
  value << 2, -1;  // whose logarithm is NaN, and stays out
  const Variable x = Variable::parameter(value);
  const Variable y = sum(select(mask, log(x), 0.0));
  EXPECT_EQ(y.scalar(), std::log(2.0));
  const Matrix g = gradients(y, {x})[0].value();
  EXPECT_EQ(g(0), 0.5);
  EXPECT_TRUE(std::isnan(clamp(kNan, 0, 1).scalar()));
}

TEST(Operations, FarArgumentsStayFinite) {
  for (const double x : {-800.0, 800.0}) {
    const Variable v = Variable::parameter(Matrix::Constant(1, 1, x));
    EXPECT_EQ(softplus(v).scalar(), x > 0 ? x : 0);
    EXPECT_EQ(gradients(softplus(v), {v})[0].scalar(), x > 0 ? 1 : 0);
    EXPECT_EQ(gradients(sigmoid(v), {v})[0].scalar(), 0);
  }
}

TEST(Operations, ConstantsStopGradients) {
  const Variable x = Variable::parameter(Matrix::Constant(1, 1, 3.0));
  EXPECT_FALSE(stop_gradient(x).needs_gradient());
  EXPECT_EQ(gradients(x * stop_gradient(x), {x})[0].scalar(), 3);
  EXPECT_FALSE((Variable(1.0) + Variable(2.0)).needs_gradient());
}

// ---- graphs -----------------------------------------------------------------------------------

TEST(Graph, SharedExpressionsAddUp) {
  check_derivatives("shared",
                    [](const Inputs& x) {
                      const Variable s = tanh(x[0]), t = s * s + exp(s);
                      return t * s + t / (2 + square(t));
                    },
                    {numbers(2, 2, 61)});
}

TEST(Graph, ThirdDerivative) {
  const Variable x = Variable::parameter(Matrix::Constant(1, 1, 0.7));
  const Variable first = gradients(sin(x), {x}, true)[0];
  const Variable second = gradients(first, {x}, true)[0];
  EXPECT_NEAR(gradients(second, {x})[0].scalar(), -std::cos(0.7), 1e-15);
}

TEST(Graph, InputsInTheMiddleAndUnused) {
  const Variable x = Variable::parameter(Matrix::Constant(1, 1, 2.0));
  const Variable unused = Variable::parameter(Matrix::Zero(2, 3));
  const Variable y = square(x), z = y * x;
  const std::vector<Variable> g = gradients(z, {x, y, unused, z});
  EXPECT_EQ(g[0].scalar(), 12);
  EXPECT_EQ(g[1].scalar(), 2);
  EXPECT_EQ(g[2].value(), Matrix::Zero(2, 3));
  EXPECT_EQ(g[3].scalar(), 1);
}

TEST(Graph, BackwardAccumulatesUntilCleared) {
  Variable x = Variable::parameter(Matrix::Constant(1, 1, 3.0));
  backward(square(x));
  backward(square(x));
  EXPECT_EQ(x.gradient()(0), 12);
  x.clear_gradient();
  EXPECT_EQ(x.gradient()(0), 0);
}

TEST(Graph, NotRecordedUnlessAsked) {
  const Variable x = Variable::parameter(Matrix::Constant(1, 1, 3.0));
  EXPECT_FALSE(gradients(square(x), {x})[0].needs_gradient());
  EXPECT_TRUE(gradients(square(x), {x}, true)[0].needs_gradient());
  EXPECT_TRUE(square(x).needs_gradient());  // recording goes on afterwards
}

TEST(Graph, LongChainsAreFreedWithoutRecursion) {
  const Variable x = Variable::parameter(Matrix::Constant(1, 1, 1.0));
  Variable y = x;
  for (int i = 0; i < 100000; ++i) {
    y = y * 1.0 + y * 0.0;
  }
  EXPECT_EQ(gradients(y, {x})[0].scalar(), 1);
}

// ---- networks ---------------------------------------------------------------------------------

/// x W1 + b1 -> softplus -> W2 + b2, whose gradient's norm is smooth everywhere.
Variable two_layers(const Inputs& p, const Variable& x) {
  return matmul(softplus(matmul(x, p[0]) + p[1]), p[2]) + p[3];
}
std::vector<Matrix> two_layers_at() {
  return {numbers(3, 5, 71), numbers(1, 5, 72), numbers(5, 1, 73), numbers(1, 1, 74)};
}

TEST(Network, GradientOfTwoLayers) {
  const Matrix x = numbers(6, 3, 75), y = numbers(6, 1, 76);
  agrees_with_differences([&](const Inputs& p) { return mean(square(two_layers(p, x) - y)); },
                          two_layers_at());
}

TEST(Network, GradientPenalty) {
  const Matrix at = numbers(6, 3, 77);
  agrees_with_differences(
      [&](const Inputs& p) {
        const Variable x = Variable::parameter(at);
        const Variable slope = gradients(sum(two_layers(p, x)), {x}, true)[0];
        return mean(square(sqrt(sum_over_columns(square(slope))) - 1));
      },
      two_layers_at());
}

TEST(Network, LayersStartAsSaid) {
  RandomSequence random(5, Purpose::network);
  const Linear layer(200, 100, random, 0.5);
  const auto w = layer.weight.value().array();
  const double sd = std::sqrt(2 * 0.5 / 200);
  EXPECT_NEAR(w.mean(), 0, 4 * sd / std::sqrt(20000.0));
  EXPECT_NEAR(w.square().mean() / (sd * sd), 1, 0.04);
  EXPECT_LE(w.abs().maxCoeff(), 2 * sd / std::sqrt(0.77374));
  EXPECT_EQ(layer.bias.value(), Matrix::Zero(1, 100));
}

TEST(Network, LearnsXor) {
  RandomSequence random(1, Purpose::network);
  const Mlp net({2, 8, 1}, random);
  Adam adam(net.parameters());
  Matrix x(4, 2), y(4, 1);
  x << 0, 0, 0, 1, 1, 0, 1, 1;
  y << 0, 1, 1, 0;
  double loss = 1;
  for (int i = 0; i < 500; ++i) {
    const Variable l = mean(square(net(x) - y));
    backward(l);
    adam.step(0.03);
    loss = l.scalar();
  }
  EXPECT_LT(loss, 1e-3);
}

// ---- optimisers -------------------------------------------------------------------------------

TEST(Optimiser, AdamByHand) {
  // x = 1, gradients 0.5 and then -1, rate 0.1, betas 0.9 and 0.999, epsilon 0:
  // step 1: m / (1 - b1) = 0.5, v / (1 - b2) = 0.25: x = 1 - 0.1
  // step 2: m = 0.9 * 0.05 - 0.1 = -0.055, / 0.19; v = 0.999 * 0.00025 + 0.001 = 0.00124975,
  //         / 0.001999
  Variable x = Variable::parameter(Matrix::Constant(1, 1, 1.0));
  Adam adam({x}, {0.9, 0.999, 1e-300});
  backward(0.5 * x);
  EXPECT_EQ(adam.step(0.1), 0.5);
  EXPECT_NEAR(x.scalar(), 0.9, 1e-15);
  backward(-1 * x);
  adam.step(0.1);
  const double step = 0.1 * (-0.055 / 0.19) / std::sqrt(0.00124975 / 0.001999);
  EXPECT_NEAR(x.scalar(), 0.9 - step, 1e-15);
}

TEST(Optimiser, AdamResumesToTheSameBits) {
  const auto run = [](Adam& adam, Variable& x, int steps) {
    for (int i = 0; i < steps; ++i) {
      backward(sum(square(x) * Variable(numbers(2, 2, 81))));
      adam.step(0.01);
    }
  };
  Variable whole = Variable::parameter(Matrix::Ones(2, 2));
  Adam all({whole});
  run(all, whole, 7);

  Variable part = Variable::parameter(Matrix::Ones(2, 2));
  Adam before({part});
  run(before, part, 3);
  testing::MemoryArchive saved;
  before.archive(saved);
  Adam after({part});
  testing::MemoryArchive loaded(saved.memory());
  after.archive(loaded);
  EXPECT_TRUE(loaded.at_end());
  run(after, part, 4);
  EXPECT_EQ(part.value(), whole.value());
}

TEST(Optimiser, SgdByHand) {
  Variable x = Variable::parameter(Matrix::Constant(1, 1, 2.0));
  Sgd plain({x});
  backward(square(x));
  plain.step(0.25);
  EXPECT_EQ(x.scalar(), 1);  // 2 - 0.25 * 4
  Sgd heavy({x}, 0.5);
  backward(square(x));
  heavy.step(0.25);
  EXPECT_EQ(x.scalar(), 0.5);  // velocity 2
  backward(square(x));
  heavy.step(0.25);
  EXPECT_EQ(x.scalar(), 0);  // velocity 0.5 * 2 + 1
}

TEST(Optimiser, ClippingKeepsTheDirection) {
  Matrix start(1, 2);
  start << 3, 4;
  Variable x = Variable::parameter(start);
  Sgd sgd({x}, 0, 1);
  backward(0.5 * sum(square(x)));
  EXPECT_EQ(sgd.step(1), 5);  // the norm before
  EXPECT_NEAR(x.value()(0), 3 - 0.6, 1e-15);
  EXPECT_NEAR(x.value()(1), 4 - 0.8, 1e-15);
}

TEST(Optimiser, FlatVectorsGoThereAndBack) {
  std::vector<Variable> p = parameters_of({numbers(2, 3, 91), numbers(1, 2, 92)});
  std::vector<double> flat = flat_values(p);
  EXPECT_EQ(flat.size(), 8u);
  for (double& f : flat) {
    f += 1;
  }
  assign_flat(p, flat);
  EXPECT_EQ(p[0].value(), (numbers(2, 3, 91).array() + 1).matrix());
  EXPECT_EQ(flat_values(p), flat);
}

// ---- errors -----------------------------------------------------------------------------------

TEST(Errors, ShapesThatDoNotFitAreNamed) {
  const Variable a(Matrix::Zero(2, 3)), b(Matrix::Zero(4, 3)), c(Matrix::Zero(2, 2));
  throws_naming([&] { a + b; }, {"2 x 3", "4 x 3"});
  throws_naming([&] { a - c; }, {"2 x 3", "2 x 2"});
  throws_naming([&] { a* b; }, {"2 x 3", "4 x 3"});
  throws_naming([&] { a / b; }, {"2 x 3", "4 x 3"});
  throws_naming([&] { minimum(a, b); }, {"2 x 3", "4 x 3"});
  throws_naming([&] { matmul(a, b); }, {"2 x 3", "4 x 3"});
  throws_naming([&] { concatenate({a, b}); }, {"2 x 3", "4 x 3"});
  throws_naming([&] { select(Mask::Constant(2, 3, true), a, c); }, {"2 x 3", "2 x 2"});
  throws_naming([&] { broadcast_to(a, 3, 3); }, {"2 x 3", "3 x 3"});
  throws_naming([&] { sum_to(a, 2, 2); }, {"2 x 3", "2 x 2"});
  throws_naming([&] { columns(a, 2, 2); }, {"2 to 4", "2 x 3"});
  throws_naming([&] { concatenate({}); }, {"nothing"});
  throws_naming([&] { clamp(a, 1, 0); }, {"empty"});
}

TEST(Errors, GradientsOfWhatHasNone) {
  Variable x = Variable::parameter(Matrix::Zero(2, 3));
  throws_naming([&] { backward(x + 1); }, {"2 x 3", "sum or mean"});
  throws_naming([&] { gradients(sum(x), {Variable(1.0)}); }, {"1 x 1", "constant"});
  throws_naming([&] { Variable(1.0).gradient(); }, {"no parameter"});
  throws_naming([&] { x.assign(Matrix::Zero(3, 2)); }, {"2 x 3", "3 x 2"});
  throws_naming([&] { x.scalar(); }, {"2 x 3"});
}

TEST(Errors, OptimisersAndLayers) {
  RandomSequence random(1, Purpose::network);
  std::vector<Variable> p = parameters_of({numbers(2, 3, 1)});
  throws_naming([&] { assign_flat(p, {1, 2}); }, {"6", "2"});
  throws_naming([&] { Adam(p, {1.0, 0.999, 1e-8}); }, {"beta", "1.0"});
  throws_naming([&] { Adam(p, {0.9, 0.999, 0}); }, {"epsilon"});
  throws_naming([&] { Sgd(p, 1); }, {"momentum", "1.0"});
  throws_naming([&] { Linear(0, 1, random); }, {"0 inputs"});
  throws_naming([&] { Mlp({3}, random); }, {"1 widths"});
  lockstep::Adam flat(3);
  std::vector<double> two(2);
  throws_naming([&] { flat.step(two, two, 1); }, {"3", "2"});
}

}  // namespace
}  // namespace lockstep::tape
