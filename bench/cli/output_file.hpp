#pragma once

#include <filesystem>
#include <string>

namespace lockstep::bench {

/// Finds out now, before hours of sampling, whether `path` can be written.
/// @throw FileError  naming the file and the reason
void check_writable(const std::filesystem::path& path);

/// Writes the file under a temporary name beside it and renames it, so that no reader ever sees
/// half a file and a failure leaves an older one as it was.
/// @throw FileError  naming the file and the reason
void write_file(const std::filesystem::path& path, const std::string& content);

}  // namespace lockstep::bench
