#pragma once

/// Pathfinder's paths (Zhang, Carpenter, Gelman & Vehtari, JMLR 23, 2022), all in lockstep: what
/// they ask for at a time is one batch of evaluations.

#include <optional>
#include <vector>

#include "host/vi/density.hpp"
#include "host/vi/normal.hpp"
#include "lockstep/preparation.hpp"

namespace lockstep {

/// Steps that the inverse Hessians remember, as in the paper, and draws that the ELBO of an iterate
/// is the mean over. They are fewer than the paper's: which iterate is best shows with few where
/// all iterates of a path have the same, and the ELBO that is reported is of fresh ones.
inline constexpr int kPathMemory = 6, kPathDraws = 8;

/// What was found along one path.
struct Path {
  std::optional<Normal> normal;  // the best by its ELBO; none if no ELBO was finite
  double elbo = NormalFit::kUnknown;
  std::vector<double> elbos;  // of every iterate, the start first; NaN where there is no normal
};

/// Follows options.paths descents of U. At each iterate x the normal is N(x - H^-1 g, H^-1),
/// g = dU/dq there. Path p begins at options.start, or the origin, plus uniforms on
/// +-options.start_radius, those of chain p in Purpose::start; draw k of all its normals comes from
/// column p kPathDraws + k of standard_normals(options.seed, 0, ...).
/// @return  [paths]; none if options.progress stopped them
/// @throw InitialisationError  if no path finds a start
std::vector<Path> follow_paths(Density& density, const VariationalOptions& options);

}  // namespace lockstep
