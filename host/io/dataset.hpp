#pragma once

/// Finding and reading data sets: a folder per data set, CSV tables and JSON arrays in it.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lockstep {

/// The folders in which data sets are looked up, in order: `data_dir` when it is not empty,
/// $LOCKSTEP_DATA, and ${XDG_CACHE_HOME:-~/.cache}/lockstep.
std::vector<std::filesystem::path> data_folders(const std::filesystem::path& data_dir = {});

/// The path FOLDER/name/file in the first of `data_folders` that has it.
/// @throw FileError naming the folders that were searched and the command that fetches the data.
std::filesystem::path find_data_file(const std::string& name, const std::string& file,
                                     const std::filesystem::path& data_dir = {});

/// Numbers in named columns.
struct Table {
  std::string source;                // the file, for messages
  std::vector<std::string> columns;  // [columns]
  std::vector<double> values;        // [rows][columns]

  std::size_t rows() const { return columns.empty() ? 0 : values.size() / columns.size(); }
  double at(std::size_t row, std::size_t column) const {
    return values[row * columns.size() + column];
  }
};

/// Whether a table's fields may be empty, NA, NaN, nan or ?, and are then NaN.
enum class Missing { refused, allowed };

/// Reads a CSV file: a header row with distinct names, then rows of finite numbers. Fields are
/// separated by commas; blanks around them, a carriage return before the line's end, quotes around
/// a field, a byte order mark and empty lines at the end are accepted.
/// @throw FileError naming file, line, column and what was found there.
Table read_csv(const std::filesystem::path& path, Missing missing = Missing::refused);

/// A number, vector or rectangular matrix of a JSON file.
struct JsonArray {
  std::vector<std::size_t> shape;  // empty for a number
  std::vector<double> values;      // row-major
};

/// Reads a JSON object of numbers and rectangular arrays of numbers, the form in which Stan
/// programs take their data. null is a missing value, NaN.
/// @throw FileError naming the file and the key that is something else.
std::map<std::string, JsonArray> read_json_data(const std::filesystem::path& path);

}  // namespace lockstep
