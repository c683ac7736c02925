/// `run`: one target, one sampler, a table and files.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/interrupt.hpp"
#include "bench/cli/output_file.hpp"
#include "bench/cli/progress.hpp"
#include "host/io/metric_file.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench run --target banana
  lockstep-bench run --target icg --sampler hmc --chains 4096 --warmup 300 --draws 500 --seed 7
  lockstep-bench run --target scg --metric dense --leapfrog 5 --json fit.json
  lockstep-bench run --target logistic --data mine.csv --draws-out draws.npy --keep-chains 64
  lockstep-bench run --target mog --sampler ghmc --persistence 0.95 --step-size 0.1 --warmup 0
Ctrl-C finishes the launch, reports what is there, writes the files, and exits with 130.)";

struct Arguments {
  TargetArguments target;
  SamplerArguments sampler;
  SampleOptions options;
  std::vector<std::string> keep_parameters;
  std::string json, draws_out, metric_out;
};

/// "all" is -1, as SampleOptions has it.
std::int64_t kept_chains(const std::string& given) {
  std::int64_t n = -1;
  if (given == "all") {
    return n;
  }
  const char* end = given.data() + given.size();
  const auto parsed = std::from_chars(given.data(), end, n);
  require(parsed.ec == std::errc() && parsed.ptr == end && n >= 0,
          "--keep-chains is '" + given + "', but must be a number of chains, or all");
  return n;
}

void add_length(CLI::App& app, SampleOptions& o) {
  const std::string group = "Length";
  app.add_option("--chains", o.chains, "Chains")->capture_default_str()->group(group);
  app.add_option("--warmup", o.warmup, "Transitions per chain before the sampler is frozen")
      ->capture_default_str()
      ->group(group);
  app.add_option("--draws", o.draws, "Transitions per chain that count")
      ->capture_default_str()
      ->group(group);
  app.add_option("--seed", o.seed, "The same seed gives the same chains")
      ->check(kNotNegative)
      ->capture_default_str()
      ->group(group);
  app.add_option("--start-radius", o.start_radius,
                 "Starts are uniform on +- this, on the unconstrained scale")
      ->capture_default_str()
      ->group(group);
  app.add_option("--superchain", o.superchain,
                 "Neighbouring chains that share a start, for nested R-hat")
      ->capture_default_str()
      ->group(group);
}

void add_numerics(CLI::App& app, SampleOptions& o) {
  const std::string group = "Place";
  add_choice(app, "--precision", o.precision, kPrecisionNames, "Of states and gradients")
      ->default_str("float")
      ->group(group);
  add_choice(app, "--rng", o.generator, kGeneratorNames, "Random numbers; curand needs CUDA")
      ->default_str("philox")
      ->group(group);
  app.add_option("--threads-per-chain", o.threads_per_chain,
                 "CUDA threads that share a chain: 1, 2, 4, 8 or 32; 0: chosen")
      ->capture_default_str()
      ->group(group);
}

void add_output(CLI::App& app, Arguments& a) {
  const std::string group = "Output";
  app.add_option("--json", a.json, "Everything about the run, one JSON object")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--metric-out", a.metric_out,
                 "The metric as frozen after warm-up, for --metric FILE.json")
      ->type_name("FILE.json")
      ->group(group);
  app.add_option("--draws-out", a.draws_out,
                 "Kept draws: NumPy array (chains, draws, parameters), and FILE.json beside it")
      ->type_name("FILE.npy")
      ->group(group);
  app.add_option_function<std::string>(
         "--keep-chains", [&a](const std::string& s) { a.options.keep_chains = kept_chains(s); },
         "Chains whose draws are kept, for ESS, R-hat and --draws-out")
      ->type_name("N|all")
      ->default_str(std::to_string(a.options.keep_chains))
      ->group(group);
  app.add_option("--keep-parameters", a.keep_parameters, "Parameters to keep, by name [all]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAMES")
      ->group(group);
  app.add_option("--thin", a.options.thin, "Keep every so many-th draw")
      ->capture_default_str()
      ->group(group);
  app.add_option("--lags", a.options.lags, "Lags of streamed autocovariances; 0: none")
      ->capture_default_str()
      ->group(group);
}

