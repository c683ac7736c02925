#pragma once

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "host/comparison.hpp"

namespace lockstep {

/// Every figure within four combined Monte Carlo standard errors of its reference.
inline void expect_agreement(const std::vector<ComparedFigure>& figures) {
  for (const ComparedFigure& f : figures) {
    EXPECT_LT(std::abs(f.z()), 4) << f.what << " of " << f.parameter << ": " << f.own << " ("
                                  << f.own_error << ") for " << f.reference << " ("
                                  << f.reference_error << ")";
  }
}

}  // namespace lockstep
