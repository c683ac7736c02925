/// The random stream: that it is Philox4x32-10 in cuRAND's layout, the same bits on every lane, and
/// that its variates have the laws they claim and do not depend on each other.

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/random/distributions.hpp"
#include "tests/random_statistics.hpp"
#include "tests/random_stream_digest.hpp"

namespace lockstep {
namespace {

using testing::correlation;
using testing::joint_cells;
using testing::kolmogorov;
using testing::kolmogorov_limit;
using testing::worst_moment;

constexpr double standard_errors = 4;

// ---- Philox
// -----------------------------------------------------------------------------------------

struct KnownAnswer {
  std::uint32_t counter[4], key[2], words[4];
};
/// Random123 1.14, tests/kat_vectors, philox4x32 with 10 rounds: zeros, ones, the digits of pi.
constexpr KnownAnswer known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}},
    {{0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
     {0xFFFFFFFF, 0xFFFFFFFF},
     {0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}},
    {{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344},
     {0xA4093822, 0x299F31D0},
     {0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}}};

std::uint64_t key_of(const KnownAnswer& k) {
  return std::uint64_t{k.key[1]} << 32 | k.key[0];
}

TEST(Philox, KnownAnswers) {
  for (const KnownAnswer& known : known_answers) {
    std::uint32_t c[4] = {known.counter[0], known.counter[1], known.counter[2], known.counter[3]};
    philox(key_of(known), c);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(c[i], known.words[i]) << i;
    }
  }
}

template <int W>
void expect_known_answers_in_registers() {
  for (const KnownAnswer& known : known_answers) {
    UIntBatch<W> c[4] = {known.counter[0], known.counter[1], known.counter[2], known.counter[3]};
    philox(key_of(known), c);
    for (int i = 0; i < 4; ++i) {
      for (int lane = 0; lane < W; ++lane) {
        EXPECT_EQ(c[i][lane], known.words[i]) << W << " words, " << i << ", " << lane;
      }
    }
  }
}

TEST(Philox, KnownAnswersInRegisters) {
  expect_known_answers_in_registers<width<FloatBatch>>();
  expect_known_answers_in_registers<width<DoubleBatch>>();
}

/// The documented counter: every field reaches the place where cuRAND has it.
TEST(Philox, CounterLayout) {
  const std::uint64_t seed = 0x299F31D0A4093822, chain = 0x0370734413198A2E;
  std::uint32_t c[4] = {0x07ABCDEF & ~max_blocks, 0x85A308D3, 0x13198A2E, 0x03707344};
  philox(seed, c);
  const auto w = words(Stream<float>::of(seed, chain), 0x85A308D3, static_cast<Purpose>(7),
                       0xABCDEF & ~max_blocks);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(w[i].bits, c[i]);
  }
}

// ---- lanes
// ------------------------------------------------------------------------------------------

/// The 64-bit word (32-bit on float lanes) of each chain of a lane.
template <class L>
void unpack(const UInt<L>& x, std::uint32_t* out) {
  if constexpr (is_twin<L>) {
    unpack<decltype(L::lo)>(x.lo, out);
    unpack<decltype(L::lo)>(x.hi, out + width<decltype(L::lo)>);
  } else if constexpr (width<L> == 1) {
    out[0] = x;
  } else {
    for (int i = 0; i < width<L>; ++i) {
      out[i] = x[i];
    }
  }
}

template <class L>
class Lanes : public ::testing::Test {};
using LaneTypes =
    ::testing::Types<Twin<float>, FloatBatch, Twin<FloatBatch>, Twin<Twin<FloatBatch>>,
                     Twin<double>, DoubleBatch, Twin<DoubleBatch>>;
TYPED_TEST_SUITE(Lanes, LaneTypes);

