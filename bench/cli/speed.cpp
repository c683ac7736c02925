/// `speed`: transitions and leapfrog steps per second, beside what this machine can do at best.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/dhmc_speed.hpp"
#include "bench/cli/interrupt.hpp"
#include "bench/cli/l2hmc_speed.hpp"
#include "bench/cli/output_file.hpp"
#include "bench/cli/probe.hpp"
#include "bench/cli/speed_case.hpp"
#include "bench/cli/synthetic_credit.hpp"
#include "bench/cli/table.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench speed
  lockstep-bench speed --target scg icg --chains 1024 16384 --leapfrog 1 10 50
  lockstep-bench speed --threads 0 --json speed.json
  lockstep-bench speed --sampler l2hmc --target scg --leapfrog 10 --width 10
  lockstep-bench speed --sampler l2hmc --target icg --width 100 --batch 200
  lockstep-bench speed --sampler dhmc --target integer-grid jolly-seber
HMC with a fixed step size and unit metric, statistics streamed, no draws kept. Steps/s are those of
the leapfrog loop alone. "of FMA" is the fraction of the multiply-adds per second that one core
reaches in this same run (times the threads), for targets that do hardly anything else. L2HMC's
counts the multiply-adds of its networks' matrices; training is an iteration without Adam's step.
dhmc: updates/s are visits of coordinates along which the density jumps, with all else that a
transition does; beside them those of a plain loop over chains, the same algorithm in one float.)";

constexpr int kRounds = 7;

struct Arguments {
  std::vector<std::string> target_names;
  TargetOptions target;
  std::vector<std::int64_t> chains{1024};
  std::vector<int> lengths{10};
  int transitions = 0;
  SampleOptions options;
  std::string json;
  std::string sampler = "hmc";
  L2hmcSpeedOptions l2hmc;
};

struct Row {
  std::string target;
  int dim = 0;
  std::int64_t chains = 0;
  int leapfrog = 0;
  double transitions_per_second = 0, steps_per_second = 0;
  double fma_per_step = 0;  // 0: not counted
  double fraction = std::numeric_limits<double>::quiet_NaN();
};

/// Rows of one target and number of chains; the FMA probe takes turns with them.
std::vector<Row> measure(const TargetEntry& entry, const TargetOptions& target, const Arguments& a,
                         std::int64_t chains, double& best_fma, EngineDescription& about) {
  SampleOptions options = a.options;
  options.chains = chains;
  SpeedCase speed(entry, target, options, a.lengths, a.transitions);
  double fma = 0;
  for (int i = 0; i < kRounds && !interrupted(); ++i) {
    fma = std::max(fma, fma_rate());
    speed.round();
  }
  about = speed.description();
  best_fma = std::max(best_fma, fma);
  const double fma_per_step = speed_settings(entry.name).fma_per_coordinate * about.dim;
  std::vector<Row> rows;
  for (const int length : a.lengths) {
    Row row{entry.name, about.dim, chains, length};
    row.transitions_per_second = static_cast<double>(chains) / speed.seconds(length);
    row.steps_per_second = speed.steps_per_second();
    row.fma_per_step = fma_per_step;
    if (fma_per_step > 0 && about.backend == "cpu") {
      row.fraction = row.steps_per_second * fma_per_step / (fma * about.threads);
    }
    rows.push_back(row);
  }
  return rows;
}

/// All that the sampler can run on without further data.
std::vector<std::string> default_targets(const std::string& sampler) {
  if (sampler == "dhmc") {
    return {"integer-grid", "mixed-grid", "jolly-seber", "zero-one"};
  }
  std::vector<std::string> names;
  for (const TargetEntry& entry : targets()) {
    if (entry.discontinuous) {
      continue;
    }
    if (!entry.needs_data || entry.name == "german-credit") {
      names.push_back(entry.name);
    }
  }
  return names;
}

/// Made-up data where the German credit data are absent, else nothing.
std::unique_ptr<SyntheticCredit> stand_in(const TargetOptions& target) {
  try {
    find_target("german-credit").dim(target);
    return nullptr;
  } catch (const FileError&) {
    return std::make_unique<SyntheticCredit>();
  }
}

/// What was measured, of one of the samplers.
struct Rows {
  std::vector<Row> hmc;
  std::vector<L2hmcRow> l2hmc;
  std::vector<DhmcRow> dhmc;
};

