#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>

namespace lockstep {

/// A file that appears under its name only once it is whole: it is written under a temporary name
/// in the same folder and renamed. What is not committed is removed, and an older file stays as it
/// was. A symbolic link stays, and its target is replaced.
class WholeFile {
 public:
  explicit WholeFile(const std::filesystem::path& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  /// Where to write.
  const std::filesystem::path& temporary() const { return temporary_; }
  /// @throw FileError  naming the file
  void commit();

 private:
  std::filesystem::path path_, destination_, temporary_;
};

/// The file behind a symbolic link, else the path itself.
std::filesystem::path destination_of(const std::filesystem::path& path);

/// Writes a whole file through a stream.
/// @throw FileError  naming the file and the reason
void write_whole(const std::filesystem::path& path,
                 const std::function<void(std::ostream&)>& write);

/// Says that `path` cannot be written, and why.
[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::string& why);

}  // namespace lockstep
