#pragma once

/// The 0-1 loss on CUDA: a block serves a tile of 32 chains. Its first warp has a chain to a thread
/// and runs the sampler's own code, of which this is the target; where that asks about observations
/// the other eight warps, with four chains each, pass over them all:
///
///   shared memory   predictions [chains][rows], three columns [rows] of the design (the one that
///                   the last move is along, the one to be tried, and on its way the one after),
///                   32 coefficients of all chains at a time
///
/// so that a column is fetched once for all chains. q, r and tallies stay in local memory: all
/// chains visit the same coordinate, so that a warp reads 128 bytes in a row, and shared memory is
/// left to predictions, 4 rows bytes a chain.
///
/// What a visit costs. For each chain and observation: two multiply-adds, a comparison and an
/// addition, in shared memory 4 bytes read and 4 written, and for four chains together 8 bytes of
/// the columns: 10 bytes and 4 arithmetic instructions of which 2 are FMAs. A multiprocessor reads
/// or writes 128 bytes and issues 128 instructions per clock, so that at 1480 rows a coordinate
/// update takes 1480 * 10 / 128 = 116 clocks of shared memory, against 1480 * (4 + 10 / 4) / 128 =
/// 75 of issue: shared memory bounds it, at 132 * 1.755e9 / 116 = 2.0e9 updates per second on an
/// H100. What comes on top for each visit of the 32 chains (two barriers, and the first warp's
/// decision in between) is a few hundred clocks of 3700.
///
/// Every prediction is the same chain of multiply-adds as on the CPU (zero_one.hpp), and mistakes
/// are integers, which have no order: results are the same, bit for bit.

#include <cuda_pipeline.h>

#include "kernels/integrators/coordinatewise.hpp"
#include "kernels/targets/zero_one.hpp"

namespace lockstep {

namespace tile {

/// Chains of a block, one to each thread of its first warp, and the threads of the others.
inline constexpr int kOwners = 32, kHelpers = 256;
/// Chains that a helping warp has.
inline constexpr int kChainsOfWarp = kOwners / (kHelpers / 32);
/// Coefficients that are multiplied at a time where predictions are made anew.
inline constexpr int kBatch = 32;

/// A block's shared memory.
alignas(16) extern __shared__ float observations[];

/// What the owners ask of the helpers.
struct Task {
  enum Kind : int { predict, look, leave } kind;
  int first, end;                // predict: coefficients, the first at 0, the last at dim
  int column;                    // the one to fetch, or -1: look, the one to be visited next
  int moved, tried, on_its_way;  // look: where columns are; predict: on_its_way
};

/// Where things are in shared memory.
struct Desk {
  float *predictions, *columns, *coefficients, *step, *by;
  int* mistakes;
  Task* task;
  int rows;

