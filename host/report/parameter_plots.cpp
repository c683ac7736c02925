#include "host/report/parameter_plots.hpp"

#include <algorithm>
#include <cmath>

#include "host/diagnostics/order.hpp"
#include "host/diagnostics/ranked.hpp"
#include "host/plot/density.hpp"
#include "host/plot/html.hpp"
#include "host/plot/panel.hpp"
#include "host/report/failures.hpp"
#include "host/report/numbers.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep::report {

namespace {

using plot::Panel;

/// Of the finite values among chains [first, last).
std::vector<double> sorted_of_chains(const KeptParameter& p, std::size_t first, std::size_t last) {
  std::vector<double> values;
  values.reserve(p.draws * (last - first));
  for (std::size_t t = 0; t < p.draws; ++t) {
    for (std::size_t c = first; c < last; ++c) {
      const double x = p.values[t * p.chains + c];
      if (std::isfinite(x)) {
        values.push_back(x);
      }
    }
  }
  return order::sort(values);
}

std::vector<double> one_chain(const KeptParameter& p, std::size_t chain) {
  std::vector<double> values(p.draws);
  for (std::size_t t = 0; t < p.draws; ++t) {
    values[t] = p.values[t * p.chains + chain];
  }
  return values;
}

/// The first `chains` chains' draws, [draw][chain].
std::vector<double> first_chains(const KeptParameter& p, std::size_t chains) {
  std::vector<double> values;
  values.reserve(p.draws * chains);
  for (std::size_t t = 0; t < p.draws; ++t) {
    const auto row = p.values.begin() + static_cast<std::ptrdiff_t>(t * p.chains);
    values.insert(values.end(), row, row + static_cast<std::ptrdiff_t>(chains));
  }
  return values;
}

/// `n` of `total` indices, evenly spread.
std::vector<std::size_t> spread(std::size_t n, std::size_t total) {
  std::vector<std::size_t> indices;
  n = std::min(n, total);
  for (std::size_t i = 0; i < n; ++i) {
    indices.push_back(i * total / n);
  }
  return indices;
}

constexpr const char* kConstant = "It never changes.";
constexpr const char* kNotFinite = "Some draws are not finite.";

}  // namespace

KeptParameter kept_parameter(const Fit& fit, std::size_t row) {
  const auto j = static_cast<std::size_t>(fit.draws.parameters[row]);
  KeptParameter p;
  p.name = fit.parameters[j].name;
  p.summary = fit.parameters[j];
  p.values = fit.draws.column(static_cast<int>(row));
  p.draws = static_cast<std::size_t>(fit.draws.draws);
  p.chains = static_cast<std::size_t>(fit.draws.chains);
  p.chains_run = fit.options.chains;
  p.thin = fit.draws.thin;
  p.sorted = sorted_of_chains(p, 0, p.chains);
  return p;
}

std::string figure(const std::string& title, const std::string& content,
                   const std::string& legend) {
  return "<figure><figcaption>" + html_escaped(title) + "</figcaption>" + content +
         (legend.empty() ? "" : "<p class=\"legend\">" + legend + "</p>") + "</figure>\n";
}

std::string no_plot(const std::string& reason) {
  return "<p class=\"none\">" + html_escaped(reason) + "</p>";
}

std::string key(const std::string& mark, const std::string& meaning) {
  return "<span><i class=\"key " + mark + "\"></i>" + html_escaped(meaning) + "</span> ";
}

std::string density_plot(const KeptParameter& p) {
  const std::string title = "Density";
  if (!p.varies()) {
    return figure(title, no_plot(p.sorted.size() < 8 ? "Too few draws." : kConstant));
  }
  // The outermost thousandths of heavy tails would squeeze everything else.
  const double low = diagnostics::quantile_of_sorted(p.sorted, 0.001);
  const double high = diagnostics::quantile_of_sorted(p.sorted, 0.999);
  const double margin = 0.05 * (high - low);
  const auto curve_of = [&](std::span<const double> sorted) {
    return plot::density(sorted, low - margin, high + margin);
  };
  const plot::Curve all = curve_of(p.sorted);
  if (all.y.empty()) {
    return figure(title, no_plot("Nearly all draws are equal."));
  }
  std::vector<plot::Curve> groups;
  const std::size_t n = std::min<std::size_t>(4, p.chains);
  double top = *std::max_element(all.y.begin(), all.y.end());
  for (std::size_t g = 0; n > 1 && g < n; ++g) {
    groups.push_back(curve_of(sorted_of_chains(p, g * p.chains / n, (g + 1) * p.chains / n)));
    for (const double y : groups.back().y) {
      top = std::max(top, y);
    }
  }
  Panel panel({low - margin, high + margin, p.name}, {0, 1.06 * top, "density"},
              "Density of " + p.name);
  panel.area(all.x, all.y, "a");
  for (const double q : {p.summary.q05, p.summary.q50, p.summary.q95}) {
    panel.vertical(q, "quiet");
  }
  for (const plot::Curve& group : groups) {
    panel.line(group.x, group.y, "a thin");
  }
  if (groups.empty()) {
    panel.line(all.x, all.y, "a");
  }
  if (std::isfinite(p.summary.truth_mean)) {
    panel.vertical(p.summary.truth_mean, "b");
  }
  return figure(title, panel.svg());
}

