#include "host/vi/advi_stan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

namespace lockstep {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kIterations = 10'000;    // at most
constexpr int kTuningIterations = 50;  // with each step size
constexpr int kCheckEvery = 100;
constexpr double kDiverging = 0.5;  // relative change of the ELBO

bool is_diagonal(Approximation family) {
  return family == Approximation::mean_field;
}

Matrix points(Approximation family, const StanParameters& at, const Matrix& eta) {
  Matrix q = is_diagonal(family) ? Matrix(at.scale.col(0).array().exp().matrix().asDiagonal() * eta)
                                 : Matrix(at.scale.triangularView<Eigen::Lower>() * eta);
  q.colwise() += at.mean;
  return q;
}

StanParameters unit_scale(Approximation family, const Eigen::VectorXd& mean) {
  const Eigen::Index dim = mean.size();
  return {mean,
          is_diagonal(family) ? Matrix(Matrix::Zero(dim, 1)) : Matrix(Matrix::Identity(dim, dim))};
}

Normal normal_of(Approximation family, const StanParameters& at) {
  const auto dim = static_cast<int>(at.mean.size());
  const Matrix square = is_diagonal(family) ? Matrix((2 * at.scale.array()).exp())
                                            : Matrix(at.scale * at.scale.transpose());
  return {at.mean, prepare_metric(is_diagonal(family) ? Metric::diagonal : Metric::dense,
                                  {square.data(), square.data() + square.size()}, dim)};
}

class StanClimber {
 public:
  StanClimber(Density& density, const VariationalOptions& options)
      : density_(density),
        options_(options),
        most_(options.iterations > 0 ? options.iterations : kIterations),
        start_(unit_scale(options.method, start_of(density, options))),
        check_(matched_normals(options.seed, AdviSet::check, density.dim(),
                               std::max(options.draws / 2 * 2, 2 * density.dim()))) {}

  Climbed climb() {
    const double at_start = elbo(start_);
    const auto after = [&](double eta) {
      StanParameters at = start_;
      StanSteps steps(eta);
      for (int i = 0; i < kTuningIterations; ++i) {
        const auto gradient = next_gradient(at);
        if (!gradient) {
          return -kInfinity;  // it would go on from there with no gradient at all
        }
        steps.add(*gradient, at);
      }
      return elbo(at);
    };
    const std::optional<double> eta =
        std::isfinite(at_start) ? stan_step_size(after, at_start) : std::nullopt;
    StanParameters at = start_;
    std::string trouble =
        eta ? ascend(*eta, at) : "its ELBO diverged: no step size raises it from the start";
    if (!at.mean.allFinite() || !at.scale.allFinite()) {
      at = start_;
      trouble = "its ELBO diverged";
    }
    return {normal_of(options_.method, at), iterations_, trouble};
  }

 private:
  double elbo(const StanParameters& at) const {
    return stan_elbo(density_, options_.method, at, check_);
  }

  /// By draws of its own.
  std::optional<StanParameters> next_gradient(const StanParameters& at) {
    const auto set = static_cast<std::uint32_t>(AdviSet::gradient) + gradients_++;
    return stan_gradient(density_, options_.method, at,
                         standard_normals(options_.seed, set, density_.dim(), options_.draws),
                         options_.ascent == Ascent::path);
  }

  /// @return what went wrong
  std::string ascend(double eta, StanParameters& at) {
    StanSteps steps(eta);
    StanChanges changes(static_cast<std::size_t>(std::max(0.1 * most_ / kCheckEvery, 2.0)));
    double lately = kInfinity;
    while (iterations_ < most_) {
      const auto gradient = next_gradient(at);
      if (!gradient) {
        return "its ELBO diverged: the potential is not finite at any draw";
      }
      steps.add(*gradient, at);
      if (++iterations_ % kCheckEvery != 0) {
        continue;
      }
      const double now = elbo(at);
      if (options_.progress && !options_.progress({iterations_, most_, now})) {
        return "stopped";
      }
      changes.add(now);
      lately = std::min(changes.mean(), changes.median());
      if (lately < options_.tolerance) {
        return {};
      }
    }
    return lately > kDiverging
               ? "its ELBO diverged"
               : "it had not converged after " + std::to_string(most_) + " iterations";
  }

