#include "host/memory.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// The number at the beginning of a file; `otherwise` if there is none ("max" is none).
double number_in(const std::filesystem::path& file, double otherwise) {
  std::ifstream in(file);
  double x = 0;
  return in >> x ? x : otherwise;
}

/// The number after `key` in a file of "key number" lines.
double number_after(const std::filesystem::path& file, const std::string& key, double otherwise) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word;
    double x = 0;
    if (words >> word >> x && word == key) {
      return x;
    }
  }
  return otherwise;
}

/// What one control group has left.
double left_in(const std::filesystem::path& group, const char* limit, const char* usage,
               const char* droppable) {
  const double most = number_in(group / limit, kUnlimited);
  const double used =
      number_in(group / usage, 0) - number_after(group / "memory.stat", droppable, 0);
  return std::max(0.0, most - std::max(0.0, used));
}

/// Lines of /proc/self/cgroup are "id:controllers:path"; version 2 has no controllers. A group's
/// limit holds for all below it, so its parents count too.
double left_in_groups(const std::filesystem::path& root) {
  double least = kUnlimited;
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    std::string controllers(",");
    controllers.append(line, first + 1, second - first - 1).append(",");
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",memory,") == std::string::npos) {
      continue;
    }
    const std::filesystem::path mount = root / (unified ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    std::filesystem::path group = std::filesystem::path(line.substr(second + 1)).relative_path();
    for (;; group = group.parent_path()) {
      least = std::min(
          least, unified ? left_in(mount / group, "memory.max", "memory.current", "inactive_file")
                         : left_in(mount / group, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                   "total_inactive_file"));
      if (group.empty()) {
        break;
      }
    }
  }
  return least;
}

std::string bytes(double x) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  for (; x >= 1024 && unit < 6; ++unit) {
    x /= 1024;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %s", x, units[unit]);
  return text;
}

}  // namespace

MemoryNeeds memory_needs(const SampleOptions& o, int dim) {
  const auto d = static_cast<double>(dim), chains = static_cast<double>(o.chains);
  const auto kept =
      static_cast<double>(o.keep_chains < 0 ? o.chains : std::min(o.keep_chains, o.chains));
  const double rows = o.keep_parameters.empty() ? d : static_cast<double>(o.keep_parameters.size());
  const double each = sizeof(double);
  const double draws = static_cast<double>(o.draws / o.thin) * kept * each;
  const double warmup = o.keep_warmup ? static_cast<double>(o.warmup / o.thin) * kept * each : 0;

  MemoryNeeds needs;
  // Ranks, halves and scores of one parameter are made at a time: twelve columns' worth.
  // Those of the warm-up are its own, and the result's.
  needs.draws = (draws + 2 * warmup) * (rows + Draws::info_rows) + 12 * draws;
  const double state = (o.precision == Precision::single_ ? 4.0 : 8.0) * (3 * d + 5);
  // Eight moments and the last draw, seven figures of transitions and energies: the run's own, and
  // those that are handed over. Lagged values, if any: two copies, the products, and the result.
  // Positions, twice; and what is made of one parameter's moments.
  const double lags = o.lags > 0 ? (4.0 * o.lags + 2) * d : 0;
  needs.rest = chains * (state + each * (2 * (9 * d + 7) + lags + 2 * d + 12));
  return needs;
}

double memory_available(const std::filesystem::path& root) {
  const double kibibytes = number_after(root / "proc/meminfo", "MemAvailable:", kUnlimited / 1024);
  return std::min(1024 * kibibytes, left_in_groups(root));
}

void require_memory(const SampleOptions& options, int dim, double available) {
  const MemoryNeeds needs = memory_needs(options, dim);
  if (needs.total() <= available) {
    return;
  }
  const bool draws = needs.draws > needs.rest;
  throw UsageError("this run needs " + bytes(needs.total()) + " of memory, " + bytes(needs.draws) +
                   " of it for kept draws and " + bytes(needs.rest) + " for " +
                   std::to_string(options.chains) + " chains and their statistics, but " +
                   bytes(available) + " can be had: " +
                   (draws ? "keep fewer chains (keep_chains, --keep-chains) or every so many-th "
                            "draw (thin, --thin)"
                          : "ask for fewer chains (chains, --chains)"));
}

}  // namespace lockstep
