#pragma once

/// A run's state in a file:
///
///   "lockstep checkpoint\n"        20 bytes
///   format version, byte order, size of this header   uint32 each
///   size of the configuration      uint64
///   size of the state              uint64
///   checksum of both               uint64
///   the configuration              JSON: {"chains": "1024", ...}; `head -c 2000 FILE` shows it
///   the state                      memory as it was (lockstep/archive.hpp)
///
/// Nothing of the state is read before the size, the checksum and the configuration are right.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lockstep/archive.hpp"

namespace lockstep {

/// Something that a run's results depend on, and its value.
struct Setting {
  std::string name, value;
  bool operator==(const Setting&) const = default;
};

class Checkpoint {
 public:
  /// Saves or restores; called with an archive of either direction.
  using State = std::function<void(Archive&)>;

  /// @param configuration  of this run; a file of another one is refused
  Checkpoint(std::filesystem::path file, std::vector<Setting> configuration);

  bool exists() const;

  /// Writes the file anew. An older one is replaced only once the new one is on the disk.
  /// @throw FileError  naming the file and the reason
  void save(const State& state) const;

  /// Reads the file.
  /// @throw FileError   if it is torn, foreign, or of another format
  /// @throw UsageError  if it is of another configuration: which setting, and both values
  void restore(const State& state) const;

 private:
  std::filesystem::path file_;
  std::vector<Setting> configuration_;
};

}  // namespace lockstep
