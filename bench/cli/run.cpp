/// `run`: one target, one sampler, a table and files.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/interrupt.hpp"
#include "bench/cli/output_file.hpp"
#include "bench/cli/parse.hpp"
#include "bench/cli/progress.hpp"
#include "host/geometry/geometry.hpp"
#include "host/io/csv.hpp"
#include "host/io/metric_file.hpp"
#include "host/io/netcdf.hpp"
#include "host/registry/preparations.hpp"
#include "host/report/report.hpp"
#include "host/validate.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench run --target banana
  lockstep-bench run --target icg --sampler hmc --chains 4096 --warmup 300 --draws 500 --seed 7
  lockstep-bench run --target scg --metric dense --leapfrog 5 --json fit.json
  lockstep-bench run --target logistic --data mine.csv --draws-out draws.npy --keep-chains 64
  lockstep-bench run --target banana --report banana.html --csv banana.csv --draws-out banana.nc
  lockstep-bench run --target mog --sampler ghmc --persistence 0.95 --step-size 0.1 --warmup 0
  lockstep-bench run --target scg --sampler l2hmc --network network.json   # from `train`
  lockstep-bench run --target integer-grid --sampler dhmc --leapfrog 5
  lockstep-bench run --target german-credit --init pathfinder
  lockstep-bench run --target funnel-nc --until nested-rhat=1.01,ess=4000 --max-draws 20000
  lockstep-bench run --target icg --draws 100000 --checkpoint icg.state --max-hours 4
Ctrl-C and SIGTERM finish the launch, write --checkpoint, report what is there, write the files, and
exit with 130 or 143. The same command then goes on from the checkpoint, to the same bits as if it
had never stopped; it also does after kill -9 and --max-hours. Once a run is finished its checkpoint
stays, and the same command only reports again: delete the file to sample anew.)";

struct Arguments {
  TargetArguments target;
  SamplerArguments sampler;
  PreparationArguments preparation;
  SampleOptions options;
  std::vector<std::string> keep_parameters;
  std::string json, csv, report, draws_out, metric_out, positions_out;
  std::string data;  // TargetEntry::data
  std::vector<std::string> report_pairs;
  bool geometry = false;
  CLI::Option* draws = nullptr;
  CLI::Option* max_draws = nullptr;

