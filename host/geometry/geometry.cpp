#include "host/geometry/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "host/adapt/moments.hpp"
#include "host/adapt/quantile.hpp"
#include "host/geometry/lanczos.hpp"
#include "host/report/numbers.hpp"
#include "host/symmetric_eigen.hpp"
#include "kernels/launch/erased.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr int kBlock = 64;  // points in lockstep
static_assert(kBlock % width<BlockLane<double>> == 0);

/// Residuals of Ritz pairs: eigenvalues are right to this fraction, mostly to its square.
constexpr double kTolerance = 1e-4;

/// [dim][kBlock]: the columns `which(0)`, `which(1)`, ..., the last one again where there are no
/// more.
template <class Which>
Matrix block_of(const Matrix& x, std::int64_t n, Which which) {
  Matrix block(x.rows(), kBlock);
  for (int p = 0; p < kBlock; ++p) {
    block.col(p) = x.col(which(std::min<std::int64_t>(p, n - 1)));
  }
  return block;
}

Matrix gradients_at(const BlockTarget<double>& target, const Matrix& points) {
  Matrix gradients(points.rows(), points.cols()), g(points.rows(), kBlock);
  double hi[kBlock], lo[kBlock];
  for (std::int64_t first = 0; first < points.cols(); first += kBlock) {
    const std::int64_t n = std::min<std::int64_t>(kBlock, points.cols() - first);
    const Matrix q = block_of(points, n, [&](std::int64_t p) { return first + p; });
    target.potential_and_gradient(q.data(), g.data(), hi, lo, kBlock);
    gradients.middleCols(first, n) = g.leftCols(n);
  }
  return gradients;
}

double largest_eigenvalue_of_covariance(const Matrix& x) {
  if (x.cols() < 2 || !x.allFinite()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  PooledMoments moments(static_cast<int>(x.rows()), true);
  moments.add({x.data(), static_cast<std::size_t>(x.size())}, x.cols());
  return SymmetricEigen(moments.covariance(), SymmetricEigen::What::values_only)
      .values()
      .maxCoeff();
}

/// With M^-1 = F F': S = F' H F, up to a rotation. F' is how gradients change into the coordinates
/// F^-1 q, and so also how momenta do.
double kappa_bar_of(const Whitening& whitening, Matrix points, Matrix gradients) {
  whitening.positions(points);
  whitening.velocities(gradients);
  return largest_eigenvalue_of_covariance(gradients) * largest_eigenvalue_of_covariance(points);
}

}  // namespace

Geometry measure_geometry(const BlockTarget<double>& target, const PreparedMetric& metric,
                          const Matrix& points, const Matrix& gradients, std::int64_t most) {
  const int dim = target.dim();
  const std::int64_t n = points.cols();
  require(points.rows() == dim && gradients.rows() == dim && gradients.cols() == n,
          "the geometry needs as many gradients as points, each of the target's " +
              std::to_string(dim) + " parameters");
  require(n >= 1 && most >= 1, "the geometry needs a point and a Hessian at least: there are " +
                                   std::to_string(n) + " points and " + std::to_string(most) +
                                   " Hessians");
  require(target.discontinuous().empty(),
          "the geometry is that of a smooth density, but this one jumps along some parameters");
  const Whitening whitening(metric);
  Geometry g;
  g.points = std::min(n, most);
  std::vector<double> inverse_kappa, largest, smallest;
  for (std::int64_t first = 0; first < g.points; first += kBlock) {
    const std::int64_t here = std::min<std::int64_t>(kBlock, g.points - first);
    const Matrix q =
        block_of(points, here, [&](std::int64_t p) { return (first + p) * n / g.points; });
    Matrix v = Matrix::Zero(dim, kBlock), product(dim, kBlock);
    const SpectrumEnds ends = spectrum_ends(
        [&](const Matrix& x, Matrix& y) {
          y = x;
          whitening.colour(y);
          v.leftCols(here) = y;
          target.hessian_vector(q.data(), v.data(), product.data(), kBlock);
          y = product.leftCols(here);
          whitening.velocities(y);
        },
        dim, static_cast<int>(here), kTolerance);
    g.hessian_products += ends.products * here;
    for (int p = 0; p < here; ++p) {
      const double low = ends.smallest[p], high = ends.largest[p];
      inverse_kappa.push_back(low > 0 ? low / high : 0);  // 0 where H is not finite, too
      if (std::isfinite(low) && std::isfinite(high)) {
        largest.push_back(high);
        smallest.push_back(low);
      }
    }
  }
  g.kappa_median = 1 / quantile(inverse_kappa, 0.5);
  g.kappa_95 = 1 / quantile(inverse_kappa, 0.05);
  g.indefinite = static_cast<double>(std::count(inverse_kappa.begin(), inverse_kappa.end(), 0.0)) /
                 static_cast<double>(g.points);
  if (!largest.empty()) {
    const auto edge = [](double lambda) { return 2 / std::sqrt(std::max(lambda, 0.0)); };
    g.lambda_max = quantile(largest, 0.5);
    g.lambda_min = quantile(smallest, 0.5);
    g.edge_median = edge(g.lambda_max);
    g.edge_least = edge(*std::max_element(largest.begin(), largest.end()));
  }
  g.kappa_bar = kappa_bar_of(whitening, points, gradients);
  return g;
}

