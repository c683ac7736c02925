#pragma once

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/io/dataset.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

/// FOLDER/data.json, with complaints that name the file and the entry.
class DataFile {
 public:
  DataFile(const std::string& folder, const std::filesystem::path& data_dir)
      : path_(find_data_file(folder, "data.json", data_dir)), entries_(read_json_data(path_)) {}

  /// A vector; of `size` numbers, if that is not 0.
  std::vector<double> vector(const std::string& key, std::size_t size = 0) const {
    const std::vector<double> values = with_gaps(key, size);
    for (const double x : values) {
      require<FileError>(std::isfinite(x), where(key) + "has a missing value: give numbers");
    }
    return values;
  }
  /// The same, in which NaN stands for a missing value.
  std::vector<double> with_gaps(const std::string& key, std::size_t size = 0) const {
    const JsonArray& array = entry(key);
    require<FileError>(array.shape.size() == 1 && !array.values.empty(),
                       where(key) + "is not a vector: give numbers in brackets");
    require<FileError>(size == 0 || array.values.size() == size,
                       where(key) + "has " + std::to_string(array.values.size()) + " values, but " +
                           std::to_string(size) + " are needed");
    return array.values;
  }
  double number(const std::string& key) const {
    const JsonArray& array = entry(key);
    require<FileError>(array.shape.empty() && std::isfinite(array.values.at(0)),
                       where(key) + "is not a number");
    return array.values[0];
  }
  double positive(const std::string& key) const {
    const double x = number(key);
    require<FileError>(x > 0, where(key) + "is " + std::to_string(x) + ": it must be positive");
    return x;
  }
  /// A number of things.
  int count(const std::string& key) const { return whole(key, number(key)); }
  std::vector<int> counts(const std::string& key, std::size_t size = 0) const {
    std::vector<int> all;
    for (const double x : vector(key, size)) {
      all.push_back(whole(key, x));
    }
    return all;
  }
  std::string where(const std::string& key) const { return path_.string() + ": '" + key + "' "; }

 private:
  int whole(const std::string& key, double x) const {
    require<FileError>(x >= 0 && x <= 1e9 && x == std::floor(x),
                       where(key) + "holds " + std::to_string(x) + ": counts are whole numbers");
    return static_cast<int>(x);
  }
  const JsonArray& entry(const std::string& key) const {
    const auto it = entries_.find(key);
    require<FileError>(it != entries_.end(), where(key) + "is not there");
    return it->second;
  }

  std::filesystem::path path_;
  std::map<std::string, JsonArray> entries_;
};

}  // namespace lockstep
