#include <algorithm>
#include <cmath>
#include <string>

#include "host/vi/advi.hpp"
#include "kernels/random/distributions.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Uniform on +- radius, [dim][points].
Matrix around(std::uint64_t seed, int dim, std::int64_t points, double radius) {
  Matrix q(dim, points);
  for (std::int64_t i = 0; i < points; ++i) {
    const auto stream = Stream<double>::of(seed, static_cast<std::uint64_t>(i));
    for (int j = 0; j < dim; ++j) {
      const auto w = words(stream, static_cast<std::uint32_t>(AdviSet::search), Purpose::training,
                           static_cast<std::uint32_t>(j / 4));
      q(j, i) = radius * (2 * uniform(w[j % 4]) - 1);
    }
  }
  return q;
}

}  // namespace

Eigen::VectorXd start_of(Density& density, const VariationalOptions& options) {
  const bool given = !options.start.empty();
  const Matrix q =
      given ? Matrix(Eigen::Map<const Matrix>(options.start.data(), density.dim(), 1))
            : around(options.seed, density.dim(), Density::kFewest, options.start_radius);
  Eigen::VectorXd potential;
  Matrix gradient;
  density.evaluate(q, potential, gradient);
  Eigen::Index best = -1;
  for (Eigen::Index i = 0; i < q.cols(); ++i) {
    if (std::isfinite(potential[i]) && gradient.col(i).allFinite() &&
        (best < 0 || potential[i] < potential[best])) {
      best = i;
    }
  }
  require<InitialisationError>(
      best >= 0,
      given ? "the potential is " + std::to_string(potential[0]) +
                  " at the fit's start, or its gradient is not finite: give a start inside the "
                  "target's support"
            : "the potential is not finite at any of " + std::to_string(q.cols()) +
                  " points within " + std::to_string(options.start_radius) +
                  " of the origin: give a smaller start radius, or a start");
  return q.col(best);
}

}  // namespace lockstep