  std::string title() const {
    return data.empty() ? target.name() : target.name() + " (" + data + ")";
  }
  bool netcdf() const { return std::filesystem::path(draws_out).extension() == ".nc"; }
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

/// "nested-rhat=1.01,ess=400" as Until has it.
void read_until(const std::vector<std::string>& given, Until& until) {
  const std::pair<std::string, double*> figures[] = {
      {"nested-rhat", &until.nested_rhat}, {"ess", &until.ess}, {"mcse", &until.mcse}};
  for (const std::string& item : given) {
    const std::size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    const auto* const found = std::find_if(std::begin(figures), std::end(figures),
                                           [&](const auto& f) { return f.first == name; });
    require(found != std::end(figures) && equals != std::string::npos,
            "--until has '" + item +
                "', but takes nested-rhat=X, ess=X and mcse=X, with commas between them");
    const char* const first = item.data() + equals + 1;
    const char* const last = item.data() + item.size();
    const auto parsed = std::from_chars(first, last, *found->second);
    require(parsed.ec == std::errc() && parsed.ptr == last && *found->second > 0,
            "--until has '" + item + "', but " + name + " must be a positive number");
  }
}

void add_stopping(CLI::App& app, Arguments& a) {
  const std::string group = "Stopping and going on";
  app.add_option_function<std::vector<std::string>>(
         "--until",
         [&a](const std::vector<std::string>& given) { read_until(given, a.options.until); },
         "Stop as soon as every parameter has these: nested R-hat at most, ESS of all draws at "
         "least, MCSE of the mean at most (in the parameter's sd), e.g. "
         "nested-rhat=1.01,ess=400,mcse=0.01; seen after 64, 96, 128, 192, 256, ... draws")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("FIGURES")
      ->group(group);
  a.draws = app.get_option("--draws");
  a.max_draws =
      app.add_option("--max-draws", a.options.draws, "Draws per chain at most, with --until")
          ->type_name("INT")
          ->group(group);
  app.add_option("--max-hours", a.options.max_hours,
                 "Stop and report after so many hours of this command; 0: no limit")
      ->capture_default_str()
      ->group(group);
  app.add_option("--checkpoint", a.options.checkpoint,
                 "Save the run here, and go on from here if the file exists")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--checkpoint-every", a.options.checkpoint_minutes,
                 "Minutes between savings; 0: after each launch")
      ->type_name("MIN")
      ->capture_default_str()
      ->group(group);
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
  app.add_flag("--geometry", a.geometry,
               "Condition number and stability edge at the final positions of up to 256 chains, in "
               "the metric as frozen")
      ->group(group);
  app.add_option("--metric-out", a.metric_out,
                 "The metric as frozen after warm-up, for --metric FILE.json")
      ->type_name("FILE.json")
      ->group(group);
  app.add_option("--positions-out", a.positions_out,
                 "Where the chains ended, unconstrained, (chains, parameters), for --init FILE.npy")
      ->type_name("FILE.npy")
      ->group(group);
  app.add_option("--csv", a.csv, "The table of parameters, every figure in full")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--report", a.report, "A page for people: failures, table, plots, all in one file")
      ->type_name("FILE.html")
      ->group(group);
  app.add_option("--report-pairs", a.report_pairs,
                 "Parameters of the report's pair plots, by name [the worst three]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAMES")
      ->group(group);
  app.add_option("--draws-out", a.draws_out,
                 "Kept draws: netCDF as ArviZ reads it, or a NumPy array (chains, draws, "
                 "parameters) with FILE.json beside it")
      ->type_name("FILE.nc|.npy")
      ->group(group);
  app.add_option_function<std::string>(
         "--keep-chains", [&a](const std::string& s) { a.options.keep_chains = kept_chains(s); },
         "Chains whose draws are kept, for ESS, R-hat and --draws-out")
      ->type_name("N|all")
      ->default_str(std::to_string(a.options.keep_chains))
      ->group(group);
  app.add_option_function<std::string>(
         "--keep",
         [&a](const std::string& what) {
           require(what == "warmup", "--keep is '" + what + "', but must be warmup");
           a.options.keep_warmup = true;
         },
         "Keeps the warm-up's draws too, for --draws-out FILE.nc")
      ->type_name("warmup")
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

/// Every file that will be written, by the option that asks for it.
std::vector<std::pair<std::string, std::string>> outputs(const Arguments& a) {
  std::vector<std::pair<std::string, std::string>> files;
  const auto add = [&](const std::string& option, const std::string& file) {
    if (!file.empty()) {
      files.emplace_back(option, file);
    }
  };
  add("--json", a.json);
  add("--csv", a.csv);
  add("--report", a.report);
  add("--metric-out", a.metric_out);
  add("--positions-out", a.positions_out);
  add("--checkpoint", a.options.checkpoint);
  add("--draws-out", a.draws_out);
  add("--draws-out", a.draws_out.empty() || a.netcdf() ? "" : a.draws_out + ".json");
  return files;
}

/// @param what  "draws", ...
void check_ordinary(const std::string& file, const std::string& what) {
  require<FileError>(!std::filesystem::exists(file) || std::filesystem::is_regular_file(file),
                     "cannot write " + file + ": " + what + " an ordinary file");
}

void check_draws_out(const Arguments& a) {
  check_ordinary(a.draws_out, "draws need");
  const auto extension = std::filesystem::path(a.draws_out).extension();
  require(extension == ".nc" || extension == ".npy",
          "--draws-out is " + a.draws_out +
              ": give a name that ends in .nc (netCDF, for ArviZ) or .npy (NumPy)");
  require(a.options.keep_chains != 0,
          "--draws-out has nothing to write with --keep-chains 0: keep some chains");
  if (a.netcdf()) {
    require_netcdf("--draws-out " + a.draws_out);
  }
}

void check_outputs(const Arguments& a) {
  require(a.draws->count() == 0 || a.max_draws->count() == 0,
          "--draws and --max-draws are both given: they are the same number, leave one out");
  require(a.max_draws->count() == 0 || a.options.until.any(),
          "--max-draws is for --until: say what to stop at, or give --draws");
  require(!a.options.keep_warmup || a.netcdf(),
          "--keep warmup keeps draws that only netCDF holds: give --draws-out FILE.nc too");
  require(a.report_pairs.empty() || !a.report.empty(),
          "--report-pairs has no report to go into: give --report FILE.html too");
  const auto extension = std::filesystem::path(a.report).extension();
  require(a.report.empty() || extension == ".html" || extension == ".htm",
          "--report is " + a.report + ": give a name that ends in .html");
  const auto files = outputs(a);
  for (auto one = files.begin(); one != files.end(); ++one) {
    for (auto other = files.begin(); other != one; ++other) {
      require(one->second != other->second || one->second == "/dev/null",
              other->first + " and " + one->first + " both write " + one->second +
                  ": give each its own file");
    }
    check_writable(one->second);
  }
  if (!a.draws_out.empty()) {
    check_draws_out(a);
  }
  if (!a.positions_out.empty()) {
    check_ordinary(a.positions_out, "positions need");
  }
  if (!a.options.checkpoint.empty()) {
    check_ordinary(a.options.checkpoint, "a checkpoint needs");
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
  std::cout << a.title() << ", " << d.dim << (d.dim == 1 ? " parameter" : " parameters") << "; "
            << sampler_line(sampler) << '\n'
            << o.chains << (o.chains == 1 ? " chain, " : " chains, ") << o.warmup << " + "
            << (o.until.any() ? "at most " : "") << o.draws << " transitions, seed " << o.seed
            << "; " << d.backend << ", " << d.device << ", " << d.lane;
  if (d.backend == "cpu") {
    std::cout << ", " << d.threads << (d.threads == 1 ? " thread" : " threads");
  }
  std::error_code ignored;
  if (!o.checkpoint.empty() && std::filesystem::exists(o.checkpoint, ignored)) {
    std::cout << "\ngoes on from " << o.checkpoint;
  }
  std::cout << "\n\n" << std::flush;
}

int run(Arguments& a) {
  const TargetEntry& entry = a.target.entry();
  PrepareOptions preparation = a.preparation.options();
  Sampler sampler = a.sampler.sampler();
  PreparationArguments::settle(preparation, sampler);
  check_place(a.options);
  check_outputs(a);
  const int dim = entry.dim(a.target.options());
  a.data = entry.data(a.target.options());
  validate(sampler, a.options, dim);
  const std::unique_ptr<Engine> engine = make_engine(entry, sampler, a.target.options(), a.options);
  validate(sampler, a.options, engine->description());
  check_settled(a.options, engine->description());
  a.options.keep_parameters = parameter_indices(a.keep_parameters, engine->description().names);
  check_pairs(a.report_pairs, engine->description().names, a.options.keep_parameters);
  const auto measured = a.geometry ? target_for_geometry(entry, a.target.options()) : nullptr;
  FitBar fit_bar("");
  preparation.fit.progress = fit_bar.callback();
  const Recipe recipe =
      recipe_of(preparation, entry, a.target.options(), sampler, a.options, engine->description());
  catch_interrupts();
  print_header(a, *engine, sampler);

  ProgressBar bar("", a.options.chains);
  a.options.progress = bar.callback();
  const Fit fit = lockstep::run(*engine, sampler, a.options, recipe);
  bar.erase();
  fit_bar.erase();

  std::cout << fit.summary();
  std::optional<Geometry> geometry;
  if (measured) {
    geometry = measure_geometry(*measured, fit);
    std::cout << geometry_lines(*geometry, fit.sampler.step_size);
  }
  if (!a.json.empty()) {
    Json j = to_json(fit, a.target.name());
    j["data"] = a.data.empty() ? Json(nullptr) : Json(a.data);
    j["geometry"] = geometry ? to_json(*geometry) : Json(nullptr);
    write_file(a.json, j.dump(2) + "\n");
  }
  if (!a.metric_out.empty()) {
    write_file(a.metric_out, metric_json(fit.metric, fit.engine.names).dump(2) + "\n");
  }
  if (!a.positions_out.empty()) {
    fit.write_positions(a.positions_out);
  }
  if (!a.csv.empty()) {
    write_file(a.csv, summary_csv(fit));
  }
  if (!a.report.empty()) {
    write_file(a.report, report_html(fit, {a.title(), command_line(), a.report_pairs, geometry}));
  }
  if (a.netcdf()) {
    fit.write_netcdf(a.draws_out);
  } else if (!a.draws_out.empty()) {
    fit.write_draws(a.draws_out);
  }
  return fit.interrupted ? interrupted_status() : kOk;
}

}  // namespace

void add_settings(CLI::App& app, TargetArguments& target, SamplerArguments& sampler,
                  PreparationArguments& preparation, SampleOptions& options) {
  target.add_to(app, true);
  sampler.add_to(app);
  preparation.add_to(app);
  add_length(app, options);
  add_adaptation(app, options.adaptation);
  add_numerics(app, options);
}

Command run_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("run", "Sample a target and report on it");
  auto a = std::make_shared<Arguments>();
  add_settings(*app, a->target, a->sampler, a->preparation, a->options);
  add_stopping(*app, *a);
  add_place(*app, a->options);
  add_output(*app, *a);
  app->footer(kExamples);
  return {app, [a] { return run(*a); }};
}

}  // namespace lockstep::bench