Json as_json(const Rows& rows, double fma, const NormalsProbe& normals,
             const EngineDescription& about) {
  Json j;
  j["lockstep"] = LOCKSTEP_VERSION;
  j["backend"] = about.backend;
  j["device"] = about.device;
  j["threads"] = about.threads;
  j["fma_per_second"] = fma;
  j["normals"] = {{"ns", normals.ours * 1e9},
                  {"std_ns", normals.standard * 1e9},
                  {"ratio", normals.standard / normals.ours}};
  j["rows"] = Json::array();
  for (const Row& r : rows.hmc) {
    j["rows"].push_back(
        {{"target", r.target},
         {"dimension", r.dim},
         {"chains", r.chains},
         {"leapfrog", r.leapfrog},
         {"transitions_per_second", json_number(r.transitions_per_second)},
         {"steps_per_second", json_number(r.steps_per_second)},
         {"ns_per_transition", json_number(1e9 / r.transitions_per_second)},
         {"fma_per_step", r.fma_per_step > 0 ? Json(r.fma_per_step) : Json(nullptr)},
         {"fraction_of_fma", json_number(r.fraction)}});
  }
  const auto add = [&](const char* sampler, const auto& its) {
    if (!its.empty()) {
      j[sampler] = Json::array();
      for (const auto& r : its) {
        j[sampler].push_back(to_json(r));
      }
    }
  };
  add("l2hmc", rows.l2hmc);
  add("dhmc", rows.dhmc);
  return j;
}

void print(const Rows& rows, double fma, const NormalsProbe& normals,
           const EngineDescription& about) {
  std::cout << about.backend << ", " << about.device << ", " << about.threads
            << (about.threads == 1 ? " thread" : " threads") << '\n'
            << "one core: " << with_prefix(fma) << " multiply-adds/s; a normal in "
            << significant(normals.ours * 1e9) << " ns, "
            << significant(normals.standard / normals.ours) << " times the rate of the standard "
            << "library's (" << significant(normals.standard * 1e9) << " ns)\n\n";
  if (!rows.l2hmc.empty() || !rows.dhmc.empty()) {
    std::cout << (rows.l2hmc.empty() ? table_of(rows.dhmc) : table_of(rows.l2hmc));
    return;
  }
  TextTable table(
      {"target", "dim", "chains", "L", "transitions/s", "steps/s", "ns/transition", "of FMA"});
  for (const Row& r : rows.hmc) {
    table.add({r.target, std::to_string(r.dim), std::to_string(r.chains),
               std::to_string(r.leapfrog), with_prefix(r.transitions_per_second),
               with_prefix(r.steps_per_second), significant(1e9 / r.transitions_per_second),
               percent(r.fraction)});
  }
  std::cout << table.text();
}

/// What only one of the samplers takes.
void check_sampler(const Arguments& a, const CLI::App& app) {
  require(a.sampler == "hmc" || a.sampler == "l2hmc" || a.sampler == "dhmc",
          "--sampler is '" + a.sampler + "', but must be hmc, l2hmc or dhmc");
  const auto given = [&](const char* option) { return app.get_option(option)->count() > 0; };
  for (const char* option : {"--width", "--hidden", "--batch", "--network", kPlainNetworks}) {
    require(a.sampler == "l2hmc" || !given(option),
            std::string(option) + " does not apply to --sampler " + a.sampler +
                ": leave it out, or choose l2hmc");
  }
  for (const char* option : {"--width", "--hidden", "--leapfrog"}) {
    require(a.l2hmc.network.empty() || !given(option),
            std::string(option) + " is the network's own with --network: leave it out");
  }
}

