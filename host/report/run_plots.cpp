#include "host/report/run_plots.hpp"

#include <algorithm>
#include <cmath>

#include "host/diagnostics/order.hpp"
#include "host/diagnostics/ranked.hpp"
#include "host/plot/density.hpp"
#include "host/plot/html.hpp"
#include "host/plot/panel.hpp"
#include "host/report/numbers.hpp"
#include "host/report/parameter_plots.hpp"

namespace lockstep::report {

namespace {

using plot::Axis;
using plot::axis_over;
using plot::Panel;

/// The draws that a scatter plot shows: places in [draw][chain].
struct Shown {
  std::vector<std::size_t> usual, divergent;
  std::size_t all_usual = 0, all_divergent = 0;
};

Shown shown_draws(const Draws& draws) {
  constexpr std::size_t kUsual = 1500, kDivergent = 500;
  const std::vector<double> flags = draws.column(static_cast<int>(draws.parameters.size()) + 2);
  Shown all;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    (flags[i] > 0.5 ? all.divergent : all.usual).push_back(i);
  }
  // Places spread evenly over all draws walk through the chains, too, unless their number divides.
  const auto thinned = [](const std::vector<std::size_t>& from, std::size_t most) {
    std::vector<std::size_t> some;
    const std::size_t n = std::min(most, from.size());
    for (std::size_t i = 0; i < n; ++i) {
      some.push_back(from[(i * from.size() + from.size() / 2) / n % from.size()]);
    }
    return some;
  };
  return {thinned(all.usual, kUsual), thinned(all.divergent, kDivergent), all.usual.size(),
          all.divergent.size()};
}

std::vector<double> at(const std::vector<double>& values, const std::vector<std::size_t>& places) {
  std::vector<double> some;
  for (const std::size_t i : places) {
    some.push_back(values[i]);
  }
  return some;
}

/// Over all but the outermost thousandths of finite draws.
Axis central_axis(const KeptParameter& p) {
  if (p.sorted.empty()) {
    return axis_over({}, p.name);
  }
  const double ends[] = {diagnostics::quantile_of_sorted(p.sorted, 0.001),
                         diagnostics::quantile_of_sorted(p.sorted, 0.999)};
  return axis_over(ends, p.name);
}

/// Means of neighbouring values, at most `most` of them.
std::vector<double> averaged(const std::vector<double>& values, std::size_t most) {
  std::vector<double> means;
  const std::size_t n = std::min(most, values.size());
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t begin = i * values.size() / n, end = (i + 1) * values.size() / n;
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k) {
      sum += values[k];
    }
    means.push_back(sum / static_cast<double>(end - begin));
  }
  return means;
}

}  // namespace

std::string pair_plots(const Fit& fit, const std::vector<std::size_t>& rows) {
  if (rows.size() < 2) {
    return no_plot("A pair needs two kept parameters.");
  }
  if (fit.draws.draws < 1) {
    return no_plot("No draws were kept.");
  }
  std::vector<KeptParameter> parameters;
  for (const std::size_t row : rows) {
    parameters.push_back(kept_parameter(fit, row));
  }
  const Shown shown = shown_draws(fit.draws);
  std::string grid = "<div class=\"pairs\" style=\"--n:" + std::to_string(rows.size() - 1) + "\">";
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    for (std::size_t j = 0; j + 1 < parameters.size(); ++j) {
      if (j >= i) {
        grid += "<div></div>";
        continue;
      }
      const KeptParameter& x = parameters[j];
      const KeptParameter& y = parameters[i];
      Panel panel(central_axis(x), central_axis(y), y.name + " against " + x.name);
      panel.dots(at(x.values, shown.usual), at(y.values, shown.usual), "a small");
      panel.crosses(at(x.values, shown.divergent), at(y.values, shown.divergent), "b");
      grid += panel.svg();
    }
  }
  grid += "</div>\n<p class=\"legend\">";
  const auto part = [](std::size_t shown, std::size_t all) {
    const std::string whole = grouped(static_cast<std::int64_t>(all));
    return shown < all ? grouped(static_cast<std::int64_t>(shown)) + " of " + whole : whole;
  };
  grid += key("dots a", part(shown.usual.size(), shown.all_usual) + " draws");
  if (!shown.divergent.empty()) {
    grid += key("cross b",
                part(shown.divergent.size(), shown.all_divergent) + " divergent transitions");
  }
  return grid + "</p>\n";
}

