#include "host/validate.hpp"

#include <cmath>
#include <string>

#include "host/adapt/metric.hpp"
#include "host/gradients.hpp"
#include "host/io/json.hpp"
#include "host/memory.hpp"
#include "host/summarise.hpp"
#include "lockstep/error.hpp"
#include "lockstep/network.hpp"
#include "lockstep/options.hpp"

namespace lockstep {

namespace {

std::string text(double x) {
  std::string s = std::to_string(x);
  s.erase(s.find_last_not_of('0') + 1);
  return s.back() == '.' ? s + "0" : s;
}

void at_least(const std::string& name, std::int64_t value, std::int64_t least) {
  require(value >= least,
          name + " is " + std::to_string(value) + ": give " + std::to_string(least) + " or more");
}

/// L2HMC brings its own step size, steps and units; what only HMC has would say nothing.
void validate_l2hmc(const Sampler& s, int dim) {
  require(s.network != nullptr,
          "L2HMC needs the network that leads it: train one, or load it from its file");
  s.network->validate();
  const NetworkShape& shape = s.network->shape;
  require(shape.dim == dim, "the network is of a target with " + std::to_string(shape.dim) +
                                " parameters, but this one has " + std::to_string(dim) +
                                ": train one for it");
  require(s.step_size == s.network->step_size() && s.leapfrog == shape.steps,
          "L2HMC's step size and number of steps are its network's, " +
              text(s.network->step_size()) + " and " + std::to_string(shape.steps) +
              ": leave them as L2hmc{network} sets them");
  require(s.step_jitter == 0 && s.length_jitter == LengthJitter::none &&
              s.integrator == Integrator::leapfrog && s.length == Length::given &&
              s.persistence == 0 && s.target_acceptance == 0,
          "L2HMC has no jitter, persistence, other integrator or tuning: leave the sampler as "
          "L2hmc{network} makes it");
  require(s.metric == Metric::unit && s.inverse_mass.empty(),
          "L2HMC sees the target in the units that its network was trained in and takes no metric: "
          "choose the unit one");
}

void validate_hops(const Sampler& s, const SampleOptions& options, int dim) {
  require(s.integrator == Integrator::leapfrog && s.persistence == 0,
          "DHMC, Mixed HMC and Gibbs are made of leapfrog steps with fresh momenta: choose the "
          "leapfrog integrator and persistence 0");
  require(std::isfinite(s.hop) && s.hop >= 0,
          "hop is " + text(s.hop) + ": give a positive number, or 0 to tune it");
  require(s.hop > 0 || options.warmup > 0,
          "without warm-up nothing tunes the hop: give hop, or warmup above 0");
  require(s.target_no_flip >= 0 && s.target_no_flip < 1,
          "target_no_flip is " + text(s.target_no_flip) +
              ": give a probability in (0, 1), or 0 for the method's own");
  require(s.hop == 0 || s.target_no_flip == 0, "target_no_flip is " + text(s.target_no_flip) +
                                                   ", but nothing is tuned to it with hop " +
                                                   text(s.hop) + ": leave one of them out");
  require(s.hop == 0 || !s.hop_per_coordinate,
          "hop_per_coordinate tunes hops, but hop is " + text(s.hop) + ": leave one of them out");
  require(s.hop_scale.empty() || static_cast<int>(s.hop_scale.size()) == dim,
          "hop_scale has " + std::to_string(s.hop_scale.size()) + " values, but this target has " +
              std::to_string(dim) + " parameters: give one for each, or none");
  for (std::size_t j = 0; j < s.hop_scale.size(); ++j) {
    require(std::isfinite(s.hop_scale[j]) && s.hop_scale[j] > 0,
            "hop_scale entry " + std::to_string(j + 1) + " is " + text(s.hop_scale[j]) +
                ": scales must be positive and finite");
  }
  require(s.order == VisitOrder::coin || s.method == Method::dhmc,
          "order is that of DHMC's visits: Mixed HMC and Gibbs have their own, leave it as it is");
  require(!options.adaptation.per_chain_step_size,
          "per_chain_step_size would scale each chain's hop by its step size, too: DHMC, Mixed HMC "
          "and Gibbs tune one for all chains, leave it out");
}

}  // namespace

void require_suited(const Sampler& sampler, bool jumps) {
  const std::string name = sampler_name(sampler);
  require(jumps || !makes_visits(sampler),
          name + " is for targets whose density jumps, and this one's is smooth: choose hmc");
  require(!jumps || makes_visits(sampler) || sampler.method == Method::random_walk,
          "this target's density jumps, which " + name +
              " would not see: choose dhmc, mixed-hmc, gibbs or rwm");
}

void validate(const Sampler& sampler, const SampleOptions& options,
              const EngineDescription& about) {
  validate(sampler, options, about.dim);
  require_suited(sampler, !about.discontinuous.empty());
  const bool smooth = static_cast<int>(visited_coordinates(sampler, about).size()) < about.dim;
  require(sampler.step_size > 0 || options.warmup > 0 || !smooth,
          "without warm-up nothing tunes the step size: give step_size, or warmup above 0");
}

void validate(const Sampler& sampler, const SampleOptions& options, int dim) {
  at_least("dim", dim, 1);
  at_least("chains", options.chains, 1);
  at_least("warmup", options.warmup, 0);
  at_least("draws", options.draws, 1);
  at_least("thin", options.thin, 1);
  at_least("lags", options.lags, 0);
  at_least("threads", options.threads, 0);
  require(options.threads <= 1024, "threads is " + std::to_string(options.threads) +
                                       ": give at most 1024, or 0 for one per processor");
  at_least("superchain", options.superchain, 1);
  at_least("leapfrog", sampler.leapfrog, 1);
  require(options.thin <= options.draws, "thin is " + std::to_string(options.thin) + ", but only " +
                                             std::to_string(options.draws) +
                                             " draws are made: give at most that");
  require(options.lags < options.draws, "lags is " + std::to_string(options.lags) +
                                            ": give fewer than the " +
                                            std::to_string(options.draws) + " draws");
  require(std::int64_t{options.warmup} + options.draws < (std::int64_t{1} << 30),
          "warmup + draws is above 2^30: random numbers are counted up to there");
  require(options.keep_chains >= -1, "keep_chains is " + std::to_string(options.keep_chains) +
                                         ": give -1 for all chains, or 0 or more");
  for (const int j : options.keep_parameters) {
    require(j >= 0 && j < dim, "keep_parameters names parameter " + std::to_string(j) +
                                   ", but there are " + std::to_string(dim) + " (from 0)");
  }
  require(std::isfinite(options.start_radius) && options.start_radius > 0,
          "start_radius is " + text(options.start_radius) + ": give a positive number");

  const Until& until = options.until;
  require(until.nested_rhat == 0 || (std::isfinite(until.nested_rhat) && until.nested_rhat > 1),
          "until: nested R-hat is " + text(until.nested_rhat) + ": give a number above 1, as 1.01");
  require(std::isfinite(until.ess) && until.ess >= 0,
          "until: ess is " + text(until.ess) + ": give a positive number of draws");
  require(std::isfinite(until.mcse) && until.mcse >= 0,
          "until: mcse is " + text(until.mcse) +
              ": give a positive number, in standard deviations of the parameter");
  require(until.nested_rhat == 0 || options.chains / options.superchain >= 4,
          "until: nested R-hat compares at least 4 superchains, but " +
              std::to_string(options.chains) + " chains in superchains of " +
              std::to_string(options.superchain) + " are " +
              std::to_string(options.chains / options.superchain) +
              ": give more chains, or a shorter superchain");
  require(options.chains >= kManyChains || (until.ess == 0 && until.mcse == 0) ||
              (options.keep_chains != 0 && options.keep_parameters.empty()),
          "until: with fewer than " + std::to_string(kManyChains) +
              " chains ESS and MCSE are those of the kept draws: keep some chains, and all "
              "parameters");
  require(
      std::isfinite(options.max_hours) && options.max_hours >= 0,
      "max_hours is " + text(options.max_hours) + ": give a positive number, or 0 for no limit");
  require(std::isfinite(options.checkpoint_minutes) && options.checkpoint_minutes >= 0,
          "checkpoint_minutes is " + text(options.checkpoint_minutes) +
              ": give a positive number, or 0 to save after every launch");

  require(std::isfinite(sampler.step_size) && sampler.step_size >= 0,
          "step_size is " + text(sampler.step_size) + ": give a positive number, or 0 to tune it");
  require(sampler.step_size > 0 || options.warmup > 0 || makes_visits(sampler),  // see above
          "without warm-up nothing tunes the step size: give step_size, or warmup above 0");
  require(sampler.step_jitter >= 0 && sampler.step_jitter < 1,
          "step_jitter is " + text(sampler.step_jitter) + ": give a fraction in [0, 1)");
  require(sampler.persistence >= 0 && sampler.persistence < 1,
          "persistence is " + text(sampler.persistence) + ": give a fraction in [0, 1)");
  require(sampler.target_acceptance >= 0 && sampler.target_acceptance < 1,
          "target_acceptance is " + text(sampler.target_acceptance) +
              ": give a probability in (0, 1), or 0 for the method's own");
  require(sampler.metric == Metric::diagonal || sampler.metric == Metric::dense ||
              sampler.metric == Metric::low_rank || sampler.inverse_mass.empty(),
          "an inverse mass is given without its kind: choose the diagonal, the dense or the "
          "low-rank metric");
  const bool varies =
      (sampler.method == Method::hmc && sampler.persistence == 0) || makes_visits(sampler);
  require(
      sampler.longest == 0 || varies,
      "longest says how trajectories of HMC with fresh momenta vary, DHMC, Mixed HMC and Gibbs: "
      "leave it out");
  require(sampler.longest == 0 || sampler.longest >= sampler.leapfrog,
          "longest is " + std::to_string(sampler.longest) +
              ", but leapfrog, the fewest steps, is " + std::to_string(sampler.leapfrog) +
              ": give at least that, or 0");
  require(sampler.longest == 0 || sampler.length == Length::given,
          "longest gives the trajectory's length, which is to be tuned: leave one of them out");
  if (makes_visits(sampler)) {
    validate_hops(sampler, options, dim);
  } else {
    require(sampler.hop == 0 && sampler.hop_scale.empty() && !sampler.hop_per_coordinate &&
                sampler.target_no_flip == 0 && sampler.order == VisitOrder::coin,
            "hop, hop_scale, hop_per_coordinate, target_no_flip and order are for discontinuous "
            "coordinates: choose DHMC, Mixed HMC or Gibbs, or leave them out");
  }
  if (sampler.method == Method::l2hmc) {
    validate_l2hmc(sampler, dim);
  } else {
    require(sampler.network == nullptr,
            "a network is given to a sampler that has no use for it: "
            "choose L2HMC, or leave the network out");
  }
  prepare_metric(sampler.metric, sampler.inverse_mass, dim);  // or says what is wrong with it
  require(sampler.method != Method::random_walk || !sampler.inverse_mass.empty() ||
              (sampler.metric != Metric::fisher && sampler.metric != Metric::low_rank),
          "the random walk computes no gradients to estimate this metric from: choose the diagonal "
          "or the dense one");
  require(sampler.length == Length::given ||
              (sampler.method == Method::hmc && sampler.persistence == 0 && options.warmup > 0),
          "the trajectory length is tuned for HMC with fresh momenta, during warm-up: give that a "
          "length, or leave the trajectory's as it is");
  require(sampler.method != Method::l2hmc || !options.adaptation.per_chain_step_size,
          "per_chain_step_size tunes step sizes, and L2HMC's is its network's: leave it out");
  require(options.generator == Generator::philox || options.backend != Backend::cpu,
          "the cuRAND generator runs on CUDA only: choose philox, or the cuda backend");
  const int g = options.threads_per_chain;
  require(
      g == 0 || g == 1 || g == 2 || g == 4 || g == 8 || g == 16 || g == 32,
      "threads_per_chain is " + std::to_string(g) + ": give 1, 2, 4, 8, 16 or 32, or 0 to choose");
  require_memory(options, dim);
}

}  // namespace lockstep
