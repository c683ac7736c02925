/// The 0-1 loss: differences, cache and law of the target, and what becomes of a table with gaps.

#include "kernels/targets/zero_one.hpp"

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "host/io/zero_one_data.hpp"
#include "host/registry.hpp"
#include "lockstep/dhmc.hpp"
#include "lockstep/error.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

static_assert(std::is_trivially_copyable_v<ZeroOne<float, 512>>);

constexpr int kMax = 64;
template <class S>
using Small = ZeroOne<S, kMax>;

/// 301 observations, which fill no whole number of blocks, and 13 weights.
const ZeroOneData& small_data() {
  static const ZeroOneData data(synthetic_classification(301, 12));
  return data;
}

/// y_i x_i'b in long double, [observations].
std::vector<long double> predictions(const ZeroOneData& data, const std::vector<double>& b) {
  const SignedDesign<double> design = data.view<double>();
  std::vector<long double> sum(static_cast<std::size_t>(data.observations()));
  for (int j = 0; j < data.dim(); ++j) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += static_cast<long double>(design.column(j)[i]) * b[static_cast<std::size_t>(j)];
    }
  }
  return sum;
}

int mistakes(const std::vector<long double>& predictions) {
  int count = 0;
  for (const long double t : predictions) {
    count += t < 0;
  }
  return count;
}

double prior(const std::vector<double>& b) {
  double sum = 0;
  for (const double x : b) {
    sum += x * x / 2;
  }
  return sum;
}

std::vector<double> random_point(std::mt19937_64& bits, int d, double sd) {
  std::normal_distribution<double> normal(0, sd);
  std::vector<double> q(static_cast<std::size_t>(d));
  for (double& x : q) {
    x = static_cast<float>(normal(bits));
  }
  return q;
}

TEST(ZeroOne, PotentialCountsMistakes) {
  const ZeroOneData& data = small_data();
  const Small<double> target(data.view<double>());
  std::mt19937_64 bits(1);
  for (int k = 0; k < 50; ++k) {
    const std::vector<double> q = random_point(bits, data.dim(), 0.5);
    const double expected = prior(q) + mistakes(predictions(data, q));
    std::vector<double> g(q.size()), v = random_point(bits, data.dim(), 1), h(q.size());
    EXPECT_NEAR(target.potential(q.data()).value(), expected, 1e-12 * expected);
    EXPECT_EQ(target.potential_and_gradient(q.data(), g.data()).value(),
              target.potential(q.data()).value());
    EXPECT_EQ(g, q);
    target.hessian_vector(q.data(), v.data(), h.data());
    EXPECT_EQ(h, v);
  }
  // At 0 every prediction is a tie, and right.
  const std::vector<double> zero(static_cast<std::size_t>(data.dim()));
  EXPECT_EQ(target.potential(zero.data()).value(), 0);
}

TEST(ZeroOne, DeltaIsTheDifferenceOfPotentials) {
  const ZeroOneData& data = small_data();
  const Small<double> target(data.view<double>());
  std::mt19937_64 bits(2);
  std::vector<double> q = random_point(bits, data.dim(), 0.5);
  std::normal_distribution<double> hop(0, 0.4);
  Cache<Small<double>, double> cache;
  prepare(target, static_cast<const double*>(q.data()), cache);
  int changes = 0;
  for (int k = 0; k < 3000; ++k) {
    const int j = static_cast<int>(bits() % static_cast<unsigned>(data.dim()));
    const auto at = static_cast<std::size_t>(j);
    std::vector<double> there = q;
    there[at] += hop(bits);
    const double rise = delta(target, j, q.data(), there[at], cache);

    const double here_u = target.potential(q.data()).value();
    const double there_u = target.potential(there.data()).value();
    ASSERT_NEAR(rise, there_u - here_u, 1e-12 * (1 + std::abs(here_u))) << k;
    const int jump = mistakes(predictions(data, there)) - mistakes(predictions(data, q));
    changes += jump != 0;
    // The integers are exact: the prior's part is all that rounds.
    ASSERT_EQ(cache.mistakes_there - cache.mistakes, jump) << k;
    ASSERT_NEAR(rise - jump, prior(there) - prior(q), 1e-12 * (1 + prior(q)));
    // And the way back.
    Cache<Small<double>, double> from_there;
    prepare(target, static_cast<const double*>(there.data()), from_there);
    ASSERT_EQ(delta(target, j, there.data(), q[at], from_there), -rise) << k;

    commit(target, j, q.data(), there[at], bits() % 3 != 0, cache);
  }
  EXPECT_GT(changes, 1000);
}

