#include "bench/sweep/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace lockstep::bench {

namespace {

// The drawing's geometry, in its own units.
constexpr double kWidth = 760, kHeight = 372;
constexpr double kLeft = 74, kRight = 742, kTop = 14, kBottom = 268;
constexpr double kStrip = 292;  // where failed settings are
constexpr int kColours = 8;

/// A logarithmic axis over [low, high], drawn from `from` to `to`.
class LogAxis {
 public:
  LogAxis(double low, double high, double from, double to) : from_(from), to_(to) {
    double begin = std::log10(low), end = std::log10(high);
    const double margin = std::max(0.06 * (end - begin), 0.08 - 0.5 * (end - begin));
    begin_ = begin - margin;
    end_ = end + margin;
  }

  double operator()(double x) const {
    return from_ + (std::log10(x) - begin_) / (end_ - begin_) * (to_ - from_);
  }

  /// 1, 2, 5 times powers of ten; finer steps where those are too few, powers alone where they are
  /// too many.
  std::vector<double> ticks() const {
    static const std::vector<double> choices[] = {
        {1},
        {1, 2, 5},
        {1, 1.5, 2, 3, 5, 7},
        {1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9}};
    std::vector<double> found;
    for (const std::vector<double>& mantissas : choices) {
      found.clear();
      for (int k = static_cast<int>(std::floor(begin_)); k <= std::ceil(end_); ++k) {
        for (const double m : mantissas) {
          const double x = m * std::pow(10.0, k);
          if (std::log10(x) >= begin_ && std::log10(x) <= end_) {
            found.push_back(x);
          }
        }
      }
      if (found.size() >= 4) {
        break;
      }
    }
    return found;
  }

 private:
  double from_, to_, begin_ = 0, end_ = 1;
};

std::string number(double x) {
  return fixed(x, 1);
}

/// Few digits and no zeros that say nothing: 0.02, 3.5e-4.
std::string tick_label(double x) {
  const int power = static_cast<int>(std::floor(std::log10(x) + 1e-9));
  char text[48];
  if (power < -3) {
    std::snprintf(text, sizeof text, "%.3ge%d", x / std::pow(10.0, power), power);
  } else {
    std::snprintf(text, sizeof text, "%.3g", x);
  }
  return text;
}

std::string text_at(double x, double y, const char* style, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" class=\"" + style + "\">" +
         html_escaped(text) + "</text>";
}

std::string line(double x1, double y1, double x2, double y2, const std::string& style) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" class=\"" + style + "\"/>";
}

/// Whether an option takes several values for this target.
bool differs(const SweptTarget& target, const std::string& option) {
  return std::any_of(target.settings.begin(), target.settings.end(), [&](const SweptSetting& s) {
    return value_of(s, option) != value_of(target.settings[0], option);
  });
}

/// Along the axis: the step size, as given or as tuned to different acceptances; or the number of
/// leapfrog steps, where that is what differs.
bool against_leapfrog(const SweptTarget& target) {
  return differs(target, "leapfrog") && !differs(target, "step-size") &&
         !differs(target, "target-acceptance");
}
double abscissa(const SweptTarget& target, const SweptSetting& s) {
  return against_leapfrog(target) ? std::atof(value_of(s, "leapfrog").c_str()) : s.step_size;
}

const char* axis_title(const SweptTarget& target) {
  return against_leapfrog(target) ? "leapfrog steps" : "step size";
}

/// A point of a line.
struct Point {
  double x;
  const SweptSetting* setting;
};
/// The settings that share a line, by x.
struct Series {
  std::string label;
  std::vector<Point> points;
};

/// A setting's options, as far as they differ within the target and are not along the axis.
std::string series_label(const SweptTarget& target, const SweptSetting& setting,
                         const std::vector<std::string>& varying) {
  std::string label;
  for (const std::string& option : varying) {
    const bool along = against_leapfrog(target)
                           ? option == "leapfrog"
                           : option == "step-size" || option == "target-acceptance";
    if (!along && differs(target, option)) {
      label += (label.empty() ? "" : ", ") + option + " " + value_of(setting, option);
    }
  }
  return label;
}

std::vector<Series> series_of(const SweptTarget& target, const std::vector<std::string>& varying) {
  std::vector<Series> all;
  for (const SweptSetting& s : target.settings) {
    const double x = abscissa(target, s);
    if (!(s.step_size > 0) || !(x > 0)) {
      continue;  // it could not begin
    }
    const std::string label = series_label(target, s, varying);
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Series& other) { return other.label == label; });
    if (found == all.end()) {
      all.push_back({label, {}});
      found = all.end() - 1;
    }
    found->points.push_back({x, &s});
  }
  for (Series& series : all) {
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const Point& a, const Point& b) { return a.x < b.x; });
  }
  return all;
}

