#pragma once

#include <string>

#include "lockstep/result.hpp"

namespace lockstep::report {

/// A parameter's kept draws, as its plots need them.
struct KeptParameter {
  std::string name;
  ParameterSummary summary;
  std::vector<double> values;  // [draw][chain]
  std::vector<double> sorted;  // those that are finite, ascending
  std::size_t draws = 0, chains = 0;
  std::int64_t chains_run = 0;
  int thin = 1;

  bool finite() const { return sorted.size() == values.size(); }
  /// Changes, and has enough draws for a picture.
  bool varies() const { return sorted.size() >= 8 && sorted.front() < sorted.back(); }
};

/// @param row  of the kept draws
KeptParameter kept_parameter(const Fit& fit, std::size_t row);

/// The density of all kept draws, and of four groups of chains: where they differ, chains disagree.
std::string density_plot(const KeptParameter& p);

/// How often each chain visits each twentieth of all draws' ranks (Vehtari et al. 2021, section
/// 4.2), as a heat map of the departures from equal shares. Few chains are cut into parts, since a
/// single chain's ranks are uniform by definition.
std::string rank_plot(const KeptParameter& p);

/// Autocorrelation of chains: their mean, and the band that holds nine in ten of them.
std::string autocorrelation_plot(const KeptParameter& p);

/// ESS of the first draws of every chain, scaled to all chains: a sampler that mixes grows
/// straight.
std::string growth_plot(const KeptParameter& p);

/// What the four plots of a parameter show and what their colours mean.
std::string reading_guide(const Fit& fit);

/// A plot with its heading and what its colours mean, or the reason why there is none.
std::string figure(const std::string& title, const std::string& content,
                   const std::string& legend = "");
std::string no_plot(const std::string& reason);
/// A sample of a mark ("line", "band", "dots", "cross", "rule") with its meaning.
std::string key(const std::string& mark, const std::string& meaning);

}  // namespace lockstep::report