/// Each chain of a lane draws the words that it would draw alone, also where its id, the transition
/// or the block is large.
TYPED_TEST(Lanes, WordsAreThoseOfEachChain) {
  using L = TypeParam;
  using S = Scalar<L>;
  const std::uint64_t two_32 = std::uint64_t{1} << 32;
  for (const std::uint64_t first : {std::uint64_t{0}, two_32 - 1, two_32 - width<L> / 2,
                                    5 * two_32 - 1, ~std::uint64_t{0} - width<L>}) {
    for (const std::uint32_t transition : {0u, 1u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      for (const std::uint32_t block : {0u, 1u, max_blocks - 1}) {
        const auto w = words(Stream<L>::of(99, first), transition, Purpose::data, block);
        for (int i = 0; i < 4; ++i) {
          std::uint32_t bits[64], fine[64];
          unpack<L>(w[i].bits, bits);
          if constexpr (sizeof(S) == 8) {
            unpack<L>(w[i].fine, fine);
          }
          for (int c = 0; c < width<L>; ++c) {
            const auto alone = words(Stream<S>::of(99, first + static_cast<std::uint64_t>(c)),
                                     transition, Purpose::data, block);
            ASSERT_EQ(bits[c], alone[i].bits) << first << " + " << c;
            if constexpr (sizeof(S) == 8) {
              ASSERT_EQ(fine[c], alone[i].fine) << first << " + " << c;
            }
          }
        }
      }
    }
  }
}

/// Each chain of a lane draws the variates that it would draw alone: bit for bit (double lanes run
/// the same scalar code chain by chain).
TYPED_TEST(Lanes, VariatesAreThoseOfEachChain) {
  using L = TypeParam;
  using S = Scalar<L>;
  const std::uint64_t first = 1000;
  const auto expect_equal = [&](const L& x, int c, S alone, const char* what) {
    S values[64];
    lockstep::store_lane(values, x);
    ASSERT_EQ(values[c], alone) << what << " of chain " << c;
  };
  for (std::uint32_t t = 0; t < 200; ++t) {
    const auto w = words(Stream<L>::of(7, first), t, Purpose::data, 0);
    const Pair<L> z = normal_pair(w[0], w[1]);
    std::uint32_t integers[64];
    unpack<L>(bounded_integer(w[2], 12345), integers);
    for (int c = 0; c < width<L>; ++c) {
      const auto v =
          words(Stream<S>::of(7, first + static_cast<std::uint64_t>(c)), t, Purpose::data, 0);
      const Pair<S> y = normal_pair(v[0], v[1]);
      expect_equal(z.first, c, y.first, "first normal");
      expect_equal(z.second, c, y.second, "second normal");
      expect_equal(uniform(w[2]), c, uniform(v[2]), "uniform");
      expect_equal(uniform_at(w, 3), c, uniform(v[3]), "uniform_at");
      expect_equal(exponential(w[2]), c, exponential(v[2]), "exponential");
      expect_equal(laplace(w[3]), c, laplace(v[3]), "laplace");
      expect_equal(rademacher(w[3]), c, rademacher(v[3]), "rademacher");
      ASSERT_EQ(integers[c], bounded_integer(v[2], 12345));
    }
  }
}

/// The constant that every instruction set, nvcc's host pass and the device reproduce too
/// (random_stream_digest.sh, random_device_test.cu).
TEST(Stream, Digest) {
  EXPECT_EQ(stream_digest::on_host<float>(), stream_digest::expected);
  EXPECT_EQ(stream_digest::on_host<FloatBatch>(), stream_digest::expected);
  EXPECT_EQ(stream_digest::on_host<Twin<FloatBatch>>(), stream_digest::expected);
}

TEST(Stream, SharedWordsAreThoseOfTheReservedChain) {
  const auto shared = shared_words(5, 6, Purpose::jitter, 7);
  const auto chain = words(Stream<float>::of(5, 0xFFFFFFFFFFFFFFFF), 6, Purpose::jitter, 7);
  const auto other = words(Stream<float>::of(5, 0), 6, Purpose::jitter, 7);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(shared[i].bits, chain[i].bits);
    EXPECT_NE(shared[i].bits, other[i].bits);
  }
}

