#include "bench/sweep/grid.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>
#include <set>

#include <toml++/toml.h>

#include "bench/cli/arguments.hpp"
#include "bench/cli/parse.hpp"
#include "host/hash.hpp"
#include "host/validate.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

constexpr std::size_t kMostRuns = 1000000;

/// The options of `run`, which are the keys of a sweep.
class RunOptions {
 public:
  RunOptions() : app_("", "run") { add_settings(app_, target_, sampler_, preparation_, options_); }

  CLI::App& app() { return app_; }
  const TargetArguments& target() const { return target_; }
  const SamplerArguments& sampler() const { return sampler_; }
  const PreparationArguments& preparation() const { return preparation_; }
  const SampleOptions& options() const { return options_; }

  /// Names without dashes in the order of --help, the seed last: it varies fastest.
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const CLI::Option* option : app_.get_options()) {
      const std::string name = option->get_lnames().at(0);
      if (name != "help" && name != "seed") {
        keys.push_back(name);
      }
    }
    keys.emplace_back("seed");
    return keys;
  }
  const CLI::Option& option(const std::string& key) const { return *app_.get_option("--" + key); }

 private:
  CLI::App app_;
  TargetArguments target_;
  SamplerArguments sampler_;
  PreparationArguments preparation_;
  SampleOptions options_;
};

/// "FILE:line:column: ".
std::string at(const std::string& file, const toml::source_region& where) {
  return file + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column) +
         ": ";
}

std::string spelled_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

/// The shortest text that reads back as x: 10 and 10.0 are one setting.
std::string shortest(double x) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, x).ptr;
  return std::string(text, end);
}

/// One value of a key as text, if it has the type that the option needs.
Setting setting_of(const std::string& file, const std::string& key, const toml::node& node,
                   const CLI::Option& option) {
  const std::string type = option.get_type_name();
  Setting s{key, "", false, option.get_group() == "Target"};
  std::string wanted;
  if (option.get_expected_max() == 0) {
    wanted = "true or false";
    if (const auto* flag = node.as_boolean()) {
      s.value = flag->get() ? "true" : "false";
    }
  } else if (type == "INT" || type == "UINT") {
    wanted = "a whole number";
    if (const auto* whole = node.as_integer()) {
      s.value = std::to_string(whole->get());
    }
  } else if (type == "FLOAT") {
    wanted = "a number";
    if (const auto* whole = node.as_integer()) {
      s.value = shortest(static_cast<double>(whole->get()));
    } else if (const auto* number = node.as_floating_point()) {
      s.value = shortest(number->get());
    }
  } else {
    wanted = "a string";
    s.is_text = true;
    if (const auto* text = node.as_string()) {
      s.value = text->get();
      require(!s.value.empty(), at(file, node.source()) + key + " is an empty string");
    }
  }
  require(!s.value.empty(), at(file, node.source()) + key + " must be " + wanted +
                                ", or a list of such, but this is " + spelled_type(node));
  return s;
}

/// The values of one key: one, or those of a list.
using Axis = std::vector<Setting>;

Axis axis_of(const std::string& file, const std::string& key, const toml::node& node,
             const CLI::Option& option) {
  Axis axis;
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return {setting_of(file, key, node, option)};
  }
  require(!list->empty(), at(file, node.source()) + key +
                              " is an empty list, so that no run is left: give it a value, or "
                              "leave it out for the default");
  for (const toml::node& value : *list) {
    axis.push_back(setting_of(file, key, value, option));
    require(std::find(axis.begin(), axis.end() - 1, axis.back()) == axis.end() - 1,
            at(file, value.source()) + key + " names " + axis.back().value + " twice");
  }
  return axis;
}

/// The axes of the keys of one table, but for `grid`.
std::vector<Axis> axes_of(const std::string& file, const toml::table& table,
                          const RunOptions& run) {
  const std::vector<std::string> keys = run.keys();
  std::vector<std::string> known = keys;
  known.emplace_back("grid");
  std::vector<Axis> axes;
  for (const auto& [name, node] : table) {
    const std::string key(name.str());
    if (key == "grid") {
      continue;
    }
    require(std::find(keys.begin(), keys.end(), key) != keys.end(),
            at(file, name.source()) + "unknown key '" + key + "': did you mean '" +
                nearest_name(key, known) + "'? Keys are the options of `lockstep-bench run`");
    axes.push_back(axis_of(file, key, node, run.option(key)));
  }
  return axes;
}

