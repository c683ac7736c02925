// Condition numbers and stability edges: against spectra that are known by construction, against
// dense eigenvalues of other targets' Hessians, and against what leapfrog does on both sides of the
// edge.

#include "host/geometry/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/symmetric_eigen.hpp"
#include "host/vi/normal.hpp"
#include "kernels/launch/erased.hpp"
#include "lockstep/error.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

using Eigen::VectorXd;

constexpr std::uint64_t kSeed = 5;

Matrix normals(std::uint32_t set, int rows, std::int64_t columns) {
  return standard_normals(kSeed, set, rows, columns);
}

/// U = q' H q / 2.
class NormalTarget final : public BlockTarget<double> {
 public:
  explicit NormalTarget(Matrix precision) : h_(std::move(precision)) {}
  int dim() const override { return static_cast<int>(h_.rows()); }
  void potential_and_gradient(const double* q, double* gradient, double* hi, double* lo,
                              int chains) const override {
    hessian_vector(q, q, gradient, chains);
    for (int c = 0; c < chains; ++c) {
      hi[c] = lo[c] = 0;
      for (int j = 0; j < dim(); ++j) {
        hi[c] += q[j * chains + c] * gradient[j * chains + c] / 2;
      }
    }
  }
  void hessian_vector(const double*, const double* v, double* product, int chains) const override {
    Eigen::Map<Matrix>(product, dim(), chains) = h_ * Eigen::Map<const Matrix>(v, dim(), chains);
  }
  void constrain(const double* q, double* x, int chains) const override {
    std::copy_n(q, dim() * chains, x);
  }
  void potential(const double*, double*, double*, int) const override {}
  std::vector<int> discontinuous() const override { return {}; }
  void sweep(const Visits<double>&, std::uint64_t, std::uint64_t, const double*, double*, double*,
             double*, int) const override {}
  bool has_conditional() const override { return false; }
  std::function<void(const double*, double*)> start() const override { return {}; }
  std::vector<std::string> names() const override { return {}; }
  bool has_truth() const override { return false; }
  Truth truth() const override { return {}; }

 private:
  Matrix h_;
};

Matrix rotation(std::uint32_t set, int dim) {
  const Matrix a = normals(set, dim, dim);
  return SymmetricEigen(a + a.transpose()).vectors();
}

/// lambda_min = 0.1, lambda_max = 0.1 kappa, the others log-spaced between.
VectorXd log_spaced(int dim, double kappa) {
  VectorXd l(dim);
  for (int j = 0; j < dim; ++j) {
    l[j] = 0.1 * std::pow(kappa, static_cast<double>(j) / (dim - 1));
  }
  return l;
}

/// S with that spectrum, its axes the coordinates' or turned.
Matrix with_spectrum(const VectorXd& values, bool rotated) {
  const auto dim = static_cast<int>(values.size());
  const Matrix v = rotated ? rotation(1, dim) : Matrix(Matrix::Identity(dim, dim));
  return v * values.asDiagonal() * v.transpose();
}

/// An inverse mass of that form, and the matrix that it stands for.
struct MetricCase {
  std::string name;
  Metric kind;
  InverseMass values;
  Matrix inverse_mass;
};

std::vector<MetricCase> metrics(int dim) {
  const VectorXd variances = normals(2, dim, 1).col(0).array().exp();
  const auto values_of = [](const Matrix& m) { return InverseMass(m.data(), m.data() + m.size()); };
  const Matrix dense = with_spectrum(log_spaced(dim, 50), true);
  const int rank = std::min(2, dim);
  const Matrix u = rotation(3, dim).leftCols(rank);
  const VectorXd lambda = log_spaced(rank, 300);
  InverseMass low_rank = values_of(variances);
  low_rank.insert(low_rank.end(), lambda.data(), lambda.data() + rank);
  const Matrix rows = u.transpose();
  low_rank.insert(low_rank.end(), rows.data(), rows.data() + rows.size());
  const VectorXd scale = variances.cwiseSqrt();
  const VectorXd shift = lambda.array() - 1;
  const Matrix inner = Matrix::Identity(dim, dim) + u * shift.asDiagonal() * u.transpose();
  return {
      {"unit", Metric::unit, {}, Matrix::Identity(dim, dim)},
      {"diagonal", Metric::diagonal, values_of(variances), Matrix(variances.asDiagonal())},
      {"dense", Metric::dense, values_of(dense), dense},
      {"low-rank", Metric::low_rank, low_rank, scale.asDiagonal() * inner * scale.asDiagonal()}};
}

