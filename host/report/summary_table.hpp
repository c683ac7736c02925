#pragma once

#include <string>
#include <vector>

#include "lockstep/result.hpp"

namespace lockstep::report {

/// The figures of some parameters, a row for each; figures beyond their limits are marked.
/// @param id  of the table in the page
std::string summary_table(const Fit& fit, const std::vector<int>& parameters,
                          const std::string& id);

/// How each of Fit::visits was made and how often it moved its parameter.
std::string visit_table(const Fit& fit);

}  // namespace lockstep::report
