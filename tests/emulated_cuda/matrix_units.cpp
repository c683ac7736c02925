// Wide networks on matrix units, on the emulated card: the instruction's layout, what the split
// into bfloat16 costs, and that the sampler is as exact as by plain multiply-adds.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/networks/packed.hpp"
#include "kernels/targets/normal.hpp"
#include "lockstep/error.hpp"
#include "tests/l2hmc_legs.hpp"
#include "tests/matrix_unit_check.cuh"

namespace lockstep {
namespace {

using tile::MatrixLayers, tile::PlainLayers;

std::vector<float> normals_of(std::size_t n, unsigned seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  std::generate(values.begin(), values.end(), [&] { return normal(bits); });
  return values;
}

TEST(MatrixUnits, TheInstructionMultipliesMatrices) {
  EXPECT_EQ(testing::wrong_products(20), 0);
}

TEST(MatrixUnits, WordsAreRoundedToNearestEven) {
  using matrix_unit::lower, matrix_unit::upper, matrix_unit::word;
  const auto rounded = [](float x) { return lower(word(x, 0)); };
  EXPECT_EQ(rounded(1 + 0x1p-8f), 1);                // a tie: down to even
  EXPECT_EQ(rounded(1 + 3 * 0x1p-8f), 1 + 0x1p-6f);  // a tie: up to even
  EXPECT_EQ(rounded(-1 - 0x1.1p-8f), -1 - 0x1p-7f);
  EXPECT_EQ(rounded(255.6f), 256);  // into the next power
  EXPECT_EQ(rounded(std::numeric_limits<float>::infinity()),
            std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(upper(word(2, -3)), -3);
  EXPECT_EQ(lower(word(2, -3)), 2);
}

TEST(MatrixUnits, TwoPartsHaveSixteenBits) {
  double worst = 0;
  const std::vector<float> x = normals_of(200'000, 1);
  for (std::size_t i = 0; i < x.size(); i += 2) {
    const auto parts = matrix_unit::split(x[i], x[i + 1]);
    const double first = double{matrix_unit::lower(parts.big)} + matrix_unit::lower(parts.small);
    const double second = double{matrix_unit::upper(parts.big)} + matrix_unit::upper(parts.small);
    worst = std::max({worst, std::abs(first / x[i] - 1), std::abs(second / x[i + 1] - 1)});
  }
  EXPECT_LE(worst, 0x1p-16);
  EXPECT_GE(worst, 0x1p-18);
}

// ---- one network

/// The heads of a tile's chains: tanh of S and Q, and T.
/// @param inputs  [inputs][kChains]
/// @param heads   [outputs][kChains]
template <class Layers>
__global__ void network_kernel(const __grid_constant__ NetworkLayout<TileShape<Layers>> net,
                               const float* weights, const float* inputs, float* heads) {
  const tile::Rows rows = tile::rows(net);
  const int thread = static_cast<int>(threadIdx.x);
  float* a = tile::shared();
  for (int i = thread; i < (rows.a + rows.b) * Layers::stride + Layers::slab_floats;
       i += tile::kThreads) {
    a[i] = std::numeric_limits<float>::quiet_NaN();  // what is not written must not be read
  }
  __syncthreads();
  if (thread >= tile::kChains) {
    tile::evaluate(net, weights);
    return;
  }
  const tile::Record<Layers> record(net, a + thread);
  for (int i = 0; i < net.inputs(); ++i) {
    record.net.input[i] = inputs[i * tile::kChains + thread];
  }
  evaluate_network(net, weights, record.net);
  for (int i = 0; i < net.outputs(); ++i) {
    heads[i * tile::kChains + thread] =
        i < 2 * net.dim ? record.net.bounded[i] : record.net.shift[i - 2 * net.dim];
  }
}

template <class Layers>
std::vector<float> heads_of(const NetworkShape& s, const std::vector<float>& parameters,
                            const std::vector<float>& inputs) {
  const NetworkLayout<TileShape<Layers>> net{{s.dim, s.width, s.hidden}};
  std::vector<float> weights;
  tile::append_network<Layers>(net, parameters.data(), weights);
  std::vector<float> heads(static_cast<std::size_t>(net.outputs() * tile::kChains));
  cuda::WorkStream stream;
  cuda::DeviceArray<float> on_weights(weights.size(), "weights"), on_inputs(inputs.size(), "x"),
      on_heads(heads.size(), "heads");
  on_weights.upload(weights.data(), stream);
  on_inputs.upload(inputs.data(), stream);
  cuda::launch_blocks(network_kernel<Layers>, 1, tile::kThreads, tile::shared_bytes(net), stream,
                      "a network", net, on_weights.data(), on_inputs.data(), on_heads.data());
  on_heads.download(heads.data(), stream);
  return heads;
}

/// A number and how wrong it may be.
struct Within {
  double value, error;
};

/// The same in double, with the bound of matrix_layers.cuh carried through the layers: a sum over n
/// inputs is wrong by at most 3.1 2^-16 + 3 n 2^-23 (its roundings) of the sum of |w x|, and by
/// what its inputs are.
std::vector<Within> bounds_of(const NetworkShape& s, const std::vector<float>& parameters,
                              const std::vector<float>& inputs) {
  const NetworkLayout<AnyShape> net{{s.dim, s.width, s.hidden}};
  constexpr auto chains = static_cast<std::size_t>(tile::kChains);
  std::vector<Within> in;
  for (const float x : inputs) {
    in.push_back({x, 0});
  }
  for (int layer = 0; layer <= s.hidden; ++layer) {
    const bool heads = layer == s.hidden;
    const auto n = in.size() / chains;
    const auto outputs = static_cast<std::size_t>(heads ? net.outputs() : s.width);
    const float* weights = parameters.data() + net.weights(layer);
    const float* bias = parameters.data() + (heads ? net.heads_bias() : net.bias(layer));
    std::vector<Within> out(outputs * chains);
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t c = 0; c < chains; ++c) {
        Within sum{bias[o], 0};
        double size = std::abs(double{bias[o]});
        for (std::size_t i = 0; i < n; ++i) {
          const double w = weights[i * outputs + o];
          const Within& x = in[i * chains + c];
          sum.value += w * x.value;
          sum.error += std::abs(w) * x.error;
          size += std::abs(w) * (std::abs(x.value) + x.error);
        }
        sum.error += (3.1 * 0x1p-16 + 3.0 * static_cast<double>(n) * 0x1p-23) * size;
        sum.value = heads ? sum.value : std::max(sum.value, 0.0);  // the relu adds no error
        out[o * chains + c] = sum;
      }
    }
    in = out;
  }
  for (std::size_t i = 0; i < 2 * static_cast<std::size_t>(s.dim) * chains; ++i) {
    in[i] = {std::tanh(in[i].value), in[i].error + 4e-7};  // its slope is at most 1
  }
  return in;
}

/// Of one of the two networks of a random L2HMC network.
std::vector<float> parameters_of(const NetworkShape& shape, unsigned seed) {
  const Network network = testing::random_network(shape, 0.1, seed);
  const AnyLayout layout = layout_of(shape);
  return {network.parameters.begin() + layout.v(), network.parameters.begin() + layout.x()};
}

TEST(MatrixUnits, NetworksAreWithinTheBound) {
  for (const NetworkShape& shape : std::vector<NetworkShape>{
           {2, 1, 12, 2}, {10, 1, 21, 1}, {7, 1, 200, 2}, {50, 1, 100, 2}, {3, 1, 33, 3}}) {
    SCOPED_TRACE(std::to_string(shape.dim) + "-d, " + std::to_string(shape.width) + " units");
    const std::vector<float> parameters = parameters_of(shape, 5);
    const auto inputs = static_cast<std::size_t>((2 * shape.dim + 2) * tile::kChains);
    const std::vector<float> x = normals_of(inputs, 3);
    const std::vector<Within> truth = bounds_of(shape, parameters, x);
    const std::vector<float> plain = heads_of<PlainLayers>(shape, parameters, x);
    const std::vector<float> split = heads_of<MatrixLayers>(shape, parameters, x);
    ASSERT_EQ(split.size(), truth.size());
    double of_bound = 0, largest = 0, largest_plain = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const double error = std::abs(split[i] - truth[i].value);
      ASSERT_LE(error, truth[i].error) << i;
      of_bound = std::max(of_bound, error / truth[i].error);
      largest = std::max(largest, error);
      largest_plain = std::max(largest_plain, std::abs(plain[i] - truth[i].value));
    }
    // Heads are of order one, and errors add up as random numbers do. Without one of the three
    // products they would be 2^-9.
    EXPECT_LE(largest, 5e-5);
    EXPECT_LE(10 * largest_plain, largest);  // else these were float's multiply-adds
    std::printf("%2d-d, %3d units: error at most %.2g (%.2g by plain), %.2g of the bound\n",
                shape.dim, shape.width, largest, largest_plain, of_bound);
  }
}

/// What a chain's networks return depends on its own inputs alone: else the way back, which other
/// chains go in other company, would see another function.
TEST(MatrixUnits, AChainsPlaceInTheTileIsNothing) {
  const NetworkShape shape{10, 1, 40, 2};
  const std::vector<float> parameters = parameters_of(shape, 7);
  constexpr std::size_t chains = tile::kChains, inputs = 22, outputs = 30;
  const std::vector<float> x = normals_of(inputs * chains, 3);
  std::vector<float> turned(x.size());
  const auto other = [](std::size_t c) { return (c * 29 + 13) % chains; };
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t c = 0; c < chains; ++c) {
      turned[i * chains + other(c)] = x[i * chains + c];
    }
  }
  const std::vector<float> a = heads_of<MatrixLayers>(shape, parameters, x);
  const std::vector<float> b = heads_of<MatrixLayers>(shape, parameters, turned);
  for (std::size_t i = 0; i < outputs; ++i) {
    for (std::size_t c = 0; c < chains; ++c) {
      ASSERT_EQ(a[i * chains + c], b[i * chains + other(c)]);
    }
  }
}

