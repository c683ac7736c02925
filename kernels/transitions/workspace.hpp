#pragma once

#include <new>

#include "lockstep/config.hpp"

namespace lockstep {

/// Memory for what a transition indexes by variables. A lane has it on its stack; a group that
/// brings memory of its own (on CUDA a slice of the block's shared memory, since registers have no
/// index) lends that instead.
template <class T, class Group>
class Workspace {
 public:
  LOCKSTEP_INLINE explicit Workspace(const Group&) {}
  LOCKSTEP_INLINE T& operator*() { return memory_; }

 private:
  T memory_;
};

template <class Group>
inline constexpr bool lends_memory = requires(const Group& group) {
  group.memory();
};

template <class T, class Group>
requires lends_memory<Group>
class Workspace<T, Group> {
 public:
  LOCKSTEP_INLINE explicit Workspace(const Group& group) : memory_(*::new (group.memory()) T) {}
  LOCKSTEP_INLINE T& operator*() { return memory_; }

 private:
  T& memory_;
};

}  // namespace lockstep
