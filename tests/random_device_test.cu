/// The random stream on the device: the same bits as on the host, cuRAND's words, cuRAND's law.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/random/curand.cuh"
#include "tests/random_stream_digest.hpp"

namespace lockstep {
namespace {

/// Device memory of n values of type T.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t n) : n_(n) {
    EXPECT_EQ(cudaMalloc(&data_, n * sizeof(T)), cudaSuccess);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() { return data_; }
  std::vector<T> host() const {
    std::vector<T> out(n_);
    EXPECT_EQ(cudaMemcpy(out.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
    return out;
  }

 private:
  std::size_t n_;
  T* data_ = nullptr;
};

class RandomDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    const cudaError_t status = cudaGetDeviceCount(&devices);
    if (status != cudaSuccess || devices == 0) {
      GTEST_SKIP() << "no CUDA device: " << cudaGetErrorString(status);
    }
  }
};

__global__ void digest_kernel(std::uint64_t* hash) {
  const auto c = static_cast<std::uint64_t>(blockIdx.x * blockDim.x + threadIdx.x);
  stream_digest::of_chains<float>(stream_digest::first_chain + c, hash + c);
}

/// 2 million normals and as many other variates, bit for bit.
TEST_F(RandomDevice, Digest) {
  DeviceArray<std::uint64_t> hash(stream_digest::chains);
  digest_kernel<<<stream_digest::chains / 128, 128>>>(hash.data());
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess) << cudaGetErrorString(cudaGetLastError());
  EXPECT_EQ(stream_digest::combine(hash.host().data()), stream_digest::expected);
}

__global__ void double_kernel(std::uint64_t seed, double* out) {
  const auto c = static_cast<std::uint64_t>(blockIdx.x * blockDim.x + threadIdx.x);
  const auto stream = Stream<double>::of(seed, c);
  double z[2];
  const double u = normals(stream, 5, Purpose::transition, 2, z);
  const auto w = words(stream, 5, Purpose::momentum, 0);
  double* mine = out + 5 * c;
  mine[0] = z[0];
  mine[1] = z[1];
  mine[2] = u;
  mine[3] = exponential(w[0]);
  mine[4] = laplace(w[1]);
}

/// Double variates agree to a few units in the last place of the largest intermediate.
TEST_F(RandomDevice, DoubleVariates) {
  constexpr int chains = 4096;
  DeviceArray<double> device(5 * chains);
  double_kernel<<<chains / 128, 128>>>(17, device.data());
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const std::vector<double> got = device.host();
  for (int c = 0; c < chains; ++c) {
    const auto stream = Stream<double>::of(17, static_cast<std::uint64_t>(c));
    double z[2];
    const double u = normals(stream, 5, Purpose::transition, 2, z);
    const auto w = words(stream, 5, Purpose::momentum, 0);
    const double expected[5] = {z[0], z[1], u, exponential(w[0]), laplace(w[1])};
    for (int i = 0; i < 5; ++i) {
      ASSERT_NEAR(got[static_cast<std::size_t>(5 * c + i)], expected[i], 1e-14) << c << ", " << i;
    }
  }
}

/// For each chain: the four words of a block, its four normals, and the leftover uniform of n = 2.
struct CurandDraws {
  std::uint32_t bits[4];
  float normal[4];
  float pair[2];
  float uniform;
};

__global__ void curand_kernel(std::uint64_t seed, std::uint64_t first, std::uint32_t transition,
                              CurandDraws* out) {
  const auto c = static_cast<std::uint64_t>(blockIdx.x * blockDim.x + threadIdx.x);
  const auto stream = CurandStream::of(seed, first + c);
  CurandDraws d;
  const CurandWords w = words(stream, transition, Purpose::transition, 3);
  for (int i = 0; i < 4; ++i) {
    d.bits[i] = w[i].bits;
  }
  normal_quad(stream, transition, Purpose::transition, 3, d.normal);
  d.uniform = normals(stream, transition, Purpose::transition, 2, d.pair);
  out[c] = d;
}

/// `--rng curand` draws the same words; its normals are the same up to the fast transforms' error,
/// so the two generators' runs can be compared.
TEST_F(RandomDevice, CurandStream) {
  constexpr int chains = 65536;
  constexpr std::uint64_t first = (std::uint64_t{1} << 32) - chains / 2;
  constexpr std::uint32_t transition = (1u << 30) - 1;
  DeviceArray<CurandDraws> device(chains);
  curand_kernel<<<chains / 128, 128>>>(17, first, transition, device.data());
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  const std::vector<CurandDraws> got = device.host();
  double sum = 0, squares = 0, uniforms = 0;
  for (int c = 0; c < chains; ++c) {
    const CurandDraws& d = got[static_cast<std::size_t>(c)];
    const auto stream = Stream<float>::of(17, first + static_cast<std::uint64_t>(c));
    const auto w = words(stream, transition, Purpose::transition, 3);
    for (int i = 0; i < 4; ++i) {
      ASSERT_EQ(d.bits[i], w[i].bits) << c;
      sum += d.normal[i];
      squares += d.normal[i] * d.normal[i];
    }
    // The same radius, whichever way round the circle cuRAND goes.
    const Pair<float> own = normal_pair(w[0], w[1]);
    ASSERT_NEAR(std::hypot(d.normal[0], d.normal[1]), std::hypot(own.first, own.second), 2e-5) << c;
    ASSERT_GT(d.uniform, 0.0f);
    ASSERT_LE(d.uniform, 1.0f);
    uniforms += d.uniform;
  }
  const double n = 4.0 * chains;
  EXPECT_LT(std::abs(sum / n), 4 / std::sqrt(n));
  EXPECT_LT(std::abs(squares / n - 1), 4 * std::sqrt(2 / n));
  EXPECT_LT(std::abs(uniforms / chains - 0.5), 4 / std::sqrt(12.0 * chains));
}

}  // namespace
}  // namespace lockstep
