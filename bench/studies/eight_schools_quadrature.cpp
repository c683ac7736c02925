#include "bench/studies/eight_schools_quadrature.hpp"

#include <cmath>

namespace lockstep::bench {

namespace {

using Model = EightSchoolsModel;

/// Weighted mean and variance of a quantity that is, at each node, normal: the law of total
/// variance.
class Mixture {
 public:
  void add(double weight, double mean, double variance) {
    first_ += weight * mean;
    second_ += weight * (variance + mean * mean);
    weights_ += weight;
  }
  void read(double& mean, double& variance) const {
    mean = first_ / weights_;
    variance = second_ / weights_ - mean * mean;
  }

 private:
  double weights_ = 0, first_ = 0, second_ = 0;
};

/// What is known once s is.
struct Conditional {
  double log_density;  // of s, up to a constant
  double mean_mu, var_mu;
  double tau;
  double v[Model::schools];
};

Conditional given(double s, const NormalPrior& prior) {
  Conditional c{};
  c.tau = std::exp(s);
  double precision = 1 / (prior.sd * prior.sd), weighted = prior.mean * precision;
  c.log_density =
      s - std::log1p(c.tau * c.tau / (HalfCauchySpread::scale * HalfCauchySpread::scale));
  for (int j = 0; j < Model::schools; ++j) {
    c.v[j] = Model::error[j] * Model::error[j] + c.tau * c.tau;
    precision += 1 / c.v[j];
    weighted += Model::effect[j] / c.v[j];
    c.log_density -= 0.5 * (std::log(c.v[j]) + Model::effect[j] * Model::effect[j] / c.v[j]);
  }
  c.mean_mu = weighted / precision;
  c.var_mu = 1 / precision;
  c.log_density += 0.5 * (weighted * c.mean_mu - std::log(precision));
  return c;
}

}  // namespace

EightSchoolsMoments eight_schools_moments(const NormalPrior& prior) {
  // The density falls like tau to the left and like tau^-8 to the right: what lies outside is below
  // 1e-16 of the whole, weighted with s^2 on the left and tau^2 on the right.
  constexpr double low = -48, high = 16, step = 1.0 / 64;
  Mixture mu, tau, log_tau, theta[Model::schools], offset[Model::schools];
  for (double s = low; s <= high; s += step) {
    const Conditional c = given(s, prior);
    const double w = std::exp(c.log_density);
    mu.add(w, c.mean_mu, c.var_mu);
    tau.add(w, c.tau, 0);
    log_tau.add(w, s, 0);
    for (int j = 0; j < Model::schools; ++j) {
      const double y = Model::effect[j], noise = Model::error[j] * Model::error[j];
      const double to_mu = noise / c.v[j];  // how much of mu is in theta_j
      theta[j].add(w, (1 - to_mu) * y + to_mu * c.mean_mu,
                   c.tau * c.tau * to_mu + to_mu * to_mu * c.var_mu);
      const double slope = c.tau / c.v[j];
      offset[j].add(w, slope * (y - c.mean_mu), to_mu + slope * slope * c.var_mu);
    }
  }
  EightSchoolsMoments m;
  mu.read(m.mean_mu, m.var_mu);
  tau.read(m.mean_tau, m.var_tau);
  log_tau.read(m.mean_log_tau, m.var_log_tau);
  for (int j = 0; j < Model::schools; ++j) {
    theta[j].read(m.mean_theta[j], m.var_theta[j]);
    offset[j].read(m.mean_offset[j], m.var_offset[j]);
  }
  return m;
}

}  // namespace lockstep::bench
