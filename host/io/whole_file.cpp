#include "host/io/whole_file.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr std::size_t kBuffer = 1 << 20;

}  // namespace

// The temporary name is always the same, so that what a killed process leaves behind is written
// over and does not add up.
WholeFile::WholeFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;
  if (std::filesystem::is_symlink(path_, ignored)) {  // the file behind a link, not the link
    path_ = std::filesystem::weakly_canonical(path_, ignored);
  }
  require<FileError>(
      !std::filesystem::exists(path_, ignored) || std::filesystem::is_regular_file(path_, ignored),
      "cannot write " + path_.string() + ": it is no ordinary file; name another");
  temporary_ = path_.string() + ".part";
  buffer_.reserve(kBuffer);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    fail();
  }
}

WholeFile::~WholeFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void WholeFile::write(const void* data, std::size_t size) {
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

void WholeFile::rewrite(std::uint64_t offset, const void* data, std::size_t size) {
  flush();
  put(static_cast<const char*>(data), size, offset);
}

void WholeFile::commit() {
  flush();
  // Without this a power cut after the rename could leave the new name on an empty file.
  if (::fsync(descriptor_) != 0 && errno != EINVAL) {
    fail();
  }
  if (::close(std::exchange(descriptor_, -1)) != 0 ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int why = errno;
    ::unlink(temporary_.c_str());
    errno = why;
    fail();
  }
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  if (const int d = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); d >= 0) {
    ::fsync(d);  // the rename itself; a file system that cannot is no worse than without
    ::close(d);
  }
}

void WholeFile::fail() const {
  const int why = errno;
  const char* remedy = why == ENOSPC || why == EDQUOT ? "; make room, or name a file elsewhere"
                                                      : "; name a file that can be written";
  throw FileError("cannot write " + path_.string() + ": " + std::strerror(why) + remedy);
}

void WholeFile::put(const char* data, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t n = ::pwrite(descriptor_, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      fail();
    }
    data += n;
    size -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
}

void WholeFile::flush() {
  put(buffer_.data(), buffer_.size(), written_);
  written_ += buffer_.size();
  buffer_.clear();
}

}  // namespace lockstep