std::string rank_plot(const KeptParameter& p) {
  const std::string title = "Ranks";
  if (!p.finite() || !p.varies()) {
    return figure(title, no_plot(!p.finite()           ? kNotFinite
                                 : p.sorted.size() < 8 ? "Too few draws."
                                                       : kConstant));
  }
  constexpr std::size_t kRows = 32, kBins = 20;
  const std::size_t parts = p.chains >= 4 ? 1 : std::min(8 / p.chains, p.draws);
  const std::size_t rows = std::min(kRows, p.chains * parts);
  const std::vector<double> ranks = order::average_ranks(p.values);
  std::vector<double> counts(rows * kBins, 0.0), totals(rows, 0.0);
  const auto n = static_cast<double>(ranks.size());
  for (std::size_t t = 0; t < p.draws; ++t) {
    for (std::size_t c = 0; c < p.chains; ++c) {
      const std::size_t r = (c * parts + t * parts / p.draws) * rows / (p.chains * parts);
      const auto bin = static_cast<std::size_t>((ranks[t * p.chains + c] - 0.5) / n * kBins);
      counts[r * kBins + std::min(bin, kBins - 1)] += 1;
      totals[r] += 1;
    }
  }
  // Under one law a share has mean 1/20 and, with draws worth `efficiency` independent ones each,
  // variance (1/20) (19/20) / (efficiency draws).
  const double worth =
      p.summary.ess_bulk / (n * static_cast<double>(p.chains_run) / static_cast<double>(p.chains));
  const double efficiency = std::isfinite(worth) ? std::clamp(worth, 1e-6, 1.0) : 1.0;
  const double share = 1.0 / kBins;
  Panel panel({0, 100, "rank among all draws, %"},
              {0, static_cast<double>(p.chains), parts > 1 ? "chain, cut into parts" : "chain"},
              "Ranks of the draws of " + p.name + ", chain by chain");
  panel.plane();
  for (std::size_t r = 0; r < rows; ++r) {
    const double error = std::sqrt(share * (1 - share) / (efficiency * totals[r]));
    for (std::size_t b = 0; b < kBins; ++b) {
      const double z = (counts[r * kBins + b] / totals[r] - share) / error;
      // Up to 2 standard errors is noise.
      const int level = (std::abs(z) > 2) + (std::abs(z) > 3) + (std::abs(z) > 5);
      const auto height = static_cast<double>(p.chains) / static_cast<double>(rows);
      panel.cell(100.0 * static_cast<double>(b) * share, 100.0 * static_cast<double>(b + 1) * share,
                 static_cast<double>(r) * height, static_cast<double>(r + 1) * height,
                 z < 0 ? -level : level);
    }
  }
  return figure(title, panel.svg());
}

std::string autocorrelation_plot(const KeptParameter& p) {
  const std::string title = "Autocorrelation";
  if (!p.finite() || p.draws < 4 || !p.varies()) {
    return figure(title, no_plot(!p.finite()   ? kNotFinite
                                 : p.draws < 4 ? "Too few draws."
                                               : kConstant));
  }
  constexpr std::size_t kChains = 64;
  const std::size_t most = std::min<std::size_t>(p.draws - 2, 1000);
  std::vector<std::vector<double>> at_lag(most + 1);
  for (const std::size_t c : spread(kChains, p.chains)) {
    const std::vector<double> values = one_chain(p, c);
    const std::vector<double> a = autocovariance({values, p.draws, 1});
    for (std::size_t k = 0; k <= most && a[0] > 0; ++k) {
      at_lag[k].push_back(a[k] / a[0]);
    }
  }
  if (at_lag[0].empty()) {
    return figure(title, no_plot("No chain moves."));
  }
  std::vector<double> lag, mean, low, high;
  std::size_t settled = most;  // the first lag where nothing is left to see
  for (std::size_t k = 0; k <= most; ++k) {
    std::sort(at_lag[k].begin(), at_lag[k].end());
    double sum = 0;
    for (const double rho : at_lag[k]) {
      sum += rho;
    }
    lag.push_back(static_cast<double>(k) * p.thin);
    mean.push_back(sum / static_cast<double>(at_lag[k].size()));
    low.push_back(diagnostics::quantile_of_sorted(at_lag[k], 0.05));
    high.push_back(diagnostics::quantile_of_sorted(at_lag[k], 0.95));
    if (settled == most && std::abs(mean.back()) < 0.05) {
      settled = k;
    }
  }
  const std::size_t last = std::min(most, std::max<std::size_t>(10, 2 * settled));
  for (auto* series : {&lag, &mean, &low, &high}) {
    series->resize(last + 1);
  }
  const double least = std::min(0.0, *std::min_element(low.begin(), low.end()));
  Panel panel({0, lag.back(), "lag, transitions"}, {least - 0.05, 1.05, "autocorrelation"},
              "Autocorrelation of " + p.name);
  panel.band(lag, low, high, "a");
  panel.horizontal(0, "quiet");
  panel.line(lag, mean, "a");
  return figure(title, panel.svg());
}