std::string energy_plot(const Fit& fit) {
  const std::string title = "Energies";
  if (fit.sampler.method == Method::random_walk) {
    return figure(title, no_plot("A random walk has no momentum, hence no energy of this kind."));
  }
  const Draws& draws = fit.draws;
  if (draws.draws < 8 || draws.chains < 1) {
    return figure(title, no_plot("Too few draws were kept."));
  }
  const std::vector<double> energy = draws.column(static_cast<int>(draws.parameters.size()) + 1);
  const auto chains = static_cast<std::size_t>(draws.chains);
  double sum = 0;
  std::size_t finite = 0;
  for (const double e : energy) {
    sum += std::isfinite(e) ? e : 0;
    finite += std::isfinite(e) ? 1 : 0;
  }
  const double mean = sum / static_cast<double>(finite);
  std::vector<double> marginal, transition;
  for (std::size_t i = 0; i < energy.size(); ++i) {
    if (std::isfinite(energy[i])) {
      marginal.push_back(energy[i] - mean);
      // Thinned draws are not successive ones.
      if (draws.thin == 1 && i >= chains && std::isfinite(energy[i - chains])) {
        transition.push_back(energy[i] - energy[i - chains]);
      }
    }
  }
  marginal = order::sort(marginal);
  transition = order::sort(transition);
  std::vector<double> ends;
  for (const auto* values : {&marginal, &transition}) {
    if (!values->empty()) {
      ends.push_back(diagnostics::quantile_of_sorted(*values, 0.001));
      ends.push_back(diagnostics::quantile_of_sorted(*values, 0.999));
    }
  }
  const Axis across = axis_over(ends, "energy");
  const plot::Curve m = plot::density(marginal, across.low, across.high);
  const plot::Curve t = plot::density(transition, across.low, across.high);
  if (m.y.empty()) {
    return figure(title, no_plot("The energy never changes."));
  }
  double top = 0;
  for (const auto* curve : {&m, &t}) {
    for (const double y : curve->y) {
      top = std::max(top, y);
    }
  }
  Panel panel(across, {0, 1.06 * top, "density"}, "Marginal and transition energies");
  panel.area(m.x, m.y, "a");
  panel.line(m.x, m.y, "a");
  panel.line(t.x, t.y, "b");
  std::string legend = key("band a", "energy less its mean");
  legend += t.y.empty() ? "<span>(draws are thinned: no transitions)</span>"
                        : key("line b", "its change in a transition");
  return figure(title + ": E-BFMI " + report::shown(fit.e_bfmi, 3), panel.svg(), legend);
}

std::string adaptation_plots(const Fit& fit) {
  const std::vector<AdaptationStep>& steps = fit.adaptation;
  if (steps.size() < 2) {
    return no_plot(fit.options.warmup == 0 ? "There was no warm-up."
                                           : "No history of the warm-up was recorded.");
  }
  constexpr std::size_t kPoints = 400;
  const auto series = [&](auto member) {
    std::vector<double> values;
    for (const AdaptationStep& s : steps) {
      values.push_back(static_cast<double>(s.*member));
    }
    return averaged(values, kPoints);
  };
  const std::size_t n = std::min(kPoints, steps.size());
  std::vector<double> when;
  for (std::size_t i = 0; i < n; ++i) {
    when.push_back((static_cast<double>(i) + 0.5) * static_cast<double>(steps.size()) /
                   static_cast<double>(n));
  }
  const Axis across{0, static_cast<double>(steps.size()), "transition of the warm-up"};
  bool any_metric = false;
  const auto with_metrics = [&](Panel& panel) {
    for (std::size_t t = 0; t < steps.size(); ++t) {
      if (steps[t].new_metric) {
        any_metric = true;
        panel.vertical(static_cast<double>(t) + 1, "quiet");
      }
    }
  };
  const auto marks = [&] { return any_metric ? key("rule quiet", "new metric") : ""; };

  std::string plots = "<div class=\"plots\">\n";
  const auto positive = [&](const std::string& title, auto member) {
    const std::vector<double> values = series(member);
    Panel panel(across, axis_over(values, "", true), title + " during warm-up");
    with_metrics(panel);
    panel.line(when, values, "a");
    plots += figure(title, panel.svg(), marks());
  };
  positive("Step size", &AdaptationStep::step_size);

  const std::vector<double> mean = series(&AdaptationStep::acceptance);
  const std::vector<double> low = series(&AdaptationStep::low_acceptance);
  Panel acceptance(across, {0, 1.02, ""}, "Acceptance during warm-up");
  with_metrics(acceptance);
  acceptance.band(when, low, mean, "a");
  acceptance.line(when, mean, "a");
  plots += figure("Acceptance", acceptance.svg(),
                  key("line a", "mean of chains") + key("band a", "down to the lowest 5 %"));

  positive("Trajectory length", &AdaptationStep::length);

  if (!fit.visits.empty()) {
    positive("Hop", &AdaptationStep::hop);
    const std::vector<double> rate = series(&AdaptationStep::no_flip);
    Panel panel(across, {0, 1.02, ""}, "No-flip rate during warm-up");
    with_metrics(panel);
    panel.line(when, rate, "a");
    plots += figure("No-flip rate", panel.svg(), key("line a", "share of visits that moved"));
  }

  std::int64_t divergences = 0;
  for (const AdaptationStep& s : steps) {
    divergences += s.divergences;
  }
  if (divergences > 0) {
    const std::vector<double> counts = series(&AdaptationStep::divergences);
    Axis up = axis_over(counts, "");
    up.low = 0;
    Panel panel(across, up, "Divergent chains during warm-up");
    with_metrics(panel);
    panel.area(when, counts, "b");
    panel.line(when, counts, "b");
    plots += figure("Divergent chains: " + grouped(divergences) + " in all", panel.svg(), marks());
  }
  return plots + "</div>\n";
}

}  // namespace lockstep::report
