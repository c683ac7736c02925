#include "bench/studies/l2hmc_tuning.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace lockstep::bench {

namespace {

constexpr std::uint64_t kTuningSeed = 77;
constexpr double kStepJitter = 0.2;
constexpr double kLeastAcceptance = 0.1;

enum class Jitter { none, step, length };

struct Candidate {
  double step_size = 0;
  int leapfrog = 1;
  Jitter jitter = Jitter::none;
};

Hmc hmc_of(const Candidate& c) {
  Hmc hmc;
  hmc.step_size = c.step_size;
  hmc.step_jitter = c.jitter == Jitter::step ? kStepJitter : 0;
  hmc.leapfrog = c.leapfrog;
  hmc.length_jitter = c.jitter == Jitter::length ? LengthJitter::uniform : LengthJitter::none;
  hmc.metric = Metric::unit;
  return hmc;
}

/// ESS per gradient by the two measures.
struct Scores {
  double means = 0, squares = 0;
};

struct Best {
  Candidate candidate;
  double score = 0;
};

/// The search, which adds up what it costs.
class Search {
 public:
  explicit Search(const L2hmcWorkplace& place) : place_(place) {}

  JointlyTuned result() {
    Best means, squares;
    const int most = place_.settings().quick ? 16 : 256;
    for (const double step : accepted_steps()) {
      for (int leapfrog = 1; leapfrog <= most; leapfrog *= 2) {
        for_all_jitters(step, leapfrog, kChains, [&](const Candidate& c, const Scores& s) {
          take_better(means, c, s.means);
          take_better(squares, c, s.squares);
        });
      }
    }
    return {refined(means.candidate, &Scores::means), refined(squares.candidate, &Scores::squares)};
  }

 private:
  /// ESS between so many chains is within 13 % mostly, then 6 %: tuning is paid for, too.
  static constexpr std::int64_t kChains = 128;
  /// Gradients of a chain in one run, and its fewest transitions: chains that never move have an
  /// ESS of 1, which per gradient must be little.
  int budget() const { return place_.settings().quick ? 400 : 5000; }
  int fewest() const { return place_.settings().quick ? 20 : 100; }

  static void take_better(Best& best, const Candidate& c, double score) {
    if (score > best.score) {
      best = {c, score};
    }
  }

  Fit run(const Candidate& c, std::int64_t chains, int draws) {
    const Sampler sampler = hmc_of(c);
    const Fit fit = place_.sample(sampler, place_.options(chains, draws, kTuningSeed),
                                  place_.which().name + " hmc-tuned");
    cost_.gradients += static_cast<double>(fit.gradients_sampling * chains);
    cost_.seconds += fit.seconds.total();
    return fit;
  }

  /// Step sizes 4, 2.8, 2, ... down to 1/64: the largest of which short trajectories are accepted,
  /// and six more. Smaller ones only cost.
  std::vector<double> accepted_steps() {
    std::vector<double> steps;
    for (int k = 4; k >= -12 && steps.size() < 7; --k) {
      const double step = std::exp2(0.5 * k);
      const Fit fit = run({step, 10, Jitter::none}, 64, fewest());
      if (fit.acceptance > kLeastAcceptance || !steps.empty()) {
        steps.push_back(step);
      }
    }
    return steps;
  }

  template <class Take>
  void for_all_jitters(double step, int leapfrog, std::int64_t chains, Take take) {
    for (const Jitter jitter : {Jitter::none, Jitter::step, Jitter::length}) {
      const Candidate c{step, leapfrog, jitter};
      const Fit fit = run(c, chains, std::max(fewest(), budget() / leapfrog));
      const auto n = static_cast<double>(fit.total_draws());
      const auto gradients = static_cast<double>(fit.gradients_sampling * chains);
      // The ESS between chains is streamed, and as signed as the bulk ESS, which has this bound.
      const double means = std::min(fit.ess_min(), n * std::log10(n));
      const double squares = n * square_ess_per_transition(fit.statistics);
      take(c, Scores{means / gradients, std::min(means, squares) / gradients});
    }
  }

  /// The best near `coarse`, measured with more chains.
  TunedSampler refined(const Candidate& coarse, double Scores::*measure) {
    const TunedSampler before = cost_;
    Best best{coarse, 0};
    for (const double a : {0.84, 0.92, 1.0, 1.09, 1.19}) {
      std::set<int> lengths;
      for (const double b : {0.71, 0.84, 1.0, 1.19, 1.41}) {
        lengths.insert(std::max(1, static_cast<int>(std::lround(b * coarse.leapfrog))));
      }
      for (const int leapfrog : lengths) {
        for_all_jitters(
            a * coarse.step_size, leapfrog, 4 * kChains,
            [&](const Candidate& c, const Scores& s) { take_better(best, c, s.*measure); });
      }
    }
    TunedSampler tuned = cost_;
    cost_ = before;
    tuned.sampler = hmc_of(best.candidate);
    return tuned;
  }

  const L2hmcWorkplace& place_;
  TunedSampler cost_;
};

}  // namespace

TunedSampler tune_by_paper(const L2hmcWorkplace& place, const std::vector<double>& steps,
                           std::vector<TriedStep>& tried) {
  TunedSampler tuned;
  double best = -1;
  for (const double step : steps) {
    const Sampler sampler = hmc_of({step, 10, Jitter::none});
    const Evaluation e = place.paper_evaluation(sampler, kTuningSeed, place.which().name + " hmc");
    tried.push_back({step, e.figures.ess_per_step, e.figures.acceptance});
    tuned.gradients += e.gradients;
    tuned.seconds += e.seconds;
    if (e.figures.ess_per_step > best) {
      best = e.figures.ess_per_step;
      tuned.sampler = sampler;
    }
  }
  return tuned;
}

JointlyTuned tune_jointly(const L2hmcWorkplace& place) {
  return Search(place).result();
}

TunedSampler tune_by_warm_up(const L2hmcWorkplace& place, std::uint64_t seed) {
  Hmc hmc;
  hmc.length = Length::chees;
  SampleOptions options = place.options(place.settings().chains, 1, seed);
  options.warmup = place.settings().quick ? 50 : 500;
  options.start = place.training_starts(options);
  const Fit fit = place.sample(hmc, options, place.which().name + " hmc-adapted");
  TunedSampler tuned;
  tuned.sampler = fit.sampler;
  tuned.sampler.length = Length::given;
  tuned.sampler.metric = fit.metric.kind;
  tuned.sampler.inverse_mass =
      fit.metric.kind == Metric::unit ? InverseMass() : fit.metric.inverse_mass;
  tuned.gradients = static_cast<double>(fit.gradients_warmup * options.chains);
  tuned.seconds = fit.seconds.warmup;
  return tuned;
}

}  // namespace lockstep::bench
