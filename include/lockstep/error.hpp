#pragma once

#include <stdexcept>
#include <string>

namespace lockstep {

/// Base of every exception this library throws. `what()` is one line that names the thing, its
/// value and the remedy.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller asked for something impossible: a bad option, name, shape or combination.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A file or folder could not be found, read, written or understood.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A device, its driver or a kernel failed, or a backend is absent from this build.
class BackendError : public Error {
 public:
  using Error::Error;
};

/// The target's density could not be evaluated where sampling has to begin.
class InitialisationError : public Error {
 public:
  using Error::Error;
};

/// Throws E{message} unless `condition` holds.
template <class E = UsageError>
inline void require(bool condition, const std::string& message) {
  if (!condition) {
    throw E(message);
  }
}

}  // namespace lockstep
