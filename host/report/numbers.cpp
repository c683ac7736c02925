#include "host/report/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "host/io/json.hpp"

namespace lockstep::report {

namespace {

std::string group_digits(std::string digits) {
  const std::size_t end = std::min(digits.find('.'), digits.size());
  const std::size_t begin = digits.starts_with("-") ? 1 : 0;
  for (std::size_t i = end; i > begin + 3; i -= 3) {
    digits.insert(i - 3, 1, ',');
  }
  return digits;
}

/// Grouped, with a minus sign that is as wide as a plus.
std::string typeset(const std::string& number) {
  std::string out = group_digits(number);
  for (std::size_t at = out.find('-'); at != std::string::npos; at = out.find('-', at + 3)) {
    out.replace(at, 1, "\u2212");
  }
  return out;
}

}  // namespace

std::string shown(double x, int digits) {
  if (std::isnan(x)) {
    return "\u2013";
  }
  if (std::isinf(x)) {
    return x > 0 ? "\u221E" : "\u2212\u221E";
  }
  char text[64];
  const double size = std::abs(x);
  if (x == 0 || (size >= 1e-4 && size < 1e9)) {
    const int before = x == 0 ? 1 : static_cast<int>(std::floor(std::log10(size))) + 1;
    std::snprintf(text, sizeof text, "%.*f", std::clamp(digits - before, 0, 12), x);
  } else {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, x);
  }
  return x == 0 ? std::string(1, '0') : typeset(text);
}

std::string shown_to(double x, double error) {
  if (!std::isfinite(x) || !(error > 0) || !std::isfinite(error) || std::abs(x) >= 1e9 ||
      error < 1e-8) {
    return shown(x, 4);
  }
  const int decimals = std::max(0, 1 - static_cast<int>(std::floor(std::log10(error))));
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, x);
  const std::string number = text;
  const bool zero = number.find_first_of("123456789") == std::string::npos;
  return typeset(zero && number[0] == '-' ? number.substr(1) : number);
}

std::string grouped(std::int64_t n) {
  return group_digits(std::to_string(n));
}

std::string plural(std::int64_t n, const std::string& noun) {
  return grouped(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string data_element(double x, const std::string& text) {
  if (!std::isfinite(x)) {
    return "\u2013";
  }
  return "<data value=\"" + Json(x).dump() + "\">" + text + "</data>";
}

}  // namespace lockstep::report
