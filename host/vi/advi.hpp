#pragma once

/// The parts of ADVI. Its three families are the normals N(m, Sigma) whose Sigma is diagonal
/// (mean_field), any (full_rank), or in the form of a low-rank inverse mass (low_rank); the best
/// member maximises the ELBO, E_q[-U] + entropy of q. With q = m + F z, Sigma = F F', z ~ N(0, I),
/// g = dU/dq:
///
///   d ELBO / dm = -E g,    d ELBO / dSigma = (Sigma^-1 - E_q[Hessian of U]) / 2,
///   F' E_q[Hessian] F = E[F' g z']                    (Stein's lemma; Bonnet's and Price's
///   theorems)
///
/// so that the best m has E_q[g] = 0, and the best Sigma is that member of the family which is
/// nearest to the inverse of the averaged Hessian: the Sigma which minimises
///
///   tr(H Sigma) - log |Sigma|,    H = E_q[Hessian].

#include <cstdint>
#include <string>

#include "host/vi/density.hpp"
#include "host/vi/normal.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// Which of standard_normals' sets serves what.
enum class AdviSet : std::uint32_t {
  fit,         // expectations of the fit
  assessment,  // ELBO and k-hat
  starts,      // what is handed over
  search,      // where the fit starts
  residual,    // stein_residual
  check,       // Stan's ascent: its ELBO checks,
  gradient     // and iteration i's gradient: gradient + i
};

/// Standard normals in pairs z, -z whose mean square is the identity, [dim][points]: expectations
/// over them are exact for polynomials of degree up to three. So a normal target's ELBO, gradient
/// and Hessian are known to rounding from 2 dim points, and the gradient of the ELBO of these
/// points is the path-only one, without the score (Roeder, Wu & Duvenaud, NeurIPS 2017), which for
/// a normal target vanishes at the optimum draw by draw.
/// @param points  even, at least 2 dim
Matrix matched_normals(std::uint64_t seed, AdviSet set, int dim, std::int64_t points);

/// What a fit knows of the target at q.
struct Averages {
  double elbo;               // -infinity if the target's density is 0 at some draw, or unknown
  Eigen::VectorXd gradient;  // F' E g, [dim]
  Matrix stein;              // E[F' g z'], [dim][dim]: F' E_q[Hessian] F
};
/// @param z  matched_normals
Averages averages(Density& density, const Normal& q, const Matrix& z);

/// A family of normals.
struct Family {
  Approximation method;
  int rank;      // of low_rank: directions, at most, and fewer than dim
  double slack;  // of low_rank: nats by which `nearest` may miss
};

/// The family's member that minimises tr(P S) - log |S|, S = F^-1 Sigma F^-T.
/// @param now        the covariance F F' that the search begins from, of the family
/// @param precision  P, positive definite, [dim][dim]
PreparedMetric nearest(const Family& family, const PreparedMetric& now, const Matrix& precision);

/// Of Sigma = D (I + U (Lambda - I) U') D: a local minimum, the lowest of a few, by Newton's method
/// in log D with the best U and Lambda for each D; where that fails, by the best D for the present
/// U and Lambda. Ends when a turn gains less than the slack.
PreparedMetric nearest_low_rank(const Family& family, const PreparedMetric& now,
                                const Matrix& precision);

/// The relative change of the squared scale that is left in the worst direction, the largest
/// |lambda - 1| among the eigenvalues of E_q[Hessian] Sigma. Stein's lemma at fresh draws: exact
/// for a normal target. 0 at the optimum of full_rank; the others leave what their families cannot
/// do.
/// @param points  draws; at least 2 dim are taken
double stein_residual(Density& density, const Normal& q, std::uint64_t seed, std::int64_t points);

/// Where a fit begins: the given start, or else the one of the lowest potential among 64 that are
/// uniform on +- start_radius; [dim].
/// @throw InitialisationError  if the density is 0 or unknown at all of them
Eigen::VectorXd start_of(Density& density, const VariationalOptions& options);

/// Where an ascent ended.
struct Climbed {
  Normal q;
  int iterations = 0;
  std::string trouble;
};

/// By natural gradients (Khan & Rue, "The Bayesian learning rule", JMLR 2023): with the step rho,
///
///   P <- (1 - rho) Sigma^-1 + rho E_q[Hessian],   Sigma <- nearest(P),   m <- m - rho P^-1 E_q[g],
///
/// which for rho = 1 is Newton's method on averages: a normal target is fitted in one iteration.
/// All iterations share their draws, so that the ELBO is a function; rho is half of what it was
/// where that falls, and otherwise follows what the last step left to do. First on few draws, 2 dim
/// or 64, then on four times as many, up to options.draws.
Climbed natural_ascent(Density& density, const VariationalOptions& options);

/// As Stan does it.
Climbed stan_ascent(Density& density, const VariationalOptions& options);

}  // namespace lockstep
