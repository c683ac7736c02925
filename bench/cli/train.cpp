/// `train`: a network that leads L2HMC's trajectories through a target.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/interrupt.hpp"
#include "bench/cli/output_file.hpp"
#include "bench/cli/progress.hpp"
#include "bench/cli/table.hpp"
#include "host/io/metric_file.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"
#include "lockstep/training.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench train --target scg --noise-weight 0 --output scg-network.json
  lockstep-bench run --target scg --sampler l2hmc --network scg-network.json --chains 4096
  lockstep-bench train --target mog --temperature 10 --cooling 0.998 --trials 4 --output mog.json
  lockstep-bench train --target icg --checkpoint icg.state --output icg.json --json training.json
  lockstep-bench run --target banana --metric diagonal --metric-out metric.json
  lockstep-bench train --target banana --metric metric.json --output banana.json
Ctrl-C and SIGTERM end training with the best network so far: it and --checkpoint are written, and
the exit status is 130 or 143. The same command then goes on from the checkpoint, to the same bits
as if it had never stopped. If the loss stops being finite, the last good network is written, and
the exit status is 2.)";

struct Arguments {
  TargetArguments target;
  L2hmcOptions options;
  std::string metric, output, json;
};

void add_network(CLI::App& app, L2hmcOptions& o) {
  const std::string group = "Network";
  app.add_option("--steps", o.steps, "Modified leapfrog steps of a trajectory")
      ->capture_default_str()
      ->group(group);
  app.add_option("--width", o.width,
                 "Units of each hidden layer; 0: 10 up to 10 dimensions, else twice the dimension")
      ->capture_default_str()
      ->group(group);
  app.add_option("--hidden", o.hidden, "Hidden layers")->capture_default_str()->group(group);
  app.add_option("--step-size", o.step_size, "Step size at the start; trained with the rest")
      ->capture_default_str()
      ->group(group);
}

void add_loss(CLI::App& app, Arguments& a) {
  const std::string group = "Loss";
  L2hmcOptions& o = a.options;
  app.add_option("--batch", o.batch, "Chains that train")->capture_default_str()->group(group);
  app.add_option("--loss-scale", o.loss_scale, "lambda^2: the squared jump that counts as one")
      ->capture_default_str()
      ->group(group);
  app.add_option("--noise-weight", o.noise_weight,
                 "Weight of the same loss from fresh N(0, I) starts; 0: none")
      ->capture_default_str()
      ->group(group);
  app.add_option("--temperature", o.temperature, "Divides the potential at the start")
      ->capture_default_str()
      ->group(group);
  app.add_option("--cooling", o.cooling, "Multiplies the temperature each iteration, down to 1")
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--metric", a.metric,
         "Diagonal metric in whose units the networks see the target, as run's --metric-out "
         "writes it [unit]")
      ->type_name("FILE.json")
      ->group(group);
}

void add_descent(CLI::App& app, L2hmcOptions& o) {
  const std::string group = "Descent";
  app.add_option("--iterations", o.iterations, "Iterations")->capture_default_str()->group(group);
  app.add_option("--learning-rate", o.learning_rate, "Adam's")->capture_default_str()->group(group);
  app.add_option("--decay", o.decay, "Multiplies it every --decay-every iterations")
      ->capture_default_str()
      ->group(group);
  app.add_option("--decay-every", o.decay_every, "See --decay")
      ->capture_default_str()
      ->group(group);
  app.add_option("--clip-gradient", o.clip_gradient, "Largest norm of the gradient; 0: any")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--stop-gradient", o.stop_gradient,
               "Take dU/dx for a constant: no second derivatives of the target")
      ->group(group);
  add_choice(app, "--remember", o.remember, kRememberNames,
             "Of a trajectory for the way back: its steps, or nothing, which needs less memory")
      ->default_str("steps")
      ->group(group);
  app.add_option("--trials", o.trials,
                 "Networks from other seeds, trained for --trial-iterations; the best goes on")
      ->capture_default_str()
      ->group(group);
  app.add_option("--trial-iterations", o.trial_iterations, "See --trials")
      ->capture_default_str()
      ->group(group);
  app.add_option("--patience", o.patience,
                 "Stop when the jump has not grown for so many iterations; 0: never")
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--enough-jump", o.enough_jump,
         "Stop when the jump is this share of that of independent draws, 2 tr cov; 0: never")
      ->capture_default_str()
      ->group(group);
  app.add_option("--max-hours", o.max_hours,
                 "Stop after so many hours of this command; 0: no limit")
      ->capture_default_str()
      ->group(group);
}

