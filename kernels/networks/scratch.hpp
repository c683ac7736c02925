#pragma once

#include <cstddef>
#include <vector>

#include "kernels/networks/layout.hpp"

namespace lockstep {

/// Memory for what networks compute on their way: registers where the shape is known to the
/// compiler (`Size` lanes), else the thread's own, kept from call to call.
template <class L, class Shape, int Size>
struct Scratch {
  L memory[Size];
  LOCKSTEP_INLINE explicit Scratch(int) {}
  LOCKSTEP_INLINE L* data() { return memory; }
};

template <class L, int Size>
struct Scratch<L, AnyShape, Size> {
  std::vector<L>& memory;
  explicit Scratch(int size) : memory(of_this_thread()) {
    if (memory.size() < static_cast<std::size_t>(size)) {
      memory.resize(static_cast<std::size_t>(size));
    }
  }
  L* data() { return memory.data(); }

 private:
  static std::vector<L>& of_this_thread() {
    static thread_local std::vector<L> memory;
    return memory;
  }
};

}  // namespace lockstep
