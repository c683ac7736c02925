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
  std::string out = group_digits(x == 0 ? std::string(1, '0') : text);
  for (std::size_t at = out.find('-'); at != std::string::npos; at = out.find('-', at + 3)) {
    out.replace(at, 1, "\u2212");
  }
  return out;
}

std::string grouped(std::int64_t n) {
  return group_digits(std::to_string(n));
}

std::string plural(std::int64_t n, const std::string& noun) {
  return grouped(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string data_element(double x, int digits) {
  if (!std::isfinite(x)) {
    return "\u2013";
  }
  return "<data value=\"" + Json(x).dump() + "\">" + shown(x, digits) + "</data>";
}

}  // namespace lockstep::report
