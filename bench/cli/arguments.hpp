#pragma once

/// Option groups that several commands share, and their translation to the library's options.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "host/io/json.hpp"
#include "host/registry.hpp"
#include "lockstep/options.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep::bench {

/// The value that `given` spells. @throw UsageError naming option, value, all spellings, the
/// nearest
template <class E, std::size_t N>
E choice(const std::string& option, const std::string& given,
         const std::array<Spelling<E>, N>& table) {
  std::vector<std::string> known;
  std::string all;
  for (const auto& [value, name] : table) {
    if (name == given) {
      return value;
    }
    known.emplace_back(name);
    all += (all.empty() ? "" : ", ") + known.back();
  }
  throw UsageError(option + " is '" + given + "', but must be one of " + all + ": did you mean '" +
                   nearest_name(given, known) + "'?");
}

/// An option that takes one of the table's spellings. `to` (E or optional<E>) outlives the app.
template <class To, class E, std::size_t N>
CLI::Option* add_choice(CLI::App& app, const std::string& name, To& to,
                        const std::array<Spelling<E>, N>& table, const std::string& help) {
  std::string spellings;
  for (const auto& entry : table) {
    spellings += (spellings.empty() ? "" : "|") + std::string(entry.second);
  }
  return app
      .add_option_function<std::string>(
          name, [&to, &table, name](const std::string& given) { to = choice(name, given, table); },
          help)
      ->type_name(spellings);
}

/// For unsigned numbers, whose conversion would wrap -1 round to the largest.
inline const CLI::Validator kNotNegative(
    [](std::string& given) {
      return given.rfind('-', 0) == 0 ? "is " + given + ", but must be 0 or more" : std::string();
    },
    "");

/// Which target, and what it is told.
class TargetArguments {
 public:
  /// @param required  whether --target must be given
  void add_to(CLI::App& app, bool required);

  const std::string& name() const { return name_; }
  /// @throw UsageError  for an unknown target, or an option that the target does not take
  const TargetEntry& entry() const;
  const TargetOptions& options() const { return options_; }

 private:
  CLI::App* app_ = nullptr;
  std::string name_;
  TargetOptions options_;
};

/// Which sampler and its settings; what is not given is the sampler's own default (options.hpp).
class SamplerArguments {
 public:
  void add_to(CLI::App& app);
  /// @throw UsageError  for an unknown sampler or a setting that it has not got
  /// @throw FileError   for a malformed metric or network file
  Sampler sampler() const;

 private:
  void check_applicable() const;
  void read_metric(Sampler& sampler) const;

  CLI::App* app_ = nullptr;
  std::string name_ = "hmc";
  std::optional<double> step_size_, step_jitter_, persistence_, target_acceptance_;
  std::optional<int> leapfrog_, longest_;
  std::optional<double> hop_, no_flip_;
  bool hop_per_coordinate_ = false;
  std::optional<VisitOrder> order_;
  std::optional<LengthJitter> length_jitter_;
  std::optional<Integrator> integrator_;
  std::optional<Length> length_;
  std::string metric_, network_;
  bool plain_networks_ = false;
};

/// How warm-up goes about it.
void add_adaptation(CLI::App& app, Adaptation& adaptation);

/// Where chains start and which metric warm-up begins with.
class PreparationArguments {
 public:
  void add_to(CLI::App& app);
  /// @throw UsageError  for settings that do not go together
  PrepareOptions options() const;
  /// Recipes are of a diagonal metric, whatever the sampler's default.
  static void settle(const PrepareOptions& how, Sampler& sampler);

 private:
  CLI::App* app_ = nullptr;
  std::string init_ = "uniform", metric_ = "auto";
  PrepareOptions how_;
};

/// What `run` runs: everything but where it computes and what it writes. Each such option is also a
/// key of a sweep's file.
void add_settings(CLI::App& app, TargetArguments& target, SamplerArguments& sampler,
                  PreparationArguments& preparation, SampleOptions& options);

/// Backend, threads, devices: where to compute.
void add_place(CLI::App& app, SampleOptions& options);

/// @throw UsageError  if CUDA is asked for and cannot be had, with the reason
void check_place(const SampleOptions& options);

/// @throw UsageError  if an option for CUDA was given but `engine`, chosen by `auto`, is the CPU's
void check_settled(const SampleOptions& options, const EngineDescription& engine);

/// @throw UsageError  naming the option, unless it is positive and finite
void check_positive(const std::string& option, double value);

/// What asks for networks without matrix units.
inline constexpr const char* kPlainNetworks = "--plain-networks";
inline constexpr const char* kPlainNetworksHelp =
    "l2hmc on CUDA: wide networks by float multiply-adds, not on matrix units";

/// The names of the samplers, with a line on each.
struct SamplerDescription {
  std::string name, description;
};
const std::vector<SamplerDescription>& sampler_descriptions();

}  // namespace lockstep::bench
