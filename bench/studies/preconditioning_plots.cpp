#include "bench/studies/preconditioning_plots.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/plot/panel.hpp"
#include "host/report/parameter_plots.hpp"

namespace lockstep::bench {

namespace {

using plot::axis_over;
using plot::Panel;

/// The methods that are drawn, and how, in the page's classes: more could not be told apart.
constexpr std::pair<const char*, const char*> kDrawn[] = {
    {"identity", "quiet thin"}, {"pooled", "quiet"}, {"stan", "b thin"}, {"fisher", "b"},
    {"low-rank", "a thin"},     {"pathfinder", "a"}};

}  // namespace

StudyFigure bias_plot(const std::string& case_name,
                      const std::map<std::string, std::vector<PreconditioningFigures>>& methods) {
  std::vector<double> gradients, bias;
  for (const auto& [name, colour] : kDrawn) {
    const PreconditioningFigures& f = methods.at(name).front();
    gradients.insert(gradients.end(), f.gradients.begin(), f.gradients.end());
    bias.insert(bias.end(), f.squared_bias.begin(), f.squared_bias.end());
  }
  Panel panel(axis_over(gradients, "gradients of a chain, the fit's included", true),
              axis_over(bias, "squared bias / variance", true),
              "Squared bias of second moments on " + case_name + " against gradients");
  panel.horizontal(kSmallBias, "quiet");
  std::string legend;
  for (const auto& [name, colour] : kDrawn) {
    const PreconditioningFigures& f = methods.at(name).front();
    panel.line(f.gradients, f.squared_bias, colour);
    legend += report::key(std::string("line ") + colour, name);
  }
  return {case_name, "How soon the ensemble is near the law", panel.svg(), legend};
}

StudyFigure cost_plot(const std::map<std::string, std::map<std::string, double>>& costs) {
  constexpr std::pair<const char*, const char*> drawn[] = {
      {"fisher", "b"}, {"low-rank", "quiet"}, {"pathfinder", "a"}};
  std::vector<double> pooled, all;
  for (const auto& [name, by_method] : costs) {
    pooled.push_back(by_method.at("pooled"));
    for (const auto& [method, cost] : by_method) {
      all.push_back(cost);
    }
  }
  std::erase_if(all, [](double x) { return !std::isfinite(x); });
  Panel panel(axis_over(all, "pooled default", true), axis_over(all, "prepared by a fit", true),
              "Gradients until superchains agree, by method, against the pooled default");
  if (!all.empty()) {
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    const double ends[]{*low, *high};
    panel.line(ends, ends, "quiet thin");
  }
  std::string legend;
  for (const auto& [method, colour] : drawn) {
    std::vector<double> ours;
    for (const auto& [name, by_method] : costs) {
      ours.push_back(by_method.at(method));
    }
    panel.dots(pooled, ours, colour);
    legend += report::key(std::string("dot ") + colour, method);
  }
  return {"all laws that are not normal", "Gradients of a chain until superchains agree",
          panel.svg(), legend};
}

}  // namespace lockstep::bench
