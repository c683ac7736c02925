#include "host/vi/fisher.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/adapt/geometric_mean.hpp"
#include "host/symmetric_eigen.hpp"
#include "host/vi/fit.hpp"
#include "host/vi/importance.hpp"
#include "host/vi/normal.hpp"
#include "kernels/random/distributions.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

using Eigen::VectorXd;

constexpr int kIterations = 20;
constexpr int kLargestDense = 256;           // above, Sigma is diagonal
constexpr std::int64_t kFewestStarts = 512;  // points of the first batch; and for each dimension
constexpr std::int64_t kStartsPerDimension = 8;
constexpr int kAttempts = 100;  // to find so many with a finite density
/// Root mean square over dimensions of what a full step would still change, in standard deviations
/// and logarithms of variances: below the first the fit rests, above the second it has failed.
constexpr double kSettled = 0.03, kDiverged = 1;
constexpr double kShortest = 0.05;  // step
/// Sets of random numbers besides kFisherSet: of its figures, of the draws that it hands over, and
/// the first of its starts.
constexpr std::uint32_t kFigureSet = 1, kDrawSet = 2, kStartSet = 3;

/// One step of batch and match (Cai, Modi, Pillaud-Vivien, Margossian, Gower, Blei & Saul, ICML
/// 2024) from N(0, I), where z are draws and h = dU/dz. With learning rate lambda, t = lambda /
/// (1 + lambda), c = 1 / lambda and covariances of divisor n,
///   S U S + c S = V,   m = t (mean z - S mean h),
///   U = Cov(h) + (1 - t) mean h mean h',   V = c I + Cov(z) + (1 - t) mean z mean z'.
/// t = 1 is FisherMatch. Elementwise where S is to be diagonal. Not finite where it fails.
FisherMatch match(const Matrix& z, const Matrix& h, double t, bool dense) {
  const auto n = static_cast<double>(z.cols());
  const VectorXd mean_z = z.rowwise().mean(), mean_h = h.rowwise().mean();
  const Matrix from_z = z.colwise() - mean_z, from_h = h.colwise() - mean_h;
  const double c = (1 - t) / t;
  FisherMatch m;
  if (dense) {
    Eigen::MatrixXd u = from_h * from_h.transpose() / n, v = from_z * from_z.transpose() / n;
    u += (1 - t) * mean_h * mean_h.transpose();
    v += (1 - t) * mean_z * mean_z.transpose();
    v.diagonal().array() += c;
    m.covariance = geometric_mean(u, v, c);
    m.mean = t * (mean_z - m.covariance * mean_h);
  } else {
    const Eigen::ArrayXd u =
        from_h.rowwise().squaredNorm().array() / n + (1 - t) * mean_h.array().square();
    const Eigen::ArrayXd v =
        from_z.rowwise().squaredNorm().array() / n + (1 - t) * mean_z.array().square() + c;
    m.covariance = 2 * v / (c + (c * c + 4 * u * v).sqrt());
    m.mean = t * (mean_z - m.covariance.cwiseProduct(mean_h));
  }
  return m;
}

/// Draws of q, their gradients in the coordinates z in which q is N(0, I), and the residual: what a
/// full step would change, the logarithm of S and the shift, [dim][...].
struct Look {
  Normal q;
  Matrix z, h;
  double elbo = 0;
  Matrix residual;

  bool dense() const { return q.covariance().kind == Metric::dense; }
};

double inner(const Matrix& a, const Matrix& b) {
  return a.cwiseProduct(b).sum();
}

Matrix residual_of(const Matrix& z, const Matrix& h, bool dense) {
  const FisherMatch full = match(z, h, 1, dense);
  const auto dim = z.rows();
  Matrix r(dim, full.covariance.cols() + 1);
  r.col(0) = full.mean;
  if (!full.covariance.allFinite()) {
    r.setConstant(std::numeric_limits<double>::infinity());
  } else if (dense) {
    r.rightCols(dim) = SymmetricEigen(full.covariance).logarithm();
  } else {
    r.col(1) = full.covariance.array().log();
  }
  return r;
}

