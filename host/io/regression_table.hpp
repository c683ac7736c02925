#pragma once

/// What regressions with two outcomes ask of a table: features and, last, the outcome.

#include <string>
#include <vector>

#include "host/io/dataset.hpp"

namespace lockstep {

/// "FILE: column 'NAME' ", for messages.
std::string column_name(const Table& table, std::size_t column);

/// For each row whether its outcome counts as 1: it is the larger of the last column's two values
/// (so 0/1 and -1/1 as they stand, and of German credit's 1 = good and 2 = bad the bad risk).
/// @throw FileError naming file and column when there is no feature, or the outcome has other than
///        two values or no integers
std::vector<bool> two_outcomes(const Table& table);

/// Centres a column, [rows], and divides it by its standard deviation (divisor N). False, and the
/// column is as it was, if it is constant or too large.
bool standardise(std::vector<double>& column);

}  // namespace lockstep
