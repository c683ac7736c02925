#pragma once

/// The metric of a target's smooth coordinates, for samplers that give discontinuous ones another
/// kinetic energy: M^-1 restricted to rows and columns I, and a root of just that. Leaving rows out
/// of the root of the whole matrix would not do: with M^-1 = F F' the momentum's covariance has to
/// be the inverse of (F F')_II, to which columns of left-out coordinates contribute too.

#include <cmath>
#include <cstddef>
#include <vector>

#include "lockstep/engine.hpp"

namespace lockstep {

namespace detail {

/// A square matrix, row-major.
struct SquareMatrix {
  int n;
  std::vector<double> at;

  explicit SquareMatrix(int size)
      : n(size), at(static_cast<std::size_t>(size) * static_cast<std::size_t>(size)) {}
  double& operator()(int i, int j) { return at[static_cast<std::size_t>(i) * n + j]; }
  double operator()(int i, int j) const { return at[static_cast<std::size_t>(i) * n + j]; }
};

/// The eigenvalues of a symmetric matrix, on its diagonal, and its eigenvectors, columns of
/// `vectors`: Jacobi's rotations, for matrices as small as a metric's rank.
inline void diagonalise(SquareMatrix& a, SquareMatrix& vectors) {
  for (int i = 0; i < a.n; ++i) {
    for (int j = 0; j < a.n; ++j) {
      vectors(i, j) = i == j;
    }
  }
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0, size = 0;
    for (int i = 0; i < a.n; ++i) {
      for (int j = 0; j < a.n; ++j) {
        (i == j ? size : off) += a(i, j) * a(i, j);
      }
    }
    if (off <= 1e-30 * size) {
      return;
    }
    for (int p = 0; p < a.n; ++p) {
      for (int q = p + 1; q < a.n; ++q) {
        const double angle = 0.5 * std::atan2(2 * a(p, q), a(q, q) - a(p, p));
        const double c = std::cos(angle), s = std::sin(angle);
        const auto rotate = [&](double& x, double& y) {
          const double old = x;
          x = c * x - s * y;
          y = s * old + c * y;
        };
        for (int k = 0; k < a.n; ++k) {
          rotate(a(k, p), a(k, q));
          rotate(vectors(k, p), vectors(k, q));
        }
        for (int k = 0; k < a.n; ++k) {
          rotate(a(p, k), a(q, k));
        }
      }
    }
  }
}

/// Lower triangular F with F F' = a, in place of a.
inline void factorise(SquareMatrix& a) {
  for (int j = 0; j < a.n; ++j) {
    for (int i = j; i < a.n; ++i) {
      double rest = a(i, j);
      for (int k = 0; k < j; ++k) {
        rest -= a(i, k) * a(j, k);
      }
      a(i, j) = i == j ? std::sqrt(rest) : rest / a(j, j);
    }
    for (int i = 0; i < j; ++i) {
      a(i, j) = 0;
    }
  }
}

/// D (I + U (Lambda - I) U') D with rows of U and entries of D left out. What is left of U is no
/// longer orthonormal; with U_I' U_I = W diag(g) W' its columns span those of Q = U_I W g^(-1/2),
/// and U_I (Lambda - I) U_I' = Q C Q' with C = g^(1/2) W' (Lambda - I) W g^(1/2), diagonalised
/// anew.
inline void restrict_low_rank(PreparedMetric& metric, int dim, const std::vector<int>& left_out) {
  double* const values = metric.inverse_mass.data();
  const int rank = rank_of(metric.inverse_mass.size(), dim);
  double* const lambda = values + dim;
  const auto u = [&](int k, int j) -> double& {
    return lambda[rank + static_cast<std::ptrdiff_t>(k) * dim + j];
  };
  for (const int j : left_out) {
    values[j] = metric.factor[static_cast<std::size_t>(j)] = 0;
    for (int k = 0; k < rank; ++k) {
      u(k, j) = 0;
    }
  }
  SquareMatrix gram(rank), w(rank);
  for (int a = 0; a < rank; ++a) {
    for (int b = 0; b < rank; ++b) {
      for (int j = 0; j < dim; ++j) {
        gram(a, b) += u(a, j) * u(b, j);
      }
    }
  }
  diagonalise(gram, w);
  // Directions of which nothing is left do nothing.
  std::vector<double> root(static_cast<std::size_t>(rank));
  for (int a = 0; a < rank; ++a) {
    root[static_cast<std::size_t>(a)] = gram(a, a) > 1e-12 ? std::sqrt(gram(a, a)) : 0;
  }
  SquareMatrix c(rank), v(rank);
  for (int a = 0; a < rank; ++a) {
    for (int b = 0; b < rank; ++b) {
      for (int k = 0; k < rank; ++k) {
        c(a, b) += root[static_cast<std::size_t>(a)] * w(k, a) * (lambda[k] - 1) * w(k, b) *
                   root[static_cast<std::size_t>(b)];
      }
    }
  }
  diagonalise(c, v);
  SquareMatrix turn(rank);  // U_I turn = Q V
  for (int k = 0; k < rank; ++k) {
    for (int b = 0; b < rank; ++b) {
      for (int a = 0; a < rank; ++a) {
        const double g = root[static_cast<std::size_t>(a)];
        turn(k, b) += g > 0 ? w(k, a) / g * v(a, b) : 0;
      }
    }
  }
  std::vector<double> row(static_cast<std::size_t>(rank));
  for (int j = 0; j < dim; ++j) {
    for (int b = 0; b < rank; ++b) {
      double sum = 0;
      for (int k = 0; k < rank; ++k) {
        sum += u(k, j) * turn(k, b);
      }
      row[static_cast<std::size_t>(b)] = sum;
    }
    for (int b = 0; b < rank; ++b) {
      u(b, j) = row[static_cast<std::size_t>(b)];
    }
  }
  for (int b = 0; b < rank; ++b) {
    lambda[b] = 1 + c(b, b);
  }
}

}  // namespace detail

/// A metric whose M^-1 is that of `metric` for pairs of coordinates that stay, and zero elsewhere:
/// a momentum left out adds nothing to the kinetic energy and moves nothing.
inline PreparedMetric smooth_metric(PreparedMetric metric, int dim,
                                    const std::vector<int>& left_out) {
  if (left_out.empty()) {
    return metric;
  }
  if (metric.kind == Metric::low_rank) {
    detail::restrict_low_rank(metric, dim, left_out);
    return metric;
  }
  const bool dense = metric.kind == Metric::dense;
  const auto n = static_cast<std::size_t>(dim);
  for (const int out : left_out) {
    const auto j = static_cast<std::size_t>(out);
    for (std::size_t i = 0; dense && i < n; ++i) {
      metric.inverse_mass[i * n + j] = metric.inverse_mass[j * n + i] = 0;
    }
    metric.inverse_mass[dense ? j * n + j : j] = 1;  // until there is a root
  }
  if (dense) {
    detail::SquareMatrix factor(dim);
    factor.at = metric.inverse_mass;
    detail::factorise(factor);
    metric.factor = factor.at;
  }
  for (const int out : left_out) {
    const auto j = static_cast<std::size_t>(out);
    metric.inverse_mass[dense ? j * n + j : j] = 0;
    metric.factor[dense ? j * n + j : j] = 1;
  }
  return metric;
}

}  // namespace lockstep
