#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace lockstep {

/// FNV-1a of some memory, in 16 hexadecimal digits: tells things apart, and guards against nobody.
inline std::string hash_of(const void* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}
inline std::string hash_of(const std::string& text) {
  return hash_of(text.data(), text.size());
}

}  // namespace lockstep
