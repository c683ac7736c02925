#pragma once

#include <filesystem>

namespace lockstep::bench {

/// A folder with a made-up data set of the German credit data's shape and name (1000 rows, 24
/// features), so that its kernel can be timed where the data are absent. Removed with this object.
class SyntheticCredit {
 public:
  SyntheticCredit();
  ~SyntheticCredit();
  SyntheticCredit(const SyntheticCredit&) = delete;
  SyntheticCredit& operator=(const SyntheticCredit&) = delete;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace lockstep::bench
