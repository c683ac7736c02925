#pragma once

/// ADVI as Stan does it (Kucukelbir, Tran, Ranganath, Gelman & Blei, JMLR 18, 2017; and where the
/// paper and src/stan/variational differ, the latter), but for options.draws draws in a gradient
/// and as many matched_normals, the same ones, in all ELBOs, where Stan has 1 and 100 fresh ones.

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "host/vi/advi.hpp"

namespace lockstep {

/// What Stan moves, or a gradient in it.
///   mean_field  q = mu + exp(omega) o eta,   scale = omega, [dim][1]
///   full_rank   q = mu + L eta,              scale = L, lower triangular, [dim][dim]
struct StanParameters {
  Eigen::VectorXd mean;
  Matrix scale;
};

/// @param eta    [dim][draws]
/// @return -mean U + log |dq / deta| + (dim / 2) log 2 pi e of the draws with a finite potential;
///         -infinity if there is none
double stan_elbo(Density& density, Approximation family, const StanParameters& at,
                 const Matrix& eta);

/// Its gradient from the draws whose gradient is finite; none if no draw's is. With g = dU/dq,
///
///   d/dmu = -E g,   d/domega = -E[g o eta] o e^omega + 1,   d/dL = tril(-E[g eta'] + diag(1 /
///   L_ii))
///
/// @param path_only  in place of the entropy's gradient, the mean over the draws of what log q has
///                   along their paths: -g + L^-T eta instead of -g, and no more
std::optional<StanParameters> stan_gradient(Density& density, Approximation family,
                                            const StanParameters& at, const Matrix& eta,
                                            bool path_only);

/// Steps of iteration i = 1, 2, ... for every parameter apart:
///   eta i^(-1/2) g / (1 + sqrt(s_i)),   s_1 = g^2,   s_i = 0.9 s_(i-1) + 0.1 g^2.
class StanSteps {
 public:
  explicit StanSteps(double eta) : eta_(eta) {}
  void add(const StanParameters& gradient, StanParameters& to);

 private:
  double eta_;
  int i_ = 0;
  StanParameters squares_;
};

/// The step size eta: the first of 100, 10, 1, 0.1 and 0.01 whose successor ends lower, if the ELBO
/// it led to in 50 iterations is above where they all began.
/// @param elbo_after  ELBO after 50 iterations with so large an eta; -infinity if it diverged
/// @return none if even the smallest did not raise the ELBO
std::optional<double> stan_step_size(const std::function<double(double eta)>& elbo_after,
                                     double elbo_at_start);

/// Relative changes |(ELBO - previous) / previous| of the last so many checks. The first is from 0,
/// infinite.
class StanChanges {
 public:
  explicit StanChanges(std::size_t most) : most_(most) {}
  void add(double elbo);
  double mean() const;
  double median() const;  // the upper one of an even number
  std::size_t size() const { return changes_.size(); }

 private:
  std::size_t most_;
  double before_ = 0;
  std::deque<double> changes_;
};

}  // namespace lockstep