  Density& density_;
  const VariationalOptions& options_;
  int most_, iterations_ = 0;
  std::uint32_t gradients_ = 0;
  StanParameters start_;
  Matrix check_;
};

}  // namespace

double stan_elbo(Density& density, Approximation family, const StanParameters& at,
                 const Matrix& eta) {
  Eigen::VectorXd potential;
  Matrix g;
  density.evaluate(points(family, at, eta), potential, g);
  double sum = 0;
  int count = 0;
  for (Eigen::Index i = 0; i < potential.size(); ++i) {
    sum += std::isfinite(potential[i]) ? potential[i] : 0;
    count += std::isfinite(potential[i]) ? 1 : 0;
  }
  if (count == 0) {
    return -kInfinity;
  }
  const double log_scale =
      is_diagonal(family) ? at.scale.sum() : at.scale.diagonal().array().abs().log().sum();
  return log_scale - sum / count +
         0.5 * static_cast<double>(at.mean.size()) *
             std::log(2 * std::numbers::pi * std::numbers::e);
}

std::optional<StanParameters> stan_gradient(Density& density, Approximation family,
                                            const StanParameters& at, const Matrix& eta,
                                            bool path_only) {
  Eigen::VectorXd potential;
  Matrix h;
  density.evaluate(points(family, at, eta), potential, h);
  h = -h;
  if (path_only && is_diagonal(family)) {
    h += (-at.scale.col(0)).array().exp().matrix().asDiagonal() * eta;
  } else if (path_only) {
    h += at.scale.triangularView<Eigen::Lower>().transpose().solve(eta);
  }
  Matrix used = eta;
  double count = 0;
  for (Eigen::Index i = 0; i < h.cols(); ++i) {
    const bool finite = std::isfinite(potential[i]) && h.col(i).allFinite();
    count += finite ? 1 : 0;
    if (!finite) {
      h.col(i).setZero();
      used.col(i).setZero();
    }
  }
  if (count == 0) {
    return std::nullopt;
  }
  StanParameters gradient{h.rowwise().sum() / count, {}};
  if (is_diagonal(family)) {
    gradient.scale =
        h.cwiseProduct(used).rowwise().sum().cwiseProduct(at.scale.col(0).array().exp().matrix()) /
        count;
    gradient.scale.array() += path_only ? 0 : 1;
  } else {
    gradient.scale = (h * used.transpose() / count).triangularView<Eigen::Lower>();
    if (!path_only) {
      gradient.scale.diagonal() += at.scale.diagonal().cwiseInverse();
    }
  }
  return gradient;
}

void StanSteps::add(const StanParameters& gradient, StanParameters& to) {
  if (i_++ == 0) {
    squares_ = {gradient.mean.cwiseAbs2(), gradient.scale.cwiseAbs2()};
  } else {
    squares_.mean = 0.9 * squares_.mean + 0.1 * gradient.mean.cwiseAbs2();
    squares_.scale = 0.9 * squares_.scale + 0.1 * gradient.scale.cwiseAbs2();
  }
  const double eta = eta_ / std::sqrt(static_cast<double>(i_));
  to.mean.array() += eta * gradient.mean.array() / (1 + squares_.mean.array().sqrt());
  to.scale.array() += eta * gradient.scale.array() / (1 + squares_.scale.array().sqrt());
}

std::optional<double> stan_step_size(const std::function<double(double eta)>& elbo_after,
                                     double elbo_at_start) {
  double best = 0, best_elbo = -kInfinity;
  for (const double eta : {100.0, 10.0, 1.0, 0.1, 0.01}) {
    const double elbo = elbo_after(eta);
    if (elbo < best_elbo && best_elbo > elbo_at_start) {
      return best;
    }
    best = eta;
    best_elbo = elbo;
  }
  return best_elbo > elbo_at_start ? std::optional(best) : std::nullopt;
}

void StanChanges::add(double elbo) {
  changes_.push_back(std::abs((elbo - before_) / before_));
  before_ = elbo;
  if (changes_.size() > most_) {
    changes_.pop_front();
  }
}

double StanChanges::mean() const {
  return std::accumulate(changes_.begin(), changes_.end(), 0.0) /
         static_cast<double>(changes_.size());
}

double StanChanges::median() const {
  std::vector<double> sorted(changes_.begin(), changes_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

Climbed stan_ascent(Density& density, const VariationalOptions& options) {
  return StanClimber(density, options).climb();
}

}  // namespace lockstep
