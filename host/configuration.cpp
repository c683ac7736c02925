#include "host/configuration.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

#include "host/hash.hpp"
#include "host/io/json.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"
#include "lockstep/network.hpp"

namespace lockstep {

namespace {

template <class T>
std::string hash(const std::vector<T>& values) {
  return values.empty() ? "none" : hash_of(values.data(), values.size() * sizeof(T));
}

std::string hash_of_numbers(std::vector<double> values) {
  for (double& x : values) {
    x = std::isnan(x) ? std::numeric_limits<double>::quiet_NaN() : x;  // of many NaNs the one
  }
  return hash(values);
}

/// All that a trajectory depends on.
std::string hash(const Network& n) {
  std::vector<double> all(n.parameters);
  all.insert(all.end(), n.masks.begin(), n.masks.end());
  all.insert(all.end(), n.scale.begin(), n.scale.end());
  return hash(all);
}

/// U and dU/dq of the first chains, at points that look like none of anybody's: where the target
/// starts chains, if it says where, since a density that jumps may be nothing elsewhere.
std::string probe(Engine& engine) {
  const EngineDescription& about = engine.description();
  const auto chains = static_cast<std::size_t>(about.chains);
  const auto dim = static_cast<std::size_t>(about.dim);
  std::vector<double> q(dim * chains), potential(chains), gradient(dim * chains);
  std::vector<double> u(dim), x(dim);
  for (std::size_t c = 0; c < chains; ++c) {
    for (std::size_t j = 0; j < dim; ++j) {
      x[j] = std::sin(static_cast<double>(1 + j + 7 * (c % 4)));
      u[j] = 0.5 * (1 + x[j]);
    }
    if (about.start) {
      about.start(u.data(), x.data());
    }
    for (std::size_t j = 0; j < dim; ++j) {
      q[j * chains + c] = x[j];
    }
  }
  engine.place(q);
  engine.evaluations(potential, gradient);
  std::vector<double> seen;
  for (std::size_t c = 0; c < std::min<std::size_t>(chains, 4); ++c) {
    seen.push_back(potential[c]);
    for (std::size_t j = 0; j < dim; ++j) {
      seen.push_back(gradient[j * chains + c]);
    }
  }
  return hash_of_numbers(std::move(seen));
}

/// The gradient of the loss at points like those, for a network of its own.
std::string probe(TrainingEngine& engine, const L2hmcOptions& o) {
  const auto batch = static_cast<std::size_t>(o.batch);
  std::vector<double> q(static_cast<std::size_t>(engine.dim()) * batch);
  for (std::size_t i = 0; i < q.size(); ++i) {
    q[i] = std::sin(static_cast<double>(1 + i / batch + 7 * (i % 4)));
  }
  engine.place(q);
  const Network network = initial_network(place_of(o, engine.dim()).shape, 0.01, o.seed);
  std::vector<double> gradient(network.parameters.size());
  engine.step(network, {}, gradient);
  return hash_of_numbers(std::move(gradient));
}

/// Of all that the file holds.
std::string hash_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  require<FileError>(in.good(), path.string() + " cannot be read");
  std::ostringstream contents;
  contents << in.rdbuf();
  return hash_of(contents.str());
}

std::string text(const std::string& s) {
  return s;
}
template <class T>
std::string text(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "yes" : "no";
  } else {
    char out[40];
    const auto end = std::to_chars(out, out + sizeof out, value).ptr;  // the shortest exact one
    return std::string(out, end);
  }
}

}  // namespace

// Members are bound by number, so that a new one does not compile until it is decided here whether
// results depend on it.
std::vector<Setting> configuration_of(Engine& engine, const Sampler& s, const SampleOptions& o) {
  std::vector<Setting> settings;
  const auto add = [&](const char* name, const auto& value) {
    settings.push_back({name, text(value)});
  };

  const EngineDescription& about = engine.description();
  add("program", std::string("lockstep " LOCKSTEP_VERSION));
  add("backend", about.backend);
  add("parameters", about.dim);
  std::string names;
  for (const std::string& name : about.names) {
    names += (names.empty() ? "" : ",") + name;
  }
  add("names", names);
  add("potential at fixed points", probe(engine));

  const auto& [method, step_size, step_jitter, leapfrog, length_jitter, integrator, metric,
               inverse_mass, persistence, target_acceptance, length, network, longest, hop,
               hop_scale, hop_per_coordinate, target_no_flip, order, matrix_units] = s;
  add("method", spelled(kMethodNames, method));
  add("step_size", step_size);
  add("step_jitter", step_jitter);
  add("leapfrog", leapfrog);
  add("length_jitter", spelled(kLengthJitterNames, length_jitter));
  add("integrator", spelled(kIntegratorNames, integrator));
  add("metric", spelled(kMetricNames, metric));
  add("inverse_mass", hash(inverse_mass));
  add("persistence", persistence);
  add("target_acceptance", target_acceptance);
  add("length", spelled(kLengthNames, length));
  add("network", network ? hash(*network) : "none");
  add("longest", longest);
  add("hop", hop);
  add("hop_scale", hash(hop_scale));
  add("hop_per_coordinate", hop_per_coordinate);
  add("target_no_flip", target_no_flip);
  add("order", spelled(kVisitOrderNames, order));
  add("matrix_units", matrix_units);

  // What is asked of the backend shows in `about`. Threads share work and change no bit.
  [[maybe_unused]] const auto& [chains, warmup, draws, seed, backend, threads, devices, precision,
                                generator, threads_per_chain, keep_chains, thin, keep_parameters,
                                lags, start, start_radius, superchain, adaptation, keep_warmup,
                                until, max_hours, checkpoint, checkpoint_minutes, progress] = o;
  add("chains", chains);
  add("warmup", warmup);
  add("draws", draws);
  add("seed", seed);
  add("devices", std::max<std::size_t>(devices.size(), 1));  // each saves its own chains
  add("precision", spelled(kPrecisionNames, precision));
  add("generator", spelled(kGeneratorNames, generator));
  add("keep_chains", keep_chains < 0 ? chains : std::min(keep_chains, chains));
  add("thin", thin);
  add("keep_parameters", hash(keep_parameters));
  add("lags", lags);
  add("start", hash(start));
  add("start_radius", start_radius);
  add("superchain", superchain);
  const auto& [schedule, per_chain_step_size, regularise, force_dense, restart_stranded,
               stop_early] = adaptation;
  add("schedule", spelled(kScheduleNames, schedule));
  add("per_chain_step_size", per_chain_step_size);
  add("regularise", regularise);
  add("force_dense", force_dense);
  add("restart_stranded", restart_stranded);
  add("stop_early", stop_early);
  add("keep_warmup", keep_warmup);
  const auto& [nested_rhat, ess, mcse] = until;
  add("until nested_rhat", nested_rhat);
  add("until ess", ess);
  add("until mcse", mcse);
  return settings;
}