bool plotted(const SweptSetting& s) {
  return !s.failed() && s.ess[1].mean > 0;
}

/// The ends of a point's bar: one standard error, as far as a logarithm goes.
std::pair<double, double> bar(const SweptSetting& s) {
  const double error = std::isfinite(s.ess[1].mcse) ? s.ess[1].mcse : 0;
  return {std::max(s.ess[1].mean - error, 0.25 * s.ess[1].mean), s.ess[1].mean + error};
}

struct Ranges {
  double x_low = INFINITY, x_high = 0, y_low = INFINITY, y_high = 0;
  bool any_failed = false;
  bool any_plotted() const { return y_high > 0; }
};

Ranges ranges_of(const std::vector<Series>& all) {
  Ranges r;
  for (const Series& series : all) {
    for (const auto& [x, s] : series.points) {
      r.x_low = std::min(r.x_low, x);
      r.x_high = std::max(r.x_high, x);
      r.any_failed |= !plotted(*s);
      if (plotted(*s)) {
        r.y_low = std::min(r.y_low, bar(*s).first);
        r.y_high = std::max(r.y_high, bar(*s).second);
      }
    }
  }
  return r;
}

std::string frame(const SweptTarget& target, const LogAxis& x, const LogAxis& y,
                  const Ranges& ranges) {
  std::string svg;
  if (!ranges.any_plotted()) {
    svg +=
        text_at((kLeft + kRight) / 2, (kTop + kBottom) / 2, "tick middle", "every setting failed");
  }
  for (const double tick : ranges.any_plotted() ? y.ticks() : std::vector<double>()) {
    svg += line(kLeft, y(tick), kRight, y(tick), "grid") +
           text_at(kLeft - 8, y(tick) + 4, "tick end", tick_label(tick));
  }
  for (const double tick : x.ticks()) {
    svg += line(x(tick), kBottom, x(tick), kBottom + 5, "axis") +
           text_at(x(tick), kStrip + 32, "tick middle", tick_label(tick));
  }
  svg += line(kLeft, kBottom, kRight, kBottom, "axis");
  if (ranges.any_failed) {
    svg += "<rect x=\"" + number(kLeft) + "\" y=\"" + number(kStrip - 13) + "\" width=\"" +
           number(kRight - kLeft) + "\" height=\"26\" class=\"strip\"/>" +
           text_at(kLeft - 8, kStrip + 4, "tick end failed", "failed");
  }
  svg += text_at((kLeft + kRight) / 2, kHeight - 14, "title middle", axis_title(target));
  svg += "<text transform=\"translate(16 " + number((kTop + kBottom) / 2) +
         ") rotate(-90)\" class=\"title middle\">ESS per gradient</text>";
  return svg;
}

std::string marks(const SweptTarget& target, const Series& series, const std::string& colour,
                  double shift, const LogAxis& x, const LogAxis& y) {
  std::string path, points;
  bool begun = false;  // a line that passed over a failed setting would say that it had not
  for (const auto& [where, s] : series.points) {
    const double px = x(where);
    std::string tip = target.label + (series.label.empty() ? "" : ", " + series.label) + ", " +
                      axis_title(target) + " " + tick_label(where);
    if (!plotted(*s)) {
      tip += ": " + (s->failed() ? verdict(*s) : std::string("no ESS"));
      begun = false;
      points += std::string("<g class=\"cross ") + colour + "\"><title>" + html_escaped(tip) +
                "</title>" + line(px + shift - 5, kStrip - 5, px + shift + 5, kStrip + 5, "") +
                line(px + shift - 5, kStrip + 5, px + shift + 5, kStrip - 5, "") + "</g>";
      continue;
    }
    const double py = y(s->ess[1].mean);
    path.append(begun ? "L" : "M").append(number(px)).append(" ").append(number(py));
    begun = true;
    tip +=
        ": " + with_error(s->ess[1]) + " ESS per gradient, acceptance " + fixed(s->acceptance, 3);
    points += std::string("<g class=\"") + colour + "\"><title>" + html_escaped(tip) + "</title>" +
              line(px, y(bar(*s).first), px, y(bar(*s).second), "bar") + "<circle cx=\"" +
              number(px) + "\" cy=\"" + number(py) + "\" r=\"5\"/></g>";
    if (s->best[1]) {
      // The label keeps clear of the frame and of the line, which falls off to both sides.
      const bool right = px < 0.5 * (kLeft + kRight);
      points += "<circle cx=\"" + number(px) + "\" cy=\"" + number(py) +
                "\" r=\"10\" class=\"best\"/>" +
                text_at(right ? px + 15 : px - 15, std::max(py - 8, kTop + 12),
                        right ? "label" : "label end",
                        std::string("best: ").append(significant(s->ess[1].mean)) + " at " +
                            tick_label(where));
    }
  }
  return "<path d=\"" + (path.empty() ? "M0 0" : path) + "\" class=\"curve " + colour + "\"/>" +
         points;
}

