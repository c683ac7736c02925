/// Cells of embedded integers: every integer finds its own, on every lane.

#include "kernels/targets/embedding.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/autodiff/gradient.hpp"
#include "lockstep/error.hpp"

namespace lockstep {
namespace {

/// f(lane) for every lane of this precision that kernels run on.
template <class F>
void for_lanes(float, F f) {
  f(float{});
  f(FloatBatch{});
  f(Twin<FloatBatch>{});
}
template <class F>
void for_lanes(double, F f) {
  f(double{});
  f(DoubleBatch{});
  f(Twin<DoubleBatch>{});
}

template <class L, class S, class F>
std::vector<S> on_lanes(const std::vector<S>& x, F f) {
  std::vector<S> padded = x;
  padded.resize((x.size() + width<L> - 1) / width<L> * width<L>, x.back());
  for (std::size_t i = 0; i < padded.size(); i += width<L>) {
    store_lane(&padded[i], L(f(load_lane<L>(&padded[i]))));
  }
  padded.resize(x.size());
  return padded;
}

/// Every lane finds the integer at its cell's lower edge, one number above, in the middle, and one
/// number below its upper edge; and agrees with one chain alone on edges and widths, bit for bit.
template <class S, class Cells>
void expect_each_in_its_cell(const Cells& cells) {
  constexpr S infinity = std::numeric_limits<S>::infinity();
  std::vector<S> n, edge, at, expected;
  for (int i = cells.low; i <= cells.high; ++i) {
    const S k = static_cast<S>(i), from = cells.edge(k), to = cells.edge(k + 1);
    ASSERT_LT(from, to) << i;
    n.push_back(k);
    edge.push_back(from);
    const S middle = static_cast<S>(cells.middle(i));
    for (const S x :
         {from, std::nextafter(from, infinity), middle, std::nextafter(to, -infinity)}) {
      at.push_back(x);
      expected.push_back(k);
    }
    ASSERT_EQ(cells.edge(k + 1), cells.edge(static_cast<S>(i + 1)));
  }
  at.push_back(std::nextafter(cells.edge(n.front()), -infinity));
  expected.push_back(static_cast<S>(cells.low - 1));
  at.push_back(cells.edge(n.back() + 1));
  expected.push_back(static_cast<S>(cells.high + 1));
  std::vector<S> log_width;
  for (const S k : n) {
    log_width.push_back(cells.log_width(k));
  }
  for_lanes(S{}, [&](auto lane) {
    using L = decltype(lane);
    SCOPED_TRACE(width<L>);
    const auto found = on_lanes<L>(at, [&](const L& x) { return cells.index(x); });
    for (std::size_t i = 0; i < at.size(); ++i) {
      ASSERT_EQ(found[i], expected[i]) << "at " << at[i];
    }
    EXPECT_EQ(on_lanes<L>(n, [&](const L& k) { return cells.edge(k); }), edge);
    const auto inside =
        on_lanes<L>(found, [&](const L& k) { return select(cells.contains(k), L(S(1)), L(S(0))); });
    const auto logs = on_lanes<L>(n, [&](const L& k) { return cells.log_width(k); });
    for (std::size_t i = 0; i < at.size(); ++i) {
      ASSERT_EQ(inside[i], i + 2 < at.size() ? 1 : 0) << at[i];
    }
    for (std::size_t i = 0; i < n.size(); ++i) {
      // Lanes have their own logarithm; the number it is of is the same.
      ASSERT_NEAR(logs[i], log_width[i], 4 * std::numeric_limits<S>::epsilon() * 16) << n[i];
    }
  });
}

/// The masses exp(-U(x)) dx of all cells, U = log_width(n), are 1 each.
template <class S, class Cells>
void expect_unit_masses(const Cells& cells, double tolerance) {
  for (int i = cells.low; i <= cells.high; ++i) {
    const S n = static_cast<S>(i);
    const double width = static_cast<double>(cells.edge(n + 1)) - cells.edge(n);
    ASSERT_NEAR(width * std::exp(-static_cast<double>(cells.log_width(n))), 1, tolerance) << i;
  }
}

TableCells<40> uneven_cells(int first) {
  std::vector<double> edges;
  for (int i = 0; i <= 37; ++i) {
    edges.push_back(std::sinh(0.2 * (i - 15)));
  }
  return {first, edges};
}

TEST(Embedding, EveryIntegerFindsItsCell) {
  const auto both = [](const auto& cells) {
    expect_each_in_its_cell<float>(cells);
    expect_each_in_its_cell<double>(cells);
  };
  both(UnitCells{0, 5});
  both(UnitCells{-3000, 70000});
  both(LogCells{1, 32767});
  both(LogCells{17, 5000});
  expect_each_in_its_cell<double>(LogCells{1000000, 1100000});
  expect_each_in_its_cell<double>(LogCells{2000000000, 2000100000});
  both(uneven_cells(0));
  both(uneven_cells(-7));
  both(TableCells<1>(3, {-0.5, 2}));
}

TEST(Embedding, FarAwayIsOutside) {
  const double far[] = {-1e30,
                        -100,
                        100,
                        1e30,
                        std::numeric_limits<double>::infinity(),
                        -std::numeric_limits<double>::infinity(),
                        std::numeric_limits<double>::quiet_NaN()};
  const auto expect_outside = [&](const auto& cells) {
    for (const double x : far) {
      EXPECT_FALSE(cells.contains(cells.index(x))) << x;
      EXPECT_FALSE(cells.contains(cells.index(static_cast<float>(x)))) << x;
      const auto batch = cells.index(FloatBatch(static_cast<float>(x)));
      EXPECT_FALSE(any(cells.contains(batch))) << x;
    }
  };
  expect_outside(UnitCells{0, 5});
  expect_outside(LogCells{1, 32767});
  expect_outside(LogCells{100, 20000});
  expect_outside(uneven_cells(2));
}

TEST(Embedding, WidthsNormaliseTheCells) {
  expect_unit_masses<float>(UnitCells{-8, 8}, 0);
  expect_unit_masses<double>(UnitCells{-8, 8}, 0);
  expect_unit_masses<float>(LogCells{1, 32767}, 4e-6);  // the rounding of a logarithm of -10
  expect_unit_masses<double>(LogCells{1, 32767}, 1e-14);
  expect_unit_masses<float>(uneven_cells(0), 1e-6);
  expect_unit_masses<double>(uneven_cells(0), 1e-15);
}

TEST(Embedding, LogarithmicEdgesAreLogarithms) {
  for (int n = 1; n <= 40000; ++n) {
    EXPECT_EQ((LogCells{1, 40000}.edge(1.0 * n)), std::log(1.0 * n));
    const float edge = LogCells{1, 40000}.edge(static_cast<float>(n));
    ASSERT_NEAR(edge, std::log(1.0 * n), 1.2e-7 * edge) << n;
  }
}

/// All numbers of a cell in float are counted: widths are what they are, not what they should be.
TEST(Embedding, AFloatCellHoldsAsManyNumbersAsItsWidthSays) {
  const LogCells cells{1, 32767};
  for (const int n : {1000, 4999, 5000, 32766, 32767}) {
    const float k = static_cast<float>(n), from = cells.edge(k), to = cells.edge(k + 1);
    int count = 0;
    for (float x = from; x < to; x = std::nextafter(x, 100.0f)) {
      ++count;
    }
    const double spacing = std::nextafter(from, 100.0f) - from;
    EXPECT_NEAR(count * spacing, std::exp(static_cast<double>(cells.log_width(k))),
                1e-6 * count * spacing)
        << n;
  }
}

/// With potential alone: differentiated through the cells.
struct Slanted {
  static constexpr int dim = 2;
  template <class T>
  T potential(const T* q) const {
    const LogCells cells{1, 100};
    const T n = cells.index(q[0]);
    return cells.log_width(n) + T(3) * q[1] * n;
  }
};

TEST(Embedding, StepsHaveNoSlope) {
  const double q[2] = {std::log(7.3), 2};
  double gradient[2];
  const double u = potential_and_gradient(Slanted{}, q, gradient).value();
  EXPECT_EQ(gradient[0], 0);
  EXPECT_EQ(gradient[1], 21);
  EXPECT_NEAR(u, std::log(std::log(8.0 / 7)) + 42, 1e-13);
}

/// Where a share of a cell is, and the share of where it is.
TEST(Embedding, PlacesStayInTheirCells) {
  const auto check = [](const auto& cells) {
    for (const float v : {0.0f, 1e-9f, 0.3f, 0.99999994f, 1.0f}) {
      for (int i = cells.low; i <= cells.high; ++i) {
        const float n = static_cast<float>(i);
        const float x = place_in(cells, n, v);
        ASSERT_EQ(cells.index(x), n) << v;
        const float width = cells.edge(n + 1) - cells.edge(n);
        if (v < 0.9f) {
          ASSERT_NEAR(share_below(cells, n, x), v, 2e-6f / width);
        }
      }
    }
  };
  check(UnitCells{-4, 9});
  check(LogCells{1, 2000});
  check(uneven_cells(0));
}

TEST(Embedding, AnotherCellIsAnyOther) {
  const LogCells cells{3, 7};
  for (int i = 3; i <= 7; ++i) {
    std::vector<int> count(8);
    const double x = place_in(cells, 1.0 * i, 0.25);
    for (int k = 1; k <= 400; ++k) {
      const double to = another_cell(cells, x, k / 400.0);
      const int n = static_cast<int>(cells.index(to));
      ASSERT_TRUE(3 <= n && n <= 7);
      EXPECT_NEAR(share_below(cells, 1.0 * n, to), 0.25, 1e-12);
      ++count[static_cast<std::size_t>(n)];
    }
    for (int n = 3; n <= 7; ++n) {
      EXPECT_EQ(count[static_cast<std::size_t>(n)], n == i ? 0 : 100) << i << " to " << n;
    }
  }
}

TEST(Embedding, SaysWhichCellsAreTooNarrow) {
  check_cells<float>("counts", LogCells{1, 32767});
  check_cells<double>("counts", LogCells{1, 2000000000});
  check_cells<float>("counts", UnitCells{-500000, 500000});
  const auto complaint = [](auto check) -> std::string {
    try {
      check();
    } catch (const UsageError& e) {
      return e.what();
    }
    return "";
  };
  const std::string narrow = complaint([] { check_cells<float>("counts", LogCells{1, 40000}); });
  EXPECT_EQ(narrow,
            "counts: the cell of 40000 holds 26 numbers of single precision, but 32 are needed to "
            "move in it: choose double precision, or a smaller upper bound or wider cells");
  EXPECT_THROW(check_cells<float>("counts", UnitCells{0, 600000}), UsageError);
  EXPECT_THROW(check_cells<float>("counts", UnitCells{-600000, 0}), UsageError);
  EXPECT_THROW(check_cells<float>("counts", LogCells{0, 10}), UsageError);
  EXPECT_THROW(check_cells<float>("counts", LogCells{5, 4}), UsageError);
  EXPECT_THROW(check_cells<float>("counts", TableCells<3>(0, {0, 1, 1.000001, 2})), UsageError);
  check_cells<double>("counts", TableCells<3>(0, {0, 1, 1.000001, 2}));
  EXPECT_THROW(TableCells<3>(0, {0}), UsageError);
  EXPECT_THROW(TableCells<3>(0, {0, 1, 1}), UsageError);
  EXPECT_THROW(TableCells<3>(0, {0, 1, 2, 3, 4}), UsageError);
  EXPECT_THROW(TableCells<3>(0, {0, std::nan("")}), UsageError);
}

}  // namespace
}  // namespace lockstep
