#include "host/registry.hpp"

#include <algorithm>
#include <cstdint>

#include "host/registry/entry.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Levenshtein's distance.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<TargetEntry>& targets() {
  static const std::vector<TargetEntry> list = [] {
    std::vector<TargetEntry> all;
    for (const auto family :
         {registry::analytic, registry::hierarchical, registry::binary_regressions,
          registry::linear_regressions, registry::counts_and_mixtures, registry::time_series,
          registry::discontinuous, registry::zero_one}) {
      for (TargetEntry& e : family()) {
        all.push_back(std::move(e));
      }
    }
    return all;
  }();
  return list;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  return *std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return edits(name, a) < edits(name, b);
  });
}

const TargetEntry& find_target(const std::string& name) {
  std::vector<std::string> names;
  for (const TargetEntry& e : targets()) {
    if (e.name == name) {
      return e;
    }
    names.push_back(e.name);
  }
  throw UsageError("no target is called '" + name + "': did you mean '" +
                   nearest_name(name, names) + "'? (`lockstep-bench list` names them all)");
}

}  // namespace lockstep
