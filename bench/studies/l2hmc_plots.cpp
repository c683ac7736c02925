#include "bench/studies/l2hmc_plots.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "host/plot/panel.hpp"
#include "host/report/parameter_plots.hpp"

namespace lockstep::bench {

namespace {

using plot::Axis;
using plot::axis_over;
using plot::Panel;

/// How a method's line looks, in the page's classes; empty for one that is left out: more lines
/// could not be told apart.
std::string colour_of(const std::string& method) {
  static const std::map<std::string, std::string> colours{
      {"l2hmc-best", "a"},         {"l2hmc-paper", "a thin"},
      {"hmc-tuned", "b"},          {"hmc-tuned-squares", "b thin"},
      {"hmc-paper", "quiet thin"}, {"hmc-paper-feasible", "quiet thin"},
      {"hmc-adapted", "quiet"}};
  const auto found = colours.find(method);
  return found == colours.end() ? "" : found->second;
}

std::string legend_of(const std::vector<MethodPlots>& methods) {
  std::string legend;
  for (const MethodPlots& m : methods) {
    if (!colour_of(m.method).empty()) {
      legend += report::key("line " + colour_of(m.method), m.method);
    }
  }
  return legend;
}

StudyFigure autocorrelations(const L2hmcCase& c, const std::vector<MethodPlots>& methods) {
  // From one transition of the cheapest method to all of the dearest.
  double first = 1e300, last = 1;
  for (const MethodPlots& m : methods) {
    first = std::min(first, m.traces.gradients_per_step);
    last = std::max(last, m.traces.gradients_per_step *
                              static_cast<double>(m.traces.autocorrelation.size()) / 2);
  }
  Panel panel({first, last, "gradients of a chain", true}, {-0.4, 1.05, "autocorrelation"},
              "Autocorrelation of each method's chains on " + c.name + " against gradients");
  panel.horizontal(0, "quiet");
  for (const MethodPlots& m : methods) {
    if (colour_of(m.method).empty()) {
      continue;
    }
    // Noise of 1 / sqrt(chains) grows with the lag: half of the lags are left out.
    std::vector<double> gradients, rho;
    for (std::size_t t = 1; t < m.traces.autocorrelation.size() / 2; ++t) {
      gradients.push_back(static_cast<double>(t) * m.traces.gradients_per_step);
      rho.push_back(m.traces.autocorrelation[t]);
    }
    panel.line(gradients, rho, colour_of(m.method));
  }
  return {c.name, "Autocorrelation against gradients", panel.svg(), legend_of(methods)};
}

/// A chain's path over draws of the law, in the first and the last coordinate.
StudyFigure chain_over_law(const L2hmcCase& c, const MethodPlots& m) {
  constexpr std::size_t kShown = 60;  // transitions
  constexpr std::int64_t kDraws = 1500;
  const std::vector<double> law = exact::starts(c.draw, c.dim, kDraws, 1);
  const std::vector<double> x(law.begin(), law.begin() + kDraws), y(law.end() - kDraws, law.end());
  Panel panel(axis_over(x, "x_0"), axis_over(y, "x_" + std::to_string(c.dim - 1)),
              "A chain of " + m.method + " on " + c.name);
  panel.dots(x, y, "quiet small");
  const auto shown = static_cast<std::ptrdiff_t>(std::min(kShown, m.traces.x.size()));
  const std::vector<double> path_x(m.traces.x.begin(), m.traces.x.begin() + shown),
      path_y(m.traces.y.begin(), m.traces.y.begin() + shown);
  const std::string colour = m.method.starts_with("l2hmc") ? "a" : "b";
  panel.line(path_x, path_y, colour + " thin");
  panel.dots(path_x, path_y, colour);
  return {c.name, m.method + ": a chain", panel.svg(),
          report::key("dots quiet", "draws of the law") +
              report::key("line " + colour, std::to_string(shown) + " transitions")};
}

/// One figure of each training, over its iterations.
StudyFigure training_curves(const L2hmcCase& c, const MethodPlots& m, const std::string& what,
                            double TrainingPoint::*figure, bool logarithmic) {
  std::vector<double> all_x{0}, all_y;
  std::vector<std::pair<std::vector<double>, std::vector<double>>> lines;
  for (const auto& training : m.trainings) {
    std::vector<double> x, y;
    for (const TrainingPoint& p : training) {
      x.push_back(static_cast<double>(p.iteration));
      y.push_back(p.*figure);
    }
    all_x.insert(all_x.end(), x.begin(), x.end());
    all_y.insert(all_y.end(), y.begin(), y.end());
    lines.emplace_back(std::move(x), std::move(y));
  }
  Panel panel(axis_over(all_x, "iteration"), axis_over(all_y, what, logarithmic),
              "Training of " + m.method + " on " + c.name + ": " + what);
  for (const auto& [x, y] : lines) {
    panel.line(x, y, "a thin");
  }
  return {c.name, m.method + ": training", panel.svg(), report::key("line a thin", "each seed")};
}

}  // namespace

std::vector<StudyFigure> l2hmc_figures(const L2hmcCase& c,
                                       const std::vector<MethodPlots>& methods) {
  std::vector<StudyFigure> figures{autocorrelations(c, methods)};
  for (const MethodPlots& m : methods) {
    figures.push_back(chain_over_law(c, m));
  }
  for (const MethodPlots& m : methods) {
    if (!m.trainings.empty()) {
      figures.push_back(training_curves(c, m, "squared jump", &TrainingPoint::jump, true));
      figures.push_back(training_curves(c, m, "acceptance", &TrainingPoint::acceptance, false));
    }
  }
  return figures;
}

}  // namespace lockstep::bench
