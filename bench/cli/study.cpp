/// `study`: runs a study and shows its rows as a table, a JSON file and a report.

#include "bench/studies/study.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "bench/cli/interrupt.hpp"
#include "bench/cli/output_file.hpp"
#include "bench/cli/study_report.hpp"
#include "bench/cli/table.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench study default
  lockstep-bench study default --chains 1024 --seeds 5 --json study.json
  lockstep-bench study default --report study.html
  lockstep-bench study l2hmc --only scg,mog --networks trained --report l2hmc.html
  lockstep-bench study dhmc --only jolly-seber --report dhmc.html
`lockstep-bench list` names the studies.)";

struct Arguments {
  std::string name;
  StudySettings settings;
  CLI::App* app = nullptr;
  std::string json, report;
};

int run(Arguments& a) {
  require(!a.name.empty(),
          "study: which one? `lockstep-bench list` names them, e.g. "
          "`lockstep-bench study default`");
  const Study& study = find_study(a.name);
  if (a.app->get_option("--chains")->count() == 0) {
    a.settings.chains = study.defaults.chains;
  }
  if (a.app->get_option("--seeds")->count() == 0) {
    a.settings.seeds = study.defaults.seeds;
  }
  require(a.settings.chains > 0,
          "--chains is " + std::to_string(a.settings.chains) + ": give 1 or more");
  require(a.settings.seeds > 0,
          "--seeds is " + std::to_string(a.settings.seeds) + ": give 1 or more");
  for (const char* option : {"--quick", "--networks", "--data"}) {
    require(std::find(study.options.begin(), study.options.end(), option) != study.options.end() ||
                a.app->get_option(option)->count() == 0,
            std::string(option) + ": study " + study.name +
                " has no such option: leave it out (`lockstep-bench study --help` says which has)");
  }
  check_place(a.settings.place);
  if (!a.json.empty()) {
    check_writable(a.json);
  }
  if (!a.report.empty()) {
    report_format(a.report);
    check_writable(a.report);
  }

  catch_interrupts();
  std::cout << "study " << study.name << ": " << study.description << "\n"
            << a.settings.chains << " chains, " << a.settings.seeds
            << (a.settings.seeds == 1 ? " seed" : " seeds") << "\n\n"
            << std::flush;
  const auto begin = std::chrono::steady_clock::now();
  const StudyResult result = study.run(a.settings);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  for (const TextTable& table : study_tables(result)) {
    std::cout << table.text() << '\n';
  }
  for (const std::string& note : result.notes) {
    std::cout << note << '\n';
  }
  std::cout << significant(seconds) << " seconds\n";
  if (result.interrupted) {
    std::cout << "interrupted: these are the cases done until then\n";
  }
  if (!a.json.empty()) {
    write_file(a.json, study_json(study, a.settings, result).dump(2) + "\n");
  }
  if (!a.report.empty()) {
    write_file(a.report, study_report(study, a.settings, result, report_format(a.report)));
  }
  return result.interrupted ? interrupted_status() : kOk;
}

}  // namespace

Command study_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("study", "Run a study: several targets or samplers");
  auto a = std::make_shared<Arguments>();
  a->app = app;
  app->add_option("name", a->name, "Which study")->type_name("NAME");
  app->add_option("--chains", a->settings.chains, "Chains [the study's own]");
  app->add_option(
      "--seeds", a->settings.seeds,
      "Repetitions, whose mean and its standard error, or median and range, are reported "
      "[the study's own]");
  app->add_option("--seed", a->settings.first_seed, "Of the first repetition")
      ->check(kNotNegative)
      ->capture_default_str();
  app->add_option("--data-dir", a->settings.data_dir, "Folder of data sets")->type_name("DIR");
  app->add_option("--only", a->settings.only, "Only these cases, by their targets [all]")
      ->type_name("NAMES")
      ->delimiter(',');
  app->add_flag("--quick", a->settings.quick,
                "l2hmc, a-nice, dhmc, preconditioning: small sizes, to see the forms");
  app->add_option("--networks", a->settings.networks,
                  "l2hmc: folder of trained networks, read where they are, else written")
      ->type_name("DIR");
  app->add_option("--data", a->settings.data, "dhmc: the data of zero-one [a synthetic design]")
      ->type_name("FILE");
  add_place(*app, a->settings.place);
  app->add_option("--json", a->json, "{study, settings, rows, notes}")->type_name("FILE");
  app->add_option("--report", a->report, "A page for people, all in one file")
      ->type_name("FILE.md|.html");
  app->footer(kExamples);
  return {app, [a] { return run(*a); }};
}

}  // namespace lockstep::bench
