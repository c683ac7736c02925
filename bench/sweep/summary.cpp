#include "bench/sweep/summary.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep::bench {

namespace {

/// "name, option value, ..." of the target's own settings.
std::string target_label(const Combination& combination) {
  std::string label;
  for (const Setting& s : combination.settings) {
    if (s.of_target) {
      label += s.option == "target" ? s.value : ", " + s.option + " " + s.value;
    }
  }
  return label;
}

template <class T, class Same>
T& find_or_add(std::vector<T>& list, T fresh, Same same) {
  const auto found = std::find_if(list.begin(), list.end(), same);
  if (found != list.end()) {
    return *found;
  }
  list.push_back(std::move(fresh));
  return list.back();
}

/// Over the seeds of one setting.
void fill(SweptSetting& setting, const std::vector<SweepFigures>& seeds) {
  const auto over = [&](double SweepFigures::*member) {
    std::vector<double> values;
    for (const SweepFigures& f : seeds) {
      values.push_back(f.*member);
    }
    return over_seeds(values);
  };
  setting.seeds = seeds.size();
  for (int k = 0; k < 3; ++k) {
    setting.ess[k] = over(kEssFigures[k].member);
  }
  setting.acceptance = over(&SweepFigures::acceptance).mean;
  setting.step_size = over(&SweepFigures::step_size).mean;
  setting.sampling_seconds = over(&SweepFigures::sampling_seconds).mean;
  std::size_t failed = 0;
  std::string first;
  for (const SweepFigures& f : seeds) {
    failed += f.failures.empty() ? 0 : 1;
    for (const std::string& why : f.failures) {
      if (failed == 1) {
        first += (first.empty() ? "" : ", ") + why;
      }
    }
  }
  if (failed > 0) {
    setting.failures.push_back((seeds.size() > 1 ? std::to_string(failed) + " of " +
                                                       std::to_string(seeds.size()) + " seeds: "
                                                 : "") +
                               first);
  }
}

void mark_best(SweptTarget& target) {
  for (int k = 0; k < 3; ++k) {
    SweptSetting* best = nullptr;
    for (SweptSetting& s : target.settings) {
      if (!s.failed() && (best == nullptr || s.ess[k].mean > best->ess[k].mean)) {
        best = &s;
      }
    }
    if (best != nullptr) {
      best->best[k] = true;
    }
  }
}

/// The options that are the same in all combinations.
std::vector<Setting> common_settings(const std::vector<Combination>& combinations,
                                     const std::vector<std::string>& varying) {
  std::vector<Setting> common;
  for (const Combination& c : combinations) {
    for (const Setting& s : c.settings) {
      if (!s.of_target && s.option != "seed" &&
          std::find(varying.begin(), varying.end(), s.option) == varying.end()) {
        find_or_add(common, s, [&](const Setting& o) { return o.option == s.option; });
      }
    }
  }
  return common;
}

}  // namespace

std::vector<std::string> varying_options(const std::vector<Combination>& combinations) {
  std::vector<std::string> varying;
  for (const Combination& c : combinations) {
    for (const Setting& s : c.settings) {
      if (!s.of_target && s.option != "seed" &&
          std::any_of(combinations.begin(), combinations.end(),
                      [&](const Combination& other) { return other.value(s.option) != s.value; })) {
        find_or_add(varying, s.option, [&](const std::string& o) { return o == s.option; });
      }
    }
  }
  return varying;
}

std::string short_label(const Combination& combination, const std::vector<std::string>& varying) {
  std::string label = target_label(combination);
  for (const Setting& s : combination.settings) {
    if (s.option == "seed" ||
        std::find(varying.begin(), varying.end(), s.option) != varying.end()) {
      label += ", " + s.option + " " + s.value;
    }
  }
  return label;
}

