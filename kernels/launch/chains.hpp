#pragma once

#include <cstdint>

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
};

}  // namespace lockstep
