/// Prints the digest of the random stream as this build computes it, lane by lane. Compiled several
/// times by random_stream_digest.sh: for each instruction set, and by nvcc's host pass.

#include "tests/random_stream_digest.hpp"

#include <cinttypes>
#include <cstdio>

int main() {
  using namespace lockstep;
  using lockstep::stream_digest::on_host;
  std::printf("float %016" PRIx64 "\n", on_host<float>());
  std::printf("Twin<float> %016" PRIx64 "\n", on_host<Twin<float>>());
#if LOCKSTEP_WITH_XSIMD
  std::printf("batch<float>[%d] %016" PRIx64 "\n", width<FloatBatch>, on_host<FloatBatch>());
  std::printf("Twin<batch<float>> %016" PRIx64 "\n", on_host<Twin<FloatBatch>>());
#endif
  return 0;
}
