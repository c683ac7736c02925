#pragma once

/// Numbers and tables for people.

#include <string>
#include <vector>

#include "host/plot/html.hpp"

namespace lockstep::bench {

/// x with `digits` significant digits, "-" for NaN: 0.0312, 12.3, 4.57e+06.
std::string significant(double x, int digits = 3);

/// x with `decimals` decimals, "-" for NaN.
std::string fixed(double x, int decimals);

/// x with three digits and a decimal prefix: 1.23 M, 45.6 k, 789; "-" for NaN.
std::string with_prefix(double x);

/// "12.3 %"; "-" for NaN.
std::string percent(double fraction);

/// Columns under headings: the first `left` are flush left, numbers flush right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headings, int left = 1)
      : left_(left), rows_{std::move(headings)} {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// With a newline after each row.
  std::string text() const;
  std::string markdown() const;
  std::string html() const;

 private:
  int left_;
  std::vector<std::vector<std::string>> rows_;  // the headings first
};

using lockstep::html_escaped;

}  // namespace lockstep::bench
