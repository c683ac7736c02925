#include "host/adapt/stranded.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lockstep {

namespace {

constexpr std::size_t kFewestChains = 16;
constexpr int kFewestTransitions = 4;
/// More than this share of the chains is no longer "a few".
constexpr double kLargestShare = 0.1;
/// An acceptance below this share of the median's.
constexpr double kLowAcceptance = 0.05;
/// Scatters away: a normal law has none out there, an exponential one in 10^13.
constexpr double kFar = 20;

/// Median, and the scatter of the middle half scaled to a normal law's standard deviation.
struct Centre {
  double median, scatter;
  explicit Centre(const std::vector<double>& x)
      : median(quantile(x, 0.5)), scatter((quantile(x, 0.75) - quantile(x, 0.25)) / 1.349) {}
  /// None where half of the chains are at the same place, as an integer's often are: then there is
  /// no scatter to measure by.
  double distance(double x) const { return scatter > 0 ? (x - median) / scatter : 0; }
};

std::string sentence(const char* format, double a, double b) {
  char text[160];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

/// The parameter in which each listed chain is farthest from the others' middle.
/// @param x  [dim][chains]
void name_parameters(std::span<const double> x, std::size_t chains,
                     const std::vector<std::string>& names, std::vector<StrandedChain>& found) {
  std::vector<double> worst(found.size(), -1);
  for (std::size_t j = 0; !found.empty() && j < names.size(); ++j) {
    const auto row = x.subspan(j * chains, chains);
    const Centre centre({row.begin(), row.end()});
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double d = std::abs(centre.distance(row[static_cast<std::size_t>(found[i].chain)]));
      if (d > worst[i]) {
        worst[i] = d;
        found[i].parameter = names[j];
      }
    }
  }
}

StrandedChain chain_at(std::size_t c, std::string cause) {
  StrandedChain s;
  s.chain = static_cast<std::int64_t>(c);
  s.transition = -1;
  s.cause = std::move(cause);
  return s;
}

}  // namespace

void StrandedWatch::add(std::span<const double> acceptance, std::span<const double> potential) {
  ++transitions_;
  for (std::size_t c = 0; c < acceptance_.size(); ++c) {
    acceptance_[c] += (acceptance[c] - acceptance_[c]) / transitions_;
    potential_[c] += (potential[c] - potential_[c]) / transitions_;
  }
}

std::vector<StrandedChain> StrandedWatch::find(std::span<const double> q,
                                               const std::vector<std::string>& names) const {
  const std::size_t chains = acceptance_.size();
  if (chains < kFewestChains || transitions_ < kFewestTransitions) {
    return {};
  }
  const double median_acceptance = quantile(acceptance_, 0.5);
  const Centre energy(potential_);
  std::vector<StrandedChain> found;
  for (std::size_t c = 0; c < chains; ++c) {
    if (acceptance_[c] < kLowAcceptance * median_acceptance) {
      found.push_back(chain_at(
          c, sentence("accepts %.2g of its proposals where half of the chains accept %.2g or more",
                      acceptance_[c], median_acceptance)));
    } else if (energy.distance(potential_[c]) > kFar) {
      found.push_back(chain_at(
          c, sentence("its log density stays %.3g below the chains' median, %.3g times their "
                      "scatter",
                      potential_[c] - energy.median, energy.distance(potential_[c]))));
    }
  }
  if (static_cast<double>(found.size()) > kLargestShare * static_cast<double>(chains)) {
    return {};
  }
  name_parameters(q, chains, names, found);
  return found;
}

void StrandedWatch::clear() {
  transitions_ = 0;
  std::fill(acceptance_.begin(), acceptance_.end(), 0.0);
  std::fill(potential_.begin(), potential_.end(), 0.0);
}

std::vector<StrandedChain> stranded_after(const Statistics& s,
                                          const std::vector<std::string>& names) {
  const auto chains = static_cast<std::size_t>(s.chains);
  const auto n0 = static_cast<double>(s.draws[0]), n1 = static_cast<double>(s.draws[1]);
  if (chains < kFewestChains || n0 + n1 < kFewestTransitions) {
    return {};
  }
  std::vector<double> mean(s.mean[0].size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    mean[i] = (n0 * s.mean[0][i] + n1 * s.mean[1][i]) / (n0 + n1);
  }
  const double median_acceptance = quantile(s.acceptance, 0.5);
  std::vector<bool> far(chains);
  for (std::size_t j = 0; j < names.size(); ++j) {
    const std::vector<double> row(mean.begin() + static_cast<std::ptrdiff_t>(j * chains),
                                  mean.begin() + static_cast<std::ptrdiff_t>((j + 1) * chains));
    const Centre centre(row);
    for (std::size_t c = 0; c < chains; ++c) {
      far[c] = far[c] || std::abs(centre.distance(row[c])) > kFar;
    }
  }
  std::vector<StrandedChain> found;
  for (std::size_t c = 0; c < chains; ++c) {
    if (s.acceptance[c] < kLowAcceptance * median_acceptance) {
      found.push_back(chain_at(
          c, sentence("accepted %.2g of its proposals where half of the chains accepted %.2g or "
                      "more",
                      s.acceptance[c], median_acceptance)));
    } else if (far[c]) {
      found.push_back(chain_at(c, sentence("its mean is more than %.0f times the scatter of the "
                                           "chains' means (%.2g of its proposals accepted)",
                                           kFar, s.acceptance[c])));
    }
  }
  name_parameters(mean, chains, names, found);
  return found;
}

}  // namespace lockstep
