#include "bench/cli/output_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "host/io/whole_file.hpp"

namespace lockstep::bench {

namespace fs = std::filesystem;

namespace {

/// Pipes, terminals, /dev/null: written in place, since a rename would replace them.
bool is_special(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) &&
         !fs::is_directory(path, ignored);
}

/// @param path  the name in messages
/// @param to    where the bytes go
void write(const fs::path& path, const fs::path& to, const std::string& content) {
  errno = 0;
  std::ofstream file(to, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) {
    cannot_write(path, errno != 0 ? std::strerror(errno) : "the disk may be full");
  }
}

}  // namespace

void check_writable(const fs::path& path) {
  std::error_code ignored;
  const fs::path to = destination_of(path);
  if (is_special(to)) {
    return;
  }
  if (path.filename().empty() || fs::is_directory(to, ignored)) {
    cannot_write(path, "it is a folder, not a file name");
  }
  const fs::path folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    cannot_write(path, "there is no folder " + folder.string());
  }
  const WholeFile never_committed(to);
  write(path, never_committed.temporary(), "");
}

void write_file(const fs::path& path, const std::string& content) {
  const fs::path to = destination_of(path);
  if (is_special(to)) {
    write(path, to, content);
    return;
  }
  WholeFileWriter file(path);
  file.write(content);
  file.commit();
}

}  // namespace lockstep::bench
