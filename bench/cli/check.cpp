/// `check`: are the targets' derivatives those of their potentials?

#include <iostream>
#include <memory>

#include "bench/cli/arguments.hpp"
#include "bench/cli/command.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {
namespace {

constexpr const char* kExamples = R"(Examples:
  lockstep-bench check
  lockstep-bench check --target german-credit
  lockstep-bench check --target rough-well --dim 10 --eta 0.1 --points 100
Exit status: 0 all agree, 1 one does not.)";

struct Arguments {
  TargetArguments target;
  GradientOptions options;
  CLI::App* app = nullptr;
};

/// Prints the report; true if it passed.
bool check(const TargetEntry& entry, const TargetOptions& target, const GradientOptions& options) {
  const GradientReport report = entry.check(target, options);
  std::cout << entry.name << ", " << report.points
            << (report.points == 1 ? " point: " : " points: ")
            << (report.passed() ? "ok" : "FAILED") << '\n';
  std::string line;
  for (const char c : report.summary()) {
    line += c;
    if (c == '\n') {
      std::cout << "  " << line;
      line.clear();
    }
  }
  std::cout << std::flush;
  return report.passed();
}

int check_all(const TargetOptions& target, const GradientOptions& options) {
  bool passed = true;
  for (const TargetEntry& entry : targets()) {
    try {
      passed = check(entry, target, options) && passed;
    } catch (const Error& e) {
      // Without its data a target cannot be checked; anything else is a failure.
      if (!entry.needs_data) {
        throw;
      }
      std::cout << entry.name << ": skipped: " << e.what() << '\n';
    }
  }
  return passed ? kOk : kFailed;
}

int run(const Arguments& a) {
  if (!a.target.name().empty()) {
    const TargetEntry& entry = a.target.entry();
    return check(entry, a.target.options(), a.options) ? kOk : kFailed;
  }
  for (const char* option : {"--dim", "--small-variance", "--eta", "--prior-mean", "--prior-sd",
                             "--data", "--observations"}) {
    require(a.app->get_option(option)->count() == 0,
            std::string(option) + " needs --target: without one every target is checked as it is");
  }
  return check_all(a.target.options(), a.options);
}

}  // namespace

Command check_command(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand(
      "check",
      "Compare targets' derivatives with central differences in double, and what they say of moves "
      "along discontinuous coordinates with their potentials");
  auto a = std::make_shared<Arguments>();
  a->app = app;
  a->target.add_to(*app, false);
  app->add_option("--points", a->options.points, "Random points")->capture_default_str();
  app->add_option("--seed", a->options.seed, "Of the points")
      ->check(kNotNegative)
      ->capture_default_str();
  app->add_option("--spread", a->options.spread, "Points are uniform on +- this")
      ->capture_default_str();
  app->add_option("--tolerance", a->options.tolerance, "Largest relative error that passes")
      ->capture_default_str();
  app->add_option("--step", a->options.step, "First step of the differences")
      ->capture_default_str();
  app->footer(kExamples);
  return {app, [a] { return run(*a); }};
}

}  // namespace lockstep::bench
