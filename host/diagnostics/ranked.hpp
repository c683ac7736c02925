#pragma once

#include <span>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "host/diagnostics/order.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep::diagnostics {

/// Half chains and their order: one sort from which ranks, folded ranks and quantiles all follow.
/// The trace must hold no NaN.
class Ranked {
 public:
  explicit Ranked(Trace trace);

  const Columns& halves() const { return halves_; }

  /// Rank-normalised half chains: Phi^{-1}((r - 3/8) / (n + 1/4)), r the rank among all n, ties at
  /// their average (Vehtari et al. 2021, eq. 14; Blom 1958).
  Columns z_scores() const;

  /// The same for |x - median|. NaN throughout when the median is infinite.
  Columns folded_z_scores() const;

  /// All draws in ascending order, an odd middle draw included.
  std::vector<double> sorted_draws() const;

 private:
  Columns z_scores_of(const order::Order& order) const;

  Trace trace_;
  Columns halves_;
  order::Order order_;
};

/// Linear between order statistics, R's type 7. `sorted` ascending and free of NaN; NaN if empty.
double quantile_of_sorted(std::span<const double> sorted, double probability);

}  // namespace lockstep::diagnostics
