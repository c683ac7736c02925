#pragma once

/// Draws beside a law that can be summed: cells of known probability, and how often chains are in
/// each.

#include <cstddef>
#include <functional>
#include <vector>

#include "lockstep/engine.hpp"

namespace lockstep {

/// One cell for each value, or for each set of rare ones.
struct CellLaw {
  std::vector<double> probability;                 // of each cell; they add up to 1
  std::vector<int> parameters;                     // rows of the kept draws that say which cell,
  std::function<std::size_t(const double*)> cell;  // of their values, on the reported scale
};

struct CellComparison {
  /// Half the sum of |share - probability| over cells.
  double total_variation = 0;
  /// What right draws of as much Monte Carlo error would have on average: half the sum of
  /// sqrt(2 / pi) standard errors of the shares, by the variance between chains, by batches in time
  /// (common_error.hpp) or of independent draws, whichever is largest.
  double expected = 0;
  double worst_in_mcse = 0;             // the share that is farthest off, in its standard errors
  std::vector<double> draws, by_draws;  // total variation after so many draws of each chain
};

/// @param draws  of two chains or more
CellComparison compare_with(const CellLaw& law, const Draws& draws);

}  // namespace lockstep
