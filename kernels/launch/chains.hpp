#pragma once

#include <cstdint>
#include <span>

namespace lockstep {

/// The chains of one backend, in its memory: [coordinate][chain], chain fastest. Non-owning; passed
/// to kernels by value. `stride` is the number of chains rounded up so that no SIMD block is torn;
/// the padding holds real chains whose results nobody reads.
template <class S>
struct ChainsView {
  S* q = nullptr;             // [dim][stride], unconstrained
  S* gradient = nullptr;      // [dim][stride], dU/dq
  S* momentum = nullptr;      // [dim][stride], for samplers that keep it
  S* potential_hi = nullptr;  // [stride], U as hi + lo
  S* potential_lo = nullptr;  // [stride]
  std::int64_t stride = 0;
  std::uint64_t first_id = 0;     // global id of chain 0: what its random numbers depend on
  const S* step_scale = nullptr;  // [stride], each chain's factor of the step size; null: all one
  S* tally = nullptr;             // [dim][stride], what transitions that tally add up in a launch
};

/// True for settings of engines (settings.hpp) whose transitions tally.
template <class Settings>
inline constexpr bool tallying = requires {
  requires Settings::tallies;
};

/// The sum of each row of [rows][stride] over its first `chains`, in their order.
template <class S>
void sum_rows(const S* rows, std::int64_t stride, std::int64_t chains, std::span<double> sums) {
  for (double& sum : sums) {
    sum = 0;
    for (std::int64_t c = 0; c < chains; ++c) {
      sum += static_cast<double>(rows[c]);
    }
    rows += stride;
  }
}

}  // namespace lockstep
