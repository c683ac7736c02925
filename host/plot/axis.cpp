#include "host/plot/axis.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lockstep::plot {

namespace {

/// The round step of at least x: 1, 2 or 5 times a power of ten.
double round_step(double x) {
  const double power = std::pow(10.0, std::floor(std::log10(x)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= x * (1 - 1e-9)) {
      return factor * power;
    }
  }
  return 10 * power;
}

std::string with_minus(const char* text) {
  std::string out;
  for (; *text != '\0'; ++text) {
    out += *text == '-' ? "\u2212" : std::string(1, *text);
  }
  return out;
}

}  // namespace

double Axis::at(double x) const {
  return logarithmic ? std::log(x / low) / std::log(high / low) : (x - low) / (high - low);
}

std::vector<Tick> Axis::ticks(int wanted) const {
  std::vector<Tick> ticks;
  if (logarithmic) {
    const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
    if (last > first) {
      const int stride = std::max(1, (last - first + wanted) / wanted);
      for (int e = first; e <= last; e += stride) {
        const double value = std::pow(10.0, e);
        ticks.push_back({value, tick_label(value, value)});
      }
      return ticks;
    }
  }
  const double step = round_step((high - low) / wanted);
  // Counted by integers: adding steps would drift, and 0 would come out as 1e-17.
  for (auto i = static_cast<std::int64_t>(std::ceil(low / step - 1e-9));
       static_cast<double>(i) * step <= high + 1e-9 * step && ticks.size() < 50; ++i) {
    const double value = static_cast<double>(i) * step;
    ticks.push_back({value, tick_label(value, step)});
  }
  return ticks;
}

Axis axis_over(std::span<const double> values, const std::string& label, bool logarithmic) {
  double low = INFINITY, high = -INFINITY;
  for (const double x : values) {
    if (std::isfinite(x) && (!logarithmic || x > 0)) {
      low = std::min(low, x);
      high = std::max(high, x);
    }
  }
  if (!(low <= high)) {
    return {logarithmic ? 0.1 : 0.0, 1, label, logarithmic};
  }
  if (logarithmic) {
    const double margin = std::max(1.05, std::pow(high / low, 0.04));
    return {low / margin, high * margin, label, true};
  }
  // What float64 cannot tell apart cannot be drawn apart.
  const double size = std::max(std::abs(low), std::abs(high));
  const double width = high - low;
  const double margin = width > 1e-12 * size ? 0.04 * width : (size > 0 ? 0.05 * size : 0.5);
  return {low - margin, high + margin, label, false};
}

std::string tick_label(double x, double step) {
  char text[64];
  const double size = std::max(std::abs(x), std::abs(step));
  if (x == 0) {
    return "0";
  }
  if (size >= 1e12 || size < 1e-4) {
    std::snprintf(text, sizeof text, "%.3g", x);
    return with_minus(text);
  }
  const char* suffix = "";
  if (size >= 1e6) {
    x /= 1e6, step /= 1e6, suffix = "M";
  } else if (size >= 1e4) {
    x /= 1e3, step /= 1e3, suffix = "k";
  }
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  std::snprintf(text, sizeof text, "%.*f%s", decimals, x, suffix);
  return with_minus(text);
}

}  // namespace lockstep::plot
