#include "host/adapt/blocks.hpp"

#include <algorithm>

#include "host/adapt/quantile.hpp"

namespace lockstep {

namespace {

std::vector<int> others(int dim, const std::vector<int>& coordinates) {
  std::vector<int> rest;
  for (int j = 0; j < dim; ++j) {
    if (!std::binary_search(coordinates.begin(), coordinates.end(), j)) {
      rest.push_back(j);
    }
  }
  return rest;
}

}  // namespace

BlockEstimator::BlockEstimator(Metric kind, int dim, const std::vector<int>& discontinuous,
                               const Adaptation& how)
    : dim_(dim),
      smooth_at_(others(dim, discontinuous)),
      jumps_at_(discontinuous),
      smooth_(smooth_at_.empty() ? Metric::diagonal : kind, smooth_dim(), how),
      jumps_(Metric::diagonal, dim - smooth_dim(), how),
      variances_(jumps_at_.size(), 1.0) {}

std::vector<double> BlockEstimator::rows(std::span<const double> x, const std::vector<int>& at,
                                         std::size_t chains) {
  std::vector<double> some;
  some.reserve(at.size() * chains);
  for (const int j : at) {
    const auto row = x.subspan(static_cast<std::size_t>(j) * chains, chains);
    some.insert(some.end(), row.begin(), row.end());
  }
  return some;
}

void BlockEstimator::add(std::span<const double> q, std::span<const double> gradient,
                         std::int64_t chains) {
  const auto n = static_cast<std::size_t>(chains);
  smooth_.add(rows(q, smooth_at_, n),
              needs_gradients() ? rows(gradient, smooth_at_, n) : std::vector<double>{}, chains);
  jumps_.add(rows(q, jumps_at_, n), {}, chains);
}

void BlockEstimator::clear() {
  smooth_.clear();
  jumps_.clear();
}

std::optional<PreparedMetric> BlockEstimator::estimate() {
  const auto smooth = smooth_.estimate();
  if (!smooth) {
    return std::nullopt;
  }
  const InverseMass found = jumps_.estimate()->inverse_mass;
  for (std::size_t i = 0; i < variances_.size(); ++i) {
    variances_[i] = std::max(found[i], variances_[i] / (kMostShrinkage * kMostShrinkage));
  }
  return embedded(*smooth);
}

PreparedMetric BlockEstimator::of_starts(std::span<const double> q,
                                         std::span<const double> gradient) {
  const std::size_t chains = q.size() / static_cast<std::size_t>(dim_);
  const auto smooth = metric_of_starts(rows(q, smooth_at_, chains),
                                       rows(gradient, smooth_at_, chains), smooth_dim());
  for (std::size_t i = 0; i < variances_.size(); ++i) {
    const std::vector<double> row = rows(q, {jumps_at_[i]}, chains);
    const double sd = (quantile(row, 0.75) - quantile(row, 0.25)) / 1.349;
    variances_[i] = sd > 0 ? sd * sd : 1.0;
  }
  return embedded(prepare_metric(Metric::diagonal, smooth, smooth_dim()));
}

PreparedMetric BlockEstimator::embedded(const PreparedMetric& smooth) const {
  const auto d = static_cast<std::size_t>(dim_), s = smooth_at_.size();
  const bool dense = smooth.kind == Metric::dense;
  const int rank =
      smooth.kind == Metric::low_rank ? rank_of(smooth.inverse_mass.size(), smooth_dim()) : 0;
  const auto at = [](const std::vector<int>& coordinates, std::size_t i) {
    return static_cast<std::size_t>(coordinates[i]);
  };
  // Dense: all of it. Else the diagonal, then what low rank adds to it.
  InverseMass whole(dense ? d * d : d);
  const std::size_t next = dense ? d + 1 : 1;  // between diagonal entries
  for (std::size_t i = 0; i < variances_.size(); ++i) {
    whole[next * at(jumps_at_, i)] = variances_[i];
  }
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t k = 0; dense && k < s; ++k) {
      whole[d * at(smooth_at_, i) + at(smooth_at_, k)] = smooth.inverse_mass[s * i + k];
    }
    if (!dense) {
      whole[at(smooth_at_, i)] = smooth.inverse_mass[i];
    }
  }
  const double* values = smooth.inverse_mass.data() + s;  // read where low rank has them
  const double* vectors = values + rank;
  whole.insert(whole.end(), values, values + rank);
  for (int k = 0; k < rank; ++k) {
    std::vector<double> direction(d, 0.0);
    for (std::size_t i = 0; i < s; ++i) {
      direction[at(smooth_at_, i)] = vectors[static_cast<std::size_t>(k) * s + i];
    }
    whole.insert(whole.end(), direction.begin(), direction.end());
  }
  return prepare_metric(smooth.kind, whole, dim_);
}

}  // namespace lockstep