/// Chains of lane L after `visits` visits of random coordinates, and what their cache holds then.
template <class L>
struct Visited {
  using S = Scalar<L>;
  std::vector<L> q;
  typename Small<S>::template Cache<L> cache, fresh;
  std::vector<double> momenta;  // at the end, [dim][width]
};

template <class L>
Visited<L> visited(int visits) {
  using S = Scalar<L>;
  const ZeroOneData& data = small_data();
  const Small<S> target(data.view<S>());
  const auto d = static_cast<std::size_t>(data.dim());
  std::mt19937_64 bits(3);
  Visited<L> v;
  v.q.resize(d);
  std::vector<L> r(d), tally(d, L(0));
  // Chain c of any lane is the same chain.
  constexpr std::size_t most = 64;
  const std::vector<double> start = random_point(bits, static_cast<int>(d * most), 0.5),
                            momentum = random_point(bits, static_cast<int>(d * most), 1.5);
  for (std::size_t j = 0; j < d; ++j) {
    S at[width<L>], p[width<L>];
    for (std::size_t c = 0; c < static_cast<std::size_t>(width<L>); ++c) {
      at[c] = static_cast<S>(start[j * most + c]);
      p[c] = static_cast<S>(momentum[j * most + c]);
    }
    v.q[j] = load_lane<L>(at);
    r[j] = load_lane<L>(p);
  }
  prepare(target, static_cast<const L*>(v.q.data()), v.cache);
  for (int k = 0; k < visits; ++k) {
    const auto j = static_cast<std::size_t>(bits() % d);
    const L reach = L(S(0.25));
    visit<true>(target, static_cast<int>(j), v.q[j] + select(r[j] < L(0), -reach, reach),
                v.q.data(), r.data(), tally.data(), L(1), v.cache);
  }
  prepare(target, static_cast<const L*>(v.q.data()), v.fresh);
  for (std::size_t j = 0; j < d; ++j) {
    S p[width<L>];
    store_lane(p, r[j]);
    v.momenta.insert(v.momenta.end(), p, p + width<L>);
  }
  return v;
}

constexpr int kVisits = 9425;

template <class L>
void cache_keeps_up(double rounding) {
  const ZeroOneData& data = small_data();
  const Visited<L> v = visited<L>(kVisits);
  using S = Scalar<L>;
  const S* moved = data.view<S>().column(v.cache.column);
  std::array<int, width<L>> close{};
  for (std::size_t i = 0; i < v.cache.predictions.size(); ++i) {
    S kept[width<L>], fresh[width<L>];
    store_lane(kept, fma(L(moved[i]), v.cache.step, v.cache.predictions[i]));
    store_lane(fresh, v.fresh.predictions[i]);
    for (std::size_t c = 0; c < close.size(); ++c) {
      ASSERT_NEAR(kept[c], fresh[c], rounding) << i;
      close[c] +=
          i < static_cast<std::size_t>(data.observations()) && std::abs(fresh[c]) < rounding;
    }
  }
  S kept[width<L>], fresh[width<L>];
  store_lane(kept, v.cache.mistakes);
  store_lane(fresh, v.fresh.mistakes);
  for (std::size_t c = 0; c < close.size(); ++c) {
    EXPECT_LE(std::abs(kept[c] - fresh[c]), close[c]);
    EXPECT_GT(fresh[c], 0);
  }
}

