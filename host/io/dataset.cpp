#include "host/io/dataset.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

namespace fs = std::filesystem;

/// The variable's value, or nothing: an empty one counts as unset.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::ifstream open(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  require<FileError>(
      file.is_open() && !fs::is_directory(path),
      "cannot read " + path.string() + ": check that the file exists and is readable");
  return file;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  text = text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t comma = line.find(',', begin);
    fields.push_back(trimmed(line.substr(begin, comma - begin)));
    if (comma == std::string_view::npos) {
      return fields;
    }
    begin = comma + 1;
  }
}

/// What was found, short enough for a message.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string message = "'";
  message.append(text.substr(0, longest)).append(text.size() > longest ? "...'" : "'");
  return message;
}

/// Where a table's problem is: "FILE:LINE".
std::string place(const fs::path& path, std::size_t line) {
  return path.string() + ":" + std::to_string(line);
}

std::vector<std::string> header_of(std::string_view line, const fs::path& path) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (line.substr(0, byte_order_mark.size()) == byte_order_mark) {
    line.remove_prefix(byte_order_mark.size());
  }
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const std::string_view field : fields_of(line)) {
    const std::string column = "column " + std::to_string(names.size() + 1);
    require<FileError>(!field.empty(), place(path, 1) + ": " + column +
                                           " has no name: the first row must name all");
    double number = 0;
    const auto end = std::from_chars(field.data(), field.data() + field.size(), number);
    require<FileError>(end.ec != std::errc() || end.ptr != field.data() + field.size(),
                       place(path, 1) + ": " + column + " is named " + in_quotes(field) +
                           ", a number: add a header row that names the columns");
    require<FileError>(seen.insert(field).second, place(path, 1) + ": two columns are named " +
                                                      in_quotes(field) + ": rename one");
    names.emplace_back(field);
  }
  return names;
}

bool is_missing(std::string_view field) {
  return field.empty() || field == "NA" || field == "NaN" || field == "nan" || field == "?";
}

/// The field's number. (Messages are put together only when there is something to say: files can be
/// large.)
double number_of(std::string_view field, const fs::path& path, std::size_t line,
                 const std::string& column) {
  const std::string_view digits = !field.empty() && field.front() == '+' ? field.substr(1) : field;
  double value = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size() || !std::isfinite(value)) {
    throw FileError(place(path, line) + ", column " + in_quotes(column) + ": found " +
                    (field.empty() ? "nothing" : in_quotes(field)) + ", expected a finite number");
  }
  return value;
}

/// Appends `node`'s numbers; the first element visited at each depth decides the shape.
void flatten(const nlohmann::json& node, std::size_t depth, JsonArray& array, const fs::path& path,
             const std::string& key) {
  const std::string where = path.string() + ": " + in_quotes(key) + " ";
  if (!node.is_array()) {
    require<FileError>(
        node.is_number() || node.is_null(),
        where + "holds " + in_quotes(node.dump()) + ", expected numbers or arrays of numbers");
    require<FileError>(depth == array.shape.size(),
                       where + "is a ragged array: make it rectangular");
    array.values.push_back(node.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                          : node.get<double>());
    return;
  }
  if (depth == array.shape.size() && array.values.empty()) {
    array.shape.push_back(node.size());
  }
  require<FileError>(depth < array.shape.size() && array.shape[depth] == node.size(),
                     where + "is a ragged array: make it rectangular");
  for (const nlohmann::json& element : node) {
    flatten(element, depth + 1, array, path, key);
  }
}

}  // namespace

std::vector<fs::path> data_folders(const fs::path& data_dir) {
  std::vector<fs::path> folders;
  if (!data_dir.empty()) {
    folders.push_back(data_dir);
  }
  if (const std::string folder = environment("LOCKSTEP_DATA"); !folder.empty()) {
    folders.emplace_back(folder);
  }
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) {
    folders.push_back(fs::path(cache) / "lockstep");
  } else if (const std::string home = environment("HOME"); !home.empty()) {
    folders.push_back(fs::path(home) / ".cache" / "lockstep");
  }
  return folders;
}

fs::path find_data_file(const std::string& name, const std::string& file,
                        const fs::path& data_dir) {
  std::string searched;
  for (const fs::path& folder : data_folders(data_dir)) {
    const fs::path candidate = folder / name / file;
    std::error_code ignored;  // an unreadable folder has not got the file
    if (fs::is_regular_file(candidate, ignored)) {
      return candidate;
    }
    searched += (searched.empty() ? "" : ", ") + folder.string();
  }
  throw FileError(
      "data set " + name + ": " + file + " is in none of " +
      (searched.empty() ? "the searched folders, for there are none" : searched) +
      ": run `bench/fetch-data " + name +
      "` (if `bench/fetch-data list` has it), or name the folder it is in with --data-dir");
}

Table read_csv(const fs::path& path, Missing missing) {
  std::ifstream file = open(path);
  Table table;
  table.source = path.string();
  std::string line;
  std::size_t number = 0, first_empty = 0;
  while (std::getline(file, line)) {
    ++number;
    if (trimmed(line).empty()) {
      first_empty = first_empty == 0 ? number : first_empty;
      continue;
    }
    if (first_empty != 0) {
      throw FileError(place(path, first_empty) + ": found an empty line between rows: remove it");
    }
    if (table.columns.empty()) {
      table.columns = header_of(line, path);
      continue;
    }
    const std::vector<std::string_view> fields = fields_of(line);
    if (fields.size() != table.columns.size()) {
      throw FileError(place(path, number) + ": found " + std::to_string(fields.size()) +
                      " columns, expected " + std::to_string(table.columns.size()) +
                      " as in the header");
    }
    for (std::size_t j = 0; j < fields.size(); ++j) {
      table.values.push_back(missing == Missing::allowed && is_missing(fields[j])
                                 ? std::numeric_limits<double>::quiet_NaN()
                                 : number_of(fields[j], path, number, table.columns[j]));
    }
  }
  require<FileError>(!file.bad(), "cannot read " + path.string() + " to its end");
  require<FileError>(!table.columns.empty(),
                     path.string() + ": is empty, expected a header row and rows of numbers");
  require<FileError>(!table.values.empty(), path.string() + ": has a header row but no data rows");
  return table;
}

std::map<std::string, JsonArray> read_json_data(const fs::path& path) {
  std::ifstream file = open(path);
  nlohmann::json root;
  try {
    root = nlohmann::json::parse(file);
  } catch (const nlohmann::json::parse_error& e) {
    throw FileError(path.string() + ": is not valid JSON: " + e.what());
  }
  require<FileError>(root.is_object(), path.string() + ": expected a JSON object of named arrays");
  std::map<std::string, JsonArray> data;
  for (const auto& [key, node] : root.items()) {
    flatten(node, 0, data[key], path, key);
  }
  return data;
}

}  // namespace lockstep