  LOCKSTEP_INLINE Desk(float* memory, int rows_)
      : predictions(memory),
        columns(predictions + kOwners * rows_),
        coefficients(columns + 3 * rows_),
        step(coefficients + kBatch * kOwners),
        by(step + kOwners),
        mistakes(reinterpret_cast<int*>(by + kOwners)),
        task(reinterpret_cast<Task*>(mistakes + kOwners)),
        rows(rows_) {}
  static constexpr std::size_t bytes(int rows) {
    return sizeof(float) * (static_cast<std::size_t>(kOwners + 3) * static_cast<std::size_t>(rows) +
                            (kBatch + 3) * kOwners) +
           sizeof(Task);
  }
  LOCKSTEP_INLINE float* column(int place) const { return columns + place * rows; }
};

#if defined(__CUDACC__)

/// The desk of this thread's block.
LOCKSTEP_INLINE Desk desk(int rows) {
#if defined(__CUDA_ARCH__)
  return {observations, rows};
#else
  return {nullptr, rows};
#endif
}
LOCKSTEP_INLINE int thread() {
#if defined(__CUDA_ARCH__)
  return static_cast<int>(threadIdx.x);
#else
  return 0;
#endif
}
/// Returns once all threads of the block have come to one.
LOCKSTEP_INLINE void meet() {
#if defined(__CUDA_ARCH__)
  __syncthreads();
#endif
}

/// Starts the way of a column to a place of the desk.
template <class Design>
__device__ inline void fetch(const Design& design, const Desk& desk, int column, int place) {
  const float* from = design.column(column);
  float* to = desk.column(place);
  for (int i = 4 * (thread() - kOwners); i < desk.rows; i += 4 * kHelpers) {
    __pipeline_memcpy_async(to + i, from + i, 4 * sizeof(float));
  }
}

/// The mistakes of a warp's chains, from those that its threads have found.
__device__ inline void add_up(const Desk& desk, int chain, const int (&found)[kChainsOfWarp]) {
#pragma unroll
  for (int c = 0; c < kChainsOfWarp; ++c) {
    int sum = found[c];
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
      sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    }
    if (thread() % 32 == 0) {
      desk.mistakes[chain + c] = sum;
    }
  }
}

/// Adds a batch of coefficients' part to predictions.
template <class Design>
__device__ inline void predict(const Design& design, const Desk& desk, const Task& task) {
  const int chain = (thread() / 32 - 1) * kChainsOfWarp;
  int found[kChainsOfWarp] = {};
  for (int i = thread() % 32; i < desk.rows; i += 32) {
    float sum[kChainsOfWarp];
#pragma unroll
    for (int c = 0; c < kChainsOfWarp; ++c) {
      sum[c] = task.first == 0 ? 0.0f : desk.predictions[(chain + c) * desk.rows + i];
    }
    const float* q = desk.coefficients + chain;
#pragma unroll 4
    for (int j = task.first; j < task.end; ++j, q += kOwners) {
      const float z = design.column(j)[i];
#pragma unroll
      for (int c = 0; c < kChainsOfWarp; ++c) {
        sum[c] = fma(z, q[c], sum[c]);
      }
    }
#pragma unroll
    for (int c = 0; c < kChainsOfWarp; ++c) {
      desk.predictions[(chain + c) * desk.rows + i] = sum[c];
      found[c] += sum[c] < 0.0f;
    }
  }
  add_up(desk, chain, found);
  if (task.column >= 0) {
    fetch(design, desk, task.column, task.on_its_way);
    // The first look has no move to carry out: any column does, if it holds numbers.
    fetch(design, desk, task.column, task.moved);
  }
}

/// Carries out the last move, and counts the mistakes of the one that is tried.
template <class Design>
__device__ inline void look(const Design& design, const Desk& desk, const Task& task) {
  fetch(design, desk, task.column, task.on_its_way);
  const int chain = (thread() / 32 - 1) * kChainsOfWarp;
  float step[kChainsOfWarp], by[kChainsOfWarp];
#pragma unroll
  for (int c = 0; c < kChainsOfWarp; ++c) {
    step[c] = desk.step[chain + c];
    by[c] = desk.by[chain + c];
  }
  const float *moved = desk.column(task.moved), *tried = desk.column(task.tried);
  float* const at = desk.predictions + chain * desk.rows;
  int found[kChainsOfWarp] = {};
#pragma unroll 4
  for (int i = thread() % 32; i < desk.rows; i += 32) {
    const float before = moved[i], after = tried[i];
#pragma unroll
    for (int c = 0; c < kChainsOfWarp; ++c) {
      const float here = fma(before, step[c], at[c * desk.rows + i]);
      at[c * desk.rows + i] = here;
      found[c] += fma(after, by[c], here) < 0.0f;
    }
  }
  add_up(desk, chain, found);
}

/// What a helping thread does while its block's chains go their way.
template <class Design>
__device__ inline void help(const Design& design) {
  const Desk desk = tile::desk(design.rows);
  for (;;) {
    meet();  // there is a task
    const Task task = *desk.task;
    if (task.kind == Task::leave) {
      return;
    }
    task.kind == Task::predict ? predict(design, desk, task) : look(design, desk, task);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    meet();  // it is done
  }
}

/// Sends the helpers away.
__device__ inline void dismiss(int rows) {
  if (thread() == 0) {
    desk(rows).task->kind = Task::leave;
  }
  meet();
}

}  // namespace tile