Geometry measure_geometry(const BlockTarget<double>& target, const PreparedMetric& metric,
                          const Matrix& points, std::int64_t most) {
  return measure_geometry(target, metric, points, gradients_at(target, points), most);
}

Geometry measure_geometry(const BlockTarget<double>& target, const Fit& fit) {
  const Matrix q =
      Eigen::Map<const Matrix>(fit.positions.data(), fit.engine.dim,
                               static_cast<Eigen::Index>(fit.positions.size()) / fit.engine.dim);
  return measure_geometry(target, fit.metric, q);
}

std::shared_ptr<const BlockTarget<double>> target_for_geometry(const TargetEntry& entry,
                                                               const TargetOptions& options) {
  const int dim = entry.dim(options);
  require(dim <= kMostErased, "the geometry is measured of targets of up to " +
                                  std::to_string(kMostErased) + " parameters, but " + entry.name +
                                  " has " + std::to_string(dim) + ": leave it out");
  require(!entry.discontinuous, "the geometry is that of a smooth density, but " + entry.name +
                                    " jumps along some parameters: leave it out");
  return entry.block_double(options);
}

Json to_json(const Geometry& g) {
  Json j;
  j["points"] = g.points;
  const std::pair<const char*, double> figures[] = {
      {"kappa_median", g.kappa_median}, {"kappa_95", g.kappa_95},
      {"indefinite", g.indefinite},     {"lambda_max", g.lambda_max},
      {"lambda_min", g.lambda_min},     {"edge_median", g.edge_median},
      {"edge_least", g.edge_least},     {"kappa_bar", g.kappa_bar},
  };
  for (const auto& [key, value] : figures) {
    j[key] = json_number(value);
  }
  j["hessian_products"] = g.hessian_products;
  return j;
}

std::string geometry_lines(const Geometry& g, double step_size) {
  using report::shown;
  return "condition number of M^-1/2 H M^-1/2 at " + std::to_string(g.points) +
         " positions: median " + shown(g.kappa_median, 3) + ", 95 % below " + shown(g.kappa_95, 3) +
         "; H is not positive definite at " + shown(100 * g.indefinite, 3) +
         " % of them\n"
         "from covariances of positions and gradients, kappa_bar " +
         shown(g.kappa_bar, 3) +
         "\n"
         "stability edge 2 / sqrt(lambda_max): median " +
         shown(g.edge_median, 3) + ", least " + shown(g.edge_least, 3) + "; the step size is " +
         shown(step_size, 3) + "\n";
}

}  // namespace lockstep
