#pragma once

#include "host/eigen.hpp"

namespace lockstep {

/// The positive definite S with S U S + c S = V. For c = 0 it is the geometric mean of V and U^-1,
/// which matches a normal law to draws of covariance V and gradients of covariance U.
/// With V = L L' and W = L' U L, S = L X L' where X W X + c X = I, so that X commutes with W:
///   X = 2 (c I + (c^2 I + 4 W)^1/2)^-1   (Cai et al., ICML 2024, theorem 2, in a symmetric form).
/// @param u  symmetric, positive semidefinite; definite where c = 0
/// @param v  symmetric, positive definite; from its lower triangle
/// @return   not finite where that fails
Eigen::MatrixXd geometric_mean(const Eigen::MatrixXd& u, const Eigen::MatrixXd& v, double c = 0);

}  // namespace lockstep