// ---- the integrator

/// A trajectory there and back, from [dim][kChains] x and v, replaced by what comes back.
/// @param log_jacobian  [kChains]: of the way there plus that of the way back
template <class Layers, class Target>
__global__ void round_trip_kernel(
    const __grid_constant__ Target target,
    const __grid_constant__ L2hmcNetwork<float, TileShape<Layers>> network, float step, float* x,
    float* v, float* moved, float* log_jacobian) {
  constexpr int dim = Target::dim, chains = tile::kChains;
  const int chain = static_cast<int>(threadIdx.x);
  if (chain >= chains) {
    tile::help(network, 2 * network.layout.steps);
    return;
  }
  float at[dim], speed[dim], q[dim], gradient[dim];
  for (int j = 0; j < dim; ++j) {
    at[j] = x[j * chains + chain];
    speed[j] = v[j * chains + chain];
  }
  const auto slope = [&](const float* to, float* g) {
    scaled_potential(network, target, 1.0f, to, q, g);
  };
  slope(at, gradient);
  Path<float> path{at, speed, gradient, Sum<float>(), false};
  moved[chain] = 0;
  for (const bool back : {false, true}) {
    const bool forward = (chain % 2 == 0) != back;  // half of them start backwards
    const ModifiedLeapfrog<float, L2hmcNetwork<float, TileShape<Layers>>, decltype(slope)> advance(
        network, step, forward, slope);
    for (int i = 0; i < network.layout.steps; ++i) {
      advance(i, path, [](int) { return tile::shared() + threadIdx.x; });
    }
    for (int j = 0; !back && j < dim; ++j) {
      moved[chain] += fabsf(at[j] - x[j * chains + chain]) / dim;
    }
  }
  for (int j = 0; j < dim; ++j) {
    x[j * chains + chain] = at[j];
    v[j * chains + chain] = speed[j];
  }
  log_jacobian[chain] = path.log_jacobian.value();
}

