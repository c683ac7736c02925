// The same of discontinuous HMC and its relatives: without smooth coordinates and around them, with
// a cache in the slice, and by tiles.

#include "kernels/launch/cuda_dhmc.cuh"
#include "kernels/launch/cuda_zero_one.cuh"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/jolly_seber.hpp"
#include "kernels/targets/mixed_grid.hpp"

namespace lockstep {

template <class Target>
using AnyMetricOf = AnyMetric<float, capacity<Target>, false>;
template <class Target, Visit kVisit>
using Visiting = transitions::Dhmc<AnyMetricOf<Target>, float, capacity<Target>, kVisit>;
template <class Target>
using Laplace = Visiting<Target, Visit::laplace>;
template <class Target>
using Mixed = Visiting<Target, Visit::exchange>;
template <class Target>
using Within = transitions::Gibbs<AnyMetricOf<Target>, float, capacity<Target>>;

#define LOCKSTEP_WATCH_SLICES(Transition, ...)                                              \
  template __global__ void                                                                  \
  cuda::advance_slices_kernel<Stream<float>, __VA_ARGS__, Transition<__VA_ARGS__>>(         \
      const __grid_constant__ __VA_ARGS__, const __grid_constant__ Transition<__VA_ARGS__>, \
      const __grid_constant__ cuda::Sweep<float>);

LOCKSTEP_WATCH_SLICES(Laplace, IntegerGrid)
LOCKSTEP_WATCH_SLICES(Laplace, MixedGrid)
LOCKSTEP_WATCH_SLICES(Mixed, MixedGrid)
LOCKSTEP_WATCH_SLICES(Laplace, JollySeber<13>)
LOCKSTEP_WATCH_SLICES(Within, JollySeber<13>)

using Tiled = ZeroOne<float, kMostDiscontinuous>;
template __global__ void
cuda::advance_zero_one_kernel<Stream<float>, kMostDiscontinuous, Laplace<Tiled>>(
    const __grid_constant__ Tiled, const __grid_constant__ Laplace<Tiled>,
    const __grid_constant__ cuda::Sweep<float>);

}  // namespace lockstep
