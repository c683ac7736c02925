#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace lockstep::bench {

/// Parses the command line into `app` and its commands. Returns false when --help or --version has
/// been answered and nothing is left to do.
/// @throw UsageError  one line: what was not understood and, for a name, the nearest known one
bool parse(CLI::App& app, int argc, char** argv);

/// Parses words that do not come from a command line: each "--name=value", with a known name.
/// @throw UsageError  as above
void parse_words(CLI::App& app, std::vector<std::string> words);

/// What was parsed, as a shell would read it back.
const std::string& command_line();

}  // namespace lockstep::bench