std::string growth_plot(const KeptParameter& p) {
  const std::string title = "ESS growth";
  if (!p.finite() || p.draws < 8 || !p.varies()) {
    return figure(title, no_plot(!p.finite()   ? kNotFinite
                                 : p.draws < 8 ? "Too few draws."
                                               : kConstant));
  }
  // Sorting millions of draws at every point would take longer than a reader waits.
  constexpr std::size_t kDraws = 60'000, kPoints = 8;
  const std::size_t chains =
      std::clamp<std::size_t>(kDraws / p.draws, std::min<std::size_t>(4, p.chains), p.chains);
  const std::vector<double> values = first_chains(p, chains);
  const double scale = static_cast<double>(p.chains_run) / static_cast<double>(chains);
  std::vector<double> at{0}, bulk{0}, tail{0};
  double top = kEssLimit;
  for (std::size_t i = 1; i <= kPoints; ++i) {
    const std::size_t draws = std::max<std::size_t>(4, p.draws * i / kPoints);
    Diagnosis d;
    if (i == kPoints && chains == p.chains) {  // in the table already
      d.ess_bulk = p.summary.ess_bulk / scale;
      d.ess_tail = p.summary.ess_tail / scale;
    } else {
      d = diagnose({std::span(values).first(draws * chains), draws, chains});
    }
    at.push_back(static_cast<double>(draws) * p.thin);
    bulk.push_back(d.ess_bulk * scale);
    tail.push_back(d.ess_tail * scale);
    for (const double ess : {bulk.back(), tail.back()}) {
      top = std::isfinite(ess) ? std::max(top, ess) : top;
    }
  }
  Panel panel({0, 1.02 * at.back(), "draws per chain"}, {0, 1.06 * top, "ESS"},
              "Effective sample size of " + p.name + " against draws");
  if (kEssLimit > 0.02 * top) {  // else it would hide in the axis
    panel.horizontal(kEssLimit, "quiet");
  }
  panel.line(at, bulk, "a");
  panel.dots(at, bulk, "a");
  panel.line(at, tail, "b");
  panel.dots(at, tail, "b");
  return figure(title, panel.svg());
}

std::string reading_guide(const Fit& fit) {
  const auto part = [](const std::string& title, const std::string& text, const std::string& keys) {
    return "<div><strong>" + title + "</strong><p>" + text + "</p><p class=\"legend\">" + keys +
           "</p></div>\n";
  };
  const bool alone = fit.draws.chains == 1;
  std::string densities = key("band a", "all draws");
  if (!alone) {
    densities += key("line a thin", fit.draws.chains <= 4 ? "each chain" : "four groups of chains");
  }
  densities += key("rule quiet", "5, 50, 95 %");
  densities += fit.engine.has_truth ? key("rule b", "known mean") : "";
  std::string correlations = key("line a", alone ? "the chain" : "mean of chains");
  correlations += alone ? "" : key("band a", "90 % of chains");
  return "<div class=\"plots guide\">\n" +
         part("Density", alone ? "Of all draws." : "Groups of chains that agree lie on each other.",
              densities) +
         part("Ranks",
              alone ? "Parts of a chain at rest visit all ranks alike: an even ground."
                    : "Chains of one law visit all ranks alike: an even ground.",
              key("heat low3", "too seldom") + key("heat high3", "too often") +
                  "<span>by more than 2, 3, 5 standard errors</span>") +
         part("Autocorrelation", "What a draw still knows of an earlier one.", correlations) +
         part("ESS growth", "Straight where chains mix.",
              key("line a", "bulk") + key("line b", "tail") +
                  key("rule quiet", grouped(static_cast<std::int64_t>(kEssLimit)))) +
         "</div>\n";
}

}  // namespace lockstep::report
