// The matrix unit's instruction on a card. (The emulated one is tested in emulated_cuda/.)

#include <string>

#include <gtest/gtest.h>

#include "kernels/launch/make.hpp"
#include "tests/matrix_unit_check.cuh"

namespace lockstep {
namespace {

TEST(MatrixUnit, MultipliesMatrices) {
  std::string why;
  cuda_devices(&why);
  if (!why.empty()) {
    GTEST_SKIP() << "no CUDA device: " << why;
  }
  int major = 0;
  ASSERT_EQ(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), cudaSuccess);
  if (major < matrix_unit::kLeastMajor) {
    GTEST_SKIP() << "this card is of compute capability " << major << ", which has no such unit";
  }
  EXPECT_EQ(testing::wrong_products(200), 0);
}

}  // namespace
}  // namespace lockstep