std::string settings_of(const Preparation& preparation) {
  [[maybe_unused]] const auto& [name, start, start_law, kind, inverse_mass, weight, gradients,
                                seconds, elbo, k_hat, warnings] = preparation;
  if (start.empty() && !start_law && inverse_mass.empty()) {
    return "";
  }
  // A law is known by the preparation's name.
  return name + ", starts " + (start_law ? "by its law" : hash(start)) + ", metric " +
         spelled(kMetricNames, kind) + " " + hash(inverse_mass) + ", weight " + text(weight);
}

std::string settings_of(const PrepareOptions& how) {
  // A prior belongs to its target, which is known otherwise.
  [[maybe_unused]] const auto& [init, metric, family, weight, most_k_hat, most_k_hat_metric, prior,
                                start_file, metric_file, fit] = how;
  // Set for each fit: method, seed, start_radius, starts.
  [[maybe_unused]] const auto& [method, seed, draws, iterations, ascent, tolerance, rank, paths,
                                start_radius, start, starts, progress] = fit;
  std::string all;
  const auto add = [&](const char* name, const std::string& value) {
    all += (all.empty() ? "" : ", ") + std::string(name) + " " + value;
  };
  add("init", init == Init::file ? "file " + hash_of_file(start_file) : spelled(kInitNames, init));
  add("metric", metric == MetricInit::file ? "file " + hash_of_file(metric_file)
                                           : spelled(kMetricInitNames, metric));
  if (init == Init::vi) {
    add("family", spelled(kApproximationNames, family));
  }
  add("weight", text(weight));
  add("k-hat", text(most_k_hat) + " " + text(most_k_hat_metric));
  add("fit", text(draws) + " " + text(iterations) + " " + text(static_cast<int>(ascent)) + " " +
                 text(tolerance) + " " + text(rank) + " " + text(paths) + " " + hash(start));
  return all;
}

std::vector<Setting> configuration_of(TrainingEngine& engine, const std::string& target,
                                      const L2hmcOptions& o) {
  std::vector<Setting> settings;
  const auto add = [&](const char* name, const auto& value) {
    settings.push_back({name, text(value)});
  };
  add("program", std::string("lockstep " LOCKSTEP_VERSION));
  add("target", target);
  add("parameters", engine.dim());
  add("gradient at fixed points", probe(engine, o));

  [[maybe_unused]] const auto& [steps, width, hidden, batch, iterations, step_size, learning_rate,
                                decay, decay_every, loss_scale, noise_weight, temperature, cooling,
                                clip_gradient, stop_gradient, remember, trials, trial_iterations,
                                patience, enough_jump, inverse_mass, start, seed, threads, backend,
                                precision, checkpoint, checkpoint_minutes, max_hours, progress] = o;
  add("steps", steps);
  add("width", place_of(o, engine.dim()).shape.width);
  add("hidden", hidden);
  add("batch", batch);
  add("iterations", iterations);
  add("step_size", step_size);
  add("learning_rate", learning_rate);
  add("decay", decay);
  add("decay_every", decay_every);
  add("loss_scale", loss_scale);
  add("noise_weight", noise_weight);
  add("temperature", temperature);
  add("cooling", cooling);
  add("clip_gradient", clip_gradient);
  add("stop_gradient", stop_gradient);
  add("remember", spelled(kRememberNames, remember));
  add("trials", trials);
  add("trial_iterations", trials > 1 ? trial_iterations : 0);
  add("patience", patience);
  add("enough_jump", enough_jump);
  add("inverse_mass", hash(inverse_mass));
  add("start", hash(start));
  add("seed", seed);
  add("backend", spelled(kBackendNames, backend));
  add("precision", spelled(kPrecisionNames, precision));
  return settings;
}

}  // namespace lockstep
