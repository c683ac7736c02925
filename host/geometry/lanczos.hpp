#pragma once

#include <functional>

#include "host/adapt/metric.hpp"

namespace lockstep {

/// y = S x, a symmetric S of its own for each column; both [dim][points].
using SymmetricProducts = std::function<void(const Matrix& x, Matrix& y)>;

/// The ends of the spectra of many symmetric matrices, [points] each; NaN where a product is not
/// finite.
struct SpectrumEnds {
  Eigen::VectorXd smallest, largest;
  int products = 0;  // calls of SymmetricProducts, each of all points
};

/// By Lanczos iterations in lockstep from random directions, reorthogonalised in full (Golub & Van
/// Loan, Matrix Computations, 4th ed., 10.3). A point goes on until the residuals |S v - theta v|
/// of both its extreme Ritz pairs are at most `tolerance` |theta|, which is how far the ends can be
/// from an eigenvalue, or for dim products, after which they are exact but for rounding.
SpectrumEnds spectrum_ends(const SymmetricProducts& products, int dim, int points,
                           double tolerance);

}  // namespace lockstep
