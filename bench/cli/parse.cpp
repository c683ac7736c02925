#include "bench/cli/parse.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "host/registry.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

/// @throw UsageError  naming the nearest command there is
const CLI::App& find_command(const CLI::App& app, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) {
      return *command;
    }
    known.push_back(command->get_name());
  }
  throw UsageError("unknown command '" + name + "': did you mean '" + nearest_name(name, known) +
                   "'?");
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

/// CLI11 names an unknown option but not the one that was meant, so unknown ones are found first.
void check_names(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* scope = &app;
  std::size_t first = 0;
  if (!arguments.empty() && arguments[0].rfind("-", 0) != 0) {
    scope = &find_command(app, arguments[0]);
    first = 1;
  }
  const std::string command = scope == &app ? "" : scope->get_name() + ": ";
  for (std::size_t i = first; i < arguments.size(); ++i) {
    if (arguments[i].size() > 2 && arguments[i].rfind("--", 0) == 0) {
      const std::string name = arguments[i].substr(0, arguments[i].find('='));
      require(scope->get_option_no_throw(name) != nullptr,
              command + "unknown option '" + name + "': did you mean '" +
                  nearest_name(name, option_names(*scope)) + "'?");
    }
  }
}

std::string before(const std::string& text, const std::string& mark) {
  return text.substr(0, text.find(mark));
}

/// CLI11's messages in the words of ours.
std::string reworded(const CLI::ParseError& e) {
  std::string message = e.what();
  if (dynamic_cast<const CLI::ConversionError*>(&e) != nullptr) {
    const std::string start = "Could not convert: ";
    if (message.rfind(start, 0) == 0) {
      const std::string pair = message.substr(start.size());  // --name = value
      const std::string name = before(pair, " = ");
      return name + " is '" + pair.substr(std::min(pair.size(), name.size() + 3)) +
             "', which is not a number of its kind";
    }
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&e) != nullptr) {
    const std::string name = before(message, ":");
    if (message.find("missing") != std::string::npos) {
      return name + " needs a value";
    }
    if (message.find("At Most") != std::string::npos) {
      return name + " is given more than once: give it once";
    }
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr) {
    const std::size_t mark = message.find(": ");
    return "unexpected argument '" + message.substr(std::min(mark, message.size() - 2) + 2) +
           "': options begin with --, see --help";
  }
  return message;
}

/// In single quotes unless every character is plain.
std::string shell_quoted(const std::string& argument) {
  const bool plain =
      !argument.empty() && argument.find_first_not_of(
                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-_./,:=+@%") == std::string::npos;
  if (plain) {
    return argument;
  }
  std::string quoted = "'";
  for (const char c : argument) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

std::string& parsed_line() {
  static std::string line;
  return line;
}

}  // namespace

const std::string& command_line() {
  return parsed_line();
}

bool parse(CLI::App& app, int argc, char** argv) {
  parsed_line() = "lockstep-bench";
  for (int i = 1; i < argc; ++i) {
    parsed_line() += " " + shell_quoted(argv[i]);
  }
  app.require_subcommand(0, 1);
  check_names(app, std::vector<std::string>(argv + 1, argv + argc));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help and its like
    app.exit(e, std::cout, std::cerr);
    return false;
  } catch (const CLI::ParseError& e) {
    throw UsageError(reworded(e));
  }
  return true;
}

void parse_words(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(words);
  } catch (const CLI::ParseError& e) {
    throw UsageError(reworded(e));
  }
}

}  // namespace lockstep::bench