/// N(m, Sigma), unless Sigma is not a covariance.
std::optional<Normal> normal(VectorXd mean, const Matrix& covariance, bool dense) {
  if (!mean.allFinite() || !covariance.allFinite()) {
    return std::nullopt;
  }
  try {
    return Normal(std::move(mean),
                  prepare_metric(dense ? Metric::dense : Metric::diagonal,
                                 {covariance.data(), covariance.data() + covariance.size()},
                                 static_cast<int>(covariance.rows())));
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

/// q after a step of the given length, from (0, I) in z to (m, S): mean + F m, F S F'.
std::optional<Normal> after_step(const Look& at, double t) {
  const FisherMatch step = match(at.z, at.h, t, at.dense());
  const Whitening frame(at.q.covariance());
  Matrix shift = step.mean;
  frame.colour(shift);
  Matrix covariance = step.covariance;
  frame.colour(covariance);  // F S, which for a diagonal is half of the way, too
  if (at.dense()) {
    covariance.transposeInPlace();
    frame.colour(covariance);
    covariance = (0.5 * (covariance + covariance.transpose())).eval();
  } else {
    frame.colour(covariance);
  }
  return normal(at.q.mean() + shift.col(0), covariance, at.dense());
}

FisherMatch checked_match(const Matrix& draws, const Matrix& gradients, bool dense) {
  require(draws.rows() == gradients.rows() && draws.cols() == gradients.cols() && draws.cols() > 0,
          "a Fisher fit needs a gradient for every draw, and draws");
  const FisherMatch rough = match(draws, gradients, 1, dense);
  std::optional<Normal> q = normal(rough.mean, rough.covariance, dense);
  if (q) {
    // The same in the coordinates of the first solution, which takes most of its rounding away.
    Look again{*q, draws.colwise() - rough.mean, gradients, 0, {}};
    const Whitening frame(q->covariance());
    frame.positions(again.z);
    frame.velocities(again.h);
    q = after_step(again, 1);
  }
  require(q.has_value(), "a Fisher fit of " + std::to_string(draws.rows()) + " parameters to " +
                             std::to_string(draws.cols()) +
                             " draws does not exist: draws and gradients must vary in every "
                             "direction, which takes more draws than parameters");
  const InverseMass& sigma = q->covariance().inverse_mass;
  return {q->mean(),
          Eigen::Map<const Matrix>(sigma.data(), rough.covariance.rows(), rough.covariance.cols())};
}

/// None where the density or a gradient is not finite at some draw.
std::optional<Look> look_at(Density& density, Normal q, const Matrix& z) {
  VectorXd potential;
  Matrix h;
  density.evaluate(q.at(z), potential, h);
  if (!potential.allFinite() || !h.allFinite()) {
    return std::nullopt;
  }
  Whitening(q.covariance()).velocities(h);
  const double elbo = -(potential + q.log_density(z)).mean();
  const bool dense = q.covariance().kind == Metric::dense;
  Matrix residual = residual_of(z, h, dense);
  return Look{std::move(q), z, std::move(h), elbo, std::move(residual)};
}

double size_of(const Look& look) {
  const double square = inner(look.residual, look.residual) / static_cast<double>(look.z.rows());
  return std::isfinite(square) ? std::sqrt(square) : std::numeric_limits<double>::infinity();
}

/// Uniform on `centre` +- radius.
Matrix uniform_points(const VectorXd& centre, double radius, std::uint64_t seed, std::uint32_t set,
                      std::int64_t points) {
  const auto dim = static_cast<int>(centre.size());
  Matrix q(dim, points);
  for (std::int64_t i = 0; i < points; ++i) {
    const auto stream = Stream<double>::of(seed, static_cast<std::uint64_t>(i));
    for (int j = 0; j < dim; ++j) {
      const double u =
          uniform(words(stream, set, Purpose::training, static_cast<std::uint32_t>(j / 4))[j % 4]);
      q(j, i) = centre[j] + radius * (2 * u - 1);
    }
  }
  return q;
}

/// The better half of a batch of points with a finite density, as draws of the normal law with
/// their means and variances. Over so wide a batch the match sees how gradients change on the
/// whole, where a single place's curvature may be far off.
/// @throw InitialisationError
Look first_look(Density& density, const VariationalOptions& options, bool dense) {
  const int dim = density.dim();
  const std::int64_t wanted = std::max(kFewestStarts, kStartsPerDimension * dim);
  VectorXd centre = VectorXd::Zero(dim);
  std::copy(options.start.begin(), options.start.end(), centre.data());
  Matrix q(dim, wanted), g(dim, wanted);
  std::vector<double> potential;
  for (int attempt = 0; attempt < kAttempts && std::ssize(potential) < wanted; ++attempt) {
    const Matrix points = uniform_points(centre, options.start_radius, options.seed,
                                         kStartSet + static_cast<std::uint32_t>(attempt), wanted);
    VectorXd u;
    Matrix slope;
    density.evaluate(points, u, slope);
    for (std::int64_t i = 0; i < wanted && std::ssize(potential) < wanted; ++i) {
      if (std::isfinite(u[i]) && slope.col(i).allFinite()) {
        q.col(std::ssize(potential)) = points.col(i);
        g.col(std::ssize(potential)) = slope.col(i);
        potential.push_back(u[i]);
      }
    }
  }
  require<InitialisationError>(
      std::ssize(potential) == wanted,
      "of " + std::to_string(kAttempts * wanted) + " points on +- " +
          std::to_string(options.start_radius) + " only " + std::to_string(potential.size()) +
          " have a finite potential and gradient, too few for a fit: give a smaller start radius, "
          "or a start");
  std::vector<std::int64_t> order(potential.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return potential[static_cast<std::size_t>(a)] < potential[static_cast<std::size_t>(b)];
  });
  Matrix z(dim, wanted / 2), h(dim, wanted / 2);
  for (std::int64_t i = 0; i < z.cols(); ++i) {
    z.col(i) = q.col(order[static_cast<std::size_t>(i)]);
    h.col(i) = g.col(order[static_cast<std::size_t>(i)]);
  }
  const VectorXd mean = z.rowwise().mean();
  z.colwise() -= mean;
  const VectorXd variances = z.rowwise().squaredNorm() / static_cast<double>(z.cols());
  const Matrix covariance = dense ? Matrix(variances.asDiagonal()) : Matrix(variances);
  Normal law = *normal(mean, covariance, dense);
  const Whitening frame(law.covariance());
  frame.positions(z);
  frame.velocities(h);
  Matrix residual = residual_of(z, h, dense);
  return {std::move(law), std::move(z), std::move(h), -std::numeric_limits<double>::infinity(),
          std::move(residual)};
}

/// The length of the next step, by the secant rule of Barzilai & Borwein (1988): 1 where a step
/// does what it promised, as for normal laws, shorter where it overshot. A step of batch and match
/// goes the fraction s = 2 t / (1 + t) of the way that the full one goes, if that is short.
double next_step(const Matrix& before, const Matrix& after, double t) {
  const double s = 2 * t / (1 + t);
  const double curvature = inner(before, before) - inner(before, after);
  const double secant = curvature > 0 ? s * inner(before, before) / curvature : 1;
  const double next = std::clamp(secant, kShortest, std::min(1.0, 4 * s));
  return next / (2 - next);
}

void check(const VariationalOptions& options, int dim) {
  require(options.draws >= 2,
          "a Fisher fit needs two draws or more, not " + std::to_string(options.draws));
  require(options.iterations >= 0 && options.starts >= 0,
          "a Fisher fit cannot make " + std::to_string(options.iterations) +
              " iterations and hand over " + std::to_string(options.starts) + " draws");
  require(std::isfinite(options.start_radius) && options.start_radius > 0,
          "the start radius is " + std::to_string(options.start_radius) +
              ", but must be positive and finite");
  require(options.start.empty() || std::ssize(options.start) == dim,
          "the start has " + std::to_string(options.start.size()) +
              " values, but this target has " + std::to_string(dim) + " parameters");
}

}  // namespace