/// H for which M^-1 H has S's spectrum: F^-T S F^-1, M^-1 = F F'.
Matrix hessian_for(const Matrix& s, const Matrix& inverse_mass) {
  const Eigen::LLT<Matrix> f(inverse_mass);
  const Matrix half = f.matrixU().solve(s);
  return f.matrixU().solve(Matrix(half.transpose()));
}

TEST(Geometry, SpectraOfNormalLawsInEveryMetric) {
  for (const int dim : {2, 3, 10, 16, 50, 256}) {
    for (const bool rotated : {false, true}) {
      const double kappa = dim > 100 ? 100 : 1e4;
      const VectorXd values = log_spaced(dim, kappa);
      const Matrix s = with_spectrum(values, rotated);
      for (const MetricCase& m : metrics(dim)) {
        SCOPED_TRACE(m.name + " of " + std::to_string(dim) + (rotated ? ", rotated" : ""));
        const NormalTarget target(hessian_for(s, m.inverse_mass));
        const Geometry g =
            measure_geometry(target, prepare_metric(m.kind, m.values, dim), normals(4, dim, 3));
        // Up to 16 products are made before the first look: all of them for as many dimensions.
        const double within = dim <= 16 ? 1e-8 : 0.01;
        EXPECT_EQ(g.points, 3);
        EXPECT_NEAR(g.kappa_median, kappa, within * kappa);
        EXPECT_NEAR(g.kappa_95, kappa, within * kappa);
        EXPECT_NEAR(g.lambda_max, values.maxCoeff(), within * values.maxCoeff());
        EXPECT_NEAR(g.lambda_min, values.minCoeff(), within * values.minCoeff());
        EXPECT_NEAR(g.edge_median, 2 / std::sqrt(values.maxCoeff()), within);
        EXPECT_NEAR(g.edge_least, g.edge_median, within);
        EXPECT_EQ(g.indefinite, 0);
        EXPECT_LE(g.hessian_products, 3 * dim);
      }
    }
  }
}

TEST(Geometry, TheRightMetricTakesOneProduct) {
  const int dim = 40;
  const Matrix h = with_spectrum(log_spaced(dim, 1e3), true);
  const Matrix sigma = h.inverse();
  const Geometry g = measure_geometry(
      NormalTarget(h),
      prepare_metric(Metric::dense, {sigma.data(), sigma.data() + sigma.size()}, dim),
      normals(4, dim, 5));
  EXPECT_NEAR(g.kappa_median, 1, 1e-8);
  EXPECT_LE(g.hessian_products, 5 * 16);
}

// Confuses mass with inverse mass: M = Sigma squares the condition number.
TEST(Geometry, CovarianceAsMassIsCaught) {
  const int dim = 12;
  const double kappa = 400;
  const Matrix h = with_spectrum(log_spaced(dim, kappa), true);
  const auto with = [&](const Matrix& inverse_mass) {
    return measure_geometry(
        NormalTarget(h),
        prepare_metric(Metric::dense,
                       {inverse_mass.data(), inverse_mass.data() + inverse_mass.size()}, dim),
        normals(4, dim, 5));
  };
  EXPECT_NEAR(with(h.inverse()).kappa_median, 1, 1e-8);
  EXPECT_NEAR(with(h).kappa_median, kappa * kappa, 1e-8 * kappa * kappa);
}

