#include "bench/studies/l2hmc_networks.hpp"

#include <filesystem>

#include "bench/cli/interrupt.hpp"
#include "bench/cli/progress.hpp"
#include "host/hash.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {

namespace {

/// The metric and the step size of HMC's own warm-up, from which training then starts.
void start_warm(const L2hmcWorkplace& place, L2hmcOptions& options, TrainingRecord& cost) {
  Hmc hmc;
  hmc.metric = Metric::diagonal;
  hmc.leapfrog = options.steps;
  SampleOptions warm_up = place.options(options.batch, 1, options.seed);
  warm_up.warmup = 300;
  warm_up.start = place.training_starts(warm_up);
  const Fit fit = place.sample(hmc, warm_up, place.which().name + " warm start");
  options.inverse_mass = fit.metric.inverse_mass;
  options.step_size = fit.sampler.step_size;
  cost.seconds = fit.seconds.warmup;
  cost.gradients = static_cast<double>(fit.gradients_warmup * warm_up.chains);
}

}  // namespace

Network trained_network(const L2hmcWorkplace& place, const L2hmcRecipe& recipe,
                        const std::string& method, std::uint64_t seed, std::string& failure) {
  const StudySettings& settings = place.settings();
  L2hmcRecipe made = recipe;
  L2hmcOptions& options = made.options;
  if (settings.quick) {
    options.iterations = 30;
    options.trial_iterations = 5;
  }
  std::filesystem::path file;
  if (!settings.networks.empty()) {
    file = settings.networks / (place.which().name + "-" + method + "-" + std::to_string(seed) +
                                "-" + hash_of(recipe_json(made).dump()) + ".json");
    if (std::filesystem::exists(file)) {
      return Network::load(file);
    }
    std::filesystem::create_directories(settings.networks);
  }

  options.seed = seed;
  options.threads = settings.place.threads;
  options.precision = settings.place.precision;
  TrainingRecord before;
  if (made.warm_start) {
    start_warm(place, options, before);
  }
  TrainingBar bar(place.which().name + " " + method + " seed " + std::to_string(seed));
  options.progress = bar.callback();
  const auto engine = make_training_engine(find_target(place.which().target),
                                           place.which().target_options, options);
  Network network;
  try {
    network = train(*engine, place.which().name, options);
  } catch (const TrainingFailure& e) {
    failure = e.what();
    network = e.network;
  }
  if (interrupted()) {
    throw Interrupted{};
  }
  network.training.seconds += before.seconds;
  network.training.gradients += before.gradients;
  if (!file.empty() && failure.empty()) {
    network.save(file);
  }
  return network;
}

}  // namespace lockstep::bench
