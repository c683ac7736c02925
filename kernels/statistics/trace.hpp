#pragma once

#include <cstdint>

namespace lockstep {

/// What kernels record of each transition: [transition][row][chain]. Rows are the reported
/// parameters (when `parameters`), then acceptance, energy, and 1 where the transition diverged.
template <class S>
struct TraceView {
  S* data = nullptr;
  std::int64_t stride = 0;  // chains per row
  int parameters = 0;       // dim, or 0 when only the info rows are recorded
  std::int64_t origin = 0;  // the chain index that column 0 belongs to

  static constexpr int info_rows = 3;
  enum Row { acceptance = 0, energy = 1, divergent = 2 };

  constexpr int rows() const { return parameters + info_rows; }
  constexpr S* row(int transition, int r) const {
    return data + (static_cast<std::int64_t>(transition) * rows() + r) * stride - origin;
  }
  constexpr S* info(int transition, Row r) const { return row(transition, parameters + r); }
};

}  // namespace lockstep
