#pragma once

/// What one core of this machine can do at best, measured in the same process and minute as what is
/// compared with it.

namespace lockstep::bench {

/// Fused multiply-adds per second of one core in float, all lanes counted, from one run of about
/// five milliseconds: twelve independent chains of them in registers, enough to hide an FMA's
/// latency of four cycles on two ports. Machines are shared: take the best of several.
double fma_rate();

/// Seconds per standard normal on one core, from runs of about five milliseconds each; best of
/// `rounds`, the two taking turns.
struct NormalsProbe {
  double ours = 0;      // Philox4x32-10 and Box-Muller on SIMD lanes (kernels/random)
  double standard = 0;  // std::normal_distribution<float> over std::mt19937
};
NormalsProbe probe_normals(int rounds);

}  // namespace lockstep::bench
