#pragma once

/// One number that stands for two million normals and as many other variates, computed with any
/// lane, compiler, instruction set or device: if two of them differ in one bit, so do their
/// digests.

#include <cstdint>

#include "kernels/random/distributions.hpp"

namespace lockstep::stream_digest {

inline constexpr std::uint64_t seed = 0x0123456789ABCDEF;
/// Half of the chains lie on either side of the carry into the id's upper word.
inline constexpr std::uint64_t first_chain = (std::uint64_t{1} << 32) - 512;
inline constexpr int chains = 1024;
inline constexpr int transitions = 64;
inline constexpr int dimension = 31;  // not a multiple of four: the last block is partly used

/// What every build must print.
inline constexpr std::uint64_t expected = 0x0DF3681E87532199;

/// FNV-1a over 32-bit patterns.
LOCKSTEP_INLINE std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x100000001B3u;
}

/// Starts or continues the hashes of width<L> chains with one variate of each.
template <class L>
LOCKSTEP_INLINE void mix_lane(const UInt<L>& x, std::uint64_t* hash) {
  if constexpr (is_twin<L>) {
    using Half = decltype(L::lo);
    mix_lane<Half>(x.lo, hash);
    mix_lane<Half>(x.hi, hash + width<Half>);
  } else if constexpr (width<L> == 1) {
    hash[0] = mix(hash[0], x);
  } else {
    for (int i = 0; i < width<L>; ++i) {
      hash[i] = mix(hash[i], x[i]);
    }
  }
}

/// The hashes of chains first, ..., first + width<L> - 1 into hash[0 .. width<L>).
template <class L>
LOCKSTEP_HD void of_chains(std::uint64_t first, std::uint64_t* hash) {
  const Stream<L> stream = Stream<L>::of(seed, first);
  for (int i = 0; i < width<L>; ++i) {
    hash[i] = 0xCBF29CE484222325u;
  }
  for (int t = 0; t < transitions; ++t) {
    const std::uint32_t transition = 0x04000001u * static_cast<std::uint32_t>(t);
    L z[dimension];
    const L u = normals(stream, transition, Purpose::transition, dimension, z);
    for (int j = 0; j < dimension; ++j) {
      mix_lane<L>(bits_of(z[j]), hash);
    }
    mix_lane<L>(bits_of(u), hash);
    for (std::uint32_t block = 0; block < 8; ++block) {
      const Words<L> w = words(stream, transition, Purpose::proposal, block);
      mix_lane<L>(bits_of(uniform(w[0])), hash);
      mix_lane<L>(bits_of(exponential(w[1])), hash);
      mix_lane<L>(bits_of(laplace(w[2])), hash);
      mix_lane<L>(bits_of(rademacher(w[3])), hash);
      mix_lane<L>(bounded_integer(w[3], 1000003), hash);
    }
  }
}

/// The digest of all chains' hashes, in the order of their ids.
inline std::uint64_t combine(const std::uint64_t* hash) {
  std::uint64_t all = 0;
  for (int c = 0; c < chains; ++c) {
    all = mix(all, hash[c]);
  }
  return all;
}

/// The digest, computed on this processor with lane L.
template <class L>
std::uint64_t on_host() {
  static_assert(chains % width<L> == 0);
  static std::uint64_t hash[chains];
  for (int c = 0; c < chains; c += width<L>) {
    of_chains<L>(first_chain + static_cast<std::uint64_t>(c), hash + c);
  }
  return combine(hash);
}

}  // namespace lockstep::stream_digest
