#include "host/io/csv.hpp"

#include "host/io/json.hpp"

namespace lockstep {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string field(1, '"');
  for (const char c : text) {
    field.append(c == '"' ? 2 : 1, c);
  }
  return field + '"';
}

std::string field(const Json& value) {
  if (value.is_null()) {
    return "";
  }
  return value.is_string() ? quoted(value.get<std::string>()) : value.dump();
}

}  // namespace

std::string summary_csv(const Fit& fit) {
  std::string text;
  const auto line = [&](const Json& object, auto part) {
    for (const auto& [key, value] : object.items()) {
      text += part(key, value);
      text += ',';
    }
    text.replace(text.size() - 1, 1, "\r\n");
  };
  line(to_json(ParameterSummary{}), [](const std::string& key, const Json&) { return key; });
  for (const ParameterSummary& p : fit.parameters) {
    line(to_json(p), [](const std::string&, const Json& value) { return field(value); });
  }
  return text;
}

}  // namespace lockstep
