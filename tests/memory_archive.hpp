#pragma once

#include <cstring>
#include <vector>

#include "lockstep/archive.hpp"
#include "lockstep/error.hpp"

namespace lockstep::testing {

/// Saves to memory, or restores from it.
class MemoryArchive final : public Archive {
 public:
  MemoryArchive() = default;
  explicit MemoryArchive(std::vector<char> saved) : memory(std::move(saved)), reading_(true) {}

  bool reading() const override { return reading_; }
  void bytes(void* data, std::size_t size) override {
    if (size == 0) {
      return;
    }
    if (reading_) {
      check(size);
      std::memcpy(data, memory.data() + at_, size);
      at_ += size;
    } else {
      const auto* from = static_cast<const char*>(data);
      memory.insert(memory.end(), from, from + size);
    }
  }
  bool at_end() const { return at_ == memory.size(); }

  std::vector<char> memory;

 private:
  void check(std::uint64_t size) override {
    require<FileError>(size <= memory.size() - at_, "the archive is too short");
  }
  bool reading_ = false;
  std::size_t at_ = 0;
};

}  // namespace lockstep::testing
