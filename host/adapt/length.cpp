#include "host/adapt/length.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/transitions/trajectory.hpp"

namespace lockstep {

namespace {

// Adam (Kingma & Ba 2015) with the ChEES paper's settings: no momentum, since the objective moves
// with the step size and the metric.
constexpr double kRate = 0.025, kDecay = 0.95, kTiny = 1e-8;
/// Of the leading component: the weight of the newest transition.
constexpr double kComponentRate = 0.2;

}  // namespace

TrajectoryLength::TrajectoryLength(Length criterion, int dim, double length)
    : criterion_(criterion),
      dim_(dim),
      length_(2 * length),
      component_(Eigen::VectorXd::Constant(dim, 1 / std::sqrt(static_cast<double>(dim)))) {}

int TrajectoryLength::steps(std::uint32_t transition, double step_size) const {
  const double h = radical_inverse(transition + 1) * 0x1p-32;
  const double steps = std::ceil(h * length_ / step_size);
  return static_cast<int>(std::clamp<double>(steps, 1, kMostSteps));
}

void TrajectoryLength::update(const Whitening& whitening, const std::vector<double>& before,
                              const std::vector<double>& after, const std::vector<double>& momenta,
                              double length, double step_size) {
  const auto chains = static_cast<Eigen::Index>(before.size()) / dim_;
  const auto matrix = [&](const std::vector<double>& v) {
    return Matrix(Eigen::Map<const Matrix>(v.data(), dim_, chains));
  };
  Matrix y = matrix(before), z = matrix(after), v = matrix(momenta);
  const Eigen::RowVectorXd moved =
      (y.array() != z.array()).cast<double>().colwise().maxCoeff().matrix();
  const double accepted = moved.sum();
  if (accepted == 0) {
    return;
  }
  y.colwise() -= Eigen::VectorXd(y.rowwise().mean());
  z.colwise() -= Eigen::VectorXd(z.rowwise().mean());
  whitening.positions(y);
  whitening.positions(z);
  whitening.velocities(v);

  Eigen::ArrayXd jump,
      slope;  // of each chain: the square root of C, and a quarter of dC/dt over it
  if (criterion_ == Length::snaper) {
    find_component(y);
    const Eigen::ArrayXd start = (component_.transpose() * y).array();
    const Eigen::ArrayXd end = (component_.transpose() * z).array();
    jump = end.square() - start.square();
    slope = end * (component_.transpose() * v).transpose().array();
  } else {
    jump = (z.colwise().squaredNorm() - y.colwise().squaredNorm()).array();
    slope = z.cwiseProduct(v).colwise().sum().array();
  }
  const Eigen::ArrayXd weight = moved.array() / accepted;
  const double rise = (weight * 4 * jump * slope).sum() * length;  // dE[C] / d log t
  const double gradient =
      criterion_ == Length::snaper ? (rise - (weight * jump.square()).sum()) / length : rise;
  if (!std::isfinite(gradient)) {
    return;
  }
  ++updates_;
  square_ = kDecay * square_ + (1 - kDecay) * gradient * gradient;
  const double scale = std::sqrt(square_ / (1 - std::pow(kDecay, updates_))) + kTiny;
  length_ *= std::exp(kRate * gradient / scale);
  length_ = std::clamp(length_, step_size, kMostSteps * step_size);
}

/// One step of power iteration on this transition's covariance, averaged over transitions.
void TrajectoryLength::find_component(const Matrix& y) {
  const Eigen::VectorXd image = y * (y.transpose() * component_);
  const double norm = image.norm();
  if (norm > 0 && std::isfinite(norm)) {
    component_ += kComponentRate * (image / norm - component_);
    component_.normalize();
  }
}

void TrajectoryLength::archive(Archive& a) {
  a(length_, square_, updates_);
  a.bytes(component_.data(), static_cast<std::size_t>(dim_) * sizeof(double));
}

}  // namespace lockstep
