#pragma once

/// Words to variates. On float lanes every result is the same bits on every lane type, instruction
/// set and backend: only additions, multiplications, explicit fused multiply-adds, square roots and
/// integer operations are used, each of which IEEE 754 rounds in one way (hence -ffp-contract=off
/// and -fmad=false). Double lanes use the mathematical library, one chain after the other, and
/// agree between machines to a few units in the last place.
///
///   variate            words  float lane                     double lane
///   uniform            1      24 bits, (0, 1]                53 bits, (0, 1]
///   exponential        1      [0, 22.9]                      [0, 37.5]
///   laplace            1      |x| <= 22.2                    |x| <= 37.5
///   normal_pair        2      |z| <= 6.77                    |z| <= 8.66
///   rademacher         1      exact                          the same
///   bounded_integer    1      relative bias below n / 2^32   the same
///
/// A standard normal exceeds 6.77 once in 1e11 draws.

#include <cmath>
#include <cstdint>

#include "kernels/lane/bits.hpp"
#include "kernels/lane/math.hpp"
#include "kernels/random/philox.hpp"

namespace lockstep {

namespace detail {

inline constexpr float two_to_minus_32 = 2.3283064365386963e-10f;
inline constexpr double two_to_minus_53 = 1.1102230246251565e-16;

/// -log(u) for u in [2^-33, 1] on float lanes: nonnegative, within 3e-7 relatively.
///   u = 2^e (1 + f),  sqrt(1/2) <= 1 + f < sqrt(2),  -log u = -e log 2 - f + f^2/2 + f^3 Q(f),
/// Q a Chebyshev fit of degree 7 (relative error of the whole 3e-8 before rounding).
template <class L>
LOCKSTEP_INLINE L minus_log(const L& u) {
  using U = UInt<L>;
  const U sqrt_half(0x3F3504F3u);
  const U t = bits_of(u) - sqrt_half;
  const L e = signed_to_real<L>(shift_right_signed(t, 23));
  const L f = from_bits<L>((t & U(0x007FFFFFu)) + sqrt_half) - L(1);
  L q = L(0.0790274367f);
  q = fma(q, f, L(-0.126223192f));
  q = fma(q, f, L(0.129981831f));
  q = fma(q, f, L(-0.142144963f));
  q = fma(q, f, L(0.166412815f));
  q = fma(q, f, L(-0.200010449f));
  q = fma(q, f, L(0.25000307f));
  q = fma(q, f, L(-0.333333313f));
  q = fma(q, f, L(0.5f));
  q = fma(q, f, L(-1));
  return fma(e, L(-0.693147181f), q * f);
}

/// sqrt(2) sin(pi r) and sqrt(2) cos(pi r) for r in [-1/2, 1/2] on float lanes, within 3e-7.
template <class L>
LOCKSTEP_INLINE void sine_cosine(const L& r, L& sine, L& cosine) {
  const L s = r * r;
  L a = L(0.109822042f);
  a = fma(a, s, L(-0.846110404f));
  a = fma(a, s, L(3.606354f));
  a = fma(a, s, L(-7.30824566f));
  a = fma(a, s, L(4.44288301f));
  sine = a * r;
  L b = L(0.310677856f);
  b = fma(b, s, L(-1.88355279f));
  b = fma(b, s, L(5.73945951f));
  b = fma(b, s, L(-6.97885084f));
  cosine = fma(b, s, L(1.41421354f));
}

/// The sign bit of each word, given to x (float lanes).
template <class L>
LOCKSTEP_INLINE L with_sign_of(const L& x, const UInt<L>& word) {
  return from_bits<L>(bits_of(x) ^ (word & UInt<L>(0x80000000u)));
}

/// f(the 64 bits of each chain's word), for the distributions of double lanes.
template <class L, class F>
LOCKSTEP_INLINE L each_chain(const Word<L>& word, F f) {
  if constexpr (width<L> == 1) {
    return f(std::uint64_t{word.bits} << 32 | word.fine);
  } else if constexpr (is_twin<L>) {
    using Half = decltype(L::lo);
    return {each_chain(Word<Half>{word.bits.lo, word.fine.lo}, f),
            each_chain(Word<Half>{word.bits.hi, word.fine.hi}, f)};
  } else {
    double x[width<L>];
    for (int i = 0; i < width<L>; ++i) {
      x[i] = f(std::uint64_t{word.bits[i]} << 32 | word.fine[i]);
    }
    return load_lane<L>(x);
  }
}

struct Uniform53 {
  LOCKSTEP_INLINE double operator()(std::uint64_t w) const {
    return static_cast<double>((w >> 11) + 1) * two_to_minus_53;
  }
};
/// From the middle of the 2^53 equal cells of (0, 1), so that the logarithm is finite.
struct Exponential53 {
  LOCKSTEP_INLINE double operator()(std::uint64_t w) const {
    return -std::log(
        std::fma(static_cast<double>(w >> 11), two_to_minus_53, 0.5 * two_to_minus_53));
  }
};
struct Laplace53 {
  LOCKSTEP_INLINE double operator()(std::uint64_t w) const {
    return std::copysign(Exponential53{}(w << 1), (w >> 63) != 0 ? -1.0 : 1.0);
  }
};
struct HalfTurn53 {  // the angle, in half turns, that the low 63 bits stand for: [-1/2, 1/2)
  static LOCKSTEP_INLINE double radians(std::uint64_t w) {
    return static_cast<double>(static_cast<std::int64_t>(w << 1)) *
           (3.14159265358979323846 * 0x1p-64);
  }
};
struct Sine53 {
  LOCKSTEP_INLINE double operator()(std::uint64_t w) const {
    return 1.41421356237309504880 * std::sin(HalfTurn53::radians(w));
  }
};
struct Cosine53 {
  LOCKSTEP_INLINE double operator()(std::uint64_t w) const {
    return std::copysign(1.41421356237309504880 * std::cos(HalfTurn53::radians(w)),
                         (w >> 63) != 0 ? -1.0 : 1.0);
  }
};

}  // namespace detail

/// Uniform on (0, 1]: (k + 1) 2^-24 with the word's high 24 bits k; on double lanes
/// (k + 1) 2^-53. Never 0, so its logarithm is finite; `uniform(w) <= p` has probability p for
/// every p that is a multiple of the spacing.
template <class L>
LOCKSTEP_INLINE L uniform(const Word<L>& word) {
  if constexpr (sizeof(Scalar<L>) == 4) {
    return signed_to_real<L>((word.bits >> 8) + UInt<L>(1u)) * L(5.9604644775390625e-8f);
  } else {
    return detail::each_chain(word, detail::Uniform53{});
  }
}

/// The uniform of word `i` (0 to 3) of a block.
template <class L>
LOCKSTEP_INLINE L uniform_at(const Words<L>& words, int i) {
  return uniform(words[i]);
}

/// Standard exponential, density e^-x: minus the logarithm of a 32-bit uniform (53 bits on double
/// lanes).
template <class L>
LOCKSTEP_INLINE L exponential(const Word<L>& word) {
  if constexpr (sizeof(Scalar<L>) == 4) {
    constexpr float unit = detail::two_to_minus_32;
    return detail::minus_log(fma(to_real<L>(word.bits), L(unit), L(0.5f * unit)));
  } else {
    return detail::each_chain(word, detail::Exponential53{});
  }
}

/// Standard Laplace, density e^-|x| / 2: the top bit is the sign, the others an exponential.
template <class L>
LOCKSTEP_INLINE L laplace(const Word<L>& word) {
  if constexpr (sizeof(Scalar<L>) == 4) {
    constexpr float unit = detail::two_to_minus_32;
    const L u = fma(to_real<L>(word.bits << 1), L(unit), L(unit));
    return detail::with_sign_of(detail::minus_log(u), word.bits);
  } else {
    return detail::each_chain(word, detail::Laplace53{});
  }
}

/// -1 or 1, each with probability 1/2.
template <class L>
LOCKSTEP_INLINE L rademacher(const Word<L>& word) {
  // The top bit as two's complement is -1 or 0: 2 * (that) + 1 is -1 or 1.
  const UInt<L> sign = shift_right_signed(word.bits, 31);
  return signed_to_real<L>(sign + sign + UInt<L>(1u));
}

/// An integer in {0, ..., n - 1}, n >= 1: floor(n w / 2^32). Each has a probability between
/// (1/n)(1 - n/2^32) and (1/n)(1 + n/2^32). Without rejection, because chains of one lane could not
/// reject apart. Float and double lanes draw the same integers.
template <class L>
LOCKSTEP_INLINE UInt<L> bounded_integer(const Word<L>& word, std::uint32_t n) {
  return multiply_wide(word.bits, n).hi;
}

template <class L>
struct Pair {
  L first, second;
};

/// Two independent standard normals (Box and Muller, Annals of Mathematical Statistics 29, 1958):
///   E = -log u(a),  theta = pi r(b),   sqrt(E) * (+-sqrt(2) cos theta, sqrt(2) sin theta)
/// with theta in [-pi/2, pi/2) from the low 31 bits of b and the sign from its top bit, which
/// together go once around the circle.
template <class L>
LOCKSTEP_INLINE Pair<L> normal_pair(const Word<L>& a, const Word<L>& b) {
  if constexpr (is_twin<L>) {
    // One half after the other: both at once would not fit the registers.
    using Half = decltype(L::lo);
    Word<Half> a_lo, a_hi, b_lo, b_hi;
    a_lo.bits = a.bits.lo, a_hi.bits = a.bits.hi, b_lo.bits = b.bits.lo, b_hi.bits = b.bits.hi;
    if constexpr (sizeof(Scalar<L>) == 8) {
      a_lo.fine = a.fine.lo, a_hi.fine = a.fine.hi, b_lo.fine = b.fine.lo, b_hi.fine = b.fine.hi;
    }
    const Pair<Half> lo = normal_pair(a_lo, b_lo), hi = normal_pair(a_hi, b_hi);
    return {L(lo.first, hi.first), L(lo.second, hi.second)};
  } else {
    const L radius = sqrt(exponential(a));
    L sine, cosine;
    if constexpr (sizeof(Scalar<L>) == 4) {
      detail::sine_cosine(signed_to_real<L>(b.bits << 1) * L(detail::two_to_minus_32), sine,
                          cosine);
      cosine = detail::with_sign_of(cosine, b.bits);
    } else {
      sine = detail::each_chain(b, detail::Sine53{});
      cosine = detail::each_chain(b, detail::Cosine53{});
    }
    return {radius * cosine, radius * sine};
  }
}

/// The four normals of one block: coordinates 4 block, ..., 4 block + 3 of `normals`.
template <class L>
LOCKSTEP_INLINE void normal_quad(const Stream<L>& stream, std::uint32_t transition, Purpose purpose,
                                 std::uint32_t block, L* out4) {
  const Words<L> w = words(stream, transition, purpose, block);
  const Pair<L> p = normal_pair(w[0], w[1]), q = normal_pair(w[2], w[3]);
  out4[0] = p.first;
  out4[1] = p.second;
  out4[2] = q.first;
  out4[3] = q.second;
}

/// The first word that `normals` of n coordinates leaves unused: word (n rounded up to even).
LOCKSTEP_INLINE constexpr int first_word_after(int n) {
  return n + (n & 1);
}

/// n independent standard normals, out[0], ..., out[n - 1]. Coordinate j comes from words 2 k and
/// 2 k + 1 of the purpose's word sequence, k = j / 2; word i is word i % 4 of block i / 4. Returns
/// the uniform of the first word left over, for instance for the acceptance test that ends the
/// transition; where n is small it costs no further block.
template <class L>
LOCKSTEP_INLINE L normals(const Stream<L>& stream, std::uint32_t transition, Purpose purpose, int n,
                          L* out) {
  const int quads = n / 4;
  for (int k = 0; k < quads; ++k) {
    normal_quad(stream, transition, purpose, static_cast<std::uint32_t>(k), out + 4 * k);
  }
  const int left = n - 4 * quads;
  const Words<L> w = words(stream, transition, purpose, static_cast<std::uint32_t>(quads));
  if (left == 0) {
    return uniform(w[0]);
  }
  const Pair<L> p = normal_pair(w[0], w[1]);
  out[4 * quads] = p.first;
  if (left > 1) {
    out[4 * quads + 1] = p.second;
  }
  if (left < 3) {
    return uniform(w[2]);
  }
  out[4 * quads + 2] = normal_pair(w[2], w[3]).first;
  return uniform(words(stream, transition, purpose, static_cast<std::uint32_t>(quads + 1))[0]);
}

}  // namespace lockstep