// Each of 9425 visits, as many as in a published trajectory, rounds a prediction of size up to 16
// by up to 2^-21, and the distance that its coordinate goes by less.
TEST(ZeroOne, TheCacheKeepsUp) {
  cache_keeps_up<BlockLane<float>>(kVisits * 0x1p-20);
  cache_keeps_up<BlockLane<double>>(kVisits * 0x1p-49);
  cache_keeps_up<float>(kVisits * 0x1p-20);
}

TEST(ZeroOne, LanesAgreeBitForBit) {
  const auto wide = visited<BlockLane<float>>(500);
  const auto one = visited<float>(500);
  for (std::size_t j = 0; j < one.q.size(); ++j) {
    float q[width<BlockLane<float>>];
    store_lane(q, wide.q[j]);
    EXPECT_EQ(q[0], one.q[j]) << j;
    EXPECT_EQ(wide.momenta[j * static_cast<std::size_t>(width<BlockLane<float>>)], one.momenta[j]);
  }
}

TEST(ZeroOne, FloatCountsWhatDoubleCounts) {
  const ZeroOneData& data = small_data();
  const Small<float> target(data.view<float>());
  std::mt19937_64 bits(4);
  for (int k = 0; k < 200; ++k) {
    const std::vector<double> q = random_point(bits, data.dim(), 0.5);
    const std::vector<float> single(q.begin(), q.end());
    const std::vector<long double> exact = predictions(data, q);
    int close = 0;
    for (const long double t : exact) {
      close += std::abs(t) < 2e-6L;  // 13 products of up to about 4, rounded
    }
    const Sum<float> u = target.potential(single.data());
    const double value = static_cast<double>(u.hi) + static_cast<double>(u.lo);
    EXPECT_NEAR(value, prior(q) + mistakes(exact), close + 1e-6 * prior(q));
  }
}

TEST(ZeroOne, HopsToNowhereAreRefusedAndForgotten) {
  const ZeroOneData& data = small_data();
  const Small<double> target(data.view<double>());
  std::mt19937_64 bits(5);
  std::vector<double> q = random_point(bits, data.dim(), 0.5), r(q.size(), 1), tally(q.size());
  const std::vector<double> start = q;
  Cache<Small<double>, double> cache, fresh;
  prepare(target, static_cast<const double*>(q.data()), cache);
  prepare(target, static_cast<const double*>(q.data()), fresh);
  for (const double to :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), 1e200}) {
    visit<true>(target, 2, to, q.data(), r.data(), tally.data(), 1.0, cache);
    EXPECT_EQ(q, start);
  }
  delta(target, 0, q.data(), 0.0, cache);
  EXPECT_EQ(cache.predictions, fresh.predictions);
  EXPECT_EQ(cache.mistakes, fresh.mistakes);
}

TEST(ZeroOne, MovesToOtherMemory) {
  const ZeroOneData& data = small_data();
  const Small<float> target(data.view<float>());
  std::vector<float> elsewhere;
  const Small<float> there = target.moved([&](const float* p, std::size_t n) {
    elsewhere.assign(p, p + n);
    return elsewhere.data();
  });
  EXPECT_EQ(there.design().z, elsewhere.data());
  EXPECT_EQ(elsewhere.size(), static_cast<std::size_t>(data.dim()) * 304);
  std::vector<float> q(static_cast<std::size_t>(data.dim()), 0.25f);
  EXPECT_EQ(there.potential(q.data()).value(), target.potential(q.data()).value());
}

// ---- the law, where it can be integrated -------------------------------------------------------

/// Fourteen observations of one feature, whose outcomes no line separates.
const ZeroOneData& tiny_data() {
  static const ZeroOneData data(
      Table{"tiny", {"x", "y"}, {-2.0, 0, -1.5, 0, -1.1, 1, -0.8, 0, -0.6, 0, -0.2, 1, -0.1, 0,
                                 0.3,  0, 0.5,  1, 0.9,  1, 1.0,  1, 1.4,  0, 2.2,  1, 3.0,  1}});
  return data;
}

