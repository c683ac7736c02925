#include "host/adapt/hops.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace lockstep {

namespace {

/// kDualAveragingOfMany's gamma is for a slope of -0.7, and this one's is -(1 - target).
DualAveragingConstants constants_for(double target) {
  DualAveragingConstants c = kDualAveragingOfMany;
  c.gamma *= (1 - target) / 0.7;
  return c;
}

/// Of a coordinate in a transition (visits_of).
double visits_on_average(const Sampler& s) {
  if (s.method != Method::dhmc) {
    return 1;
  }
  return s.longest > 0 ? 0.5 * (s.leapfrog + s.longest) : s.leapfrog;
}

}  // namespace

double target_no_flip(const Sampler& sampler) {
  if (sampler.target_no_flip > 0) {
    return sampler.target_no_flip;
  }
  // One direction of a long trajectory, or a random walk in one dimension (Gelman, Roberts & Gilks
  // 1996).
  return sampler.method == Method::dhmc ? 0.8 : 0.44;
}

Hops::Hops(const Sampler& sampler, std::vector<int> sites, int dim)
    : sites_(std::move(sites)),
      dim_(dim),
      tuned_(!sites_.empty() && sampler.hop == 0),
      each_(sampler.hop_per_coordinate),
      given_(sampler.hop),
      target_(lockstep::target_no_flip(sampler)),
      mean_visits_(visits_on_average(sampler)),
      given_scales_(sampler.hop_scale),
      scales_(sites_.size(), 1.0),
      rules_(each() ? static_cast<std::int64_t>(sites_.size()) : 0, 1.0, target_,
             constants_for(target_)) {}

void Hops::rescale(const PreparedMetric& metric) {
  if (sites_.empty()) {
    return;
  }
  Matrix roots = Matrix::Identity(dim_, dim_);
  Whitening(metric).velocities(roots);  // F', and M^-1_jj is the square of its column
  std::vector<double> lengths;
  const double average = rules_.average();
  const std::vector<double> factors = rules_.average_factors();
  double log_ratio = 0;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const int j = sites_[i];
    const double before = scales_[i];
    scales_[i] =
        given_scales_.empty() ? roots.col(j).norm() : given_scales_[static_cast<std::size_t>(j)];
    log_ratio += std::log(before / scales_[i]) / static_cast<double>(sites_.size());
    lengths.push_back(each() ? factors[i] * before / scales_[i] : 1.0);
  }
  if (each()) {
    rules_.restart(average, lengths);
  } else {
    rules_.restart(average * std::exp(log_ratio));
  }
}

double Hops::rate(std::span<const double> tallies, double visits) const {
  double sum = 0;
  for (const int j : sites_) {
    sum += tallies[static_cast<std::size_t>(j)];
  }
  return sum / (visits * static_cast<double>(sites_.size()));
}

void Hops::update(std::span<const double> tallies, std::int64_t visits, std::int64_t chains) {
  const double all = static_cast<double>(visits) * static_cast<double>(chains);
  const double weight = static_cast<double>(visits) / mean_visits_;
  const auto weighted = [&](double rate) { return target_ + weight * (rate - target_); };
  std::vector<double> rates;
  for (const int j : sites_) {
    rates.push_back(weighted(tallies[static_cast<std::size_t>(j)] / all));
  }
  rules_.update(weighted(rate(tallies, all)), rates);
}

Sampler Hops::with(Sampler sampler, double hop, const std::vector<double>& factors) const {
  if (sites_.empty()) {
    return sampler;
  }
  sampler.hop = hop;
  if (each()) {
    sampler.hop_scale.assign(static_cast<std::size_t>(dim_), 1.0);
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      sampler.hop_scale[static_cast<std::size_t>(sites_[i])] = scales_[i] * factors[i];
    }
  }
  return sampler;
}

Sampler Hops::applied(const Sampler& sampler) const {
  return with(sampler, hop(), rules_.factors());
}

Sampler Hops::frozen(const Sampler& sampler) const {
  return with(sampler, average(), rules_.average_factors());
}

std::vector<double> Hops::lengths() const {
  const std::vector<double> factors = rules_.average_factors();
  std::vector<double> lengths;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const double length = average() * scales_[i] * (each() ? factors[i] : 1.0);
    lengths.push_back(has_ ? length : std::numeric_limits<double>::quiet_NaN());
  }
  return lengths;
}

}  // namespace lockstep