/// ZeroOne as the first warp's threads see it.
template <int Max>
class TiledZeroOne {
 public:
  static constexpr int max_dim = Max;

  LOCKSTEP_INLINE explicit TiledZeroOne(const ZeroOne<float, Max>& target) : target_(target) {}
  LOCKSTEP_INLINE int dim() const { return target_.dim(); }

  LOCKSTEP_HD Sum<float> potential(const float* q) const {
    Sum<float> u = target_.prior(q);
    return u += predict(q, -1);
  }
  LOCKSTEP_HD Sum<float> potential_and_gradient(const float* q, float* gradient) const {
    for (int j = 0; j < dim(); ++j) {
      gradient[j] = q[j];
    }
    return potential(q);
  }

  template <class T>
  struct Cache {
    const Visits<float>* visits;
    int looks;  // so far
    float mistakes, mistakes_there, step;
  };
  LOCKSTEP_HD void sweep(const Visits<float>& visits, const Stream<float>& stream, const float& hop,
                         float* q, float* r, float* tally) const {
    if (visits.sites == 0) {
      return;
    }
    Cache<float> cache;
    cache.visits = &visits;
    sweep_coordinates(*this, visits, stream, hop, q, r, tally, cache);
  }
  LOCKSTEP_HD void prepare(const float* q, Cache<float>& cache) const {
    cache.looks = 0;
    cache.mistakes = predict(q, visited(cache, 0));
    cache.step = 0;
  }
  LOCKSTEP_HD float delta(int j, const float* q, const float& to, Cache<float>& cache) const {
    const tile::Desk desk = tile::desk(target_.design().rows);
    const int t = cache.looks++;
    desk.step[tile::thread()] = cache.step;
    desk.by[tile::thread()] = to - q[j];
    if (tile::thread() == 0) {
      *desk.task = {tile::Task::look, 0, 0, visited(cache, t + 1), (t + 2) % 3, t % 3, (t + 1) % 3};
    }
    cache.mistakes_there = answer(desk);
    return target_.rise(cache.mistakes_there - cache.mistakes, q[j], to);
  }
  LOCKSTEP_HD void commit(int j, const float* q, const float& to, bool moves,
                          Cache<float>& cache) const {
    cache.mistakes = select(moves, cache.mistakes_there, cache.mistakes);
    cache.step = select(moves, to - q[j], 0.0f);
  }

 private:
  /// Predictions from scratch, and how many are wrong.
  /// @param column  to be fetched for the first look, or -1
  LOCKSTEP_INLINE float predict(const float* q, int column) const {
    const tile::Desk desk = tile::desk(target_.design().rows);
    float mistakes = 0;
    for (int first = 0; first < dim(); first += tile::kBatch) {
      const int end = first + tile::kBatch < dim() ? first + tile::kBatch : dim();
      for (int j = first; j < end; ++j) {
        desk.coefficients[(j - first) * tile::kOwners + tile::thread()] = q[j];
      }
      if (tile::thread() == 0) {
        *desk.task = {tile::Task::predict, first, end, end == dim() ? column : -1, 2, 0, 0};
      }
      mistakes = answer(desk);
    }
    return mistakes;
  }
  /// This chain's mistakes, once the helpers have done what they were asked.
  static LOCKSTEP_INLINE float answer(const tile::Desk& desk) {
    tile::meet();
    tile::meet();
    return static_cast<float>(desk.mistakes[tile::thread()]);
  }
  /// The coordinate of visit t of the sweeps; after the last one, any.
  static LOCKSTEP_INLINE int visited(const Cache<float>& cache, int t) {
    const Visits<float>& v = *cache.visits;
    return v.order[t % v.sites];
  }

  const ZeroOne<float, Max>& target_;
};

#endif

}  // namespace lockstep
