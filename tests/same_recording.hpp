#pragma once

#include <gtest/gtest.h>

#include "lockstep/engine.hpp"

namespace lockstep {

/// Two engines recorded the same bits.
inline void expect_same(const Statistics& a, const Statistics& b) {
  for (int half = 0; half < 2; ++half) {
    EXPECT_EQ(a.draws[half], b.draws[half]);
    EXPECT_EQ(a.mean[half], b.mean[half]);
    EXPECT_EQ(a.m2[half], b.m2[half]);
    EXPECT_EQ(a.mean_square[half], b.mean_square[half]);
    EXPECT_EQ(a.m2_square[half], b.m2_square[half]);
  }
  EXPECT_EQ(a.acceptance, b.acceptance);
  EXPECT_EQ(a.divergences, b.divergences);
  EXPECT_EQ(a.squared_jump, b.squared_jump);
  EXPECT_EQ(a.energy_mean, b.energy_mean);
  EXPECT_EQ(a.energy_m2, b.energy_m2);
  EXPECT_EQ(a.energy_jump, b.energy_jump);
  EXPECT_EQ(a.lags, b.lags);
  EXPECT_EQ(a.autocovariance, b.autocovariance);
}

inline void expect_same(const Draws& a, const Draws& b) {
  EXPECT_EQ(a.chains, b.chains);
  EXPECT_EQ(a.draws, b.draws);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.thin, b.thin);
  EXPECT_EQ(a.values, b.values);
}

}  // namespace lockstep
