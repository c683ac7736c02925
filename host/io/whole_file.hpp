#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// A file that is there whole or not at all: it is written under a temporary name beside its own,
/// brought to the disk, and renamed. Until then an older file stays as it was, and if writing fails
/// the temporary one is gone again.
class WholeFile {
 public:
  /// @throw FileError  naming the file and the reason, from here and every member
  explicit WholeFile(std::filesystem::path path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(const std::string& text) { write(text.data(), text.size()); }
  /// Writes over bytes that were written before, from `offset` on.
  void rewrite(std::uint64_t offset, const void* data, std::size_t size);
  /// Gives the file its name.
  void commit();

 private:
  /// Throws what errno says.
  [[noreturn]] void fail() const;
  void put(const char* data, std::size_t size, std::uint64_t offset);
  void flush();

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
  std::vector<char> buffer_;
};

}  // namespace lockstep