struct RoundTrip {
  double median, largest, log_jacobian, moved;
};

template <class Layers, class Target>
RoundTrip round_trip(const Target& target, const Network& network) {
  const NetworkShape& s = network.shape;
  const L2hmcLayout<TileShape<Layers>> layout{{{s.dim, s.width, s.hidden}}, s.steps};
  const std::vector<float> data = packed<float>(network);
  std::vector<float> of_v, of_x;
  tile::append_network<Layers>(layout.net, data.data() + layout.v(), of_v);
  tile::append_network<Layers>(layout.net, data.data() + layout.x(), of_x);
  const auto n = static_cast<std::size_t>(s.dim * tile::kChains);
  const std::vector<float> x = normals_of(n, 1), v = normals_of(n, 2);
  std::vector<float> x_back(n), v_back(n), moved(tile::kChains), log_jacobian(tile::kChains);
  cuda::WorkStream stream;
  const auto uploaded = [&](const std::vector<float>& from) {
    cuda::DeviceArray<float> to(from.size(), "a round trip");
    to.upload(from.data(), stream);
    return to;
  };
  const auto on_data = uploaded(data), on_v_net = uploaded(of_v), on_x_net = uploaded(of_x),
             on_x = uploaded(x), on_v = uploaded(v), on_moved = uploaded(moved),
             on_log = uploaded(log_jacobian);
  cuda::launch_blocks(round_trip_kernel<Layers, Target>, 1, tile::kThreads,
                      tile::shared_bytes(layout.net), stream, "a round trip", target,
                      {layout, on_data.data(), on_v_net.data(), on_x_net.data()},
                      static_cast<float>(network.step_size()), on_x.data(), on_v.data(),
                      on_moved.data(), on_log.data());
  on_x.download(x_back.data(), stream);
  on_v.download(v_back.data(), stream);
  on_moved.download(moved.data(), stream);
  on_log.download(log_jacobian.data(), stream);
  std::vector<double> off;
  for (std::size_t i = 0; i < n; ++i) {
    off.push_back(std::abs(double{x_back[i]} - x[i]) / (1 + std::abs(double{x[i]})));
    off.push_back(std::abs(double{v_back[i]} - v[i]) / (1 + std::abs(double{v[i]})));
  }
  std::sort(off.begin(), off.end());
  RoundTrip result{off[off.size() / 2], off.back(), 0, 1e9};
  for (std::size_t c = 0; c < moved.size(); ++c) {
    result.log_jacobian = std::max(result.log_jacobian, std::abs(double{log_jacobian[c]}));
    result.moved = std::min(result.moved, double{moved[c]});
  }
  return result;
}

