// L2HMC's networks as numbers: shape, views, how they begin, the file.

#include "lockstep/network.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "kernels/networks/layout.hpp"
#include "lockstep/error.hpp"
#include "lockstep/options.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

const Network::View& view_of(const std::vector<Network::View>& views, const std::string& name) {
  for (const Network::View& view : views) {
    if (view.name == name) {
      return view;
    }
  }
  throw std::runtime_error("no view is called " + name);
}

TEST(Network, ViewsCoverEveryParameterOnce) {
  for (const NetworkShape shape : {NetworkShape{2, 10, 10, 2}, {1, 1, 3, 1}, {5, 4, 7, 4}}) {
    const Network network = initial_network(shape, 0.1, 1);
    std::size_t next = 0;
    std::set<std::string> names;
    for (const Network::View& view : network.views()) {
      EXPECT_EQ(view.offset, next) << view.name;
      next += static_cast<std::size_t>(view.rows * view.columns);
      EXPECT_TRUE(names.insert(view.name).second) << view.name;
    }
    EXPECT_EQ(next, network.parameters.size());
  }
}

TEST(Network, ViewsAreWhereKernelsRead) {
  const NetworkShape shape{3, 2, 5, 3};
  const Network network = initial_network(shape, 0.1, 1);
  const AnyLayout layout = layout_of(shape);
  const auto views = network.views();
  const auto x = static_cast<std::size_t>(layout.x());
  EXPECT_EQ(view_of(views, "V.A").offset, static_cast<std::size_t>(layout.v()));
  EXPECT_EQ(view_of(views, "X.A").offset, x);
  EXPECT_EQ(view_of(views, "X.W3").offset, x + static_cast<std::size_t>(layout.net.weights(2)));
  EXPECT_EQ(view_of(views, "X.heads").offset, x + static_cast<std::size_t>(layout.net.heads()));
  EXPECT_EQ(view_of(views, "X.s").offset, x + static_cast<std::size_t>(layout.net.log_scales()));
  EXPECT_EQ(view_of(views, "V.heads").columns, 9);
}

/// The variance of what a view holds, whose mean is zero.
double variance_of(const Network& network, const std::string& name) {
  const Network::View view = view_of(network.views(), name);
  double sum = 0;
  for (int i = 0; i < view.rows * view.columns; ++i) {
    const double x = network.parameters[view.offset + static_cast<std::size_t>(i)];
    sum += x * x;
  }
  return sum / (view.rows * view.columns);
}

TEST(Network, BeginsAsThePapersCodeDoes) {
  const NetworkShape shape{100, 2, 200, 2};
  const Network network = initial_network(shape, 0.25, 7);
  EXPECT_DOUBLE_EQ(network.step_size(), 0.25);
  // 20,000 weights or more: a variance's relative standard error is below 1 %.
  for (const auto& [name, variance] : {std::pair<const char*, double>{"V.A", 2.0 / 3 / 100},
                                       {"V.B", 2.0 / 3 / 100},
                                       {"X.B", 4.0 / 3 / 100},
                                       {"V.W2", 2.0 / 200},
                                       {"X.heads", 0.002 / 200}}) {
    EXPECT_NEAR(variance_of(network, name) / variance, 1, 0.04) << name;
  }
  EXPECT_NEAR(variance_of(network, "V.C") / (2.0 / 3 / 2), 1, 0.3);  // 400 weights
  for (const char* zero : {"V.bias", "V.bias2", "X.heads_bias", "X.s", "V.q"}) {
    EXPECT_EQ(variance_of(network, zero), 0) << zero;
  }
  const Network::View w = view_of(network.views(), "V.W2");
  const double most = 2 * std::sqrt(2.0 / 200 / 0.7737413);
  for (int i = 0; i < w.rows * w.columns; ++i) {
    EXPECT_LE(std::abs(network.parameters[w.offset + static_cast<std::size_t>(i)]), most);
  }
}