/// Squares of side 0.8 on [-2.4, 2.4]^2, and everything else.
constexpr int kSide = 6, kCells = kSide * kSide + 1;
int cell_of(double a, double b) {
  const double x = std::floor((a + 2.4) / 0.8), y = std::floor((b + 2.4) / 0.8);
  return x >= 0 && x < kSide && y >= 0 && y < kSide
             ? static_cast<int>(x) * kSide + static_cast<int>(y)
             : kCells - 1;
}

/// The cells' probabilities by the midpoint rule on [-6.4, 6.4]^2, whose squares of side 1/100
/// divide the cells. `loss`: 1, or 0 for the prior alone.
std::array<double, kCells> integrated(double loss) {
  const SignedDesign<double> design = tiny_data().view<double>();
  std::array<double, kCells> mass{};
  double total = 0;
  constexpr int n = 1280;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const double a = -6.4 + (i + 0.5) / 100, b = -6.4 + (j + 0.5) / 100;
      int wrong = 0;
      for (int k = 0; k < design.rows; ++k) {
        wrong += design.column(0)[k] * a + design.column(1)[k] * b < 0;
      }
      const double p = std::exp(-(a * a + b * b) / 2 - loss * wrong);
      mass[static_cast<std::size_t>(cell_of(a, b))] += p;
      total += p;
    }
  }
  for (double& m : mass) {
    m /= total;
  }
  return mass;
}

double distance(const std::array<double, kCells>& a, const std::array<double, kCells>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < kCells; ++k) {
    sum += std::abs(a[k] - b[k]) / 2;
  }
  return sum;
}

TEST(ZeroOne, EverySamplerKeepsTheLaw) {
  const std::array<double, kCells> law = integrated(1);
  ASSERT_GT(distance(law, integrated(0)), 0.3);  // the likelihood matters
  SampleOptions options;
  options.chains = 4096;
  options.warmup = 50;
  options.draws = 400;
  options.keep_chains = -1;
  options.adaptation.stop_early = false;
  const Dhmc dhmc{.step_size = 1,
                  .hop = 0.6,
                  .step_jitter = 0.2,
                  .leapfrog = 3,
                  .longest = 6,
                  .metric = Metric::unit};
  Dhmc permuted = dhmc;
  permuted.order = VisitOrder::permutation;
  for (const Sampler& sampler :
       {Sampler(dhmc), Sampler(permuted),
        Sampler(MixedHmc{.step_size = 1, .hop = 1.5, .leapfrog = 3, .metric = Metric::unit}),
        Sampler(Gibbs{.step_size = 1, .hop = 1.5, .metric = Metric::unit}),
        Sampler(RandomWalk{.step_size = 1.2, .metric = Metric::unit})}) {
    const Fit fit = sample(Small<float>(tiny_data().view<float>()), sampler, options);
    std::array<double, kCells> found{};
    for (std::int64_t t = 0; t < fit.draws.draws; ++t) {
      for (std::int64_t c = 0; c < fit.draws.chains; ++c) {
        found[static_cast<std::size_t>(cell_of(fit.draws.row(t, 0)[c], fit.draws.row(t, 1)[c]))] +=
            1.0 / static_cast<double>(fit.draws.draws * fit.draws.chains);
      }
    }
    // 1.6 million draws, of which one in five or more counts as independent, are about
    // (37 / (2 pi 3.2e5))^(1/2) = 0.004 away.
    EXPECT_LT(distance(found, law), 0.01) << static_cast<int>(sampler.method);
    if (sampler.method == Method::dhmc || sampler.method == Method::mixed_hmc) {
      EXPECT_GT(fit.acceptance, 0.9999);
    }
  }
}

// ---- data --------------------------------------------------------------------------------------

class ZeroOneFiles : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() /
            ("lockstep_zero_one_" + std::to_string(getpid()) + "_" +
             testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv");
  }
  void TearDown() override { fs::remove(path_); }

  ZeroOneData load(const std::string& text) const {
    std::ofstream(path_, std::ios::binary) << text;
    return ZeroOneData(read_csv(path_, Missing::allowed));
  }
  /// What is wrong with such a file, in the message's one line that names it.
  std::string complaint(const std::string& text) const {
    try {
      load(text);
    } catch (const FileError& e) {
      const std::string message = e.what();
      EXPECT_EQ(message.find(path_.string()), 0u) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      return message.substr(std::min(message.size(), path_.string().size()));
    }
    return "no complaint";
  }

  fs::path path_;
};