TEST(Geometry, TheBoundOfNormalLawsIsKappa) {
  const int dim = 8, n = 40000;
  const double kappa = 100;
  const Matrix s = with_spectrum(log_spaced(dim, kappa), true);
  for (const MetricCase& m : metrics(dim)) {
    SCOPED_TRACE(m.name);
    const Matrix h = hessian_for(s, m.inverse_mass);
    const Matrix draws = Eigen::LLT<Matrix>(h).matrixU().solve(normals(6, dim, n));
    const Geometry g =
        measure_geometry(NormalTarget(h), prepare_metric(m.kind, m.values, dim), draws, 4);
    EXPECT_EQ(g.points, 4);
    // The largest eigenvalue of a sample covariance, of which there are two.
    const double noise = std::sqrt(static_cast<double>(dim) / n);
    EXPECT_LT(g.kappa_bar, kappa * std::pow(1 + noise, 4));
    EXPECT_GT(g.kappa_bar, kappa * std::pow(1 - noise, 4));
  }
}

// Points whose Hessians differ, and are not all definite: every figure again, by assembling the
// Hessians and sorting.
TEST(Geometry, DenseHessiansSayTheSame) {
  for (const char* name : {"eight-schools-nc", "funnel", "banana", "icg"}) {
    SCOPED_TRACE(name);
    const auto target = find_target(name).block_double({});
    const int dim = target->dim(), n = 101;
    const Matrix q = normals(7, dim, n);
    InverseMass variances(static_cast<std::size_t>(dim));
    for (int j = 0; j < dim; ++j) {
      variances[static_cast<std::size_t>(j)] = std::pow(3.0, j % 3);
    }
    const Geometry g =
        measure_geometry(*target, prepare_metric(Metric::diagonal, variances, dim), q);
    std::vector<double> kappas, largest;
    double indefinite = 0;
    for (int p = 0; p < n; ++p) {
      Matrix h(dim, dim);
      for (int j = 0; j < dim; ++j) {
        constexpr int chains = 64;  // a width that every lane divides
        Matrix at(dim, chains), along = Matrix::Zero(dim, chains), product(dim, chains);
        at.colwise() = q.col(p);
        along.row(j).setOnes();
        target->hessian_vector(at.data(), along.data(), product.data(), chains);
        for (int i = 0; i < dim; ++i) {
          h(i, j) = product(i, 0) * std::sqrt(variances[static_cast<std::size_t>(i)] *
                                              variances[static_cast<std::size_t>(j)]);
        }
      }
      const VectorXd values = SymmetricEigen(h, SymmetricEigen::What::values_only).values();
      const bool definite = values.minCoeff() > 0;
      indefinite += definite ? 0 : 1;
      kappas.push_back(definite ? values.maxCoeff() / values.minCoeff()
                                : std::numeric_limits<double>::infinity());
      largest.push_back(values.maxCoeff());
    }
    std::sort(kappas.begin(), kappas.end());
    std::sort(largest.begin(), largest.end());
    EXPECT_EQ(g.indefinite, indefinite / n);
    // 101 points: the median and the 95 % quantile are order statistics.
    const auto expect_equal = [](double value, double expected) {
      if (std::isinf(expected)) {
        EXPECT_EQ(value, expected);
      } else {
        EXPECT_NEAR(value, expected, 1e-5 * expected);
      }
    };
    expect_equal(g.kappa_median, kappas[50]);
    expect_equal(g.kappa_95, kappas[95]);
    expect_equal(g.lambda_max, largest[50]);
    expect_equal(g.edge_median, 2 / std::sqrt(largest[50]));
    expect_equal(g.edge_least, 2 / std::sqrt(largest[100]));
  }
}

