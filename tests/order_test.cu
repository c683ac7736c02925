// Ordering draws on the device gives what the standard library gives on the host.

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "host/diagnostics/order.hpp"
#include "host/diagnostics/order_standard.hpp"
#include "lockstep/error.hpp"

namespace lockstep {
namespace {

bool has_device() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

/// Draws in which about every second value repeats another one, with both infinities.
std::vector<double> draws(std::size_t size) {
  std::mt19937_64 engine(7);
  std::normal_distribution<double> normal;
  std::vector<double> x(size);
  for (std::size_t i = 0; i < size; ++i) {
    x[i] = i % 2 == 1 ? x[engine() % i] : normal(engine);
  }
  if (size > 10) {
    x[3] = std::numeric_limits<double>::infinity();
    x[10] = -x[3];
  }
  return x;
}

TEST(CudaOrder, EqualsStandardAlgorithms) {
  if (!has_device()) {
    GTEST_SKIP() << "no CUDA device";
  }
  for (const std::size_t size : {1, 2, 1000, 65537, 2000000}) {
    SCOPED_TRACE(size);
    const std::vector<double> x = draws(size);
    const order::Order device = order::cuda::sort_with_index(x);
    const order::Order host = order::StandardOrder::sort_with_index(x);
    EXPECT_EQ(order::cuda::sort(x), host.sorted);
    EXPECT_EQ(device.sorted, host.sorted);
    EXPECT_EQ(device.index, host.index);
    EXPECT_EQ(order::cuda::average_ranks(x), order::StandardOrder::average_ranks(x));
    EXPECT_EQ(order::cuda::average_ranks_of_sorted(host.sorted),
              order::StandardOrder::average_ranks_of_sorted(host.sorted));
    const order::Order device_folded = order::cuda::fold(device, 0.25);
    const order::Order host_folded = order::StandardOrder::fold(host, 0.25);
    EXPECT_EQ(device_folded.sorted, host_folded.sorted);
    EXPECT_EQ(device_folded.index, host_folded.index);
    const std::vector<double> other = order::StandardOrder::sort(draws(size / 3));
    EXPECT_EQ(order::cuda::merge(host.sorted, other),
              order::StandardOrder::merge(host.sorted, other));
  }
}

TEST(CudaOrder, AbsentDeviceIsABackendError) {
  if (has_device()) {
    GTEST_SKIP() << "a CUDA device is present";
  }
  EXPECT_THROW(order::cuda::sort(draws(100)), BackendError);
  EXPECT_THROW(order::cuda::average_ranks(draws(100)), BackendError);
  {
    const order::OrderOn where(order::Place::device);
    EXPECT_THROW(order::sort(draws(100)), BackendError);
  }
  EXPECT_EQ(order::sort(draws(100)), order::StandardOrder::sort(draws(100)));
}

}  // namespace
}  // namespace lockstep