SweepSummary summarise(const std::vector<Combination>& combinations,
                       const std::map<std::string, SweepFigures>& rows) {
  SweepSummary summary;
  summary.varying = varying_options(combinations);
  summary.common = common_settings(combinations, summary.varying);
  struct Group {
    std::string target;
    std::vector<Setting> settings;
    std::vector<SweepFigures> seeds;
  };
  std::vector<Group> groups;
  for (const Combination& c : combinations) {
    const auto row = rows.find(c.key());
    if (row == rows.end()) {
      continue;
    }
    Group fresh{target_label(c), c.settings, {}};
    std::erase_if(fresh.settings, [](const Setting& s) { return s.option == "seed"; });
    find_or_add(groups, fresh, [&](const Group& g) {
      return g.settings == fresh.settings;
    }).seeds.push_back(row->second);
    const std::string& place = row->second.place;
    if (!place.empty()) {
      find_or_add(summary.places, place, [&](const std::string& p) { return p == place; });
    }
  }
  for (const Group& g : groups) {
    SweptTarget& target = find_or_add(summary.targets, SweptTarget{g.target, {}},
                                      [&](const SweptTarget& t) { return t.label == g.target; });
    target.settings.push_back({});
    target.settings.back().settings = g.settings;
    fill(target.settings.back(), g.seeds);
  }
  std::for_each(summary.targets.begin(), summary.targets.end(), mark_best);
  return summary;
}

std::string value_of(const SweptSetting& setting, const std::string& option) {
  for (const Setting& s : setting.settings) {
    if (s.option == option) {
      return s.value;
    }
  }
  return "-";
}

std::string with_error(const OverSeeds& value) {
  const bool large = std::abs(value.mean) >= 1000;
  return (large ? with_prefix(value.mean) : significant(value.mean, 3)) +
         (std::isnan(value.mcse)
              ? ""
              : " +- " + (large ? with_prefix(value.mcse) : significant(value.mcse, 2)));
}

std::string verdict(const SweptSetting& setting) {
  if (setting.failed()) {
    return "FAILED: " + setting.failures[0];
  }
  std::string text;
  for (int k = 0; k < 3; ++k) {
    if (setting.best[k]) {
      text += (text.empty() ? "best per " : ", ") + std::string(kEssFigures[k].per);
    }
  }
  return text;
}

TextTable sweep_table(const SweepSummary& summary) {
  std::vector<std::string> headings{"target"};
  headings.insert(headings.end(), summary.varying.begin(), summary.varying.end());
  for (const EssFigure& figure : kEssFigures) {
    headings.push_back(std::string("ESS/") + figure.per);
  }
  headings.insert(headings.end(), {"acceptance", "verdict"});
  std::size_t width = headings.back().size();
  for (const SweptTarget& target : summary.targets) {
    for (const SweptSetting& s : target.settings) {
      width = std::max(width, verdict(s).size());
    }
  }
  const auto flush_left = [&](std::string text) {
    text.resize(width, ' ');
    return text;
  };
  headings.back() = flush_left(headings.back());
  TextTable table(headings);
  for (const SweptTarget& target : summary.targets) {
    for (const SweptSetting& s : target.settings) {
      std::vector<std::string> row{target.label};
      for (const std::string& option : summary.varying) {
        row.push_back(value_of(s, option));
      }
      for (const OverSeeds& ess : s.ess) {
        row.push_back(with_error(ess));
      }
      row.insert(row.end(), {fixed(s.acceptance, 3), flush_left(verdict(s))});
      table.add(row);
    }
  }
  return table;
}

std::vector<std::string> sweep_notes(const SweepSummary& summary) {
  std::string common = "The same throughout: ";
  for (const Setting& s : summary.common) {
    common += s.option + " " + s.value + ", ";
  }
  std::vector<std::string> notes;
  if (!summary.common.empty()) {
    notes.push_back(common.substr(0, common.size() - 2) + ".");
  }
  notes.push_back(
      "ESS is the bulk effective sample size of the worst parameter, per transition and per "
      "gradient of one chain, and per second of sampling by all chains together; +- is the "
      "standard error over seeds.");
  notes.push_back(
      "A setting has failed, and is never best, if for any seed the nested R-hat (R-hat with few "
      "chains) is not below 1.01, more than 0.1 % of transitions diverge, or a known mean or "
      "standard deviation is missed by more than 4 standard errors.");
  if (summary.places.size() > 1) {
    std::string places;
    for (const std::string& place : summary.places) {
      places += (places.empty() ? "" : "; ") + place;
    }
    notes.push_back("Rows come from several places, whose seconds are not the same: " + places +
                    ".");
  } else if (!summary.places.empty()) {
    notes.push_back("Seconds are those of " + summary.places[0] + ".");
  }
  return notes;
}

}  // namespace lockstep::bench