// ---- normals(): which word goes where
// -----------------------------------------------------------------

template <class L>
void expect_documented_words() {
  const auto stream = Stream<L>::of(3, 40);
  const auto word = [&](int i) {
    return words(stream, 9, Purpose::transition, static_cast<std::uint32_t>(i / 4))[i % 4];
  };
  const auto first = [](const L& x) {
    Scalar<L> values[64];
    lockstep::store_lane(values, x);
    return values[0];
  };
  for (int n = 0; n <= 13; ++n) {
    const Scalar<L> untouched = 77;
    L out[14];
    for (L& x : out) {
      x = L(untouched);
    }
    const L u = normals(stream, 9, Purpose::transition, n, out);
    for (int j = 0; j < 14; ++j) {
      if (j < n) {
        const Pair<L> pair = normal_pair(word(2 * (j / 2)), word(2 * (j / 2) + 1));
        EXPECT_EQ(first(out[j]), first(j % 2 == 0 ? pair.first : pair.second)) << n << ", " << j;
      } else {
        EXPECT_EQ(first(out[j]), untouched) << n << ", " << j;
      }
    }
    EXPECT_EQ(first(u), first(uniform(word(first_word_after(n))))) << n;
    for (int block = 0; 4 * block + 3 < n; ++block) {
      L quad[4];
      normal_quad(stream, 9, Purpose::transition, static_cast<std::uint32_t>(block), quad);
      for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(first(quad[i]), first(out[4 * block + i])) << n;
      }
    }
  }
}

TEST(Normals, UseTheDocumentedWords) {
  expect_documented_words<float>();
  expect_documented_words<double>();
  expect_documented_words<FloatBatch>();
  expect_documented_words<Twin<DoubleBatch>>();
}

// ---- conventions and extremes
// ---------------------------------------------------------------------------

Word<float> word32(std::uint32_t bits) {
  return {bits};
}
Word<double> word64(std::uint64_t bits) {
  return {static_cast<std::uint32_t>(bits >> 32), static_cast<std::uint32_t>(bits)};
}

TEST(Extremes, Uniform) {
  EXPECT_EQ(uniform(word32(0)), 0x1p-24f);
  EXPECT_EQ(uniform(word32(0xFF)), 0x1p-24f);
  EXPECT_EQ(uniform(word32(0x7FFFFFFF)), 0.5f);
  EXPECT_EQ(uniform(word32(0xFFFFFFFF)), 1.0f);
  EXPECT_EQ(uniform(word64(0)), 0x1p-53);
  EXPECT_EQ(uniform(word64(0x7FFFFFFFFFFFFFFF)), 0.5);
  EXPECT_EQ(uniform(word64(~std::uint64_t{0})), 1.0);
}

TEST(Extremes, Exponential) {
  EXPECT_NEAR(exponential(word32(0)), 33 * std::log(2.0), 1e-5);
  EXPECT_EQ(exponential(word32(0xFFFFFFFF)), 0.0f);
  EXPECT_NEAR(exponential(word64(0)), 54 * std::log(2.0), 1e-13);
  EXPECT_GE(exponential(word64(~std::uint64_t{0})), 0.0);
}

TEST(Extremes, Laplace) {
  EXPECT_NEAR(laplace(word32(0)), 32 * std::log(2.0), 1e-5);
  EXPECT_NEAR(laplace(word32(0x80000000)), -32 * std::log(2.0), 1e-5);
  EXPECT_NEAR(laplace(word64(0)), 54 * std::log(2.0), 1e-13);
  EXPECT_NEAR(laplace(word64(std::uint64_t{1} << 63)), -54 * std::log(2.0), 1e-13);
}

