#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/adapt/quantile.hpp"
#include "lockstep/archive.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

/// Watches over a window of the warm-up for chains that stay far from the others: that hardly
/// accept anything, or whose potential stays beyond what the others' scatter explains.
class StrandedWatch {
 public:
  explicit StrandedWatch(std::int64_t chains)
      : acceptance_(static_cast<std::size_t>(chains)), potential_(acceptance_) {}

  /// One transition's acceptance probabilities and potentials, [chains].
  void add(std::span<const double> acceptance, std::span<const double> potential);

  /// The chains that stand out, with parameter and cause; none while so many do that the others are
  /// no cohort, or with too few chains or transitions to say.
  /// @param q      positions, [dim][chains]
  /// @param names  of the parameters
  std::vector<StrandedChain> find(std::span<const double> q,
                                  const std::vector<std::string>& names) const;

  void clear();
  void archive(Archive& a) { a(transitions_, acceptance_, potential_); }

 private:
  int transitions_ = 0;
  std::vector<double> acceptance_, potential_;  // means over the window
};

/// The same after sampling, from each chain's mean acceptance and means of the parameters.
std::vector<StrandedChain> stranded_after(const Statistics& statistics,
                                          const std::vector<std::string>& names);

}  // namespace lockstep
