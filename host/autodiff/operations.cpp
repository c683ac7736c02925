#include "host/autodiff/operations.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "lockstep/error.hpp"

namespace lockstep::tape {

namespace {

void check_shapes(bool fit, const char* what, const Variable& a, const Variable& b) {
  require(fit, std::string(what) + " of matrices of shapes " + shape(a.value()) + " and " +
                   shape(b.value()) + ": they do not fit");
}

/// Both at the shape that they share.
std::pair<Variable, Variable> broadcast(const char* what, const Variable& a, const Variable& b) {
  if (a.rows() == b.rows() && a.cols() == b.cols()) {
    return {a, b};
  }
  check_shapes((a.rows() == b.rows() || a.rows() == 1 || b.rows() == 1) &&
                   (a.cols() == b.cols() || a.cols() == 1 || b.cols() == 1),
               what, a, b);
  const Index rows = a.rows() == 1 ? b.rows() : a.rows();
  const Index cols = a.cols() == 1 ? b.cols() : a.cols();
  return {broadcast_to(a, rows, cols), broadcast_to(b, rows, cols)};
}

/// An operation on each element: y = f(x), with dx = slope(dy, y).
template <class Array>
Variable elementwise(const Variable& x, const Array& value, Pull pull) {
  return Variable::record(Matrix(value), {x}, {std::move(pull)});
}

/// x where the mask holds and 0 elsewhere, whatever x is there.
Variable masked(const Variable& x, const Mask& mask) {
  const Matrix zero = Matrix::Zero(mask.rows(), mask.cols());
  return elementwise(x, mask.select(x.value(), zero),
                     [mask](const Variable& g, const Variable&) { return masked(g, mask); });
}

}  // namespace

Variable operator+(const Variable& a, const Variable& b) {
  const auto [x, y] = broadcast("the sum", a, b);
  return Variable::record(x.value() + y.value(), {x, y},
                          {[](const Variable& g, const Variable&) { return g; },
                           [](const Variable& g, const Variable&) { return g; }});
}

Variable operator-(const Variable& a, const Variable& b) {
  const auto [x, y] = broadcast("the difference", a, b);
  return Variable::record(x.value() - y.value(), {x, y},
                          {[](const Variable& g, const Variable&) { return g; },
                           [](const Variable& g, const Variable&) { return -g; }});
}

Variable operator*(const Variable& a, const Variable& b) {
  const auto [x, y] = broadcast("the product", a, b);
  return Variable::record(x.value().cwiseProduct(y.value()), {x, y},
                          {[](const Variable& g, const Variable& r) { return g * r.input(1); },
                           [](const Variable& g, const Variable& r) { return g * r.input(0); }});
}

Variable operator/(const Variable& a, const Variable& b) {
  const auto [x, y] = broadcast("the quotient", a, b);
  return Variable::record(
      x.value().cwiseQuotient(y.value()), {x, y},
      {[](const Variable& g, const Variable& r) { return g / r.input(1); },
       [](const Variable& g, const Variable& r) { return -(g * r / r.input(1)); }});
}

Variable operator-(const Variable& x) {
  return elementwise(x, -x.value(), [](const Variable& g, const Variable&) { return -g; });
}

Variable matmul(const Variable& a, const Variable& b) {
  check_shapes(a.cols() == b.rows(), "the matrix product", a, b);
  return Variable::record(
      a.value() * b.value(), {a, b},
      {[](const Variable& g, const Variable& r) { return matmul(g, transpose(r.input(1))); },
       [](const Variable& g, const Variable& r) { return matmul(transpose(r.input(0)), g); }});
}

Variable transpose(const Variable& x) {
  return elementwise(x, x.value().transpose(),
                     [](const Variable& g, const Variable&) { return transpose(g); });
}

Variable exp(const Variable& x) {
  return elementwise(x, x.value().array().exp(),
                     [](const Variable& g, const Variable& y) { return g * y; });
}

Variable log(const Variable& x) {
  return elementwise(x, x.value().array().log(),
                     [](const Variable& g, const Variable& y) { return g / y.input(0); });
}

Variable sqrt(const Variable& x) {
  return elementwise(x, x.value().array().sqrt(),
                     [](const Variable& g, const Variable& y) { return 0.5 * g / y; });
}

Variable square(const Variable& x) {
  return elementwise(x, x.value().array().square(),
                     [](const Variable& g, const Variable& y) { return 2 * g * y.input(0); });
}

Variable sin(const Variable& x) {
  return elementwise(x, x.value().array().sin(),
                     [](const Variable& g, const Variable& y) { return g * cos(y.input(0)); });
}

Variable cos(const Variable& x) {
  return elementwise(x, x.value().array().cos(),
                     [](const Variable& g, const Variable& y) { return -(g * sin(y.input(0))); });
}

Variable tanh(const Variable& x) {
  return elementwise(x, x.value().array().tanh(),
                     [](const Variable& g, const Variable& y) { return g * (1 - square(y)); });
}

/// (1 + tanh(x / 2)) / 2, which overflows nowhere.
Variable sigmoid(const Variable& x) {
  return elementwise(x, 0.5 + 0.5 * (0.5 * x.value().array()).tanh(),
                     [](const Variable& g, const Variable& y) { return g * y * (1 - y); });
}

/// max(x, 0) + log(1 + exp(-|x|)), which overflows nowhere.
Variable softplus(const Variable& x) {
  const auto v = x.value().array();
  return elementwise(x, v.max(0.0) + (-v.abs()).exp().log1p(),
                     [](const Variable& g, const Variable& y) { return g * sigmoid(y.input(0)); });
}

Variable relu(const Variable& x) {
  return elementwise(
      x, x.value().unaryExpr([](double v) { return v < 0 ? 0 : v; }),
      [](const Variable& g, const Variable& y) {
        return g *
               Variable(Matrix(y.value().unaryExpr([](double v) { return v > 0 ? 1.0 : 0.0; })));
      });
}

Variable select(const Mask& mask, const Variable& a, const Variable& b) {
  const auto side = [&](const Variable& x, const Mask& where) {
    require(
        (x.rows() == mask.rows() || x.rows() == 1) && (x.cols() == mask.cols() || x.cols() == 1),
        "a mask of shape " + std::to_string(mask.rows()) + " x " + std::to_string(mask.cols()) +
            " chooses from a matrix of shape " + shape(x.value()) + ": they do not fit");
    return masked(broadcast_to(x, mask.rows(), mask.cols()), where);
  };
  return side(a, mask) + side(b, !mask);
}

Variable minimum(const Variable& a, const Variable& b) {
  const auto [x, y] = broadcast("the minimum", a, b);
  return select(!(x.value().array() > y.value().array()), x, y);
}

Variable maximum(const Variable& a, const Variable& b) {
  const auto [x, y] = broadcast("the maximum", a, b);
  return select(!(x.value().array() < y.value().array()), x, y);
}

Variable clamp(const Variable& x, double low, double high) {
  require(low <= high, "clamp: the interval [" + std::to_string(low) + ", " + std::to_string(high) +
                           "] is empty");
  return minimum(maximum(x, low), high);
}

Variable sum(const Variable& x) {
  return sum_to(x, 1, 1);
}

Variable mean(const Variable& x) {
  return sum(x) / static_cast<double>(x.value().size());
}

Variable sum_over_rows(const Variable& x) {
  return sum_to(x, 1, x.cols());
}

Variable sum_over_columns(const Variable& x) {
  return sum_to(x, x.rows(), 1);
}

Variable broadcast_to(const Variable& x, Index rows, Index cols) {
  if (x.rows() == rows && x.cols() == cols) {
    return x;
  }
  require((x.rows() == rows || x.rows() == 1) && (x.cols() == cols || x.cols() == 1),
          "a matrix of shape " + shape(x.value()) + " cannot be broadcast to " +
              std::to_string(rows) + " x " + std::to_string(cols));
  Matrix value(rows, cols);
  if (x.rows() == rows) {
    value.colwise() = x.value().col(0);
  } else {
    for (Index j = 0; j < cols; ++j) {  // a column is contiguous
      value.col(j).setConstant(x.value()(0, x.cols() == cols ? j : 0));
    }
  }
  return elementwise(x, value, [](const Variable& g, const Variable& y) {
    return sum_to(g, y.input(0).rows(), y.input(0).cols());
  });
}

Variable sum_to(const Variable& x, Index rows, Index cols) {
  if (x.rows() == rows && x.cols() == cols) {
    return x;
  }
  require((x.rows() == rows || rows == 1) && (x.cols() == cols || cols == 1),
          "a matrix of shape " + shape(x.value()) + " cannot be summed to " + std::to_string(rows) +
              " x " + std::to_string(cols));
  Matrix value = x.value();
  if (rows == 1) {
    value = value.colwise().sum().eval();
  }
  if (cols == 1) {
    value = value.rowwise().sum().eval();
  }
  return elementwise(x, value, [](const Variable& g, const Variable& y) {
    return broadcast_to(g, y.input(0).rows(), y.input(0).cols());
  });
}

Variable concatenate(const std::vector<Variable>& parts) {
  require(!parts.empty(), "concatenate was given nothing: give it one matrix or more");
  Index cols = 0;
  for (const Variable& x : parts) {
    check_shapes(x.rows() == parts.front().rows(), "the concatenation", parts.front(), x);
    cols += x.cols();
  }
  Matrix value(parts.front().rows(), cols);
  std::vector<Pull> pulls;
  Index first = 0;
  for (const Variable& x : parts) {
    const Index count = x.cols();
    value.middleCols(first, count) = x.value();
    pulls.emplace_back(
        [first, count](const Variable& g, const Variable&) { return columns(g, first, count); });
    first += count;
  }
  return Variable::record(std::move(value), parts, std::move(pulls));
}

Variable columns(const Variable& x, Index first, Index count) {
  require(first >= 0 && count >= 0 && first + count <= x.cols(),
          "columns " + std::to_string(first) + " to " + std::to_string(first + count) +
              " are not all in a matrix of shape " + shape(x.value()));
  return elementwise(x, x.value().middleCols(first, count),
                     [first, count](const Variable& g, const Variable& y) {
                       const Index rows = y.rows(), after = y.input(0).cols() - first - count;
                       return concatenate({Variable(Matrix::Zero(rows, first).eval()), g,
                                           Variable(Matrix::Zero(rows, after).eval())});
                     });
}

Variable stop_gradient(const Variable& x) {
  return Variable(x.value());
}

}  // namespace lockstep::tape
