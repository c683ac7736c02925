#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// A file that is there whole or not at all: it is written under a temporary name beside its own,
/// brought to the disk, and renamed. Until then an older file stays as it was, and what is not
/// committed is removed. A symbolic link stays, and its target is replaced. The temporary name is
/// always the same, so that what a killed process leaves behind is written over and does not add
/// up.
class WholeFile {
 public:
  explicit WholeFile(const std::filesystem::path& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Where to write.
  const std::filesystem::path& temporary() const { return temporary_; }
  /// Gives the file its name.
  /// @throw FileError  naming the file and the reason
  void commit();

 private:
  std::filesystem::path path_, destination_, temporary_;
};

/// Writes a whole file byte by byte.
class WholeFileWriter {
 public:
  /// @throw FileError  naming the file and the reason, from here and every member
  explicit WholeFileWriter(const std::filesystem::path& path);
  ~WholeFileWriter();
  WholeFileWriter(const WholeFileWriter&) = delete;
  WholeFileWriter& operator=(const WholeFileWriter&) = delete;

  void write(const void* data, std::size_t size);
  void write(const std::string& text) { write(text.data(), text.size()); }
  /// Writes over bytes that were written before, from `offset` on.
  void rewrite(std::uint64_t offset, const void* data, std::size_t size);
  void commit();

 private:
  void put(const char* data, std::size_t size, std::uint64_t offset);
  void flush();

  WholeFile file_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
  std::vector<char> buffer_;
};

/// The file behind a symbolic link, else the path itself.
std::filesystem::path destination_of(const std::filesystem::path& path);

/// Says that `path` cannot be written, and why.
[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::string& why);

/// The same with the reason that errno gives, and a remedy.
[[noreturn]] void cannot_write(const std::filesystem::path& path);

}  // namespace lockstep
