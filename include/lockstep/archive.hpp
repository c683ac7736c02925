#pragma once

/// Saving and restoring state. One function of a class names its fields for both directions, so
/// that what is written and what is read cannot drift apart:
///
///   void archive(Archive& a) { a(count_, mean_, m2_); }
///
/// Values are exact copies of memory: an archive belongs to the program and kind of machine that
/// wrote it. Whoever keeps one in a file adds what tells foreign and torn files apart.

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace lockstep {

class Archive {
 public:
  virtual ~Archive() = default;

  /// True while state is being restored.
  virtual bool reading() const = 0;

  /// Saves or restores `size` bytes.
  /// @throw FileError  if the archive ends before they do
  virtual void bytes(void* memory, std::size_t size) = 0;

  /// Saves or restores values in order: numbers, enumerations, trivially copyable structs, strings,
  /// vectors of any of these, and objects that have `archive(Archive&)`.
  template <class... T>
  void operator()(T&... values) {
    (value(values), ...);
  }

 private:
  template <class T>
  void value(T& x) {
    if constexpr (requires { x.archive(*this); }) {
      x.archive(*this);
    } else {
      static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
      bytes(&x, sizeof x);
    }
  }
  void value(std::string& s) { sequence(s); }
  template <class T>
  void value(std::vector<T>& v) {
    if constexpr (requires(T & x) { x.archive(*this); } || !std::is_trivially_copyable_v<T>) {
      resize(v);
      for (T& x : v) {
        value(x);
      }
    } else {
      sequence(v);
    }
  }

  template <class Container>
  void resize(Container& c) {
    auto size = static_cast<std::uint64_t>(c.size());
    bytes(&size, sizeof size);
    if (reading()) {
      // What is no plain memory takes at least a byte each.
      using T = typename Container::value_type;
      check(std::is_trivially_copyable_v<T> ? size * sizeof(T) : size);
      c.resize(static_cast<std::size_t>(size));
    }
  }
  template <class Container>
  void sequence(Container& c) {
    resize(c);
    bytes(c.data(), c.size() * sizeof(typename Container::value_type));
  }

  /// Called before that much memory is allocated for what is said to follow.
  /// @throw FileError  if the archive cannot hold so much
  virtual void check(std::uint64_t bytes_to_follow) = 0;
};

}  // namespace lockstep
