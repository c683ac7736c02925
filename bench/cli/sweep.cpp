/// `sweep`: runs every combination of a TOML file, a row each, and compares them.

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/interrupt.hpp"
#include "bench/cli/output_file.hpp"
#include "bench/cli/progress.hpp"
#include "bench/sweep/grid.hpp"
#include "bench/sweep/rows.hpp"
#include "bench/sweep/summary.hpp"
#include "host/registry/preparations.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHelp =
    R"(The file's keys are the options of `lockstep-bench run` without dashes (`run --help` has them):
target and its own, sampler, step-size, leapfrog, metric, target-acceptance, chains, warmup, draws,
seed, ... A list of values stands for a run of each, and all lists are combined. Keys above the
first [[grid]] hold for every grid that does not set them itself.
  chains = 200
  seed = [1, 2, 3]
  [[grid]]
  target = ["scg", "icg"]
  step-size = [0.05, 0.1, 0.15]
  [[grid]]
  target = "rough-well"
  eta = 1e-2
  metric = ["unit", "diagonal"]
Every run adds a line of JSON to the rows when it is done. The same command skips what is there, so
an interrupted sweep goes on, and a longer list adds only what is new; to run all of it again, remove
the rows.
Examples:
  lockstep-bench sweep bench/sweeps/well-tuned-hmc.toml --out hmc.jsonl --report hmc.html
  lockstep-bench sweep mine.toml --threads 4
Ctrl-C ends the run in progress, reports those that are done, and exits with 130 (SIGTERM: 143).)";

struct Arguments {
  std::string file, out, report;
  SampleOptions place;
};

void check_files(Arguments& a) {
  require(!a.file.empty(),
          "sweep: which one? Give its file, e.g. `lockstep-bench sweep "
          "bench/sweeps/well-tuned-hmc.toml`");
  if (a.out.empty()) {
    a.out = fs::path(a.file).replace_extension(".jsonl").string();
  }
  std::error_code ignored;
  const auto same = [&](const std::string& x, const std::string& y) {
    return fs::weakly_canonical(x, ignored) == fs::weakly_canonical(y, ignored);
  };
  require(!same(a.out, a.file),
          "the rows would be written to " + a.file + ", the sweep itself: give another --out");
  if (!a.report.empty()) {
    const std::string extension = fs::path(a.report).extension().string();
    require(extension == ".html" || extension == ".htm",
            "--report is " + a.report + ": give a name that ends in .html");
    require(!same(a.report, a.out) && !same(a.report, a.file),
            "--report is " + a.report + ", which is in use otherwise: give it its own file");
    check_writable(a.report);
  }
}

/// One run's row; null if it was interrupted.
Json run_one(const Combination& combination, const SampleOptions& place, const std::string& label) {
  PreparedRun prepared = prepare(combination);
  prepared.options.backend = place.backend;
  prepared.options.threads = place.threads;
  prepared.options.devices = place.devices;
  ProgressBar bar(label, prepared.options.chains);
  prepared.options.progress = bar.callback();
  const auto engine =
      make_engine(*prepared.entry, prepared.sampler, prepared.target, prepared.options);
  check_settled(prepared.options, engine->description());
  try {
    FitBar fit_bar(label);
    prepared.preparation.fit.progress = fit_bar.callback();
    const Recipe recipe = recipe_of(prepared.preparation, *prepared.entry, prepared.target,
                                    prepared.sampler, prepared.options, engine->description());
    const Fit fit = run(*engine, prepared.sampler, prepared.options, recipe);
    return fit.interrupted ? Json() : sweep_row(combination, fit);
  } catch (const InitialisationError& e) {
    return sweep_row(combination, e.what());
  }
}

/// One line when a run is done: "12 of 96  scg, step-size 0.1, seed 1: 0.0123 ESS per gradient".
void print_row(const std::string& label, const std::string& combination, const SweepFigures& f) {
  std::cout << label << "  " << combination << ": ";
  if (f.failures.empty()) {
    std::cout << significant(f.per_gradient) << " ESS per gradient, acceptance "
              << fixed(f.acceptance, 3);
  } else {
    std::cout << "FAILED: " << f.failures[0];
  }
  std::cout << '\n' << std::flush;
}

int run_sweep(Arguments& a) {
  check_place(a.place);
  check_files(a);
  const std::vector<Combination> combinations = read_sweep(a.file);
  if (!fs::exists(a.out)) {
    check_writable(a.out);
  }
  SweepFile file(a.out);

  std::size_t done = 0;
  for (const Combination& c : combinations) {
    done += file.rows().count(c.key());
  }
  const std::string total = std::to_string(combinations.size());
  std::cout << "sweep " << a.file << ": " << total << (combinations.size() == 1 ? " run" : " runs")
            << ", " << done << " of them in " << a.out << '\n';
  if (file.was_torn()) {
    std::cout << a.out << ": its last line was not whole and has been cut off\n";
  }
  if (const std::size_t others = file.rows().size() - done; others > 0) {
    std::cout << a.out << ": " << others << (others == 1 ? " row" : " rows")
              << " of other settings or another version left as they are\n";
  }
  std::cout << std::flush;

  catch_interrupts();
  const std::vector<std::string> varying = varying_options(combinations);
  bool stopped = false;
  for (const Combination& c : combinations) {
    if (file.rows().count(c.key()) > 0) {
      continue;
    }
    const std::string label = std::to_string(done + 1) + " of " + total;
    const Json row = interrupted() ? Json() : run_one(c, a.place, label);
    if (row.is_null()) {
      stopped = true;
      break;
    }
    file.add(row);
    ++done;
    print_row(label, short_label(c, varying), file.rows().at(c.key()));
  }

  const std::string state = std::to_string(done) + " of " + total + " runs are done" +
                            (stopped ? "; interrupted: the same command goes on from here" : "");
  const SweepSummary summary = summarise(combinations, file.rows());
  std::cout << '\n' << sweep_table(summary).text() << '\n';
  for (const std::string& note : sweep_notes(summary)) {
    std::cout << note << '\n';
  }
  std::cout << state << '\n';
  if (!a.report.empty()) {
    write_file(a.report, sweep_page(summary, a.file, state));
  }
  return stopped ? interrupted_status() : kOk;
}

}  // namespace

Command sweep_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("sweep", "Run every combination of settings in a file");
  auto a = std::make_shared<Arguments>();
  app->add_option("file", a->file, "The sweep")->type_name("FILE.toml");
  app->add_option("--out", a->out, "Rows, a line of JSON each [FILE.jsonl]")
      ->type_name("FILE.jsonl");
  app->add_option("--report", a->report, "A page for people, all in one file")
      ->type_name("FILE.html");
  add_place(*app, a->place);
  app->footer(kHelp);
  return {app, [a] { return run_sweep(*a); }};
}

}  // namespace lockstep::bench
