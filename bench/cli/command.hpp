#pragma once

/// A command of lockstep-bench: its options, and what it does once they are parsed.

#include <functional>

#include <CLI/CLI.hpp>

namespace lockstep::bench {

/// What the process returns.
enum ExitStatus : int {
  kOk = 0,
  kFailed = 1,  // a check failed, or this program or a device did
  kUsage = 2    // the caller asked for something that cannot be: one line says what
};

struct Command {
  CLI::App* app;
  std::function<int()> run;  // returns an ExitStatus, or interrupted_status()
};

Command run_command(CLI::App& parent);
Command train_command(CLI::App& parent);
Command list_command(CLI::App& parent);
Command check_command(CLI::App& parent);
Command speed_command(CLI::App& parent);
Command study_command(CLI::App& parent);
Command sweep_command(CLI::App& parent);

}  // namespace lockstep::bench