int run(Arguments& a, const CLI::App& app) {
  check_sampler(a, app);
  a.l2hmc.transitions = a.transitions;
  for (const std::int64_t chains : a.chains) {
    require(chains > 0, "--chains is " + std::to_string(chains) + ": give 1 or more");
  }
  for (const int length : a.lengths) {
    require(length > 0, "--leapfrog is " + std::to_string(length) + ": give 1 or more");
  }
  require(a.transitions >= 0 && a.transitions <= (1 << 20),
          "--transitions is " + std::to_string(a.transitions) + ": give 1 to 1048576, or 0");
  check_place(a.options);
  if (!a.json.empty()) {
    check_writable(a.json);
  }
  std::vector<const TargetEntry*> entries;
  bool credit = false;
  for (const std::string& name :
       a.target_names.empty() ? default_targets(a.sampler) : a.target_names) {
    entries.push_back(&find_target(name));
    credit = credit || name == "german-credit";
  }
  const std::unique_ptr<SyntheticCredit> synthetic = credit ? stand_in(a.target) : nullptr;

  catch_interrupts();
  const NormalsProbe normals = probe_normals(kRounds);
  double fma = fma_rate();
  EngineDescription about;
  Rows rows;
  for (const TargetEntry* entry : entries) {
    TargetOptions target = a.target;
    const bool made_up = synthetic && entry->name == "german-credit";
    if (made_up) {
      target.data_dir = synthetic->folder();
    }
    for (const std::int64_t chains : a.chains) {
      if (interrupted()) {
        break;
      }
      if (a.sampler == "hmc") {
        const std::vector<Row> measured = measure(*entry, target, a, chains, fma, about);
        if (!interrupted()) {
          rows.hmc.insert(rows.hmc.end(), measured.begin(), measured.end());
        }
        continue;
      }
      SampleOptions options = a.options;
      options.chains = chains;
      const auto measure_lengths = [&](auto measure_one, auto& to) {
        for (std::size_t i = 0; i < a.lengths.size() && !interrupted(); ++i) {
          const auto row = measure_one(a.lengths[i]);
          if (!interrupted()) {
            to.push_back(row);
          }
        }
      };
      if (a.sampler == "dhmc") {
        measure_lengths(
            [&](int n) {
              return measure_dhmc(*entry, target, options, n, a.transitions, fma, about);
            },
            rows.dhmc);
      } else {
        measure_lengths(
            [&](int n) { return measure_l2hmc(*entry, target, options, n, a.l2hmc, fma, about); },
            rows.l2hmc);
      }
    }
  }
  print(rows, fma, normals, about);
  if (synthetic) {
    std::cout
        << "german-credit: the data are absent, so made-up ones of the same shape were used\n";
  }
  if (!a.json.empty()) {
    write_file(a.json, as_json(rows, fma, normals, about).dump(2) + "\n");
  }
  return interrupted() ? interrupted_status() : kOk;
}

}  // namespace

Command speed_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("speed", "Transitions and leapfrog steps per second");
  auto a = std::make_shared<Arguments>();
  a->options.threads = 1;  // so that fractions are those of a core
  app->add_option("--target", a->target_names, "Targets [all that need no file]")
      ->delimiter(',')
      ->type_name("NAME...");
  CLI::Option* dim = app->add_option("--dim", a->target.dim, "Dimension (std-normal, rough-well)");
  app->add_option("--data", a->target.data_file, "CSV file (logistic)")->type_name("FILE");
  app->add_option("--data-dir", a->target.data_dir, "Folder of data sets")->type_name("DIR");
  app->add_option("--chains", a->chains, "Chains")
      ->delimiter(',')
      ->type_name("N...")
      ->default_str("1024");
  app->add_option("--leapfrog", a->lengths, "Steps of a trajectory")
      ->delimiter(',')
      ->type_name("L...")
      ->default_str("10");
  app->add_option("--transitions", a->transitions, "Per timing; 0: as many as last 20 ms [0]")
      ->type_name("N");
  app->add_option("--sampler", a->sampler, "hmc, l2hmc or dhmc")
      ->type_name("NAME")
      ->capture_default_str();
  app->add_option("--width", a->l2hmc.training.width,
                  "l2hmc: units of a hidden layer; 0: 10 up to 10 dimensions, else twice that")
      ->capture_default_str();
  app->add_option("--hidden", a->l2hmc.training.hidden, "l2hmc: hidden layers")
      ->capture_default_str();
  app->add_option("--batch", a->l2hmc.training.batch, "l2hmc: chains that train")
      ->capture_default_str();
  app->add_option("--network", a->l2hmc.network, "l2hmc: from this file, instead of a fresh one")
      ->type_name("FILE.json");
  app->add_flag(kPlainNetworks, a->l2hmc.plain, kPlainNetworksHelp);
  add_place(*app, a->options);
  app->add_option("--json", a->json, "The table as one JSON object")->type_name("FILE");
  app->footer(kExamples);
  return {app, [a, app, dim] {
            if (dim->count() > 0) {
              check_positive("--dim", a->target.dim);
            }
            return run(*a, *app);
          }};
}

}  // namespace lockstep::bench