TEST(Extremes, Normal) {
  EXPECT_NEAR(normal_pair(word32(0), word32(0)).first, std::sqrt(66 * std::log(2.0)), 2e-6);
  EXPECT_NEAR(normal_pair(word64(0), word64(0)).first, std::sqrt(108 * std::log(2.0)), 1e-13);
  EXPECT_NEAR(normal_pair(word32(0), word32(0x80000000)).first, -std::sqrt(66 * std::log(2.0)),
              2e-6);
  EXPECT_NEAR(normal_pair(word32(0), word32(0x40000000)).second, -std::sqrt(66 * std::log(2.0)),
              2e-6);
  const Pair<float> least = normal_pair(word32(0xFFFFFFFF), word32(0x12345678));
  EXPECT_EQ(least.first, 0.0f);
  EXPECT_EQ(least.second, 0.0f);
}

TEST(Extremes, BoundedInteger) {
  for (const std::uint32_t n : {1u, 2u, 3u, 1000003u, 0x80000001u, 0xFFFFFFFFu}) {
    EXPECT_EQ(bounded_integer(word32(0), n), 0u);
    EXPECT_EQ(bounded_integer(word32(0xFFFFFFFF), n), n - 1);
  }
  EXPECT_EQ(bounded_integer(word32(0x80000000), 10), 5u);
}

TEST(Extremes, Rademacher) {
  EXPECT_EQ(rademacher(word32(0)), 1.0f);
  EXPECT_EQ(rademacher(word32(0x7FFFFFFF)), 1.0f);
  EXPECT_EQ(rademacher(word32(0x80000000)), -1.0f);
  EXPECT_EQ(rademacher(word64(~std::uint64_t{0})), -1.0);
}

// ---- accuracy of the float transforms
// ---------------------------------------------------------------