template <class Target>
void expect_round_trip(const char* name, const Target& target, const Network& network) {
  const RoundTrip plain = round_trip<PlainLayers>(target, network);
  const RoundTrip split = round_trip<MatrixLayers>(target, network);
  std::printf(
      "%s, T = %d: median, largest, log J + log J back: %.2g, %.2g, %.2g (plain %.2g, "
      "%.2g, %.2g)\n",
      name, network.shape.steps, split.median, split.largest, split.log_jacobian, plain.median,
      plain.largest, plain.log_jacobian);
  EXPECT_GT(split.moved, 0.05);
  EXPECT_LE(split.median, 1e-5);
  EXPECT_LE(split.largest, 1e-3);
  EXPECT_LE(split.log_jacobian, 1e-3);
}

TEST(MatrixUnits, TrajectoriesComeBack) {
  expect_round_trip("std-normal", StdNormal<10>(), testing::random_network({10, 5, 24, 2}, 0.2, 4));
  expect_round_trip("icg", Icg(), testing::random_network({50, 2, 100, 2}, 0.05, 4));
}

// ---- the engine

/// Chains of the normal law, moved by an untrained network of large weights, are of that law again.
TEST(MatrixUnits, KeepTheLaw) {
  constexpr int dim = 2;
  // Few: each product costs the emulation a change of stacks a thread.
  constexpr std::int64_t chains = 1024;
  SampleOptions options;
  options.chains = chains;
  options.seed = 8;
  Network network = testing::random_network({dim, 3, 16, 2}, 0.3, 3);
  network.masks = initial_network(network.shape, 0.3, 2).masks;
  network.scale = {1.3, 0.8};
  CudaEngine<float, StdNormal<dim>, CudaL2hmcSettings<dim>> engine(StdNormal<dim>(), options);
  engine.configure(L2hmc(network), {});
  const std::vector<float> start = normals_of(dim * chains, 6);
  engine.place(std::vector<double>(start.begin(), start.end()));
  const Pooled pooled = engine.advance({0, 6, network.step_size(), 0});
  EXPECT_GT(pooled.acceptance, 0.2);
  EXPECT_LT(pooled.acceptance, 0.95);
  std::vector<double> q(static_cast<std::size_t>(dim * chains));
  engine.positions(q);
  const auto standard_errors = [&](auto f) {  // of the mean change of f, chain by chain
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < q.size(); ++i) {
      const double change = f(q[i]) - f(double{start[i]});
      mean += change / static_cast<double>(q.size());
      square += change * change / static_cast<double>(q.size());
    }
    return mean / std::sqrt((square - mean * mean) / static_cast<double>(q.size()));
  };
  EXPECT_LT(std::abs(standard_errors([](double x) { return x; })), 4);
  EXPECT_LT(std::abs(standard_errors([](double x) { return x * x; })), 4);
  EXPECT_LT(std::abs(standard_errors([](double x) { return std::abs(x); })), 4);
  EXPECT_LT(std::abs(standard_errors([](double x) { return x * x * x; })), 4);
}

/// Which path runs is the sampler's choice, where the card leaves one; both make nearly the same
/// proposals.
TEST(MatrixUnits, AreTheSamplersChoice) {
  SampleOptions options;
  options.chains = tile::kChains;
  Network network = testing::random_network({10, 2, 24, 2}, 0.1, 6);
  network.masks = initial_network(network.shape, 0.1, 2).masks;
  const auto positions = [&](bool matrix_units) {
    CudaEngine<float, StdNormal<10>, CudaL2hmcSettings<10>> engine(StdNormal<10>(), options);
    L2hmc sampler(network);
    sampler.matrix_units = matrix_units;
    engine.configure(sampler, {});
    const std::vector<float> start = normals_of(10 * tile::kChains, 6);
    engine.place(std::vector<double>(start.begin(), start.end()));
    engine.advance({0, 1, network.step_size(), 0});
    std::vector<double> q(start.size());
    engine.positions(q);
    return q;
  };
  const std::vector<double> split = positions(true), plain = positions(false);
  EXPECT_NE(split, plain);
  int apart = 0;
  for (std::size_t i = 0; i < split.size(); ++i) {
    apart += std::abs(split[i] - plain[i]) > 1e-3;
  }
  EXPECT_LE(apart, 10);  // one chain that decides otherwise, if its coin falls so
  emulated::compute_capability = 7;
  EXPECT_EQ(positions(true), plain);
  emulated::compute_capability = 9;
}

}  // namespace
}  // namespace lockstep
