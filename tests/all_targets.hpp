#pragma once

/// Every target of the library, for tests that hold for all of them.

#include <random>
#include <string>

#include "host/io/logistic_data.hpp"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/funnel.hpp"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"

namespace lockstep::testing_targets {

/// 37 rows, which fill no whole number of blocks, of four features; outcomes 0 and 1.
inline const LogisticData& small_regression() {
  static const LogisticData data = [] {
    std::mt19937 bits(11);
    Table table{"made up", {"a", "b", "c", "d", "y"}, {}};
    for (int i = 0; i < 37; ++i) {
      double sum = 0;
      for (int j = 0; j < 4; ++j) {
        const double x = static_cast<double>(bits()) * 0x1p-32;
        sum += x;
        table.values.push_back(x);
      }
      table.values.push_back(sum + static_cast<double>(bits()) * 0x1p-32 > 2.5 ? 1 : 0);
    }
    return LogisticData(table);
  }();
  return data;
}

/// f(name, target, spread): points in [-spread, spread]^d see everything that the target has.
/// @tparam S  scalar of the targets' data.
template <class S, class F>
void for_each_target(F f) {
  f("std-normal", StdNormal<5>{}, 2.0);
  f("std-normal, run-time dimension", StdNormalN<64>(7), 2.0);
  f("icg", Icg{}, 2.0);
  f("scg", Scg{}, 4.0);
  f("scg 0.1", Scg(0.1), 4.0);
  f("mog", Mog{}, 4.0);
  f("mog2", Mog2{}, 8.0);
  f("rough-well", RoughWell<2>{}, 3.0);
  f("rough-well, run-time dimension", RoughWellN<16>(9, 0.1), 3.0);
  f("banana", Banana{}, 10.0);
  f("funnel", Funnel{}, 3.0);
  f("funnel-nc", FunnelNc{}, 3.0);
  f("eight-schools", EightSchools{}, 3.0);
  f("eight-schools, other prior", EightSchools({-2, 3}), 3.0);
  f("eight-schools-nc", EightSchoolsNc{}, 3.0);
  f("logistic", Logistic<S, 5>(small_regression().view<S>()), 2.0);
  f("logistic, run-time dimension", LogisticN<S, 16>(small_regression().view<S>()), 2.0);
}

}  // namespace lockstep::testing_targets