FisherMatch fisher_match(const Matrix& draws, const Matrix& gradients) {
  return checked_match(draws, gradients, true);
}

FisherMatch diagonal_fisher_match(const Matrix& draws, const Matrix& gradients) {
  return checked_match(draws, gradients, false);
}

/// The fixed point of batch and match on one set of standard normals, so that it is a definite law
/// and settles without noise. A step that makes both the ELBO and the residual worse is taken back
/// and tried again at a quarter of its length.
NormalFit fit_fisher(Density& density, const VariationalOptions& options) {
  const int dim = density.dim();
  check(options, dim);
  const bool dense = dim <= kLargestDense && options.draws >= 2 * dim;
  const Matrix z = standard_normals(options.seed, kFisherSet, dim, options.draws);
  const int most = options.iterations > 0 ? options.iterations : kIterations;
  NormalFit fit;
  Look at = first_look(density, options, dense);
  bool looked = false;  // at draws of `at` itself
  double t = 1;
  for (; fit.iterations < most && !(looked && size_of(at) < kSettled); ++fit.iterations) {
    if (options.progress && !options.progress({fit.iterations, most, at.elbo})) {
      fit.trouble = "stopped";
      break;
    }
    std::optional<Normal> q = after_step(at, t);
    std::optional<Look> next = q ? look_at(density, *q, z) : std::nullopt;
    const bool worse = !next || (next->elbo < at.elbo && !(size_of(*next) < size_of(at)));
    if (worse) {
      t /= 4;
      continue;
    }
    t = looked ? next_step(at.residual, next->residual, t) : 1;
    at = std::move(*next);
    looked = true;
  }
  const double left = size_of(at);
  if (fit.trouble.empty() && !(looked && left < kDiverged)) {
    fit.trouble = !looked ? "its draws leave the region where the density is finite"
                          : "it does not settle: scales would still change by a factor of " +
                                std::to_string(std::exp(left));
  }
  Normal q = at.q;
  if (left < kSettled) {
    q = after_step(at, t).value_or(q);  // costs no gradients
  }
  const Assessment figures = assess(density, q, options.seed, kFigureSet, options.draws);
  fit.elbo = figures.elbo;
  fit.elbo_error = figures.elbo_error;
  fit.k_hat = figures.k_hat;
  fit.mean.assign(q.mean().data(), q.mean().data() + dim);
  fit.kind = q.covariance().kind;
  fit.covariance = q.covariance().inverse_mass;
  const Matrix draws = q.at(standard_normals(options.seed, kDrawSet, dim, options.starts));
  fit.draws.assign(draws.data(), draws.data() + draws.size());
  return fit;
}

}  // namespace lockstep
