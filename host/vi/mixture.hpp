#pragma once

#include <vector>

#include "host/vi/importance.hpp"

namespace lockstep {

/// Draws of several normals, weighed as draws of their mixture: each by pi over the density of all
/// normals together, in proportion to how many draws each gave (the balance heuristic: Veach &
/// Guibas, SIGGRAPH 1995). A draw that its own normal hardly ever makes, but another often, then
/// does not outweigh the others, as it does by pi over its own normal's density.
class MixtureDraws {
 public:
  explicit MixtureDraws(Density& density) : density_(density) {}

  /// Adds draws of each of the normals, evaluated in one batch: normal k has the columns
  /// k n / count to (k + 1) n / count of z.
  /// @param z  [dim][n], standard normals
  void add(std::vector<Normal> normals, const Matrix& z);

  std::int64_t count() const { return q_.cols(); }
  /// [dim][draws]; the gradient is 0 where U or its gradient is not finite.
  const Matrix& q() const { return q_; }
  const Matrix& gradient() const { return gradient_; }

  /// log pi / q of each draw over the density of the mixture; -infinity where U is not finite.
  std::vector<double> log_ratios() const;

  /// E_q[-U - log q] of normal k over its own draws.
  Assessment own(std::size_t k) const;
  const Normal& normal(std::size_t k) const { return parts_[k].normal; }
  std::size_t normals() const { return parts_.size(); }

 private:
  struct Part {
    Normal normal;
    std::int64_t first, draws;
  };

  Density& density_;
  std::vector<Part> parts_;
  Matrix q_, gradient_;
  Eigen::VectorXd minus_potential_;  // -infinity where U or its gradient is not finite
  Eigen::VectorXd log_sum_;          // log of the sum of draws times density, over all normals
  Eigen::VectorXd log_own_;          // log density of the normal that drew it
};

}  // namespace lockstep