void add_place_and_files(CLI::App& app, Arguments& a) {
  std::string group = "Place";
  L2hmcOptions& o = a.options;
  app.add_option("--seed", o.seed, "The same seed trains the same network")
      ->check(kNotNegative)
      ->capture_default_str()
      ->group(group);
  app.add_option("--threads", o.threads, "CPU threads; 0: all; they change no bit")
      ->capture_default_str()
      ->group(group);
  add_choice(app, "--backend", o.backend, kBackendNames, "auto: CUDA where there is a device")
      ->default_str("cpu")
      ->group(group);
  add_choice(app, "--precision", o.precision, kPrecisionNames, "Of states and gradients")
      ->default_str("float")
      ->group(group);
  group = "Output";
  app.add_option("--output", a.output, "The trained network, for run --sampler l2hmc --network")
      ->type_name("NETWORK.json")
      ->group(group);
  app.add_option("--json", a.json, "What training took, and its course")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--checkpoint", o.checkpoint,
                 "Save training here, and go on from here if the file exists")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--checkpoint-every", o.checkpoint_minutes,
                 "Minutes between savings; 0: after each iteration")
      ->type_name("MIN")
      ->capture_default_str()
      ->group(group);
}

void check_outputs(const Arguments& a) {
  require(!a.output.empty(),
          "train: where should the network go? Give --output, e.g. --output network.json");
  const std::pair<const char*, std::string> files[] = {
      {"--output", a.output}, {"--json", a.json}, {"--checkpoint", a.options.checkpoint}};
  for (const auto* one = std::begin(files); one != std::end(files); ++one) {
    for (const auto* other = std::begin(files); other != one; ++other) {
      require(one->second.empty() || one->second != other->second,
              std::string(other->first) + " and " + one->first + " both write " + one->second +
                  ": give each its own file");
    }
    if (!one->second.empty()) {
      check_writable(one->second);
    }
  }
  for (const std::string& file : {a.output, a.options.checkpoint}) {
    require<FileError>(!std::filesystem::exists(file) || std::filesystem::is_regular_file(file),
                       "cannot write " + file + ": name an ordinary file");
  }
}

void read_units(Arguments& a) {
  if (a.metric.empty()) {
    return;
  }
  GivenMetric given = read_metric(a.metric);
  require(given.kind == Metric::diagonal,
          "--metric " + a.metric + " is " + spelled(kMetricNames, given.kind) +
              ": networks take a diagonal one (run --metric diagonal --metric-out FILE.json)");
  a.options.inverse_mass = std::move(given.inverse_mass);
}

Json as_json(const Network& n, const Arguments& a, const std::string& failure) {
  const TrainingRecord& t = n.training;
  Json j;
  j["lockstep"] = LOCKSTEP_VERSION;
  j["target"] = a.target.name();
  j["dimension"] = n.shape.dim;
  j["steps"] = n.shape.steps;
  j["width"] = n.shape.width;
  j["hidden"] = n.shape.hidden;
  j["parameters"] = n.parameters.size();
  j["seed"] = a.options.seed;
  j["precision"] = spelled(kPrecisionNames, a.options.precision);
  j["threads"] = a.options.threads;
  j["interrupted"] = interrupted();
  j["failure"] = failure.empty() ? Json(nullptr) : Json(failure);
  j["step_size"] = json_number(n.step_size());
  j["iterations"] = t.iterations;
  j["seconds"] = json_number(t.seconds);
  j["steps_per_second"] = json_number(static_cast<double>(t.iterations) / t.seconds);
  j["gradients"] = json_number(t.gradients);
  j["training"] = to_json(t);
  return j;
}

void print(const Network& n, const Arguments& a) {
  const TrainingRecord& t = n.training;
  std::cout << t.iterations << " iterations of " << t.batch << " chains in "
            << significant(t.seconds) << " s, "
            << significant(static_cast<double>(t.iterations) / t.seconds) << " iterations/s, "
            << with_prefix(t.gradients) << " gradients\n"
            << "the network after iteration " << t.kept << ": loss " << significant(t.loss)
            << ", acceptance " << fixed(t.acceptance, 3) << ", jump " << significant(t.jump)
            << ", step size " << significant(n.step_size()) << "\nwritten to " << a.output << '\n';
}

void write(const Network& n, const Arguments& a, const std::string& failure) {
  n.save(a.output);
  if (!a.json.empty()) {
    write_file(a.json, as_json(n, a, failure).dump(2) + "\n");
  }
}

int run(Arguments& a) {
  const TargetEntry& entry = a.target.entry();
  read_units(a);
  SampleOptions place;
  place.threads = a.options.threads;
  check_place(place);
  check_outputs(a);
  const std::unique_ptr<TrainingEngine> engine =
      make_training_engine(entry, a.target.options(), a.options);
  catch_interrupts();
  TrainingBar bar("");
  a.options.progress = bar.callback();
  try {
    const Network network = lockstep::train(*engine, a.target.name(), a.options);
    bar.erase();
    write(network, a, "");
    print(network, a);
  } catch (const TrainingFailure& e) {
    bar.erase();
    write(e.network, a, e.what());
    throw UsageError(std::string(e.what()) + "; the last good network is in " + a.output);
  }
  return interrupted() ? interrupted_status() : kOk;
}

}  // namespace

Command train_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("train", "Train a network for L2HMC");
  auto a = std::make_shared<Arguments>();
  a->target.add_to(*app, true);
  add_network(*app, a->options);
  add_loss(*app, *a);
  add_descent(*app, a->options);
  add_place_and_files(*app, *a);
  app->footer(kExamples);
  return {app, [a] { return run(*a); }};
}

}  // namespace lockstep::bench
