#pragma once

/// Settings of discontinuous HMC in the terms of its paper (Nishimura, Dunson & Lu, Biometrika
/// 2020, section 4).

#include <vector>

#include "lockstep/options.hpp"

namespace lockstep {

/// The step size uniform on [c step, step] and the number of steps on shortest..longest, both for
/// each trajectory; masses by `scale`: in one step of size e, a discontinuous coordinate goes as
/// far as e scale_j, and M^-1_jj = scale_j^2 for the others.
///
/// (The paper's m_j = step / (hop scale_j), with hop = step. Its m_j ~ var^(1/2) is a slip of the
/// pen for var^(-1/2).)
/// @param scale  [dim]; empty: the identity
inline Dhmc as_published(double step, double c, int shortest, int longest,
                         const std::vector<double>& scale, int dim) {
  Dhmc sampler;
  sampler.step_size = sampler.hop = (1 + c) / 2 * step;
  sampler.step_jitter = (1 - c) / (1 + c);
  sampler.leapfrog = shortest;
  sampler.longest = longest;
  sampler.hop_scale = scale.empty() ? std::vector<double>(static_cast<std::size_t>(dim), 1) : scale;
  for (const double s : sampler.hop_scale) {
    sampler.inverse_mass.push_back(s * s);
  }
  return sampler;
}

/// Jolly and Seber's model of the black-kneed capsid: the standard deviations of its posterior over
/// the largest of them, which is logit p_1's, are the scale. (Those of q, by 256000 draws of this
/// library; how long a trajectory is against them decides the efficiency, so they stand here.)
inline Dhmc published_jolly_seber() {
  std::vector<double> scale{1.7,   0.373, 0.199, 0.179, 0.178, 0.158, 0.151, 0.15,  0.14,  0.171,
                            0.175, 0.209, 1.03,  0.606, 1.16,  1,     0.245, 0.708, 0.534, 0.27,
                            1.12,  0.468, 1.01,  0.913, 1.3,   0.858, 0.274, 0.169, 0.154, 0.149,
                            0.141, 0.126, 0.142, 0.146, 0.182, 0.183, 0.198, 0.378};
  const double largest = scale[0];
  for (double& s : scale) {
    s /= largest;
  }
  return as_published(0.175, 0.8, 40, 50, scale, static_cast<int>(scale.size()));
}

/// The same model, all masses one.
inline Dhmc published_jolly_seber_identity() {
  return as_published(0.025, 0.8, 70, 85, {}, 38);
}

}  // namespace lockstep
