#include "host/plot/panel.hpp"

#include <cmath>
#include <cstdio>
#include <utility>

#include "host/plot/html.hpp"

namespace lockstep::plot {

namespace {

// The picture's own units; about CSS pixels at the size that pages show it.
constexpr double kWidth = 300, kHeight = 200;
constexpr double kLeft = 50, kRight = 12, kTop = 10, kBottom = 38;

/// A coordinate with one decimal, without a trailing ".0".
std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  std::string s = text;
  if (s.ends_with(".0")) {
    s.resize(s.size() - 2);
  }
  return s == "-0" ? std::string(1, '0') : s;
}

/// One step of a path: a command and where to.
std::string step(char command, double to) {
  std::string text(1, command);
  text += number(to);
  return text;
}
std::string step(char command, double x, double y) {
  return step(command, x) + " " + number(y);
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text,
                    const std::string& more = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" +
         more + ">" + html_escaped(text) + "</text>";
}

}  // namespace

Panel::Panel(Axis x, Axis y, std::string description)
    : x_(std::move(x)), y_(std::move(y)), description_(std::move(description)) {}

double Panel::across(double x) const {
  return kLeft + x_.at(x) * (kWidth - kLeft - kRight);
}

double Panel::down(double y) const {
  return kHeight - kBottom - y_.at(y) * (kHeight - kTop - kBottom);
}

std::string Panel::path(std::span<const double> x, std::span<const double> y) const {
  std::string data;
  bool drawing = false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double px = across(x[i]), py = down(y[i]);
    if (!std::isfinite(px) || !std::isfinite(py) || std::abs(px) > 1e5 || std::abs(py) > 1e5) {
      drawing = false;
      continue;
    }
    data += step(drawing ? 'L' : 'M', px, py);
    drawing = true;
  }
  return data;
}

void Panel::mark(const std::string& kind, const std::string& colour, const std::string& data) {
  if (!data.empty()) {
    marks_ += "<path class=\"" + kind + " " + colour + "\" d=\"" + data + "\"/>";
  }
}

void Panel::line(std::span<const double> x, std::span<const double> y, const std::string& colour) {
  mark("line", colour, path(x, y));
}

void Panel::band(std::span<const double> x, std::span<const double> low,
                 std::span<const double> high, const std::string& colour) {
  std::vector<double> xs, ys;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(low[i]) && std::isfinite(high[i])) {
      xs.push_back(x[i]);
      ys.push_back(low[i]);
    }
  }
  for (std::size_t i = x.size(); i-- > 0;) {
    if (std::isfinite(low[i]) && std::isfinite(high[i])) {
      xs.push_back(x[i]);
      ys.push_back(high[i]);
    }
  }
  const std::string outline = path(xs, ys);
  mark("band", colour, outline.empty() ? outline : outline + "Z");
}

void Panel::area(std::span<const double> x, std::span<const double> y, const std::string& colour) {
  const std::vector<double> bottom(x.size(), y_.low);
  band(x, bottom, y, colour);
}

void Panel::dots(std::span<const double> x, std::span<const double> y, const std::string& colour) {
  std::string data;  // strokes of no length, whose round caps are the dots
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double fx = x_.at(x[i]), fy = y_.at(y[i]);
    if (fx >= 0 && fx <= 1 && fy >= 0 && fy <= 1) {
      data += step('M', across(x[i]), down(y[i])) + "h0";
    }
  }
  mark("dots", colour, data);
}

void Panel::crosses(std::span<const double> x, std::span<const double> y,
                    const std::string& colour) {
  std::string data;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double fx = x_.at(x[i]), fy = y_.at(y[i]);
    if (fx >= 0 && fx <= 1 && fy >= 0 && fy <= 1) {
      data += step('M', across(x[i]) - 1.7, down(y[i]) - 1.7) + "l3.4 3.4m0-3.4l-3.4 3.4";
    }
  }
  mark("cross", colour, data);
}

void Panel::vertical(double x, const std::string& colour) {
  if (x_.at(x) >= 0 && x_.at(x) <= 1) {
    mark("rule", colour, step('M', across(x), kTop) + step('V', kHeight - kBottom));
  }
}

void Panel::horizontal(double y, const std::string& colour) {
  if (y_.at(y) >= 0 && y_.at(y) <= 1) {
    mark("rule", colour, step('M', kLeft, down(y)) + step('H', kWidth - kRight));
  }
}

void Panel::plane() {
  mark("plane", "quiet",
       step('M', kLeft, kTop) + step('H', kWidth - kRight) + step('V', kHeight - kBottom) +
           step('H', kLeft) + 'Z');
}

void Panel::cell(double x0, double x1, double y0, double y1, int level) {
  if (level != 0) {
    heat_[static_cast<std::size_t>(level + 3)] += step('M', across(x0), down(y0)) +
                                                  step('H', across(x1)) + step('V', down(y1)) +
                                                  step('H', across(x0)) + "Z";
  }
}

std::string Panel::svg() const {
  const double right = kWidth - kRight, bottom = kHeight - kBottom;
  std::string grid, labels;
  for (const Tick& t : y_.ticks(4)) {
    const double y = down(t.value);
    grid += step('M', kLeft, y) + step('H', right);
    labels += text_at(kLeft - 6, y + 3.5, "end", t.label);
  }
  for (const Tick& t : x_.ticks(5)) {
    const double x = across(t.value);
    grid += step('M', x, bottom) + "v4";
    labels += text_at(x, bottom + 15, "middle", t.label);
  }
  labels += text_at((kLeft + right) / 2, kHeight - 6, "middle", x_.label, " class=\"label\"");
  if (!y_.label.empty()) {
    const double y = (kTop + bottom) / 2;
    labels += text_at(10, y, "middle", y_.label,
                      " class=\"label\" transform=\"rotate(-90 10 " + number(y) + ")\"");
  }
  std::string heat;
  for (int level = -3; level <= 3; ++level) {
    const std::string& cells = heat_[static_cast<std::size_t>(level + 3)];
    if (!cells.empty()) {
      heat += "<path class=\"heat " + std::string(level < 0 ? "low" : "high") +
              std::to_string(std::abs(level)) + "\" d=\"" + cells + "\"/>";
    }
  }
  // An inner svg clips to its viewport, and needs no name that a page might hold twice.
  const std::string x = number(kLeft), y = number(kTop - 1);
  const std::string width = number(right - kLeft + 1), height = number(bottom - kTop + 2);
  const std::string marks = "<svg x=\"" + x + "\" y=\"" + y + "\" width=\"" + width +
                            "\" height=\"" + height + "\" viewBox=\"" + x + " " + y + " " + width +
                            " " + height + "\">" + marks_ + heat + "</svg>";
  return "<svg viewBox=\"0 0 " + number(kWidth) + " " + number(kHeight) +
         "\" role=\"img\" aria-label=\"" + html_escaped(description_) +
         "\"><path class=\"grid\" d=\"" + grid + "\"/>" + marks + "<path class=\"frame\" d=\"" +
         step('M', kLeft, bottom) + step('H', right) + "\"/>" + labels + "</svg>\n";
}

}  // namespace lockstep::plot
