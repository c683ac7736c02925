#include "host/io/whole_file.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "lockstep/error.hpp"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBuffer = 1 << 20;

/// Waits until the disk has it. A file system that cannot is no worse than without.
bool to_disk(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) {
    return false;
  }
  const bool done = ::fsync(descriptor) == 0 || errno == EINVAL;
  return (::close(descriptor) == 0) && done;
}

}  // namespace

void cannot_write(const fs::path& path, const std::string& why) {
  throw FileError("cannot write " + path.string() + ": " + why);
}

void cannot_write(const fs::path& path) {
  const int why = errno;
  cannot_write(path, std::string(std::strerror(why)) +
                         (why == ENOSPC || why == EDQUOT ? "; make room, or name a file elsewhere"
                                                         : "; name a file that can be written"));
}

fs::path destination_of(const fs::path& path) {
  std::error_code ignored;
  return fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : path;
}

WholeFile::WholeFile(const fs::path& path) : path_(path), destination_(destination_of(path)) {
  temporary_ = destination_.string() + ".part";
}

WholeFile::~WholeFile() {
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void WholeFile::commit() {
  // Without this a power cut after the rename could leave the new name on an empty file.
  if (!to_disk(temporary_, O_RDONLY) || ::rename(temporary_.c_str(), destination_.c_str()) != 0) {
    cannot_write(path_);
  }
  to_disk(destination_.has_parent_path() ? destination_.parent_path() : ".",
          O_RDONLY | O_DIRECTORY);
}

WholeFileWriter::WholeFileWriter(const fs::path& path) : file_(path) {
  std::error_code ignored;
  require<FileError>(!fs::exists(path, ignored) || fs::is_regular_file(path, ignored),
                     "cannot write " + path.string() + ": it is no ordinary file; name another");
  buffer_.reserve(kBuffer);
  descriptor_ = ::open(file_.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    cannot_write(path);
  }
}

WholeFileWriter::~WholeFileWriter() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void WholeFileWriter::write(const void* data, std::size_t size) {
  if (buffer_.size() + size > kBuffer) {
    flush();
  }
  const auto* bytes = static_cast<const char*>(data);
  if (size > kBuffer) {
    put(bytes, size, written_);
    written_ += size;
  } else {
    buffer_.insert(buffer_.end(), bytes, bytes + size);
  }
}

void WholeFileWriter::rewrite(std::uint64_t offset, const void* data, std::size_t size) {
  flush();
  put(static_cast<const char*>(data), size, offset);
}

void WholeFileWriter::commit() {
  flush();
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    cannot_write(file_.path());
  }
  file_.commit();
}

void WholeFileWriter::put(const char* data, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t n = ::pwrite(descriptor_, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      cannot_write(file_.path());
    }
    data += n;
    size -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
}

void WholeFileWriter::flush() {
  put(buffer_.data(), buffer_.size(), written_);
  written_ += buffer_.size();
  buffer_.clear();
}

}  // namespace lockstep