TEST_F(ZeroOneFiles, GapsLeaveOutColumnsThenRowsThenConstants) {
  // Of 30 rows: `gappy` has 21 gaps and goes first, so that its gaps cost no rows; `some` has gaps
  // in the last two rows, which go; `late` differs in one of those only, and goes then.
  std::string text = "a,gappy,some,late,b,outcome\n";
  const char* gaps[] = {"", "NA", "NaN", "nan", "?"};
  std::vector<double> a, some, b, sign;
  for (int i = 0; i < 30; ++i) {
    const bool complete = i < 28;
    const int outcome = i % 5 == 0 ? 1 : -1;
    text += std::to_string(i * i) + "," + (i < 21 ? gaps[i % 5] : "7") + "," +
            (complete ? std::to_string(i % 4) : gaps[i % 5]) + "," + (complete ? "3" : "4") + "," +
            std::to_string((7 * i) % 11) + "," + std::to_string(outcome) + "\n";
    if (complete) {
      a.push_back(i * i);
      some.push_back(i % 4);
      b.push_back((7 * i) % 11);
      sign.push_back(outcome);
    }
  }
  const ZeroOneData data = load(text);
  EXPECT_EQ(data.dim(), 4);
  EXPECT_EQ(data.observations(), 28);
  EXPECT_EQ(data.ones(), 6);
  EXPECT_EQ(data.description(),
            "28 x 4, outcomes 6 : 22; left out 1 gappy column, 2 incomplete rows, 1 constant "
            "column");
  const SignedDesign<double> design = data.view<double>();
  ASSERT_EQ(design.rows, 32);
  ASSERT_EQ(design.dim, 4);
  for (int j = 0; j < 4; ++j) {
    const std::vector<double> x = j == 0 ? a : j == 1 ? some : b;
    double mean = 0, square = 0;
    for (const double v : x) {
      mean += v / 28;
    }
    for (const double v : x) {
      square += (v - mean) * (v - mean) / 28;
    }
    for (std::size_t i = 0; i < 32; ++i) {
      const double expected = i >= 28  ? 0
                              : j == 3 ? sign[i]
                                       : sign[i] * (x[i] - mean) / std::sqrt(square);
      EXPECT_NEAR(design.column(j)[i], expected, 1e-14) << j << ' ' << i;
      EXPECT_EQ(data.view<float>().column(j)[i], static_cast<float>(design.column(j)[i]));
    }
  }
}

TEST_F(ZeroOneFiles, TwentyGapsAreFewEnough) {
  std::string text = "a,b,outcome\n";
  for (int i = 0; i < 25; ++i) {
    text += std::to_string(i) + "," + (i < 20 ? "" : std::to_string(i % 2)) + "," +
            std::to_string(i % 2) + "\n";
  }
  const ZeroOneData data = load(text);
  EXPECT_EQ(data.dim(), 3);
  EXPECT_EQ(data.observations(), 5);
}