TEST(Accuracy, MinusLog) {
  double worst = 0;
  for (std::uint32_t bits = std::bit_cast<std::uint32_t>(0x1p-33f);
       bits < std::bit_cast<std::uint32_t>(1.0f); bits += 97) {
    const auto u = std::bit_cast<float>(bits);
    const double exact = -std::log(static_cast<double>(u));
    worst = std::max(worst, std::abs(detail::minus_log(u) - exact) / exact);
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_EQ(detail::minus_log(1.0f), 0.0f);
}

TEST(Accuracy, SineCosine) {
  const double pi = 3.14159265358979323846, sqrt2 = std::sqrt(2.0);
  double worst = 0;
  for (int i = -(1 << 20); i <= 1 << 20; ++i) {
    const float r = static_cast<float>(i) * 0x1p-21f;
    float s, c;
    detail::sine_cosine(r, s, c);
    worst = std::max(
        {worst, std::abs(s - sqrt2 * std::sin(pi * r)), std::abs(c - sqrt2 * std::cos(pi * r))});
  }
  EXPECT_LT(worst, 3e-7);
}

/// Double lanes refine the float lanes' words, so the two draw the same numbers.
TEST(Accuracy, DoubleLanesDrawTheSameNumbers) {
  for (std::uint32_t t = 0; t < 20000; ++t) {
    const auto w = words(Stream<float>::of(11, t), t, Purpose::transition, 0);
    const auto v = words(Stream<double>::of(11, t), t, Purpose::transition, 0);
    const Pair<float> z = normal_pair(w[0], w[1]);
    const Pair<double> y = normal_pair(v[0], v[1]);
    ASSERT_NEAR(z.first, y.first, 5e-6);
    ASSERT_NEAR(z.second, y.second, 5e-6);
    ASSERT_NEAR(uniform(w[2]), uniform(v[2]), 6e-8);
    ASSERT_NEAR(laplace(w[3]), laplace(v[3]), 1e-5 * (1 + std::abs(laplace(v[3]))));
    ASSERT_EQ(rademacher(w[2]), rademacher(v[2]));
    ASSERT_EQ(bounded_integer(w[3], 10), bounded_integer(v[3], 10));
  }
}

// ---- laws
// -------------------------------------------------------------------------------------------

/// Variates of `draw(words) -> L` from many chains, transitions and blocks.
template <class L, class Draw>
std::vector<Scalar<L>> sample(std::size_t n, Draw draw) {
  std::vector<Scalar<L>> x(n + width<L>);
  constexpr std::uint64_t chains = 1024;
  std::size_t filled = 0;
  for (std::uint32_t t = 0; filled < n; ++t) {
    for (std::uint64_t c = 0; c < chains && filled < n; c += width<L>) {
      lockstep::store_lane(x.data() + filled,
                           draw(words(Stream<L>::of(2024, c), t, Purpose::data, 0)));
      filled += width<L>;
    }
  }
  x.resize(n);
  return x;
}

template <class L>
L normal_of(const Words<L>& w) {
  return normal_pair(w[0], w[1]).first;
}
template <class L>
L second_normal_of(const Words<L>& w) {
  return normal_pair(w[2], w[3]).second;
}

constexpr std::array<double, 13> normal_moments = {1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395};
const std::array<double, 13> uniform_moments = [] {
  std::array<double, 13> m{};
  for (std::size_t k = 0; k < m.size(); ++k) {
    m[k] = 1.0 / static_cast<double>(k + 1);
  }
  return m;
}();
const std::array<double, 13> exponential_moments = [] {
  std::array<double, 13> m{};
  for (std::size_t k = 0; k < m.size(); ++k) {
    m[k] = std::tgamma(static_cast<double>(k) + 1);
  }
  return m;
}();
const std::array<double, 13> laplace_moments = [] {
  auto m = exponential_moments;
  for (std::size_t k = 1; k < m.size(); k += 2) {
    m[k] = 0;
  }
  return m;
}();

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

template <class L>
class Laws : public ::testing::Test {
 public:
  /// Double lanes are slow, and only their use of the library differs.
  static constexpr std::size_t size = sizeof(Scalar<L>) == 4 ? 4000000 : 1000000;
};
using LawLanes = ::testing::Types<FloatBatch, DoubleBatch>;
TYPED_TEST_SUITE(Laws, LawLanes);

TYPED_TEST(Laws, Normal) {
  using L = TypeParam;
  for (const auto draw : {normal_of<L>, second_normal_of<L>}) {
    const auto z = sample<L>(this->size, draw);
    EXPECT_LT(worst_moment(z, normal_moments), standard_errors);
    EXPECT_LT(kolmogorov(z, normal_cdf), kolmogorov_limit);
    // The tails: beyond 3.5 and 4.5 as often as the law says.
    for (const double limit : {3.5, 4.5}) {
      double beyond = 0;
      for (const auto x : z) {
        beyond += std::abs(static_cast<double>(x)) > limit ? 1 : 0;
      }
      const double mean = 2 * normal_cdf(-limit) * static_cast<double>(z.size());
      EXPECT_LT(std::abs(beyond - mean), standard_errors * std::sqrt(mean)) << limit;
    }
  }
}

/// What the tests above can see: a normal of variance 1.02 fails both.
TEST(Mutant, NormalOfVariance102) {
  auto z = sample<FloatBatch>(Laws<FloatBatch>::size, normal_of<FloatBatch>);
  for (float& x : z) {
    x *= std::sqrt(1.02f);
  }
  EXPECT_GT(worst_moment(z, normal_moments), standard_errors);
  EXPECT_GT(kolmogorov(z, normal_cdf), kolmogorov_limit);
}

TYPED_TEST(Laws, Uniform) {
  using L = TypeParam;
  const auto u = sample<L>(this->size, [](const Words<L>& w) { return uniform(w[1]); });
  EXPECT_LT(worst_moment(u, uniform_moments), standard_errors);
  EXPECT_LT(kolmogorov(u, [](double x) { return x; }), kolmogorov_limit);
}

TYPED_TEST(Laws, Exponential) {
  using L = TypeParam;
  const auto x = sample<L>(this->size, [](const Words<L>& w) { return exponential(w[2]); });
  EXPECT_LT(worst_moment(x, exponential_moments), standard_errors);
  EXPECT_LT(kolmogorov(x, [](double y) { return -std::expm1(-y); }), kolmogorov_limit);
}

TYPED_TEST(Laws, Laplace) {
  using L = TypeParam;
  const auto x = sample<L>(this->size, [](const Words<L>& w) { return laplace(w[3]); });
  EXPECT_LT(worst_moment(x, laplace_moments), standard_errors);
  EXPECT_LT(
      kolmogorov(x, [](double y) { return y < 0 ? 0.5 * std::exp(y) : 1 - 0.5 * std::exp(-y); }),
      kolmogorov_limit);
}

TYPED_TEST(Laws, Rademacher) {
  using L = TypeParam;
  const auto x = sample<L>(this->size, [](const Words<L>& w) { return rademacher(w[3]); });
  double sum = 0;
  for (const auto value : x) {
    ASSERT_EQ(std::abs(value), 1);
    sum += static_cast<double>(value);
  }
  EXPECT_LT(std::abs(sum), standard_errors * std::sqrt(static_cast<double>(x.size())));
}

TEST(LawsOfIntegers, BoundedInteger) {
  for (const std::uint32_t n : {2u, 7u, 100u}) {
    std::vector<double> count(n, 0.0);
    const int draws = 1000000;
    for (int t = 0; t < draws; ++t) {
      const auto w =
          words(Stream<float>::of(8, 8), static_cast<std::uint32_t>(t), Purpose::data, 0);
      count[bounded_integer(w[t % 4], n)] += 1;
    }
    double chi_square = 0;
    const double expected = static_cast<double>(draws) / n;
    for (const double c : count) {
      chi_square += (c - expected) * (c - expected) / expected;
    }
    EXPECT_LT(std::abs(chi_square - (n - 1)), standard_errors * std::sqrt(2.0 * (n - 1))) << n;
  }
}

// ---- independence
// -----------------------------------------------------------------------------------

struct Draw {
  std::uint64_t chain;
  std::uint32_t transition;
  std::uint32_t purpose;
  std::uint32_t block;
  int word;
};

/// Pairs (draw, its neighbour in one direction) over a grid of chains and transitions.
struct Neighbours {
  std::string name;
  std::vector<std::uint32_t> bits_a, bits_b;
  std::vector<float> normal_a, normal_b;
};

template <class Step>
Neighbours neighbours(std::string name, Step step) {
  Neighbours r;
  r.name = std::move(name);
  const auto draw = [](const Draw& d, std::vector<std::uint32_t>& bits, std::vector<float>& z) {
    const auto w = words(Stream<float>::of(31337, d.chain), d.transition,
                         static_cast<Purpose>(d.purpose), d.block);
    bits.push_back(w[d.word].bits);
    z.push_back(d.word < 2 ? normal_pair(w[0], w[1]).first : normal_pair(w[2], w[3]).first);
  };
  for (std::uint64_t chain = 0; chain < 512; ++chain) {
    for (std::uint32_t t = 0; t < 512; ++t) {
      const Draw here{chain, t, 1, 0, 0};
      draw(here, r.bits_a, r.normal_a);
      draw(step(here), r.bits_b, r.normal_b);
    }
  }
  return r;
}

/// x^2 - 1, so that dependence of the sizes shows as a correlation.
std::vector<float> centred_squares(std::vector<float> x) {
  for (float& value : x) {
    value = value * value - 1;
  }
  return x;
}

double worst_dependence(const Neighbours& n) {
  double worst = std::abs(correlation(n.normal_a, n.normal_b));
  worst = std::max(worst,
                   std::abs(correlation(centred_squares(n.normal_a), centred_squares(n.normal_b))));
  for (const int bit : {0, 13, 27}) {
    worst = std::max(worst, std::abs(joint_cells(n.bits_a, n.bits_b, bit)));
  }
  return worst;
}

TEST(Independence, OfNeighbours) {
  const auto expect_independent = [](const char* name, auto step) {
    EXPECT_LT(worst_dependence(neighbours(name, step)), standard_errors) << name;
  };
  expect_independent("chain + 1", [](Draw d) { return ++d.chain, d; });
  expect_independent("chain + 2^32", [](Draw d) { return d.chain += 1ull << 32, d; });
  expect_independent("transition + 1", [](Draw d) { return ++d.transition, d; });
  expect_independent("purpose + 1", [](Draw d) { return ++d.purpose, d; });
  expect_independent("block + 1", [](Draw d) { return ++d.block, d; });
  expect_independent("next pair of words", [](Draw d) { return d.word = 2, d; });
  expect_independent("chain and transition exchanged", [](Draw d) {
    return Draw{d.transition + 512u, static_cast<std::uint32_t>(d.chain) + 512u, 1, 0, 0};
  });
}

/// The two normals of a pair share both words, but not their values.
TEST(Independence, WithinAPair) {
  std::vector<float> a, b;
  for (std::uint32_t t = 0; t < 1000000; ++t) {
    const auto w = words(Stream<float>::of(4, 4), t, Purpose::transition, 0);
    const Pair<float> z = normal_pair(w[0], w[1]);
    a.push_back(z.first);
    b.push_back(z.second);
  }
  EXPECT_LT(std::abs(correlation(a, b)), standard_errors);
  EXPECT_LT(std::abs(correlation(centred_squares(a), centred_squares(b))), standard_errors);
  // (first + second) / sqrt(2) is standard normal only if they are jointly so.
  std::vector<float> sum(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum[i] = (a[i] + b[i]) * std::sqrt(0.5f);
  }
  EXPECT_LT(kolmogorov(sum, normal_cdf), kolmogorov_limit);
}

/// The low-order words of double lanes are random too, and independent of the high-order ones.
TEST(Independence, OfTheFineWords) {
  std::vector<std::uint32_t> bits, fine;
  for (std::uint32_t t = 0; t < 300000; ++t) {
    const auto w = words(Stream<double>::of(4, 4), t, Purpose::transition, 0);
    bits.push_back(w[t % 4].bits);
    fine.push_back(w[t % 4].fine);
  }
  for (const int bit : {0, 11, 27}) {
    EXPECT_LT(std::abs(joint_cells(bits, fine, bit)), standard_errors) << bit;
  }
}

/// What the tests above can see: draws that forget the chain, or mix it with the transition by
/// addition, and pairs of which a thirtieth is repeated.
TEST(Mutant, DependentDraws) {
  EXPECT_GT(worst_dependence(neighbours("chain forgotten", [](Draw d) { return d; })),
            standard_errors);
  const auto added = [](Draw d) {
    return Draw{0, d.transition + static_cast<std::uint32_t>(d.chain), 1, 0, 0};
  };
  const auto mutant = neighbours("chain + transition", [&](Draw d) { return ++d.chain, added(d); });
  const auto partner =
      neighbours("chain + transition", [&](Draw d) { return ++d.transition, added(d); });
  EXPECT_GT(std::abs(correlation(mutant.normal_b, partner.normal_b)), standard_errors);
  Neighbours repeated = neighbours("repeated", [](Draw d) { return ++d.chain, d; });
  for (std::size_t i = 0; i < repeated.normal_a.size(); i += 30) {
    repeated.normal_b[i] = repeated.normal_a[i];
  }
  EXPECT_GT(worst_dependence(repeated), standard_errors);
}

}  // namespace
}  // namespace lockstep
