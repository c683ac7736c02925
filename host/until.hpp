#pragma once

#include <cstdint>
#include <string>

#include "lockstep/result.hpp"

namespace lockstep {

/// The next number of draws after which it is seen whether sampling may end: 64, 96, 128, 192, 256,
/// 384, ..., whole chunks that depend on nothing.
std::int64_t next_look(std::int64_t done);

/// What `fit`, which is summarised, lacks: "nested R-hat 1.032 (tau) above 1.01, ESS 212 (mu) below
/// 400". Empty if nothing.
std::string lacking(const Until& until, const Fit& fit);

}  // namespace lockstep