/// Combinations of `axes`, a later one varying faster.
void expand(const std::vector<Axis>& axes, std::vector<Combination>& into) {
  std::vector<std::size_t> index(axes.size(), 0);
  for (;;) {
    Combination c;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      c.settings.push_back(axes[k][index[k]]);
    }
    into.push_back(std::move(c));
    std::size_t k = axes.size();
    while (k > 0 && ++index[k - 1] == axes[k - 1].size()) {
      index[--k] = 0;
    }
    if (k == 0) {
      return;
    }
  }
}

/// The runs of one grid: its own axes, and the shared ones that it has not got.
void add_grid(const std::string& file, const std::vector<Axis>& shared, std::vector<Axis> axes,
              const RunOptions& run, std::vector<Combination>& into) {
  for (const Axis& axis : shared) {
    if (std::none_of(axes.begin(), axes.end(),
                     [&](const Axis& own) { return own[0].option == axis[0].option; })) {
      axes.push_back(axis);
    }
  }
  const auto has = [&](const char* key) {
    return std::any_of(axes.begin(), axes.end(),
                       [&](const Axis& axis) { return axis[0].option == key; });
  };
  require(has("target"), file +
                             ": a grid has no target: give target = \"banana\", say, in it or "
                             "above the first [[grid]]");
  if (!has("seed")) {
    axes.push_back({{"seed", std::to_string(SampleOptions().seed), false, false}});
  }
  const std::vector<std::string> order = run.keys();
  std::sort(axes.begin(), axes.end(), [&](const Axis& a, const Axis& b) {
    return std::find(order.begin(), order.end(), a[0].option) <
           std::find(order.begin(), order.end(), b[0].option);
  });
  double runs = 1;
  for (const Axis& axis : axes) {
    runs *= static_cast<double>(axis.size());
  }
  require(static_cast<double>(into.size()) + runs <= kMostRuns,
          file + ": more than " + std::to_string(kMostRuns) + " runs: shorten its lists");
  expand(axes, into);
}

/// A word as a shell reads it back.
std::string shell_quoted(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-+._,/").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

toml::table parse_toml(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  require<FileError>(in.good() && !std::filesystem::is_directory(file),
                     "cannot read the sweep " + file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    throw UsageError(at(file, e.source()) + std::string(e.description()));
  }
}

}  // namespace

std::string Combination::value(std::string_view option) const {
  for (const Setting& s : settings) {
    if (s.option == option) {
      return s.value;
    }
  }
  return "";
}

std::string Combination::command() const {
  std::string line;
  for (const Setting& s : settings) {
    line += (line.empty() ? "--" : " --") + s.option + "=" + shell_quoted(s.value);
  }
  return line;
}

std::string Combination::key() const {
  return hash_of(LOCKSTEP_VERSION "\n" + command());
}

PreparedRun prepare(const Combination& combination) {
  RunOptions run;
  std::vector<std::string> words;
  for (const Setting& s : combination.settings) {
    words.push_back("--" + s.option + "=" + s.value);
  }
  parse_words(run.app(), words);
  const TargetEntry& entry = run.target().entry();
  PreparedRun prepared{&entry, run.target().options(), run.sampler().sampler(), run.options(),
                       run.preparation().options()};
  PreparationArguments::settle(prepared.preparation, prepared.sampler);
  require_suited(prepared.sampler, entry.discontinuous);
  validate(prepared.sampler, prepared.options, entry.dim(prepared.target));
  return prepared;
}

std::vector<Combination> read_sweep(const std::filesystem::path& path) {
  const std::string file = path.string();
  const toml::table table = parse_toml(file);
  const RunOptions run;
  const std::vector<Axis> shared = axes_of(file, table, run);
  std::vector<Combination> all;
  if (const toml::node* node = table.get("grid")) {
    const toml::array* grids = node->as_array();
    require(grids != nullptr && !grids->empty() && grids->is_homogeneous<toml::table>(),
            at(file, node->source()) + "grid must be tables, each headed [[grid]]");
    for (const toml::node& grid : *grids) {
      const toml::table& own = *grid.as_table();
      const toml::node* nested = own.get("grid");
      require(nested == nullptr, at(file, (nested ? *nested : grid).source()) +
                                     "a grid within a grid: put its keys beside the others");
      add_grid(file, shared, axes_of(file, own, run), run, all);
    }
  } else {
    add_grid(file, shared, {}, run, all);
  }

  std::set<std::string> seen;
  for (const Combination& c : all) {
    require(seen.insert(c.command()).second,
            file + ": two grids hold the combination " + c.command());
    try {
      prepare(c);
    } catch (const Error& e) {
      throw UsageError(file + ": the combination " + c.command() + " cannot be run: " + e.what());
    }
  }
  return all;
}

}  // namespace lockstep::bench
