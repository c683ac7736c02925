#pragma once

/// An archive in memory.

#include <cstring>
#include <vector>

#include "lockstep/archive.hpp"
#include "lockstep/error.hpp"

namespace lockstep::testing {

class MemoryArchive final : public Archive {
 public:
  MemoryArchive() = default;
  /// For reading what another has written.
  explicit MemoryArchive(std::vector<char> memory) : memory_(std::move(memory)), reading_(true) {}

  const std::vector<char>& memory() const { return memory_; }
  /// Whether all of it was read.
  bool at_end() const { return at_ == memory_.size(); }

  bool reading() const override { return reading_; }
  void bytes(void* memory, std::size_t size) override {
    if (size == 0) {  // then there may be no memory either
      return;
    }
    if (reading_) {
      require<FileError>(at_ + size <= memory_.size(), "the archive ends too early");
      std::memcpy(memory, memory_.data() + at_, size);
      at_ += size;
    } else {
      const auto* from = static_cast<const char*>(memory);
      memory_.insert(memory_.end(), from, from + size);
    }
  }

 private:
  void check(std::uint64_t size) override {
    require<FileError>(size <= memory_.size() - at_, "the archive ends too early");
  }

  std::vector<char> memory_;
  std::size_t at_ = 0;
  bool reading_ = false;
};

}  // namespace lockstep::testing