TEST(Network, MasksAreRandomHalves) {
  for (const int dim : {1, 2, 5, 50}) {
    const Network network = initial_network({dim, 64, 3, 1}, 0.1, 3);
    std::vector<int> ones(static_cast<std::size_t>(dim));
    for (int t = 0; t < 64; ++t) {
      int sum = 0;
      for (int j = 0; j < dim; ++j) {
        const int bit = network.masks[static_cast<std::size_t>(t * dim + j)];
        sum += bit;
        ones[static_cast<std::size_t>(j)] += bit;
      }
      EXPECT_EQ(sum, dim / 2);
    }
    // Every coordinate is kept in its share of the steps: five standard errors.
    const double share = static_cast<double>(dim / 2) / dim;
    for (const int n : ones) {
      EXPECT_NEAR(n / 64.0, share, 5 * std::sqrt(share * (1 - share) / 64) + 1e-12);
    }
  }
}

TEST(Network, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const NetworkShape shape{4, 10, 10, 2};
  const Network a = initial_network(shape, 0.1, 5), b = initial_network(shape, 0.1, 5),
                c = initial_network(shape, 0.1, 6);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.masks, b.masks);
  EXPECT_NE(a.parameters, c.parameters);
  EXPECT_NE(a.masks, c.masks);
  const Network wide = initial_network({4, 10, 20, 3}, 0.1, 5);
  EXPECT_EQ(a.masks, wide.masks);
}

TEST(Network, SaysWhatIsWrongWithIt) {
  const NetworkShape good{2, 3, 4, 2};
  const auto complaint = [&](auto spoil) {
    Network network = initial_network(good, 0.1, 1);
    network.validate();
    spoil(network);
    return message_of([&] { network.validate(); });
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(complaint([](Network& n) { n.shape.steps = 0; }),
            "network: steps is 0: give 1 to 1024");
  EXPECT_EQ(complaint([](Network& n) { n.shape.dim = 300; }), "network: dim is 300: give 1 to 256");
  EXPECT_NE(complaint([](Network& n) { n.parameters.pop_back(); }).find("parameters has"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.masks.push_back(0); }).find("masks has 7 numbers"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.scale.clear(); }).find("scale has 0"), std::string::npos);
  EXPECT_NE(complaint([&](Network& n) { n.parameters[2] = nan; }).find("number 1 of V.A"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.parameters[0] = 800; }).find("out of range"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.parameters[0] = -800; }).find("out of range"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.masks[0] = n.masks[1] = 1; }).find("has 2 ones"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.masks[0] = 2; }).find("masks are 0 or 1"),
            std::string::npos);
  EXPECT_NE(complaint([](Network& n) { n.scale[1] = 0; }).find("positive and finite"),
            std::string::npos);
  EXPECT_EQ(message_of([] {
              initial_network({2, 10, 0, 2}, 0.1, 1);
            }),
            "network: width is 0: give 1 to 1024");
  EXPECT_NE(message_of([&] { initial_network(good, -0.1, 1); }).find("step size is -0.1"),
            std::string::npos);
}

TEST(Network, MakesASampler) {
  const Sampler s = L2hmc(initial_network({2, 7, 4, 2}, 0.3, 1));
  EXPECT_EQ(s.method, Method::l2hmc);
  EXPECT_EQ(s.leapfrog, 7);
  EXPECT_NEAR(s.step_size, 0.3, 1e-15);
  EXPECT_EQ(s.length_jitter, LengthJitter::none);
  EXPECT_EQ(s.metric, Metric::unit);
  EXPECT_EQ(s.network->shape.dim, 2);
}

// ---- the file ----------------------------------------------------------------------------------

namespace fs = std::filesystem;

