#include "host/io/reference.hpp"

#include <cmath>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr std::pair<const char*, double ReferenceFigures::*> kFigures[] = {
    {"mean", &ReferenceFigures::mean},         {"sd", &ReferenceFigures::sd},
    {"q05", &ReferenceFigures::q05},           {"q50", &ReferenceFigures::q50},
    {"q95", &ReferenceFigures::q95},           {"mcse_mean", &ReferenceFigures::mcse_mean},
    {"mcse_sd", &ReferenceFigures::mcse_sd},   {"mcse_q05", &ReferenceFigures::mcse_q05},
    {"mcse_q50", &ReferenceFigures::mcse_q50}, {"mcse_q95", &ReferenceFigures::mcse_q95}};

ReferenceFigures figures_of(const nlohmann::json& node, const std::string& where) {
  require<FileError>(node.is_object(), where + ": expected an object of figures");
  ReferenceFigures figures;
  for (const auto& [key, member] : kFigures) {
    if (const auto it = node.find(key); it != node.end()) {
      require<FileError>(it->is_number(),
                         where + "." + key + ": found " + it->dump() + ", expected a number");
      figures.*member = it->get<double>();
    }
  }
  return figures;
}

}  // namespace

Reference read_reference(const std::filesystem::path& path, const std::string& posterior) {
  std::ifstream file(path, std::ios::binary);
  require<FileError>(file.is_open(), "cannot read reference figures from " + path.string() +
                                         ": check that the file exists and is readable");
  nlohmann::json root;
  try {
    root = nlohmann::json::parse(file);
  } catch (const nlohmann::json::parse_error& e) {
    throw FileError(path.string() + ": is not valid JSON: " + e.what());
  }
  require<FileError>(root.is_object(), path.string() + ": expected an object of posteriors");
  const auto entry = root.find(posterior);
  if (entry == root.end()) {
    std::string known;
    for (const auto& [key, node] : root.items()) {
      known += (known.empty() ? "" : ", ") + key;
    }
    throw FileError(path.string() + ": has no posterior '" + posterior + "', only: " + known);
  }
  const std::string where = path.string() + ": " + posterior;
  require<FileError>(
      entry->is_object() && entry->contains("parameters") && entry->at("parameters").is_object(),
      where + ": expected an object with 'parameters'");
  Reference reference;
  if (const auto basis = entry->find("basis"); basis != entry->end() && basis->is_string()) {
    reference.basis = basis->get<std::string>();
  }
  for (const auto& [name, node] : entry->at("parameters").items()) {
    reference.parameters[name] = figures_of(node, where + "." + name);
  }
  return reference;
}

Truth truth_of(const Reference& reference, const std::vector<std::string>& names) {
  Truth truth;
  truth.source = reference.basis;
  bool exact = true;
  for (const std::string& name : names) {
    const auto it = reference.parameters.find(name);
    require<FileError>(it != reference.parameters.end(),
                       "the reference (" + reference.basis + ") has no parameter '" + name + "'");
    const ReferenceFigures& f = it->second;
    truth.mean.push_back(f.mean);
    truth.sd.push_back(f.sd);
    exact = exact && std::isnan(f.mcse_mean) && std::isnan(f.mcse_sd);
    const double error_mean = std::isnan(f.mcse_mean) ? 0 : f.mcse_mean;
    truth.error_mean.push_back(error_mean);
    truth.error_sd.push_back(std::isnan(f.mcse_sd) ? error_mean / std::sqrt(2.0) : f.mcse_sd);
  }
  if (exact) {
    truth.error_mean.clear();
    truth.error_sd.clear();
  }
  return truth;
}

}  // namespace lockstep
