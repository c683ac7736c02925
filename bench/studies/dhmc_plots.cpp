#include "bench/studies/dhmc_plots.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "bench/studies/dhmc_trajectory.hpp"
#include "host/plot/panel.hpp"
#include "host/report/parameter_plots.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/mixed_grid.hpp"

namespace lockstep::bench {

namespace {

using plot::Axis;
using plot::axis_over;
using plot::Panel;

/// How a method's line looks, in the page's classes.
std::string colour_of(const std::string& method) {
  static const std::map<std::string, std::string> colours{{"dhmc", "a"},
                                                          {"dhmc-identity", "a thin"},
                                                          {"dhmc-tuned", "a thin"},
                                                          {"dhmc-stressed", "a thin"},
                                                          {"mixed-hmc", "b"},
                                                          {"gibbs", "b thin"},
                                                          {"rwm", "quiet"}};
  return colours.at(method);
}

std::string legend_of(const std::vector<DhmcMethodPlots>& methods) {
  std::string legend;
  for (const DhmcMethodPlots& m : methods) {
    legend += report::key("line " + colour_of(m.method), m.method);
  }
  return legend;
}

// ---- the trajectory
// ------------------------------------------------------------------------------

/// A plane of q that is looked at: coordinates, their ranges, and how finely the law is drawn.
struct View {
  int across, up;
  Axis x, y;
  int columns, rows;
};

/// Shades the law's density over the view, the other coordinates as in q: four depths.
template <class Target>
void shade(const Target& target, std::vector<double> q, const View& view, Panel& panel) {
  constexpr int kDepths = 4;
  std::vector<double> u;
  const double dx = (view.x.high - view.x.low) / view.columns;
  const double dy = (view.y.high - view.y.low) / view.rows;
  for (int i = 0; i < view.columns; ++i) {
    for (int k = 0; k < view.rows; ++k) {
      q[static_cast<std::size_t>(view.across)] = view.x.low + (i + 0.5) * dx;
      q[static_cast<std::size_t>(view.up)] = view.y.low + (k + 0.5) * dy;
      const Sum<double> potential =
          lockstep::potential(target, static_cast<const double*>(q.data()));
      u.push_back(potential.value());
    }
  }
  const double least = *std::min_element(u.begin(), u.end());
  for (int i = 0; i < view.columns; ++i) {
    for (int k = 0; k < view.rows; ++k) {
      const double density = std::exp(least - u[static_cast<std::size_t>(i * view.rows + k)]);
      const double left = view.x.low + i * dx, bottom = view.y.low + k * dy;
      const double x[]{left, left + dx}, low[]{bottom, bottom}, high[]{bottom + dy, bottom + dy};
      for (int depth = 0; depth < std::lround(kDepths * density); ++depth) {
        panel.band(x, low, high, "quiet");
      }
    }
  }
}

/// The path over the law, and where it was refused.
template <class Target>
StudyFigure plane(const std::string& case_name, const Target& target, const View& view,
                  const std::vector<TrajectoryPoint>& points) {
  Panel panel(view.x, view.y,
              "A trajectory of discontinuous HMC over the law of " + case_name +
                  ": along one coordinate at a time, across the edges of cells or turning at them");
  shade(target, points.front().q, view, panel);
  const auto across = static_cast<std::size_t>(view.across), up = static_cast<std::size_t>(view.up);
  std::vector<double> x, y, refused_x, refused_y;
  for (const TrajectoryPoint& p : points) {
    x.push_back(p.q[across]);
    y.push_back(p.q[up]);
    if (!p.moved) {
      refused_x.push_back(p.coordinate == view.across ? p.tried : p.q[across]);
      refused_y.push_back(p.coordinate == view.up ? p.tried : p.q[up]);
    }
  }
  panel.line(x, y, "a thin");
  panel.dots(x, y, "a small");
  panel.dots(std::span(x).first(1), std::span(y).first(1), "a");
  panel.crosses(refused_x, refused_y, "b");
  return {case_name, "A trajectory crosses and bounces", panel.svg(),
          report::key("line a", "the path, from the large dot") +
              report::key("cross b", "tried, and turned around") +
              report::key("band quiet", "the law")};
}

/// One embedded integer over the visits: the edges of its cells, and where it turned.
StudyFigure over_visits(const std::string& case_name, const std::string& name, int j,
                        const std::vector<TrajectoryPoint>& points) {
  std::vector<double> t, q, turned_t, turned_q, all;
  for (const TrajectoryPoint& p : points) {
    if (p.coordinate != j && !t.empty()) {
      continue;
    }
    t.push_back(static_cast<double>(t.size()));
    q.push_back(p.q[static_cast<std::size_t>(j)]);
    if (p.coordinate == j && !p.moved) {
      turned_t.push_back(t.back());
      turned_q.push_back(p.tried);
    }
  }
  all = q;
  all.insert(all.end(), turned_q.begin(), turned_q.end());
  const Axis y = axis_over(all, "embedded " + name);
  Panel panel(axis_over(t, "visit of " + name), y,
              "The embedded coordinate " + name + " over its visits, with the edges of its cells");
  for (double edge = std::ceil(y.low); edge <= y.high; ++edge) {
    panel.horizontal(edge, "quiet");
  }
  panel.line(t, q, "a");
  panel.dots(t, q, "a small");
  panel.crosses(turned_t, turned_q, "b");
  return {case_name, "Embedded " + name + ": edges crossed, and bounces", panel.svg(),
          report::key("line a", name) + report::key("cross b", "tried, and turned around") +
              report::key("rule quiet", "edges of cells")};
}

StudyFigure energies(const std::string& case_name, const std::vector<TrajectoryPoint>& points) {
  std::vector<double> t, u, k, h, all;
  for (const TrajectoryPoint& p : points) {
    t.push_back(static_cast<double>(t.size()));
    u.push_back(p.potential);
    k.push_back(p.kinetic);
    h.push_back(p.potential + p.kinetic);
    all.insert(all.end(), {u.back(), k.back(), h.back()});
  }
  Panel panel(axis_over(t, "visit"), axis_over(all, "energy"),
              "Potential, kinetic and total energy along the trajectory");
  panel.line(t, u, "b");
  panel.line(t, k, "a");
  panel.line(t, h, "quiet");
  return {case_name, "What a crossing costs is paid by the momentum", panel.svg(),
          report::key("line b", "U") + report::key("line a", "K") +
              report::key("line quiet", "H = U + K")};
}

/// The first of the seed's chains whose trajectory shows both: it leaves cells, and turns around,
/// along each discontinuous coordinate.
template <class Target>
std::vector<TrajectoryPoint> telling_trajectory(const Target& target, const TrajectoryPlan& plan) {
  constexpr std::uint64_t kChains = 1000;
  std::vector<TrajectoryPoint> points;
  for (std::uint64_t chain = 0; chain < kChains; ++chain) {
    points = record_trajectory(target, plan, chain);
    const int d = dimension(target);
    std::vector<int> crossed(static_cast<std::size_t>(d)), turned(crossed.size());
    for (const TrajectoryPoint& p : points) {
      const auto j = static_cast<std::size_t>(std::max(0, p.coordinate));
      if (p.coordinate >= 0) {
        crossed[j] += p.moved && std::floor(p.q[j]) != std::floor(plan.start[j]) ? 1 : 0;
        turned[j] += p.moved ? 0 : 1;
      }
    }
    bool tells = true;
    for (int j = 0; j < d; ++j) {
      const auto k = static_cast<std::size_t>(j);
      tells = tells && (!target.discontinuous(j) || (crossed[k] > 1 && turned[k] > 1));
    }
    if (tells) {
      break;
    }
  }
  return points;
}

template <class Target>
std::vector<StudyFigure> trajectory_figures(const std::string& case_name, const Target& target,
                                            const TrajectoryPlan& plan, const View& view) {
  const std::vector<TrajectoryPoint> points = telling_trajectory(target, plan);
  const int integer = target.discontinuous(view.across) ? view.across : view.up;
  return {
      plane(case_name, target, view, points),
      over_visits(case_name, target.names()[static_cast<std::size_t>(integer)], integer, points),
      energies(case_name, points)};
}

std::vector<StudyFigure> trajectory_figures(const DhmcCase& c) {
  if (c.name == "grid") {
    return trajectory_figures(c.name, IntegerGrid{}, {.start = {2.5, 2.5}, .hop = 0.4, .steps = 16},
                              {0, 1, {-0.5, 6.5, "embedded m"}, {-0.5, 6.5, "embedded n"}, 14, 14});
  }
  if (c.name == "mixed-grid") {
    return trajectory_figures(c.name, MixedGrid{},
                              {.start = {1.5, 1.5, 0.5}, .step = 0.25, .hop = 0.4, .steps = 16},
                              {2, 0, {-4, 4, "y"}, {-0.5, 4.5, "embedded m"}, 32, 10});
  }
  return {};
}

// ---- the methods
// ---------------------------------------------------------------------------------

/// From draws of the chains' starts on; right draws fall as 1 / sqrt(draws).
StudyFigure total_variations(const DhmcCase& c, const std::vector<DhmcMethodPlots>& methods) {
  std::vector<double> all_x, all_y;
  for (const DhmcMethodPlots& m : methods) {
    for (std::size_t i = 0; i < m.law.draws.size(); ++i) {
      all_x.push_back(m.law.draws[i] * static_cast<double>(m.chains));
      all_y.push_back(m.law.by_draws[i]);
    }
  }
  const Axis x = axis_over(all_x, "draws of all chains", true);
  double spread = 0;
  for (const double p : c.law->probability) {
    spread += 0.5 * std::sqrt(2 / std::acos(-1.0) * p * (1 - p));
  }
  const std::vector<double> ends{x.low, x.high},
      independent{spread / std::sqrt(x.low), spread / std::sqrt(x.high)};
  all_y.insert(all_y.end(), independent.begin(), independent.end());
  Panel panel(x, axis_over(all_y, "total variation", true),
              "Total variation between the draws of each method and the law of " + c.name);
  panel.line(ends, independent, "quiet thin");
  for (const DhmcMethodPlots& m : methods) {
    std::vector<double> draws;
    for (const double t : m.law.draws) {
      draws.push_back(t * static_cast<double>(m.chains));
    }
    panel.line(draws, m.law.by_draws, colour_of(m.method));
  }
  return {c.name, "Total variation against draws", panel.svg(),
          legend_of(methods) + report::key("line quiet thin", "independent draws")};
}

StudyFigure no_flips(const DhmcCase& c, const std::vector<DhmcMethodPlots>& methods) {
  std::vector<double> all;
  std::string legend;
  for (const DhmcMethodPlots& m : methods) {
    for (std::size_t i = 0; i < m.no_flip.size(); ++i) {
      all.push_back(static_cast<double>(i + 1));
    }
  }
  Panel panel(axis_over(all, "discontinuous coordinate"), {0, 1.02, "share of visits that move"},
              "How often a visit moves each discontinuous coordinate of " + c.name);
  for (const DhmcMethodPlots& m : methods) {
    if (m.no_flip.empty()) {
      continue;
    }
    std::vector<double> i;
    while (i.size() < m.no_flip.size()) {
      i.push_back(static_cast<double>(i.size() + 1));
    }
    panel.line(i, m.no_flip, colour_of(m.method));
    legend += report::key("line " + colour_of(m.method), m.method);
  }
  return {c.name, "How often visits move each coordinate", panel.svg(), legend};
}

StudyFigure autocorrelations(const DhmcCase& c, const std::vector<DhmcMethodPlots>& methods) {
  double first = 1e300, last = 1;
  const auto shown = [](const DhmcMethodPlots& m) { return m.autocorrelation.size() / 2; };
  for (const DhmcMethodPlots& m : methods) {
    first = std::min(first, m.work_per_lag);
    last = std::max(last, m.work_per_lag * static_cast<double>(shown(m)));
  }
  Panel panel({first, last, "evaluations of a chain", true}, {-0.4, 1.05, "autocorrelation"},
              "Autocorrelation of each method's worst coordinate of " + c.name);
  panel.horizontal(0, "quiet");
  std::string legend;
  for (const DhmcMethodPlots& m : methods) {
    // Noise of 1 / sqrt(chains) grows with the lag: half of the lags are left out.
    std::vector<double> work, rho;
    for (std::size_t t = 1; t < shown(m); ++t) {
      work.push_back(static_cast<double>(t) * m.work_per_lag);
      rho.push_back(m.autocorrelation[t]);
    }
    panel.line(work, rho, colour_of(m.method));
    legend += report::key("line " + colour_of(m.method), m.method + ": " + m.worst);
  }
  return {c.name, "Autocorrelation of the worst coordinate", panel.svg(), legend};
}

}  // namespace

std::vector<StudyFigure> dhmc_figures(const DhmcCase& c,
                                      const std::vector<DhmcMethodPlots>& methods) {
  std::vector<StudyFigure> figures = trajectory_figures(c);
  if (c.law) {
    figures.push_back(total_variations(c, methods));
  }
  if (methods.front().no_flip.size() > 1) {
    figures.push_back(no_flips(c, methods));
  }
  figures.push_back(autocorrelations(c, methods));
  return figures;
}

}  // namespace lockstep::bench
