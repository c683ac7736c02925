#include "host/io/whole_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <unistd.h>

#include "lockstep/error.hpp"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

/// Hidden, and apart from those of other processes.
fs::path temporary_name(const fs::path& path) {
  std::string name(".");
  name.append(path.filename().string()).append(".").append(std::to_string(getpid()));
  return path.parent_path() / name.append(".part");
}

}  // namespace

void cannot_write(const fs::path& path, const std::string& why) {
  throw FileError("cannot write " + path.string() + ": " + why);
}

fs::path destination_of(const fs::path& path) {
  std::error_code ignored;
  return fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : path;
}

WholeFile::WholeFile(const fs::path& path)
    : path_(path), destination_(destination_of(path)), temporary_(temporary_name(destination_)) {}

WholeFile::~WholeFile() {
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void WholeFile::commit() {
  std::error_code error;
  fs::rename(temporary_, destination_, error);
  if (error) {
    cannot_write(path_, error.message());
  }
}

void write_whole(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  WholeFile file(path);
  errno = 0;
  std::ofstream out(file.temporary(), std::ios::binary | std::ios::trunc);
  if (out) {
    write(out);
  }
  out.close();
  if (!out) {
    cannot_write(path, errno != 0 ? std::strerror(errno) : "the disk may be full");
  }
  file.commit();
}

}  // namespace lockstep
