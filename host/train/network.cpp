#include "lockstep/network.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "host/train/random_sequence.hpp"
#include "kernels/networks/layout.hpp"
#include "lockstep/error.hpp"
#include "lockstep/options.hpp"

namespace lockstep {

namespace {

void between(const char* name, int value, int least, int most) {
  require(value >= least && value <= most,
          "network: " + std::string(name) + " is " + std::to_string(value) + ": give " +
              std::to_string(least) + " to " + std::to_string(most));
}

void check_size(const char* name, std::size_t size, std::size_t wanted) {
  require(size == wanted, "network: " + std::string(name) + " has " + std::to_string(size) +
                              " numbers, but its shape needs " + std::to_string(wanted));
}

/// Normal, truncated at two standard deviations, of this variance.
double truncated_normal(RandomSequence& random, double variance) {
  // var(z | |z| < 2) = 1 - 4 phi(2) / (2 Phi(2) - 1), z ~ N(0, 1)
  constexpr double variance_within_two = 0.7737413035;
  double z = 0;
  do {
    z = random.normal();
  } while (std::abs(z) > 2);
  return z * std::sqrt(variance / variance_within_two);
}

/// floor(dim / 2) ones in random places.
void draw_mask(RandomSequence& random, std::uint8_t* mask, int dim) {
  std::fill_n(mask, dim, std::uint8_t{0});
  std::vector<int> places(static_cast<std::size_t>(dim));
  std::iota(places.begin(), places.end(), 0);
  for (int i = 0; i < dim / 2; ++i) {  // the beginning of Fisher and Yates's shuffle
    std::swap(places[static_cast<std::size_t>(i)],
              places[static_cast<std::size_t>(i + random.below(dim - i))]);
    mask[places[static_cast<std::size_t>(i)]] = 1;
  }
}

/// The variance that weights begin with, 2 f / inputs; 0 for what begins at zero.
double initial_variance(const Network::View& view) {
  const char net = view.name.front();
  const std::string part = view.name.substr(view.name.find('.') + 1);
  double f = 0;
  if (part == "A" || part == "C") {
    f = 1.0 / 3;
  } else if (part == "B") {
    f = net == 'V' ? 1.0 / 3 : 2.0 / 3;  // half of X's second input is masked
  } else if (part.front() == 'W') {
    f = 1;
  } else if (part == "heads") {
    f = 0.001;
  }
  return 2 * f / view.rows;
}

}  // namespace

void NetworkShape::validate() const {
  between("dim", dim, 1, 256);  // what ErasedTarget holds
  between("steps", steps, 1, 1024);
  between("width", width, 1, 1024);
  between("hidden", hidden, 1, 8);
}

std::vector<Network::View> Network::views() const {
  const AnyLayout layout = layout_of(shape);
  const auto& net = layout.net;
  std::vector<View> all{{"log_step_size", 0, 1, 1}};
  for (const auto& [name, first] :
       {std::pair<std::string, int>{"V.", layout.v()}, {"X.", layout.x()}}) {
    const auto add = [&, at = first](const std::string& part, int offset, int rows, int columns) {
      all.push_back({name + part, static_cast<std::size_t>(at + offset), rows, columns});
    };
    add("A", 0, shape.dim, shape.width);
    add("B", shape.dim * shape.width, shape.dim, shape.width);
    add("C", 2 * shape.dim * shape.width, 2, shape.width);
    add("bias", net.bias(0), 1, shape.width);
    for (int layer = 1; layer < shape.hidden; ++layer) {
      const std::string number = std::to_string(layer + 1);
      add("W" + number, net.weights(layer), shape.width, shape.width);
      add("bias" + number, net.bias(layer), 1, shape.width);
    }
    add("heads", net.heads(), shape.width, net.outputs());
    add("heads_bias", net.heads_bias(), 1, net.outputs());
    add("s", net.log_scales(), 1, shape.dim);
    add("q", net.log_scales() + shape.dim, 1, shape.dim);
  }
  return all;
}

double Network::step_size() const {
  return std::exp(parameters.at(0));
}

void Network::set_step_size(double step) {
  require(std::isfinite(step) && step > 0,
          "network: step size is " + std::to_string(step) + ": give a positive number");
  parameters.at(0) = std::log(step);
}

void Network::validate() const {
  shape.validate();
  check_size("parameters", parameters.size(),
             static_cast<std::size_t>(layout_of(shape).parameters()));
  const auto dim = static_cast<std::size_t>(shape.dim);
  check_size("masks", masks.size(), static_cast<std::size_t>(shape.steps) * dim);
  check_size("scale", scale.size(), dim);
  for (const View& view : views()) {
    for (int i = 0; i < view.rows * view.columns; ++i) {
      const double x = parameters[view.offset + static_cast<std::size_t>(i)];
      require(std::isfinite(x), "network: number " + std::to_string(i) + " of " + view.name +
                                    " is not finite: train it anew");
    }
  }
  require(std::isfinite(step_size()) && step_size() > 0,
          "network: the logarithm of its step size is " + std::to_string(parameters[0]) +
              ", which is out of range: train it anew");
  for (int t = 0; t < shape.steps; ++t) {
    int ones = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      const int bit = masks[static_cast<std::size_t>(t) * dim + j];
      require(bit <= 1, "network: the mask of step " + std::to_string(t) + " has a " +
                            std::to_string(bit) + ": masks are 0 or 1");
      ones += bit;
    }
    require(ones == shape.dim / 2, "network: the mask of step " + std::to_string(t) + " has " +
                                       std::to_string(ones) + " ones: half of " +
                                       std::to_string(shape.dim) + ", rounded down, is " +
                                       std::to_string(shape.dim / 2));
  }
  for (const double x : scale) {
    require(std::isfinite(x) && x > 0,
            "network: a scale is " + std::to_string(x) + ": scales are positive and finite");
  }
}

Network initial_network(const NetworkShape& shape, double step_size, std::uint64_t seed) {
  shape.validate();
  Network network;
  network.shape = shape;
  network.parameters.resize(static_cast<std::size_t>(layout_of(shape).parameters()));
  network.set_step_size(step_size);
  network.scale.assign(static_cast<std::size_t>(shape.dim), 1.0);
  network.masks.resize(static_cast<std::size_t>(shape.steps) * static_cast<std::size_t>(shape.dim));
  RandomSequence random(seed, Purpose::network);
  for (int t = 0; t < shape.steps; ++t) {
    draw_mask(random, network.masks.data() + t * shape.dim, shape.dim);
  }
  for (const Network::View& view : network.views()) {
    const double variance = initial_variance(view);
    if (variance == 0) {
      continue;
    }
    for (int i = 0; i < view.rows * view.columns; ++i) {
      network.parameters[view.offset + static_cast<std::size_t>(i)] =
          truncated_normal(random, variance);
    }
  }
  return network;
}

L2hmc::operator Sampler() const {
  Sampler s;
  s.method = Method::l2hmc;
  s.step_size = network->step_size();
  s.leapfrog = network->shape.steps;
  s.length_jitter = LengthJitter::none;
  s.metric = Metric::unit;
  s.network = network;
  s.matrix_units = matrix_units;
  return s;
}

}  // namespace lockstep
