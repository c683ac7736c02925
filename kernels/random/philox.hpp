#pragma once

/// Random words as a function: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011) of
///
///   key      k0, k1 = the seed, low and high half
///   counter  c0     = purpose << 24 | block        c1     = transition
///            c2, c3 = the global chain id, low and high half
///
/// which is cuRAND's layout: the four words are those that `curand4` returns after
/// `curand_init(seed, chain, 4 * (c1 << 32 | c0), &state)`, as long as transition < 2^30 (cuRAND's
/// offset counts words in 64 bits). A chain therefore draws the same words whatever the number of
/// chains, threads or devices, and nothing but the transition's number has to be saved.

#include <cstdint>

#include "kernels/lane/bits.hpp"
#include "kernels/lane/lane.hpp"

namespace lockstep {

/// What a draw is for. Draws for different purposes are independent, so an algorithm can take more
/// or fewer words for one without disturbing another. The numbers are part of every seed's meaning:
/// add new ones at the end, never renumber. At most 256.
enum class Purpose : std::uint32_t {
  start = 0,        // starting points; the block says which attempt
  transition = 1,   // a transition's momentum, then its acceptance uniform
  direction = 2,    // forward or backward, and other choices before a trajectory
  jitter = 3,       // step size and number of steps; shared by all chains
  permutation = 4,  // the order of coordinates; shared by all chains
  momentum = 5,     // momenta refreshed on their own: partial refreshment, Laplace momenta
  proposal = 6,     // random-walk proposals and other choices during a trajectory
  data = 7,         // synthetic data sets
  network = 8,      // initial weights
  training = 9,     // noise of losses and of variational draws
};

/// Blocks per (transition, purpose) that lanes may ask for: 2^23, that is 2^25 words. The upper
/// half of the 24-bit block number holds the low-order words of double lanes.
inline constexpr std::uint32_t max_blocks = 1u << 23;

/// One random word per chain. A double lane's word goes on for 32 more bits, `fine`, so that its
/// uniforms have 53 bits; its first 32 are the float lane's, so that both draw the same numbers up
/// to the float's precision.
template <class L, class S = Scalar<L>>
struct Word {
  UInt<L> bits;
};
template <class L>
struct Word<L, double> {
  UInt<L> bits, fine;
};

/// The four words of a block; `words[i]` is `Word<L>`.
template <class L>
struct Words {
  Word<L> word[4];
  LOCKSTEP_INLINE const Word<L>& operator[](int i) const { return word[i]; }
};

/// `width<L>` neighbouring chains of one seed.
template <class L>
struct Stream {
  std::uint64_t seed;
  UInt<L> chain_lo, chain_hi;

  /// Chains first_chain, first_chain + 1, ..., first_chain + width<L> - 1.
  static LOCKSTEP_INLINE Stream of(std::uint64_t seed, std::uint64_t first_chain) {
    Stream s;
    s.seed = seed;
    if constexpr (is_twin<L>) {
      using Half = decltype(L::lo);
      const Stream<Half> lo = Stream<Half>::of(seed, first_chain);
      const Stream<Half> hi = Stream<Half>::of(seed, first_chain + width<Half>);
      s.chain_lo = {lo.chain_lo, hi.chain_lo};
      s.chain_hi = {lo.chain_hi, hi.chain_hi};
    } else if constexpr (width<L> == 1) {
      s.chain_lo = static_cast<std::uint32_t>(first_chain);
      s.chain_hi = static_cast<std::uint32_t>(first_chain >> 32);
    } else {
      s.chain_lo = s.chain_hi = UInt<L>(0u);
      for (int i = 0; i < width<L>; ++i) {
        const std::uint64_t chain = first_chain + static_cast<std::uint64_t>(i);
        s.chain_lo.set(i, static_cast<std::uint32_t>(chain));
        s.chain_hi.set(i, static_cast<std::uint32_t>(chain >> 32));
      }
    }
    return s;
  }

  LOCKSTEP_INLINE std::uint64_t first_chain() const {
    if constexpr (is_twin<L>) {
      return lower().first_chain();
    } else if constexpr (width<L> == 1) {
      return std::uint64_t{chain_hi} << 32 | chain_lo;
    } else {
      return std::uint64_t{chain_hi[0]} << 32 | chain_lo[0];
    }
  }

  /// The streams of a Twin's two halves.
  LOCKSTEP_INLINE auto lower() const {
    return Stream<decltype(L::lo)>{seed, chain_lo.lo, chain_hi.lo};
  }
  LOCKSTEP_INLINE auto upper() const {
    return Stream<decltype(L::lo)>{seed, chain_lo.hi, chain_hi.hi};
  }
};

/// Philox4x32-10 of counter c[0..3] under the key `seed`, in place; one word per chain of U.
template <class U>
LOCKSTEP_INLINE void philox(std::uint64_t seed, U (&c)[4]) {
  auto k0 = static_cast<std::uint32_t>(seed);
  auto k1 = static_cast<std::uint32_t>(seed >> 32);
  LOCKSTEP_UNROLL
  for (int round = 0; round < 10; ++round) {
    const Wide<U> p0 = multiply_wide(c[0], 0xD2511F53u);
    const Wide<U> p1 = multiply_wide(c[2], 0xCD9E8D57u);
    c[0] = xor3(p1.hi, c[1], U(k0));
    c[1] = p1.lo;
    c[2] = xor3(p0.hi, c[3], U(k1));
    c[3] = p0.lo;
    k0 += 0x9E3779B9u;  // the golden ratio
    k1 += 0xBB67AE85u;  // sqrt(3) - 1
  }
}

/// The four words of block `block` (below `max_blocks`) of a purpose in a transition.
template <class L>
LOCKSTEP_INLINE Words<L> words(const Stream<L>& stream, std::uint32_t transition, Purpose purpose,
                               std::uint32_t block) {
  Words<L> r;
  if constexpr (is_twin<L>) {
    // One half after the other: both at once would not fit the registers.
    const auto lo = words(stream.lower(), transition, purpose, block);
    const auto hi = words(stream.upper(), transition, purpose, block);
    LOCKSTEP_UNROLL
    for (int i = 0; i < 4; ++i) {
      r.word[i].bits = {lo[i].bits, hi[i].bits};
      if constexpr (sizeof(Scalar<L>) == 8) {
        r.word[i].fine = {lo[i].fine, hi[i].fine};
      }
    }
  } else {
    using U = UInt<L>;
    const std::uint32_t c0 = static_cast<std::uint32_t>(purpose) << 24 | block;
    U c[4] = {U(c0), U(transition), stream.chain_lo, stream.chain_hi};
    philox(stream.seed, c);
    LOCKSTEP_UNROLL
    for (int i = 0; i < 4; ++i) {
      r.word[i].bits = c[i];
    }
    if constexpr (sizeof(Scalar<L>) == 8) {
      U f[4] = {U(c0 | max_blocks), U(transition), stream.chain_lo, stream.chain_hi};
      philox(stream.seed, f);
      LOCKSTEP_UNROLL
      for (int i = 0; i < 4; ++i) {
        r.word[i].fine = f[i];
      }
    }
  }
  return r;
}

/// The chain id of the draws that all chains share. No chain may carry it.
inline constexpr std::uint64_t shared_chain = ~std::uint64_t{0};

/// The words common to all chains, as scalars: S = float or double.
template <class S = float>
LOCKSTEP_INLINE Words<S> shared_words(std::uint64_t seed, std::uint32_t transition, Purpose purpose,
                                      std::uint32_t block) {
  return words(Stream<S>::of(seed, shared_chain), transition, purpose, block);
}

}  // namespace lockstep