// Hessian-vector products against differences of gradients, and symmetric.
TEST(Geometry, ProductsOfRegistryTargets) {
  int tried = 0;
  for (const TargetEntry& entry : targets()) {
    if (entry.needs_data || entry.discontinuous || entry.dim({}) > kMostErased) {
      continue;
    }
    SCOPED_TRACE(entry.name);
    ++tried;
    const auto target = entry.block_double({});
    constexpr int chains = 64;
    const int dim = target->dim();
    const Matrix q = 0.3 * normals(8, dim, chains).array() + 0.1;
    const Matrix u = normals(9, dim, chains), v = normals(10, dim, chains);
    const auto product = [&](const Matrix& along) {
      Matrix out(dim, chains);
      target->hessian_vector(q.data(), along.data(), out.data(), chains);
      return out;
    };
    const auto gradient = [&](const Matrix& at) {
      Matrix g(dim, chains);
      double hi[chains], lo[chains];
      target->potential_and_gradient(at.data(), g.data(), hi, lo, chains);
      return g;
    };
    const double step = 1e-6;
    const Matrix hv = product(v), hu = product(u);
    const Matrix difference = (gradient(q + step * v) - gradient(q - step * v)) / (2 * step);
    for (int c = 0; c < chains; ++c) {
      const double size = hv.col(c).norm() * v.col(c).norm();
      EXPECT_NEAR(u.col(c).dot(hv.col(c)), v.col(c).dot(hu.col(c)),
                  1e-10 * (size + hu.col(c).norm() * v.col(c).norm()));
      EXPECT_LT((difference.col(c) - hv.col(c)).norm(), 1e-4 * (1 + hv.col(c).norm()));
    }
  }
  EXPECT_GT(tried, 8);
}

// Leapfrog, as the engine runs it, stays on this side of the edge and leaves on the other.
TEST(Geometry, LeapfrogIsStableUpToTheEdge) {
  const TargetEntry& entry = find_target("icg");
  constexpr std::int64_t chains = 64;
  SampleOptions place;
  place.chains = chains;
  place.precision = Precision::double_;
  const auto engine = entry.make({}, place);
  const auto target = entry.block_double({});
  const int dim = target->dim();
  for (const MetricCase& m : metrics(dim)) {
    SCOPED_TRACE(m.name);
    const PreparedMetric metric = prepare_metric(m.kind, m.values, dim);
    const Geometry g = measure_geometry(*target, metric, normals(11, dim, 2));
    Sampler sampler = Hmc{.leapfrog = 2000, .length_jitter = LengthJitter::none};
    sampler.metric = m.kind;
    engine->configure(sampler, metric);
    const auto divergences = [&](double fraction) {
      engine->place(std::vector<double>(static_cast<std::size_t>(dim * chains), 0.0));
      Launch launch;
      launch.step_size = fraction * g.edge_median / 2;
      launch.steps = 2000;
      return engine->advance(launch).divergences;
    };
    // At 1.99 the energy of the fastest coordinate swings by a factor of 1 / (1 - 1.99^2 / 4) =
    // 100, which from its momentum alone stays below a divergence's 1000; at 2.01 it grows by
    // exp(0.4) a step.
    EXPECT_EQ(divergences(1.99), 0);
    EXPECT_EQ(divergences(2.01), chains);
  }
}

TEST(Geometry, RefusesWhatItCannotMeasure) {
  const auto icg = find_target("icg").block_double({});
  const int dim = icg->dim();
  const PreparedMetric unit = prepare_metric(Metric::unit, {}, dim);
  EXPECT_THROW(measure_geometry(*icg, unit, normals(1, dim, 4), 0), UsageError);
  EXPECT_TRUE(std::isnan(measure_geometry(*icg, unit, normals(1, dim, 1)).kappa_bar));
  EXPECT_THROW(measure_geometry(*icg, unit, normals(1, dim - 1, 4), normals(1, dim - 1, 4)),
               UsageError);
  TargetOptions large;
  large.dim = 1000;
  throws_naming([&] { target_for_geometry(find_target("std-normal"), large); },
                {"std-normal has 1000", "256"});
  throws_naming([&] { target_for_geometry(find_target("integer-grid"), {}); },
                {"integer-grid jumps"});
}

}  // namespace
}  // namespace lockstep
