// The kernels whose registers are watched: the usual transition of every prebuilt target of fixed
// dimension, and of separable targets of the largest dimension that one thread holds; the other
// transitions of targets that stand for their kind; L2HMC with small networks, by tiles and in
// training.

#include "kernels/launch/cuda_l2hmc.cuh"
#include "kernels/launch/cuda_training.cuh"
#include "kernels/launch/settings.hpp"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/funnel.hpp"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/mog6.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rings.hpp"
#include "kernels/targets/rough_well.hpp"

namespace lockstep {

template <class Target>
using Diagonal = DiagonalMetric<float, capacity<Target>, exact_dimension<Target>>;
template <class Target>
using Usual = transitions::Hmc<Diagonal<Target>, Leapfrog, FullRefreshment>;
template <class Target>
using OtherIntegrator = transitions::Hmc<Diagonal<Target>, Palindromic, FullRefreshment>;
template <class Target>
using Persistent = transitions::Hmc<Diagonal<Target>, Palindromic, PartialRefreshment>;
template <class Target>
using Walk = transitions::RandomWalk<Diagonal<Target>>;

#define LOCKSTEP_WATCH(G, Transition, ...)                                                    \
  template __global__ void cuda::advance_kernel<float, Stream<float>, cuda::GroupOf<G>::Type, \
                                                __VA_ARGS__, Transition<__VA_ARGS__>>(        \
      const __grid_constant__ __VA_ARGS__, const __grid_constant__ Transition<__VA_ARGS__>,   \
      const __grid_constant__ cuda::Sweep<float>);

LOCKSTEP_WATCH(1, Usual, Scg)
LOCKSTEP_WATCH(1, Usual, Mog)
LOCKSTEP_WATCH(1, Usual, Mog2)
LOCKSTEP_WATCH(1, Usual, Mog6)
LOCKSTEP_WATCH(1, Usual, Ring)
LOCKSTEP_WATCH(1, Usual, RoughWell<2>)
LOCKSTEP_WATCH(1, Usual, Banana)
LOCKSTEP_WATCH(1, Usual, EightSchools)
LOCKSTEP_WATCH(1, Usual, EightSchoolsNc)
LOCKSTEP_WATCH(1, Usual, Funnel)
LOCKSTEP_WATCH(1, Usual, FunnelNc)
LOCKSTEP_WATCH(1, Usual, StdNormal<2>)
LOCKSTEP_WATCH(1, Usual, StdNormal<10>)
LOCKSTEP_WATCH(1, Usual, StdNormal<16>)
LOCKSTEP_WATCH(1, Usual, StdNormal<24>)
LOCKSTEP_WATCH(1, Usual, RoughWell<24>)
LOCKSTEP_WATCH(1, Usual, Logistic<float, 25>)
LOCKSTEP_WATCH(1, Usual, Icg)
LOCKSTEP_WATCH(2, Usual, Icg)
LOCKSTEP_WATCH(4, Usual, Icg)
LOCKSTEP_WATCH(8, Usual, Icg)
LOCKSTEP_WATCH(16, Usual, Icg)

#define LOCKSTEP_WATCH_OTHERS(...)                \
  LOCKSTEP_WATCH(1, OtherIntegrator, __VA_ARGS__) \
  LOCKSTEP_WATCH(1, Persistent, __VA_ARGS__)      \
  LOCKSTEP_WATCH(1, Walk, __VA_ARGS__)

LOCKSTEP_WATCH_OTHERS(Scg)
LOCKSTEP_WATCH_OTHERS(Mog)
LOCKSTEP_WATCH_OTHERS(RoughWell<2>)
LOCKSTEP_WATCH_OTHERS(EightSchools)
LOCKSTEP_WATCH_OTHERS(EightSchoolsNc)
LOCKSTEP_WATCH_OTHERS(StdNormal<24>)

template <class Target>
using SmallNetworks = transitions::L2hmc<float, FixedShape<capacity<Target>, 10, 2>>;

LOCKSTEP_WATCH(1, SmallNetworks, Scg)
LOCKSTEP_WATCH(1, SmallNetworks, Mog)
LOCKSTEP_WATCH(1, SmallNetworks, Mog2)
LOCKSTEP_WATCH(1, SmallNetworks, RoughWell<2>)
LOCKSTEP_WATCH(1, SmallNetworks, Banana)
LOCKSTEP_WATCH(1, SmallNetworks, EightSchoolsNc)

#define LOCKSTEP_WATCH_PAIRS(...)                                                              \
  template __global__ void                                                                     \
  cuda::advance_pairs_kernel<float, __VA_ARGS__, SmallNetworks<__VA_ARGS__>>(                  \
      const __grid_constant__ __VA_ARGS__, const __grid_constant__ SmallNetworks<__VA_ARGS__>, \
      const __grid_constant__ cuda::Sweep<float>);
LOCKSTEP_WATCH_PAIRS(Scg)
LOCKSTEP_WATCH_PAIRS(Mog)
LOCKSTEP_WATCH_PAIRS(Mog2)
LOCKSTEP_WATCH_PAIRS(RoughWell<2>)
LOCKSTEP_WATCH_PAIRS(Banana)

template <class Layers>
using Tiles = transitions::L2hmc<float, TileShape<Layers>>;

#define LOCKSTEP_WATCH_TILES(Layers)                                                     \
  template __global__ void cuda::advance_tile_kernel<Stream<float>, Icg, Tiles<Layers>>( \
      const __grid_constant__ Icg, const __grid_constant__ Tiles<Layers>,                \
      const __grid_constant__ cuda::Sweep<float>);
LOCKSTEP_WATCH_TILES(tile::PlainLayers)
LOCKSTEP_WATCH_TILES(tile::MatrixLayers)

#define LOCKSTEP_WATCH_TRAINING(...)                                                     \
  template __global__ void cuda::train_kernel<__VA_ARGS__>(                              \
      const __grid_constant__ __VA_ARGS__, const __grid_constant__ cuda::TrainingArrays, \
      std::uint64_t);
LOCKSTEP_WATCH_TRAINING(Scg)
LOCKSTEP_WATCH_TRAINING(EightSchoolsNc)
LOCKSTEP_WATCH_TRAINING(Icg)
template __global__ void cuda::contract_kernel<>(const __grid_constant__ cuda::TrainingArrays);

}  // namespace lockstep
