#include <algorithm>
#include <fstream>
#include <initializer_list>

#include "bench/cli/arguments.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

/// Settings that only some samplers have.
struct Applicability {
  const char* option;
  std::initializer_list<const char*> samplers;
};
const Applicability kApplicability[] = {
    {"--step-jitter", {"hmc", "mala", "ghmc"}},
    {"--leapfrog", {"hmc", "ghmc"}},
    {"--length-jitter", {"hmc"}},
    {"--integrator", {"hmc", "ghmc"}},
    {"--persistence", {"ghmc"}},
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
  std::vector<std::string> known;
  for (const SamplerDescription& s : sampler_descriptions()) {
    known.push_back(s.name);
  }
  throw UsageError("unknown sampler '" + name + "': did you mean '" + nearest_name(name, known) +
                   "'?");
}

[[noreturn]] void malformed(const std::string& file, const std::string& what) {
  throw FileError(
      file + ": " + what +
      "; inverse masses are a JSON list of numbers (diagonal) or of such lists (dense)");
}

double number(const Json& value, const std::string& file) {
  if (!value.is_number()) {
    malformed(file, "found " + value.dump().substr(0, 40) + " where a number should be");
  }
  return value.get<double>();
}

}  // namespace

const std::vector<SamplerDescription>& sampler_descriptions() {
  static const std::vector<SamplerDescription> all{
      {"hmc", "Hamiltonian Monte Carlo, trajectories of --leapfrog steps"},
      {"mala", "Metropolis-adjusted Langevin: HMC of one step"},
      {"ghmc", "generalised HMC: short trajectories, momentum persists (--persistence)"},
      {"rwm", "random-walk Metropolis-Hastings"},
  };
  return all;
}

void SamplerArguments::add_to(CLI::App& app) {
  app_ = &app;
  const std::string group = "Sampler";
  app.add_option("--sampler", name_, "hmc, mala, ghmc or rwm")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  app.add_option("--step-size", step_size_, "Step size; 0: tuned during warm-up [0]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--step-jitter", step_jitter_, "Relative half-width of its jitter [0]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--leapfrog", leapfrog_, "Mean steps of a trajectory [hmc 10, ghmc 1]")
      ->type_name("INT")
      ->group(group);
  add_choice(app, "--length-jitter", length_jitter_, kLengthJitterNames,
             "How that number varies [uniform]")
      ->group(group);
  add_choice(app, "--integrator", integrator_, kIntegratorNames, "[leapfrog]")->group(group);
  add_choice(app, "--metric", metric_, kMetricNames,
             "Estimated during warm-up unless given; auto: diagonal or dense [auto]")
      ->group(group);
  app.add_option("--inverse-mass", inverse_mass_file_,
                 "JSON list (diagonal) or matrix (dense) of inverse masses")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--persistence", persistence_, "Share of momentum that survives [ghmc 0.9]")
      ->type_name("FLOAT")
      ->group(group);
  app.add_option("--target-acceptance", target_acceptance_,
                 "What the step size is tuned to [hmc 0.8, mala 0.574, ghmc 0.95, rwm 0.234]")
      ->type_name("FLOAT")
      ->group(group);
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
  Sampler s = defaults_of(name_);
  check_applicable();
  s.step_size = step_size_.value_or(s.step_size);
  s.step_jitter = step_jitter_.value_or(s.step_jitter);
  s.leapfrog = leapfrog_.value_or(s.leapfrog);
  s.length_jitter = length_jitter_.value_or(s.length_jitter);
  s.integrator = integrator_.value_or(s.integrator);
  s.metric = metric_.value_or(s.metric);
  s.persistence = persistence_.value_or(s.persistence);
  s.target_acceptance = target_acceptance_.value_or(s.target_acceptance);
  if (!inverse_mass_file_.empty()) {
    read_inverse_mass(s);
  }
  return s;
}

void SamplerArguments::read_inverse_mass(Sampler& s) const {
  const std::string& file = inverse_mass_file_;
  std::ifstream in(file);
  require<FileError>(in.good(), "--inverse-mass: cannot read " + file);
  Json json;
  try {
    json = Json::parse(in);
  } catch (const Json::exception&) {
    malformed(file, "is not JSON");
  }
  if (!json.is_array() || json.empty()) {
    malformed(file, "is not a list");
  }
  const bool matrix = json[0].is_array();
  for (const Json& row : json) {
    if (row.is_array() != matrix) {
      malformed(file, "mixes numbers and lists");
    }
    if (matrix && row.size() != json.size()) {
      malformed(file, "has " + std::to_string(json.size()) + " rows but one of " +
                          std::to_string(row.size()) + " numbers");
    }
    if (matrix) {
      for (const Json& value : row) {
        s.inverse_mass.push_back(number(value, file));
      }
    } else {
      s.inverse_mass.push_back(number(row, file));
    }
  }
  const Metric found = matrix ? Metric::dense : Metric::diagonal;
  require(!metric_ || *metric_ == found || *metric_ == Metric::automatic,
          "--metric " + spelled(kMetricNames, s.metric) + " does not go with " + file + ", a " +
              (matrix ? "matrix" : "list") + ": leave --metric out, or say " +
              spelled(kMetricNames, found));
  s.metric = found;
}

}  // namespace lockstep::bench
