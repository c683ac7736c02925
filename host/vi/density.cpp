#include "host/vi/density.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "lockstep/error.hpp"

namespace lockstep {

Density::Density(MakeEngine make) : make_(std::move(make)) {
  const EngineDescription& about = engine_for(kFewest).description();
  dim_ = about.dim;
  require(about.discontinuous.empty(),
          "a variational fit needs a density without jumps, but this one jumps along " +
              about.names[static_cast<std::size_t>(
                  about.discontinuous.empty() ? 0 : about.discontinuous.front())] +
              ": start without a fit");
}

Engine& Density::engine_for(std::int64_t points) {
  const auto chains = static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::clamp(points, kFewest, kMost))));
  std::unique_ptr<Engine>& engine = engines_[chains];
  if (!engine) {
    engine = make_(chains);
  }
  return *engine;
}

void Density::evaluate(const Matrix& q, Eigen::VectorXd& potential, Matrix& gradient) {
  const std::int64_t points = q.cols();
  potential.resize(points);
  gradient.resize(dim_, points);
  evaluations_ += points;
  std::vector<double> place, u, g;
  for (std::int64_t first = 0; first < points;) {
    Engine& engine = engine_for(points - first);
    const std::int64_t chains = engine.description().chains;
    const std::int64_t n = std::min(chains, points - first);
    place.resize(static_cast<std::size_t>(dim_ * chains));
    g.resize(place.size());
    u.resize(static_cast<std::size_t>(chains));
    for (int j = 0; j < dim_; ++j) {
      double* const row = place.data() + j * chains;
      std::copy_n(q.data() + j * points + first, n, row);
      std::fill(row + n, row + chains, row[n - 1]);  // chains without a point of their own
    }
    engine.place(place);
    engine.evaluations(u, g);
    std::copy_n(u.data(), n, potential.data() + first);
    for (int j = 0; j < dim_; ++j) {
      std::copy_n(g.data() + j * chains, n, gradient.data() + j * points + first);
    }
    first += n;
  }
}

}  // namespace lockstep