void check_outputs(const Arguments& a) {
  require(a.json.empty() || a.json != a.draws_out,
          "--json and --draws-out are both " + a.json + ": give each its own file");
  require(
      a.draws_out.empty() || a.json != a.draws_out + ".json",
      "--json is " + a.json + ", which --draws-out writes beside its draws: choose another name");
  require(a.draws_out.empty() || a.options.keep_chains != 0,
          "--draws-out has nothing to write with --keep-chains 0: keep some chains");
  for (const std::string& file : {a.json, a.metric_out}) {
    if (!file.empty()) {
      check_writable(file);
    }
  }
  if (!a.draws_out.empty()) {
    require<FileError>(
        !std::filesystem::exists(a.draws_out) || std::filesystem::is_regular_file(a.draws_out),
        "cannot write " + a.draws_out + ": draws need an ordinary file");
    check_writable(a.draws_out);
    check_writable(a.draws_out + ".json");
  }
}

std::vector<int> parameter_indices(const std::vector<std::string>& wanted,
                                   const std::vector<std::string>& names) {
  std::vector<int> indices;
  for (const std::string& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    require(found != names.end(), "--keep-parameters: unknown parameter '" + name +
                                      "': did you mean '" + nearest_name(name, names) + "'?");
    const auto index = static_cast<int>(found - names.begin());
    require(std::find(indices.begin(), indices.end(), index) == indices.end(),
            "--keep-parameters names '" + name + "' twice");
    indices.push_back(index);
  }
  return indices;
}

void print_header(const Arguments& a, const Engine& engine, const Sampler& sampler) {
  const EngineDescription& d = engine.description();
  const SampleOptions& o = a.options;
  std::cout << a.target.name() << ", " << d.dim << (d.dim == 1 ? " parameter" : " parameters")
            << "; " << sampler_line(sampler) << '\n'
            << o.chains << (o.chains == 1 ? " chain, " : " chains, ") << o.warmup << " + "
            << o.draws << " transitions, seed " << o.seed << "; " << d.backend << ", " << d.device
            << ", " << d.lane;
  if (d.backend == "cpu") {
    std::cout << ", " << d.threads << (d.threads == 1 ? " thread" : " threads");
  }
  std::cout << "\n\n" << std::flush;
}

int run(Arguments& a) {
  const TargetEntry& entry = a.target.entry();
  const Sampler sampler = a.sampler.sampler();
  check_place(a.options);
  check_outputs(a);
  const int dim = entry.dim(a.target.options());
  validate(sampler, a.options, dim);
  const std::unique_ptr<Engine> engine = entry.make(a.target.options(), a.options);
  check_settled(a.options, engine->description());
  a.options.keep_parameters = parameter_indices(a.keep_parameters, engine->description().names);
  catch_interrupts();
  print_header(a, *engine, sampler);

  ProgressBar bar("", a.options.chains);
  a.options.progress = bar.callback();
  const Fit fit = lockstep::run(*engine, sampler, a.options);
  bar.erase();

  std::cout << fit.summary();
  if (!a.json.empty()) {
    write_file(a.json, to_json(fit, a.target.name()).dump(2) + "\n");
  }
  if (!a.metric_out.empty()) {
    write_file(a.metric_out, metric_json(fit.metric, fit.engine.names).dump(2) + "\n");
  }
  if (!a.draws_out.empty()) {
    fit.write_draws(a.draws_out);
  }
  return fit.interrupted ? kInterrupted : kOk;
}

}  // namespace

void add_settings(CLI::App& app, TargetArguments& target, SamplerArguments& sampler,
                  SampleOptions& options) {
  target.add_to(app, true);
  sampler.add_to(app);
  add_length(app, options);
  add_adaptation(app, options.adaptation);
  add_numerics(app, options);
}

Command run_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("run", "Sample a target and report on it");
  auto a = std::make_shared<Arguments>();
  add_settings(*app, a->target, a->sampler, a->options);
  add_place(*app, a->options);
  add_output(*app, *a);
  app->footer(kExamples);
  return {app, [a] { return run(*a); }};
}

}  // namespace lockstep::bench