class NetworkFile : public ::testing::Test {
 protected:
  NetworkFile()
      : folder_(fs::path(::testing::TempDir()) /
                ("network_" +
                 std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~NetworkFile() override { fs::remove_all(folder_); }
  fs::path file() const { return folder_ / "network.json"; }

  /// A network whose every number is used to the last bit.
  static Network example() {
    Network n = initial_network({3, 2, 4, 2}, 0.1, 1);
    for (double& x : n.parameters) {
      x = std::sin(1e4 * x) / 3;
    }
    n.scale = {1.0 / 3, 1e-30, 7e20};
    n.training = {"scg", 500, 200, 1.0 / 7, 1e9 + 1, 400, -12.5, 0.9, 3.25, {}};
    n.training.history = {{10, 1, 0.5, 0.1, 0, 0.25, 0.1, 10}, {20, -1, 0.6, 0.2, 0, 0, 0.2, 1}};
    return n;
  }
  std::string saved() const {
    example().save(file());
    std::ifstream in(file());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  std::string complaint() const {
    return message_of<FileError>([&] { Network::load(file()); });
  }
  /// The complaint once `from` is `to` in what was saved.
  std::string complaint_with(const std::string& from, const std::string& to) const {
    std::string text = saved();
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write(text.replace(at, from.size(), to));
    return complaint();
  }

  fs::path folder_;
};

TEST_F(NetworkFile, BringsBackEveryBit) {
  const Network n = example();
  n.save(file());
  const Network back = Network::load(file());
  EXPECT_EQ(back.shape, n.shape);
  EXPECT_EQ(back.parameters, n.parameters);
  EXPECT_EQ(back.masks, n.masks);
  EXPECT_EQ(back.scale, n.scale);
  EXPECT_EQ(back.training, n.training);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "only the file itself";
}

TEST_F(NetworkFile, RefusesToSaveWhatItCouldNotLoad) {
  Network n = example();
  n.parameters[3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(n.save(file()), UsageError);
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_NE(message_of<FileError>([&] {
              example().save(folder_ / "absent" / "n.json");
            }).find("cannot write"),
            std::string::npos);
}

TEST_F(NetworkFile, SaysWhatIsWrongWithIt) {
  const auto has = [](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find("network.json"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_TRUE(message.find("name a") != std::string::npos ||
                message.find("train the network anew") != std::string::npos)
        << message;
  };
  has(complaint(), "cannot read the network file");
  write("");
  has(complaint(), "is not JSON");
  const std::string whole = saved();
  write(whole.substr(0, whole.size() / 2));
  has(complaint(), "is not JSON, or only a part");
  write("[1, 2]");
  has(complaint(), "has no \"format\"");
  write(R"({"metric": "diagonal"})");
  has(complaint(), "has no \"format\"");
  has(complaint_with("\"version\":1", "\"version\":2"), "has version 2, but this program reads 1");
  has(complaint_with("\"version\":1,", ""), "has version nothing");
  has(complaint_with("\"dim\":3", "\"dim\":4"), "\"V.A\", where its shape needs 16");
  has(complaint_with("\"dim\":3", "\"dim\":0"), "network: dim is 0");
  has(complaint_with("\"dim\":3", "\"dim\":1e9"), "as its \"dim\"");
  has(complaint_with("\"dim\":3", "\"dim\":99999999999"), "as its \"dim\"");
  has(complaint_with("\"steps\":2", "\"steps\":3"), "\"masks\" for each of its 3 steps");
  has(complaint_with("\"steps\":2", "\"steps\":-1"), "as its \"steps\"");
  has(complaint_with("\"width\":4", "\"width\":5"), "where its shape needs 15");
  has(complaint_with("\"hidden\":2", "\"hidden\":3"), "has no \"V.W3\"");
  has(complaint_with("\"V.bias\":[", "\"V.bias\":[1,"), "has 5 numbers in \"V.bias\"");
  has(complaint_with("\"V.bias\":[", "\"V.bias\":[null,"), "has 5 numbers in \"V.bias\"");
  has(complaint_with("\"log_step_size\":[", "\"log_step_size\":[null],\"ignored\":["),
      "has nothing in \"log_step_size\", where a number should be");
  has(complaint_with("\"log_step_size\":[", "\"log_step_size\":[1e999],\"ignored\":["),
      "is not JSON");
  has(complaint_with("\"log_step_size\":[", "\"log_step_size\":[900],\"ignored\":["),
      "out of range");
  has(complaint_with("\"masks\":[[", "\"masks\":[[7,"), "in \"masks\"");
  has(complaint_with("\"masks\":[[", "\"masks\":[[1,1,1],["), "\"masks\" for each of");
  has(complaint_with("\"scale\":[", "\"scale\":[-1,1,1],\"ignored\":["), "scales are positive");
  has(complaint_with("\"training\":", "\"ignored\":"), "has no \"training\"");
  has(complaint_with("\"jump\":[", "\"jump\":[1,"), "in \"jump\", where its shape needs 2");
  fs::remove(file());
  fs::create_directory(file());
  has(complaint(), "cannot read the network file");
}

}  // namespace
}  // namespace lockstep
