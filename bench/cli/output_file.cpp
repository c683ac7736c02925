#include "bench/cli/output_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
  throw FileError("cannot write " + path.string() + ": " + why);
}

fs::path temporary_name(const fs::path& path) {
  return path.parent_path() /
         ("." + path.filename().string() + "." + std::to_string(getpid()) + ".part");
}

void write_temporary(const fs::path& path, const fs::path& temporary, const std::string& content) {
  errno = 0;
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) {
    const int error = errno;
    std::error_code ignored;
    fs::remove(temporary, ignored);
    fail(path, error != 0 ? std::strerror(error) : "the disk may be full");
  }
}

}  // namespace

void check_writable(const fs::path& path) {
  if (path.filename().empty() || fs::is_directory(path)) {
    fail(path, "it is a folder, not a file name");
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) {
    fail(path, "there is no folder " + folder.string());
  }
  const fs::path temporary = temporary_name(path);
  write_temporary(path, temporary, "");
  std::error_code ignored;
  fs::remove(temporary, ignored);
}

void write_file(const fs::path& path, const std::string& content) {
  const fs::path temporary = temporary_name(path);
  write_temporary(path, temporary, content);
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    fail(path, error.message());
  }
}

}  // namespace lockstep::bench
