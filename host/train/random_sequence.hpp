#pragma once

#include <cstdint>

#include "kernels/random/distributions.hpp"
#include "kernels/random/philox.hpp"
#include "lockstep/archive.hpp"

namespace lockstep {

/// Random numbers one after the other, for host code that is no chain: Philox words of a seed and a
/// purpose that no chain reads, so that a seed means the same everywhere. Its place can be saved.
class RandomSequence {
 public:
  RandomSequence(std::uint64_t seed, Purpose purpose) : seed_(seed), purpose_(purpose) {}

  /// On (0, 1].
  double uniform() { return lockstep::uniform(next()[0]); }

  /// Standard normal.
  double normal() {
    if (spare_) {
      spare_ = false;
      return second_;
    }
    const Words<double> w = next();
    const Pair<double> z = normal_pair(w[0], w[1]);
    spare_ = true;
    second_ = z.second;
    return z.first;
  }

  /// Uniform on 0, ..., n - 1.
  int below(int n) { return static_cast<int>((1 - uniform()) * n); }

  void archive(Archive& a) { a(at_, second_, spare_); }

 private:
  Words<double> next() {
    const std::uint64_t at = at_++;
    return shared_words<double>(seed_, static_cast<std::uint32_t>(at / max_blocks), purpose_,
                                static_cast<std::uint32_t>(at % max_blocks));
  }

  std::uint64_t seed_;
  Purpose purpose_;
  std::uint64_t at_ = 0;
  double second_ = 0;
  bool spare_ = false;
};

}  // namespace lockstep
