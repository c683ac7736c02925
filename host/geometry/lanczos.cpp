#include "host/geometry/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "host/symmetric_eigen.hpp"
#include "host/vi/normal.hpp"

namespace lockstep {

namespace {

constexpr std::uint64_t kSeed = 1;  // of the first directions
constexpr int kFirstLook = 16;      // at the Ritz values; then whenever their number has grown by
constexpr int kGrowth = 3;          // a third
constexpr double kRounding = 1e-14;

/// The eigenvalues, ascending, of the leading k rows and columns of a tridiagonal matrix.
Eigen::VectorXd ritz_values(const std::vector<double>& alpha, const std::vector<double>& beta,
                            int k) {
  return SymmetricEigen::tridiagonal(Eigen::Map<const Eigen::VectorXd>(alpha.data(), k),
                                     Eigen::Map<const Eigen::VectorXd>(beta.data(), k - 1));
}

/// One matrix's iteration: S V = V T + beta_k v_k+1 e_k'.
class Krylov {
 public:
  Krylov(int dim, Eigen::VectorXd direction) : dim_(dim), basis_(dim, dim) {
    basis_.row(0) = direction.normalized();
  }

  bool done() const { return done_; }
  double smallest() const { return smallest_; }
  double largest() const { return largest_; }

  Eigen::VectorXd direction() const { return basis_.row(size()).transpose(); }

  /// @param w  S times `direction`
  void grow(Eigen::VectorXd w) {
    if (!w.allFinite()) {
      smallest_ = largest_ = std::numeric_limits<double>::quiet_NaN();
      done_ = true;
      return;
    }
    const int k = size();
    alpha_.push_back(basis_.row(k).dot(w));
    scale_ = std::max(scale_, w.norm());
    orthogonalise(w);
    const double beta = w.norm();
    beta_.push_back(beta);
    if (k + 1 == dim_ || beta <= kRounding * scale_) {
      // Nothing is left of a random direction: the basis holds some of every eigenspace.
      beta_.back() = 0;
      look(0);
    } else {
      basis_.row(k + 1) = w / beta;
    }
  }

  void look(double tolerance) {
    const int k = size();
    const Eigen::VectorXd theta = ritz_values(alpha_, beta_, k);
    smallest_ = theta[0];
    largest_ = theta[k - 1];
    // The residual of Ritz pair i is beta_k |s_i|, and of its vector's last element
    //   s_i^2 = prod_j (theta_i - mu_j) / prod_(j != i) (theta_i - theta_j),
    // mu the Ritz values one step before, which lie between the theta: ratios of at most 1.
    double low = 1, high = 1;
    if (beta_.back() > 0) {
      const Eigen::VectorXd mu = ritz_values(alpha_, beta_, k - 1);
      for (int j = 0; j + 1 < k; ++j) {
        low *= ratio(mu[j] - smallest_, theta[j + 1] - smallest_);
        high *= ratio(largest_ - mu[j], largest_ - theta[j]);
      }
    }
    const auto settled = [&](double value, double square) {
      return beta_.back() * std::sqrt(square) <= tolerance * std::abs(value);
    };
    done_ = settled(smallest_, low) && settled(largest_, high);
  }

 private:
  int size() const { return static_cast<int>(alpha_.size()); }

  /// Within [0, 1] in spite of rounding.
  static double ratio(double a, double b) { return b > 0 ? std::clamp(a / b, 0.0, 1.0) : 1.0; }

  /// Again and again until hardly anything is taken away (Daniel, Gragg, Kaufman & Stewart 1976).
  void orthogonalise(Eigen::VectorXd& w) const {
    const auto known = basis_.topRows(size());
    double before = 0, after = w.norm();
    do {
      before = after;
      w -= known.transpose() * (known * w).eval();
      after = w.norm();
    } while (after < 0.7 * before && after > kRounding * scale_);
  }

  int dim_;
  Matrix basis_;                      // v_k are its rows
  std::vector<double> alpha_, beta_;  // T's diagonal, and beside it
  double scale_ = 0;                  // of S
  double smallest_ = 0, largest_ = 0;
  bool done_ = false;
};

}  // namespace

SpectrumEnds spectrum_ends(const SymmetricProducts& products, int dim, int points,
                           double tolerance) {
  const Matrix first = standard_normals(kSeed, 0, dim, points);
  std::vector<Krylov> all;
  all.reserve(static_cast<std::size_t>(points));
  for (int p = 0; p < points; ++p) {
    all.emplace_back(dim, first.col(p));
  }
  SpectrumEnds ends{Eigen::VectorXd(points), Eigen::VectorXd(points), 0};
  Matrix x = Matrix::Zero(dim, points), y(dim, points);
  const auto done = [](const Krylov& k) { return k.done(); };
  for (int look = kFirstLook; !std::all_of(all.begin(), all.end(), done); ++ends.products) {
    for (int p = 0; p < points; ++p) {
      if (!all[static_cast<std::size_t>(p)].done()) {
        x.col(p) = all[static_cast<std::size_t>(p)].direction();
      }
    }
    products(x, y);
    const bool now = ends.products + 1 == look;
    look += now ? look / kGrowth : 0;
    for (int p = 0; p < points; ++p) {
      Krylov& one = all[static_cast<std::size_t>(p)];
      if (!one.done()) {
        one.grow(y.col(p));
      }
      if (now && !one.done()) {
        one.look(tolerance);
      }
    }
  }
  for (int p = 0; p < points; ++p) {
    ends.smallest[p] = all[static_cast<std::size_t>(p)].smallest();
    ends.largest[p] = all[static_cast<std::size_t>(p)].largest();
  }
  return ends;
}

}  // namespace lockstep
