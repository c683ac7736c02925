#pragma once

/// Numbers in running text and tables.

#include <cstdint>
#include <string>

namespace lockstep::report {

/// x with `digits` significant digits, U+2212 for minus, an en dash for NaN.
std::string shown(double x, int digits);

/// x to the decimals in which a standard error `error` has two digits; 4 significant digits where
/// there is none.
std::string shown_to(double x, double error);

/// 1234567 as 1,234,567.
std::string grouped(std::int64_t n);

/// "1 chain", "2 chains".
std::string plural(std::int64_t n, const std::string& noun);

/// `text` in a <data> element whose value is x in full; an en dash where x is not finite, as JSON
/// has null there.
std::string data_element(double x, const std::string& text);

}  // namespace lockstep::report
