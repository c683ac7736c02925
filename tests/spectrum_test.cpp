/// Normal laws of a known spectrum: are eigenvalues and standard deviations what they are said to
/// be?

#include "host/io/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "host/registry.hpp"
#include "lockstep/error.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

using Vector = std::vector<double>;

Vector times(const PrecisionView<double>& h, const Vector& x) {
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = std::inner_product(x.begin(), x.end(), h.precision + i * x.size(), 0.0);
  }
  return y;
}

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// H^-1 b by conjugate gradients.
Vector solved(const PrecisionView<double>& h, const Vector& b) {
  Vector x(b.size()), r = b, p = b;
  for (std::size_t step = 0; step < 20 * b.size() && dot(r, r) > 1e-28; ++step) {
    const Vector hp = times(h, p);
    const double before = dot(r, r), alpha = before / dot(p, hp);
    for (std::size_t i = 0; i < b.size(); ++i) {
      x[i] += alpha * p[i];
      r[i] -= alpha * hp[i];
    }
    const double beta = dot(r, r) / before;
    for (std::size_t i = 0; i < b.size(); ++i) {
      p[i] = r[i] + beta * p[i];
    }
  }
  return x;
}

TEST(Spectrum, EigenvaluesAreLogSpacedOverTheCondition) {
  const SpectrumData data(5, 1e4, true);
  const Vector expected{1e-2, 1e-1, 1, 1e1, 1e2};
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_NEAR(data.eigenvalues()[k] / expected[k], 1, 1e-14);
  }
}

// The moments tr H^m = sum lambda^m of any matrix say what its eigenvalues are.
TEST(Spectrum, ThePrecisionHasThem) {
  for (const bool rotated : {false, true}) {
    for (const int dim : {2, 8, 37}) {
      const SpectrumData data(dim, 100, rotated);
      const auto h = data.view<double>();
      double trace[3] = {}, sum[3] = {};
      for (int j = 0; j < dim; ++j) {
        Vector e(static_cast<std::size_t>(dim));
        e[static_cast<std::size_t>(j)] = 1;
        for (int m = 0; m < 3; ++m) {
          e = times(h, e);
          trace[m] += e[static_cast<std::size_t>(j)];
          sum[m] += std::pow(data.eigenvalues()[static_cast<std::size_t>(j)], m + 1);
        }
      }
      for (int m = 0; m < 3; ++m) {
        EXPECT_NEAR(trace[m] / sum[m], 1, 1e-12) << dim;
      }
    }
  }
}

TEST(Spectrum, OnlyRotatedOnesHaveCorrelations) {
  for (const bool rotated : {false, true}) {
    const SpectrumData data(8, 1e3, rotated);
    const auto h = data.view<double>();
    double off = 0;
    for (int i = 0; i < 8; ++i) {
      for (int j = 0; j < i; ++j) {
        EXPECT_EQ(h.precision[i * 8 + j], h.precision[j * 8 + i]);
        off = std::max(off, std::abs(h.precision[i * 8 + j]));
      }
    }
    EXPECT_EQ(off > 1, rotated);
  }
}

TEST(Spectrum, StandardDeviationsAreThoseOfTheInverse) {
  const SpectrumData data(24, 1e3, true);
  const auto h = data.view<double>();
  for (std::size_t j = 0; j < 24; ++j) {
    Vector e(24);
    e[j] = 1;
    EXPECT_NEAR(solved(h, e)[j] / (h.sd[j] * h.sd[j]), 1, 1e-10);
  }
}

TEST(Spectrum, TheTargetHasThatGradientAndTruth) {
  TargetOptions options;
  options.dim = 6;
  options.condition = 50;
  const TargetEntry& entry = find_target("normal-rotated");
  EXPECT_LE(entry.check(options, {}).worst().excess(), 1);
  SampleOptions run;
  run.chains = 1;
  run.backend = Backend::cpu;
  run.precision = Precision::double_;
  const auto engine = entry.make(options, run);
  const SpectrumData data(6, 50, true);
  EXPECT_EQ(engine->description().truth.sd,
            Vector(data.view<double>().sd, data.view<double>().sd + 6));

  const Vector q{1, -2, 0.5, 3, -1, 0.25};
  Vector u(1), g(6);
  engine->place(q);
  engine->evaluations(u, g);
  const Vector expected = times(data.view<double>(), q);
  for (std::size_t j = 0; j < 6; ++j) {
    EXPECT_NEAR(g[j], expected[j], 1e-12);
  }
  EXPECT_NEAR(u[0], 0.5 * dot(q, expected), 1e-12);
}

TEST(Spectrum, WhatCannotBeIsRefused) {
  EXPECT_EQ(message_of<UsageError>([] { SpectrumData(1, 10, false); }),
            "the dimension is 1: give 2 to 256 for this target");
  EXPECT_EQ(message_of<UsageError>([] { SpectrumData(300, 10, false); }),
            "the dimension is 300: give 2 to 256 for this target");
  EXPECT_EQ(message_of<UsageError>([] { SpectrumData(3, 0.5, false); }),
            "the condition number is 0.5: give 1 or more");
}

}  // namespace
}  // namespace lockstep
