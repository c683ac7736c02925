#include <algorithm>
#include <filesystem>
#include <initializer_list>

#include "bench/cli/arguments.hpp"
#include "host/io/metric_file.hpp"
#include "lockstep/error.hpp"
#include "lockstep/network.hpp"

namespace lockstep::bench {

namespace {

constexpr const char* kL2hmc = "l2hmc";

/// Settings that only some samplers have.
struct Applicability {
  const char* option;
  std::initializer_list<const char*> samplers;
};
const Applicability kApplicability[] = {
    {"--step-jitter", {"hmc", "mala", "ghmc", "dhmc", "mixed-hmc", "gibbs"}},
    {"--leapfrog", {"hmc", "ghmc", "dhmc", "mixed-hmc", "gibbs"}},
    {"--longest", {"hmc", "dhmc", "mixed-hmc", "gibbs"}},
    {"--length-jitter", {"hmc", "dhmc", "mixed-hmc", "gibbs"}},
    {"--hop", {"dhmc", "mixed-hmc", "gibbs"}},
    {"--no-flip", {"dhmc", "mixed-hmc", "gibbs"}},
    {"--hop-per-coordinate", {"dhmc"}},
    {"--visit-order", {"dhmc"}},
    {"--tune-length", {"hmc"}},
    {"--integrator", {"hmc", "ghmc"}},
    {"--persistence", {"ghmc"}},
    {"--step-size", {"hmc", "mala", "ghmc", "rwm", "dhmc", "mixed-hmc", "gibbs"}},
    {"--metric", {"hmc", "mala", "ghmc", "rwm", "dhmc", "mixed-hmc", "gibbs"}},
    {"--target-acceptance", {"hmc", "mala", "ghmc", "rwm", "dhmc", "mixed-hmc", "gibbs"}},
    {"--network", {"l2hmc"}},
    {kPlainNetworks, {"l2hmc"}},
};

Sampler defaults_of(const std::string& name) {
  if (name == "hmc") {
    return Hmc{};
  }
  if (name == "mala") {
    return Mala{};
  }
  if (name == "ghmc") {
    return Ghmc{};
  }
  if (name == "rwm") {
    return RandomWalk{};
  }
  if (name == "dhmc") {
    return Dhmc{};
  }
  if (name == "mixed-hmc") {
    return MixedHmc{};
  }
  if (name == "gibbs") {
    return Gibbs{};
  }
  std::vector<std::string> known;
  for (const SamplerDescription& s : sampler_descriptions()) {
    known.push_back(s.name);
  }
  throw UsageError("unknown sampler '" + name + "': did you mean '" + nearest_name(name, known) +
                   "'?");
}

}  // namespace

const std::vector<SamplerDescription>& sampler_descriptions() {
  static const std::vector<SamplerDescription> all{
      {"hmc", "Hamiltonian Monte Carlo, trajectories of --leapfrog steps"},
      {"mala", "Metropolis-adjusted Langevin: HMC of one step"},
      {"ghmc", "generalised HMC: short trajectories, momentum persists (--persistence)"},
      {"rwm", "random-walk Metropolis-Hastings"},
      {"dhmc", "discontinuous HMC: integers and jumps, by Laplace momenta"},
      {"mixed-hmc", "Mixed HMC: integers and categories, by proposals during a trajectory"},
      {"gibbs", "HMC for the smooth parameters, then one update of each of the others"},
      {"l2hmc", "HMC whose trajectories a network leads (--network, from `train`)"},
  };
  return all;
}

void SamplerArguments::add_to(CLI::App& app) {
  app_ = &app;
  const std::string group = "Sampler";
  app.add_option("--sampler", name_, "hmc, mala, ghmc, rwm, dhmc, mixed-hmc, gibbs or l2hmc")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  app.add_option("--step-size", step_size_, "Step size; 0: tuned during warm-up [0]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--step-jitter", step_jitter_,
                 "Relative half-width of its jitter, and the hop's [hmc 0, dhmc 0.1]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--leapfrog", leapfrog_, "Mean steps of a trajectory [10, ghmc 1]")
      ->type_name("INT")
      ->group(group);
  app.add_option("--longest", longest_, "Steps uniform on --leapfrog to this many instead")
      ->type_name("INT")
      ->group(group);
  app.add_option("--hop", hop_,
                 "How far a discontinuous parameter goes in a visit, in units of its sd in the "
                 "metric; 0: tuned during warm-up [0]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--no-flip", no_flip_,
                 "Share of visits that move their parameter, which the hop is tuned to [dhmc 0.8, "
                 "mixed-hmc and gibbs 0.44]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_flag("--hop-per-coordinate", hop_per_coordinate_,
               "Tunes the hop of each discontinuous parameter on its own")
      ->group(group);
  add_choice(
      app, "--visit-order", order_, kVisitOrderNames,
      "Of discontinuous parameters: an order or its reverse, or a fresh one each step [coin]")
      ->group(group);
  add_choice(app, "--length-jitter", length_jitter_, kLengthJitterNames,
             "How that number varies [uniform]")
      ->group(group);
  add_choice(app, "--integrator", integrator_, kIntegratorNames, "[leapfrog]")->group(group);
  add_choice(app, "--tune-length", length_, kLengthNames,
             "Tunes --leapfrog during warm-up, with Halton jitter [given]")
      ->group(group);
  std::string kinds;
  for (const auto& entry : kMetricNames) {
    kinds += std::string(entry.second) + "|";
  }
  app.add_option("--metric", metric_,
                 "Estimated during warm-up, or read from a file; auto: diagonal or dense "
                 "[auto; dhmc, mixed-hmc, gibbs: diagonal]")
      ->type_name(kinds + "FILE.json")
      ->group(group);
  app.add_option("--persistence", persistence_, "Share of momentum that survives [ghmc 0.9]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--target-acceptance", target_acceptance_,
                 "What the step size is tuned to [hmc 0.8, mala 0.574, ghmc 0.95, rwm 0.234]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--network", network_, "What leads l2hmc, as `lockstep-bench train` writes it")
      ->type_name("FILE.json")
      ->group(group);
  app.add_flag(kPlainNetworks, plain_networks_, kPlainNetworksHelp)->group(group);
}

void SamplerArguments::check_applicable() const {
  for (const auto& [option, samplers] : kApplicability) {
    const bool given = app_->get_option(option)->count() > 0;
    const bool applies = std::any_of(samplers.begin(), samplers.end(),
                                     [&](const char* sampler) { return name_ == sampler; });
    if (given && !applies) {
      std::string others;
      for (const char* sampler : samplers) {
        others += (others.empty() ? "" : " or ") + std::string(sampler);
      }
      throw UsageError(std::string(option) + " does not apply to --sampler " + name_ +
                       ": leave it out, or choose " + others);
    }
  }
}

Sampler SamplerArguments::sampler() const {
  if (name_ == kL2hmc) {
    check_applicable();
    require(!network_.empty(),
            "--sampler l2hmc needs a network: give --network, from `lockstep-bench train`");
    L2hmc l2hmc(Network::load(network_));
    l2hmc.matrix_units = !plain_networks_;
    return l2hmc;
  }
  Sampler s = defaults_of(name_);
  check_applicable();
  s.step_size = step_size_.value_or(s.step_size);
  s.step_jitter = step_jitter_.value_or(s.step_jitter);
  s.leapfrog = leapfrog_.value_or(s.leapfrog);
  s.longest = longest_.value_or(s.longest);
  s.hop = hop_.value_or(s.hop);
  s.target_no_flip = no_flip_.value_or(s.target_no_flip);
  s.hop_per_coordinate = hop_per_coordinate_;
  s.order = order_.value_or(s.order);
  s.length_jitter = length_jitter_.value_or(s.length_jitter);
  s.integrator = integrator_.value_or(s.integrator);
  s.persistence = persistence_.value_or(s.persistence);
  s.target_acceptance = target_acceptance_.value_or(s.target_acceptance);
  s.length = length_.value_or(s.length);
  if (!metric_.empty()) {
    read_metric(s);
  }
  return s;
}

/// A metric's name, or a file that holds one.
void SamplerArguments::read_metric(Sampler& s) const {
  for (const auto& [kind, name] : kMetricNames) {
    if (name == metric_) {
      s.metric = kind;
      return;
    }
  }
  if (!metric_.ends_with(".json") && !std::filesystem::exists(metric_)) {
    choice("--metric", metric_, kMetricNames);  // says which names there are
  }
  GivenMetric given = lockstep::read_metric(metric_);
  s.metric = given.kind;
  s.inverse_mass = std::move(given.inverse_mass);
}

}  // namespace lockstep::bench
