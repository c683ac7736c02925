// What this card can do at best: the ceilings that gpu_report divides by. Prints one JSON object.
//
//   ffma_per_second   fused multiply-adds, which issue as every FADD and FMUL does
//   mma_per_second    multiply-adds of bfloat16 on matrix units (kernels/lane/matrix_unit.cuh); 0
//   on
//                     a card that has none
//   mufu_per_second   ex2.approx, which issues as every rcp, sqrt, lg2, sin and cos does
//   copy_per_second   bytes read plus bytes written by a copy within device memory
//
// Each is the best of several timings. Exit status 2 where there is no device.

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <cuda_runtime.h>

#include "kernels/lane/matrix_unit.cuh"

namespace {

void check(cudaError_t status, const char* call) {
  if (status != cudaSuccess) {
    std::fprintf(stderr, "gpu_probes: %s: %s (%s)\n", call, cudaGetErrorString(status),
                 cudaGetErrorName(status));
    std::exit(status == cudaErrorNoDevice || status == cudaErrorInsufficientDriver ? 2 : 1);
  }
}

constexpr int kThreads = 256, kChains = 8, kSteps = 1 << 14;

/// kChains independent chains per thread hide the pipe's latency.
__global__ void ffma_kernel(float a, float b, float* out) {
  float x[kChains];
#pragma unroll
  for (int i = 0; i < kChains; ++i) {
    x[i] = static_cast<float>(threadIdx.x + i);
  }
#pragma unroll 4
  for (int step = 0; step < kSteps; ++step) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) {
      x[i] = __fmaf_rn(x[i], a, b);
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kChains; ++i) {
    sum += x[i];
  }
  if (sum == 0.123f) {  // never, which the compiler cannot know
    *out = sum;
  }
}

__global__ void mufu_kernel(float* out) {
  float x[kChains];
#pragma unroll
  for (int i = 0; i < kChains; ++i) {
    x[i] = -static_cast<float>(threadIdx.x + i) * 1e-3f;
  }
#pragma unroll 4
  for (int step = 0; step < kSteps / 8; ++step) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) {
      asm volatile("ex2.approx.ftz.f32 %0, %0;" : "+f"(x[i]));
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kChains; ++i) {
    sum += x[i];
  }
  if (sum == 0.123f) {
    *out = sum;
  }
}

/// A warp's product is 16 x 8 x 16 multiply-adds. Ones, so that sums stay numbers.
constexpr int kMmaOfWarp = 16 * 8 * 16, kMmaSteps = kSteps / 16;

__global__ void mma_kernel(float* out) {
  const std::uint32_t ones = lockstep::matrix_unit::word(1, 1);
  const std::uint32_t a[4] = {ones, ones, ones, ones};
  float c[kChains][4] = {};
#pragma unroll 4
  for (int step = 0; step < kMmaSteps; ++step) {
#pragma unroll
    for (int i = 0; i < kChains; ++i) {
      lockstep::matrix_unit::add_product(c[i], a, ones, ones);
    }
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kChains; ++i) {
    sum += c[i][0] + c[i][1] + c[i][2] + c[i][3];
  }
  if (sum == 0.123f) {
    *out = sum;
  }
}

/// Best seconds of `rounds` runs of f().
template <class F>
double best_seconds(int rounds, F f) {
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  float best = 1e30f;
  for (int i = 0; i < rounds; ++i) {
    check(cudaEventRecord(begin), "cudaEventRecord");
    f();
    check(cudaGetLastError(), "launch of a probe");
    check(cudaEventRecord(end), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
    best = std::min(best, milliseconds);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return best * 1e-3;
}

}  // namespace

int main() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  cudaDeviceProp device;
  check(cudaGetDeviceProperties(&device, 0), "cudaGetDeviceProperties");
  float* out = nullptr;
  check(cudaMalloc(&out, sizeof(float)), "cudaMalloc");

  const int blocks = device.multiProcessorCount * 8;
  const double threads = static_cast<double>(blocks) * kThreads;
  const double ffma = threads * kChains * kSteps / best_seconds(10, [&] {
                        ffma_kernel<<<blocks, kThreads>>>(0.999f, 0.001f, out);
                      });
  const double mufu = threads * kChains * (kSteps / 8) /
                      best_seconds(10, [&] { mufu_kernel<<<blocks, kThreads>>>(out); });

  const double mma = device.major < lockstep::matrix_unit::kLeastMajor
                         ? 0
                         : threads / 32 * kChains * kMmaSteps * kMmaOfWarp /
                               best_seconds(10, [&] { mma_kernel<<<blocks, kThreads>>>(out); });

  std::size_t free_bytes = 0, all_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &all_bytes), "cudaMemGetInfo");
  const std::size_t bytes = std::min<std::size_t>(std::size_t{1} << 31, free_bytes / 3);
  char *from = nullptr, *to = nullptr;
  check(cudaMalloc(&from, bytes), "cudaMalloc");
  check(cudaMalloc(&to, bytes), "cudaMalloc");
  check(cudaMemset(from, 1, bytes), "cudaMemset");
  const double copy = 2.0 * static_cast<double>(bytes) / best_seconds(10, [&] {
                        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice);
                      });
  cudaFree(from);
  cudaFree(to);
  cudaFree(out);

  std::printf(
      "{\"device\": \"%s\", \"compute_capability\": \"%d.%d\", \"multiprocessors\": %d, "
      "\"ffma_per_second\": %.6g, \"mma_per_second\": %.6g, \"mufu_per_second\": %.6g, "
      "\"copy_per_second\": %.6g}\n",
      device.name, device.major, device.minor, device.multiProcessorCount, ffma, mma, mufu, copy);
  return 0;
}
