#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/io/json.hpp"
#include "lockstep/engine.hpp"

namespace lockstep {

/// An inverse mass as JSON:
///   {"metric": "diagonal", "parameters": [names], "inverse_mass": [dim numbers]}
///   {"metric": "dense",    "parameters": [names], "inverse_mass": [dim rows of dim numbers]}
///   {"metric": "low-rank", "parameters": [names], "diagonal": [dim], "values": [rank],
///    "vectors": [rank rows of dim numbers]}      M^-1 = D (I + U (Lambda - I) U') D, diagonal D^2
/// The unit metric is written as a diagonal of ones.
Json metric_json(const PreparedMetric& metric, const std::vector<std::string>& names);

/// What a file of that form, or a bare list (diagonal) or matrix (dense), holds.
struct GivenMetric {
  Metric kind = Metric::diagonal;
  InverseMass inverse_mass;
};

/// @throw FileError  naming the file and what is wrong with it; whether the numbers make a metric
/// is
///                   `validate`'s to say
GivenMetric read_metric(const std::filesystem::path& path);

}  // namespace lockstep
