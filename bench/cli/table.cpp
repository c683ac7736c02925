#include "bench/cli/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace lockstep::bench {

namespace {

std::string printed(const char* format, int precision, double x) {
  if (std::isnan(x)) {
    return "-";
  }
  char text[400];
  std::snprintf(text, sizeof text, format, precision, x);
  return text;
}

}  // namespace

std::string significant(double x, int digits) {
  const double size = std::abs(x);
  if (std::isfinite(x) && x != 0 && size < 1e6 && size >= 1e-3) {
    const int before = static_cast<int>(std::floor(std::log10(size))) + 1;
    return printed("%.*f", std::max(0, digits - before), x);
  }
  return x == 0 ? "0" : printed("%.*e", digits - 1, x);
}

std::string fixed(double x, int decimals) {
  return printed("%.*f", decimals, x);
}

std::string percent(double fraction) {
  return std::isnan(fraction) ? "-" : fixed(100 * fraction, 1) + " %";
}

std::string with_prefix(double x) {
  static constexpr std::pair<double, const char*> prefixes[] = {
      {1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [size, prefix] : prefixes) {
    if (std::abs(x) >= 0.9995 * size) {
      std::string text = printed("%#.*g", 3, x / size);
      if (text.back() == '.') {
        text.pop_back();
      }
      return text + prefix;
    }
  }
  return printed("%.*g", 3, x);
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t j = 0; j < row.size(); ++j) {
      widths[j] = std::max(widths[j], row[j].size());
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t j = 0; j < row.size(); ++j) {
      const std::string blanks(widths[j] - row[j].size(), ' ');
      const bool flush_left = j < static_cast<std::size_t>(left_);
      line += j > 0 ? "  " : "";
      line += flush_left ? row[j] + blanks : blanks + row[j];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string TextTable::markdown() const {
  std::string text;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    text += "|";
    for (const std::string& cell : rows_[i]) {
      std::string escaped;
      for (const char c : cell) {
        escaped += c == '|' ? "\\|" : std::string(1, c);
      }
      text += " " + escaped + " |";
    }
    text += '\n';
    if (i == 0) {
      text += "|";
      for (std::size_t j = 0; j < rows_[0].size(); ++j) {
        text += j < static_cast<std::size_t>(left_) ? " :-- |" : " --: |";
      }
      text += '\n';
    }
  }
  return text;
}

std::string TextTable::html() const {
  std::string text = "<table>\n";
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::string tag = i == 0 ? "th" : "td";
    text += "<tr>";
    for (std::size_t j = 0; j < rows_[i].size(); ++j) {
      const bool flush_left = j < static_cast<std::size_t>(left_);
      text += "<" + tag + (flush_left ? " class=\"name\">" : ">") + html_escaped(rows_[i][j]) +
              "</" + tag + ">";
    }
    text += "</tr>\n";
  }
  return text + "</table>\n";
}

}  // namespace lockstep::bench