TEST_F(ZeroOneFiles, RefusesWhatCannotBeUsed) {
  EXPECT_EQ(complaint("y\n0\n1\n"), ": has one column: features and, last, the outcome are needed");
  EXPECT_EQ(complaint("a,y\n1,0\n2,\n3,1\n"),
            ": column 'y' is empty in row 2: the last column is the outcome, and all are needed");
  EXPECT_EQ(complaint("a,y\n1,0\n2,0.5\n"),
            ": column 'y' holds 0.5 in row 2: the last column is the outcome, 0/1 or two distinct "
            "integers");
  EXPECT_EQ(complaint("a,y\n1,0\n2,1\n,2\n"),
            ": column 'y' holds 2 in row 3: the last column is the outcome, 0/1 or two distinct "
            "integers");
  EXPECT_EQ(complaint("a,y\n1,0\n2,0\n"),
            ": column 'y' has one value only: both outcomes are needed for a regression");
  // Both outcomes, but not in the rows that are left.
  EXPECT_EQ(complaint("a,y\n1,0\n,1\n2,0\n"),
            ": column 'y' has one value only in the rows without gaps: both outcomes are needed "
            "for a regression");
  EXPECT_EQ(complaint("a,b,y\n1,,0\n,2,1\n"),
            ": every row has a gap in one of the features with at most 20: fill gaps, or remove "
            "features");
  EXPECT_EQ(complaint("a,y\n1,0\n1,1\n"),
            ": no feature is left: each has more than 20 gaps or is constant in the 2 complete "
            "rows: fill gaps, or add features");
  EXPECT_EQ(complaint("a,y\n1e300,0\n-1e300,1\n"),
            ": column 'a' varies too much or too little to be standardised: rescale or remove it");
  EXPECT_EQ(complaint("a,y\n1,0\nx,1\n"), ":3, column 'a': found 'x', expected a finite number");
  EXPECT_EQ(complaint("a,y\n1,0\ninf,1\n"),
            ":3, column 'a': found 'inf', expected a finite number");
}

TEST_F(ZeroOneFiles, RefusesAWiderDesign) {
  std::string header, rows[2];
  for (int j = 0; j < kMostDiscontinuous; ++j) {
    header += "x" + std::to_string(j) + ",";
    rows[0] += "1,";
    rows[1] += "2,";
  }
  std::ofstream(path_) << header << "y\n" << rows[0] << "0\n" << rows[1] << "1\n";
  TargetOptions target;
  target.data_file = path_;
  EXPECT_THROW(find_target("zero-one").make(target, {}), UsageError);
}

TEST(SyntheticClassification, LooksLikeTheDataItStandsFor) {
  const Table table = synthetic_classification(1477, 376);
  const ZeroOneData data(table);
  EXPECT_EQ(data.description(), "1477 x 377, outcomes 100 : 1377");
  // The same numbers everywhere.
  EXPECT_EQ(table.at(0, 0), 0x1.24e543f05b4cep-3);
  EXPECT_EQ(table.at(1476, 375), 0x1.1fa136c824f1dp-2);
  // Features 1 and 21 share a factor, 1 and 2 do not.
  const SignedDesign<double> design = data.view<double>();
  double largest = 0, across = 0;
  for (int j = 1; j < 376; ++j) {
    double sum = 0;
    for (int i = 0; i < 1477; ++i) {
      sum += design.column(0)[i] * design.column(j)[i] / 1477;
    }
    (j % 20 == 0 ? largest : across) = std::max(j % 20 == 0 ? largest : across, std::abs(sum));
  }
  EXPECT_GT(largest, 0.5);
  EXPECT_LT(across, 5 / std::sqrt(1477));
}

TEST(Registry, MakesTheZeroOneLoss) {
  const TargetEntry& entry = find_target("zero-one");
  EXPECT_TRUE(entry.discontinuous);
  EXPECT_FALSE(entry.needs_data);
  TargetOptions target;
  target.dim = 9;
  target.observations = 100;
  EXPECT_EQ(entry.dim(target), 9);
  EXPECT_EQ(entry.data(target), "a synthetic design, 100 x 9, outcomes 7 : 93");
  EXPECT_TRUE(entry.check(target, {}).passed());
  const auto engine = entry.make(target, {});
  EXPECT_EQ(engine->description().discontinuous.size(), 9u);
  EXPECT_EQ(engine->description().names.back(), "weights[9]");
  for (const auto& [dim, observations] : {std::pair{1, 0}, std::pair{kMostDiscontinuous + 1, 0},
                                          std::pair{0, 1}, std::pair{0, 100001}}) {
    target.dim = dim;
    target.observations = observations;
    EXPECT_THROW(entry.make(target, {}), UsageError) << dim << ' ' << observations;
  }
  target.dim = 9;
  target.data_file = "some.csv";
  EXPECT_THROW(entry.make(target, {}), UsageError);
}

}  // namespace
}  // namespace lockstep
