#pragma once

#include <string>

#include "lockstep/result.hpp"

namespace lockstep {

/// The summary as CSV (RFC 4180): a row for each parameter under a header, with the names and the
/// figures of `to_json(ParameterSummary)`. Numbers have as many digits as read back to the same
/// value; what is not defined is empty.
std::string summary_csv(const Fit& fit);

}  // namespace lockstep
