#pragma once

/// The cases of the study of discontinuous HMC: targets, their laws where they can be summed, the
/// samplers with their settings, and what was published of them.

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/studies/study.hpp"
#include "host/diagnostics/cells.hpp"
#include "host/registry.hpp"
#include "lockstep/dhmc.hpp"

namespace lockstep::bench {

/// Second moments of unconstrained q over a method's chains, from which others are set up.
struct ChainSpread {
  int dim = 0;
  std::vector<double> covariance;  // [dim][dim]; none for a method without pilot
  double variance(int j) const {
    return covariance[static_cast<std::size_t>(j) * static_cast<std::size_t>(dim + 1)];
  }
};

/// A method on a case.
struct DhmcRecipe {
  std::string method;
  std::function<Sampler(const ChainSpread&)> sampler;
  /// The method before it whose chains tell how coordinates vary, and where this one's start. What
  /// that took counts as tuning. Empty: none.
  std::string pilot = {};
  int warmup = 200;
  int draws = 1000;
  int thin = 1;  // of the draws that are kept for bulk ESS
};

/// What somebody found. Such figures are shown beside ours.
struct PublishedFigure {
  std::string method, metric;
  double value;
  std::string source;
};

struct DhmcCase {
  std::string name = {}, target = {};
  std::optional<CellLaw> law = {};
  bool judges_moments = true;  // by the target's truth or reference
  std::vector<DhmcRecipe> recipes = {};
  std::vector<PublishedFigure> published = {};
  std::int64_t most_chains = 4096;
  std::int64_t kept_chains = 256;
  bool takes_data = false;  // --data
  std::vector<std::string> remarks = {};
};

/// In the order of the report.
const std::vector<DhmcCase>& dhmc_cases();

}  // namespace lockstep::bench
