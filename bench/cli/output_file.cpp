#include "bench/cli/output_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <unistd.h>

#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
  throw FileError("cannot write " + path.string() + ": " + why);
}

/// Where the content goes: the file behind a symbolic link, not the link.
fs::path destination(const fs::path& path) {
  std::error_code ignored;
  return fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : path;
}

/// Pipes, terminals, /dev/null: written in place, since a rename would replace them.
bool is_special(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) &&
         !fs::is_directory(path, ignored);
}

fs::path temporary_name(const fs::path& path) {
  std::string name(".");
  name.append(path.filename().string()).append(".").append(std::to_string(getpid()));
  return path.parent_path() / name.append(".part");
}

/// @param path  the name in messages
/// @param to    where the bytes go
void write(const fs::path& path, const fs::path& to, const std::string& content) {
  errno = 0;
  std::ofstream file(to, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) {
    fail(path, errno != 0 ? std::strerror(errno) : "the disk may be full");
  }
}

/// A temporary file, gone again unless it was renamed.
class Temporary {
 public:
  explicit Temporary(const fs::path& path) : name_(temporary_name(path)) {}
  ~Temporary() {
    std::error_code ignored;
    fs::remove(name_, ignored);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const fs::path& name() const { return name_; }

 private:
  fs::path name_;
};

}  // namespace

void check_writable(const fs::path& path) {
  std::error_code ignored;
  const fs::path to = destination(path);
  if (is_special(to)) {
    return;
  }
  if (path.filename().empty() || fs::is_directory(to, ignored)) {
    fail(path, "it is a folder, not a file name");
  }
  const fs::path folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    fail(path, "there is no folder " + folder.string());
  }
  const Temporary temporary(to);
  write(path, temporary.name(), "");
}

void write_file(const fs::path& path, const std::string& content) {
  const fs::path to = destination(path);
  if (is_special(to)) {
    write(path, to, content);
    return;
  }
  const Temporary temporary(to);
  write(path, temporary.name(), content);
  std::error_code error;
  fs::rename(temporary.name(), to, error);
  if (error) {
    fail(path, error.message());
  }
}

}  // namespace lockstep::bench
