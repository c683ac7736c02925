/// What a run's user should know before trusting its figures.

#include <algorithm>
#include <cstdio>

#include "host/adapt/stranded.hpp"
#include "lockstep/result.hpp"

namespace lockstep {

namespace {

constexpr std::size_t kMostNamed = 8;
/// A coordinate of which fewer visits move it hardly goes anywhere.
constexpr double kHardlyMoved = 0.02;

std::string line_on(const StrandedChain& s) {
  std::string line = "chain " + std::to_string(s.chain);
  line += s.transition < 0 ? " stayed far from the others"
                           : " was stranded at warm-up transition " + std::to_string(s.transition);
  line += ", most of all in " + s.parameter + ": " + s.cause;
  if (s.restarted_from >= 0) {
    line += "; restarted where chain " + std::to_string(s.restarted_from) + " was";
  }
  return line;
}

}  // namespace

std::vector<std::string> Fit::warnings() const {
  std::vector<std::string> lines = preparation.warnings;
  const std::size_t most = lines.size() + kMostNamed;
  for (const StrandedChain& s : stranded) {
    if (lines.size() == most) {
      lines.push_back("and " + std::to_string(stranded.size() - kMostNamed) +
                      " more stranded chains");
      break;
    }
    lines.push_back(line_on(s));
  }
  std::string still;
  std::size_t count = 0;
  for (const VisitSummary& v : visits) {
    if (v.no_flip < kHardlyMoved && ++count <= kMostNamed) {
      still += (count > 1 ? ", " : "") + v.name;
    }
  }
  if (count > 0) {
    lines.push_back(still + (count > kMostNamed ? ", ..." : "") +
                    ": fewer than 2 % of the visits " +
                    "move it: take a smaller hop, or hop_per_coordinate");
  }
  const double low =
      statistics.acceptance.empty() ? acceptance : quantile(statistics.acceptance, 0.05);
  if (draws_done > 0 && low < 0.5 * acceptance) {
    char text[160];
    std::snprintf(text, sizeof text,
                  "5 %% of the chains accept less than %.2g of their proposals, the mean chain "
                  "%.2g: some are where the step size is too large",
                  low, acceptance);
    lines.emplace_back(text);
  }
  return lines;
}

}  // namespace lockstep
