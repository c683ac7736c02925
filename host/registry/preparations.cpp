#include "host/registry/preparations.hpp"

#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <string>

#include "host/diagnostics/special_functions.hpp"
#include "host/io/posterior_data.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

using diagnostics::beta_quantile;
using diagnostics::normal_quantile;

// Inverse distribution functions.

double normal(double u, double mean = 0, double sd = 1) {
  return mean + sd * normal_quantile(u);
}
/// |x| for x ~ N(0, 1).
double half_normal(double u) {
  return normal_quantile(0.5 + 0.5 * u);
}
double cauchy(double u, double scale) {
  return scale * std::tan(std::numbers::pi * (u - 0.5));
}
/// |x| for x ~ Cauchy(0, scale).
double half_cauchy(double u, double scale) {
  return scale * std::tan(0.5 * std::numbers::pi * u);
}
double logit(double p) {
  return std::log(p) - std::log1p(-p);
}

/// q_j ~ N(0, 1).
StartLaw standard_normal(int dim) {
  return [dim](const double* u, double* q) {
    for (int j = 0; j < dim; ++j) {
      q[j] = normal(u[j]);
    }
  };
}

/// A random walk from 0 with steps N(0, scale).
void walk(const double* u, double scale, int steps, double* x) {
  double at = 0;
  for (int t = 0; t < steps; ++t) {
    x[t] = at += normal(u[t], 0, scale);
  }
}

constexpr int kSchools = 8;

/// @param centred  theta_j itself, not how many tau it is from mu
StartLaw eight_schools(const TargetOptions& t, bool centred) {
  const double mean = t.prior_mean, sd = t.prior_sd > 0 ? t.prior_sd : 5;
  return [=](const double* u, double* q) {
    const double mu = normal(u[kSchools], mean, sd), tau = half_cauchy(u[kSchools + 1], 5);
    for (int j = 0; j < kSchools; ++j) {
      q[j] = centred ? normal(u[j], mu, tau) : normal(u[j]);
    }
    q[kSchools] = mu;
    q[kSchools + 1] = std::log(tau);
  };
}

StartLaw eight_schools_log() {
  return [](const double* u, double* q) {
    for (int j = 0; j < kSchools; ++j) {
      q[j] = normal(u[j]);
    }
    q[kSchools] = normal(u[kSchools], 0, 10);
    q[kSchools + 1] = normal(u[kSchools + 1], 5, 1);
  };
}

StartLaw item_response(int dim) {
  return [dim](const double* u, double* q) {
    standard_normal(dim)(u, q);
    q[0] += 0.75;
  };
}

/// q = (z, log l, log g), l and g ~ Gamma(1/2, rate 1/2): squares of standard normals.
StartLaw sparse_logistic(int dim) {
  return [dim](const double* u, double* q) {
    for (int j = 0; j < dim; ++j) {
      q[j] = j < dim / 2 ? normal(u[j]) : 2 * std::log(half_normal(u[j]));
    }
  };
}

/// Coefficients ~ N(0, 10), sigma ~ HalfCauchy(0, 2.5).
StartLaw ark(int dim) {
  return [dim](const double* u, double* q) {
    for (int j = 0; j + 1 < dim; ++j) {
      q[j] = normal(u[j], 0, 10);
    }
    q[dim - 1] = std::log(half_cauchy(u[dim - 1], 2.5));
  };
}

/// Uniform on intervals that q is the logit of.
StartLaw peregrine(int dim) {
  return [dim](const double* u, double* q) {
    for (int j = 0; j < dim; ++j) {
      q[j] = logit(u[j]);
    }
  };
}

/// Two means in order, N(0, 2) each; two widths, half-normal of scale 2; a weight ~ Beta(5, 5).
void normal_mixture(const double* u, double* q) {
  const double a = normal(u[0], 0, 2), b = normal(u[1], 0, 2);
  q[0] = std::min(a, b);
  q[1] = std::log(std::abs(a - b));
  q[2] = std::log(2 * half_normal(u[2]));
  q[3] = std::log(2 * half_normal(u[3]));
  q[4] = logit(beta_quantile(5, 5, u[4]));
}

/// (phi + 1) / 2 ~ Beta(20, 1.5), mu ~ Cauchy(0, 5), sg ~ HalfCauchy(0, 2).
StartLaw stochastic_volatility(int dim) {
  return [dim](const double* u, double* q) {
    standard_normal(dim)(u, q);
    q[0] = logit(beta_quantile(20, 1.5, u[0]));
    q[1] = cauchy(u[1], 5);
    q[2] = std::log(half_cauchy(u[2], 2));
  };
}

StartLaw brownian(const TargetOptions& t, int dim) {
  const double scale = load_brownian(t.data_dir).innovation_scale;
  return [=](const double* u, double* q) { walk(u, scale, dim, q); };
}

/// Both scales log-normal with log-sd 2.
StartLaw brownian_unknown(int dim) {
  return [dim](const double* u, double* q) {
    q[0] = normal(u[0], 0, 2);
    q[1] = normal(u[1], 0, 2);
    walk(u + 2, std::exp(q[0]), dim - 2, q + 2);
  };
}

/// A target's prior, from what it is told and its dimension.
using Prior = std::function<StartLaw(const TargetOptions&, int dim)>;

const std::map<std::string, Prior>& priors() {
  const Prior weights = [](const auto&, int dim) { return standard_normal(dim); };
  static const std::map<std::string, Prior> all{
      {"eight-schools", [](const auto& t, int) { return eight_schools(t, true); }},
      {"eight-schools-nc", [](const auto& t, int) { return eight_schools(t, false); }},
      {"eight-schools-log", [](const auto&, int) { return eight_schools_log(); }},
      {"item-response", [](const auto&, int dim) { return item_response(dim); }},
      {"german-credit", weights},
      {"german-credit-probit", weights},
      {"german-credit-sparse", [](const auto&, int dim) { return sparse_logistic(dim); }},
      {"australian-credit", weights},
      {"heart-disease", weights},
      {"logistic", weights},
      {"ark", [](const auto&, int dim) { return ark(dim); }},
      {"peregrine", [](const auto&, int dim) { return peregrine(dim); }},
      {"gauss-mix", [](const auto&, int) { return normal_mixture; }},
      {"stochastic-volatility", [](const auto&, int dim) { return stochastic_volatility(dim); }},
      {"brownian", [](const auto& t, int dim) { return brownian(t, dim); }},
      {"brownian-unknown", [](const auto&, int dim) { return brownian_unknown(dim); }},
  };
  return all;
}

}  // namespace

StartLaw prior_of(const TargetEntry& entry, const TargetOptions& target) {
  const auto found = priors().find(entry.name);
  if (found == priors().end()) {
    std::string others;
    for (const auto& [name, prior] : priors()) {
      others += (others.empty() ? "" : ", ") + name;
    }
    throw UsageError("target " + entry.name + " has no prior that chains could start from; " +
                     others + " have: start otherwise");
  }
  return found->second(target, entry.dim(target));
}

Recipe recipe_of(PrepareOptions how, const TargetEntry& entry, const TargetOptions& target,
                 const Sampler& sampler, const SampleOptions& options,
                 const EngineDescription& about) {
  if (how.init == Init::prior && !how.prior) {
    how.prior = prior_of(entry, target);
  }
  return recipe_of(how, sampler, options, about, [=, &entry](std::int64_t chains) {
    return entry.make(target, options_of_fits(options, about, chains));
  });
}

}  // namespace lockstep
