#pragma once

/// Eigen, without the warnings that GCC 12's own AVX-512 headers cause in it: they start from
/// deliberately undefined registers (GCC bug 105593). And without its threads: how it blocks a
/// product, and so the order of its sums, would depend on how many there are.

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