std::string colour_of(std::size_t series) {
  return std::string("c").append(std::to_string(series % kColours)) +
         (series >= kColours ? " again" : "");
}

}  // namespace

std::string sweep_plot(const SweptTarget& target, const std::vector<std::string>& varying) {
  const std::vector<Series> all = series_of(target, varying);
  if (all.empty()) {
    return "";
  }
  const Ranges ranges = ranges_of(all);
  const LogAxis x(ranges.x_low, ranges.x_high, kLeft, kRight);
  const LogAxis y(ranges.any_plotted() ? ranges.y_low : 1, ranges.any_plotted() ? ranges.y_high : 1,
                  kBottom, kTop);
  std::string legend;
  for (std::size_t i = 0; all.size() > 1 && i < all.size(); ++i) {
    legend +=
        "<span><svg class=\"key\" viewBox=\"0 0 28 10\"><path d=\"M0 5L28 5\" class=\"curve " +
        colour_of(i) + "\"/></svg>" + html_escaped(all[i].label) + "</span>";
  }
  std::string svg = "<svg class=\"plot\" viewBox=\"0 0 " + number(kWidth) + " " + number(kHeight) +
                    "\" role=\"img\" aria-label=\"ESS per gradient against " + axis_title(target) +
                    ", " + html_escaped(target.label) + "\">" + frame(target, x, y, ranges);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Crosses of several lines at one step size stand side by side, a dozen at most.
    const double shift = std::min(12.0, 120.0 / static_cast<double>(all.size())) *
                         (static_cast<double>(i) - 0.5 * static_cast<double>(all.size() - 1));
    svg += marks(target, all[i], colour_of(i), shift, x, y);
  }
  return (legend.empty() ? "" : "<p class=\"legend\">" + legend + "</p>\n") + svg + "</svg>\n";
}

std::string sweep_plot_style() {
  static constexpr const char* light[kColours] = {"#1f6fd0", "#c85a00", "#178a68", "#b83280",
                                                  "#6d4fc4", "#7d6608", "#2a8494", "#5b6472"};
  static constexpr const char* dark[kColours] = {"#6cb0ff", "#ffa04d", "#4fd0a5", "#ff8ac4",
                                                 "#b39dff", "#e3c84a", "#6fd3e3", "#aab4c2"};
  std::string style = ":root{";
  for (int i = 0; i < kColours; ++i) {
    style += "--c" + std::to_string(i) + ":" + light[i] + ";";
  }
  style += "}@media(prefers-color-scheme:dark){:root{";
  for (int i = 0; i < kColours; ++i) {
    style += "--c" + std::to_string(i) + ":" + dark[i] + ";";
  }
  style += "}}";
  for (int i = 0; i < kColours; ++i) {
    const std::string c = std::to_string(i);
    style += ".c" + c + "{stroke:var(--c" + c + ");fill:var(--c" + c + ")}";
  }
  style +=
      "svg.plot{width:100%;max-width:48em;height:auto;display:block}"
      "svg text{font:13px system-ui,sans-serif;fill:var(--soft)}"
      "svg .title,svg .label{fill:var(--ink)}svg .label{font-weight:600}"
      ".middle{text-anchor:middle}.end{text-anchor:end}"
      ".grid{stroke:var(--rule)}.axis{stroke:var(--soft)}"
      ".curve{fill:none;stroke-width:2}.again{stroke-dasharray:6 4}"
      ".bar{stroke-width:2}.best{fill:none;stroke:var(--ink);stroke-width:2}"
      ".strip{fill:var(--bad-soft)}.cross line{stroke-width:2.5}"
      "svg .failed{fill:var(--bad)}"
      ".legend span{margin-right:1.4em;white-space:nowrap}"
      ".key{width:28px;height:10px;margin-right:.4em}";
  return style;
}

}  // namespace lockstep::bench
