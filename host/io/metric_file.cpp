#include "host/io/metric_file.hpp"

#include <fstream>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// Rows of `width` numbers as a list of lists.
Json rows_of(const double* values, int rows, int width) {
  Json list = Json::array();
  for (int i = 0; i < rows; ++i, values += width) {
    list.push_back(std::vector<double>(values, values + width));
  }
  return list;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_(path.string()) {
    std::ifstream in(path);
    require<FileError>(in.good(), "cannot read the metric file " + file_);
    try {
      json_ = Json::parse(in);
    } catch (const Json::exception&) {
      malformed("is not JSON");
    }
  }

  GivenMetric metric() const {
    if (json_.is_array()) {
      return list(json_);
    }
    if (!json_.is_object() || !json_.contains("metric") || !json_["metric"].is_string()) {
      malformed("has no \"metric\" that says its kind");
    }
    const std::string kind = json_["metric"];
    if (kind == spelled(kMetricNames, Metric::low_rank)) {
      return low_rank();
    }
    GivenMetric m = list(at("inverse_mass"));
    if (kind != spelled(kMetricNames, m.kind)) {
      malformed("says metric '" + kind + "', but its inverse mass is " +
                (m.kind == Metric::dense ? "a matrix" : "a list"));
    }
    return m;
  }

 private:
  [[noreturn]] void malformed(const std::string& what) const {
    throw FileError(file_ + ": " + what +
                    "; a metric file is what --metric-out writes, or a JSON list of inverse masses "
                    "(diagonal) or of such lists (dense)");
  }

  const Json& at(const char* key) const {
    if (!json_.contains(key)) {
      malformed("has no \"" + std::string(key) + "\"");
    }
    return json_[key];
  }

  void append(const Json& list, InverseMass& to) const {
    if (!list.is_array()) {
      malformed("found " + list.dump().substr(0, 40) + " where a list should be");
    }
    for (const Json& value : list) {
      if (!value.is_number()) {
        malformed("found " + value.dump().substr(0, 40) + " where a number should be");
      }
      to.push_back(value.get<double>());
    }
  }

  GivenMetric list(const Json& values) const {
    if (!values.is_array() || values.empty()) {
      malformed("is not a list of numbers");
    }
    GivenMetric m;
    if (!values[0].is_array()) {
      append(values, m.inverse_mass);
      return m;
    }
    m.kind = Metric::dense;
    for (const Json& row : values) {
      append(row, m.inverse_mass);
      if (row.size() != values.size()) {
        malformed("has " + std::to_string(values.size()) + " rows but one of " +
                  std::to_string(row.size()) + " numbers");
      }
    }
    return m;
  }

  GivenMetric low_rank() const {
    GivenMetric m;
    m.kind = Metric::low_rank;
    append(at("diagonal"), m.inverse_mass);
    append(at("values"), m.inverse_mass);
    const std::size_t dim = at("diagonal").size();
    if (at("vectors").size() != at("values").size()) {
      malformed("has " + std::to_string(at("values").size()) + " values for " +
                std::to_string(at("vectors").size()) + " vectors");
    }
    for (const Json& vector : at("vectors")) {
      append(vector, m.inverse_mass);
      if (vector.size() != dim) {
        malformed("has a vector of " + std::to_string(vector.size()) + " numbers for " +
                  std::to_string(dim) + " parameters");
      }
    }
    return m;
  }

  std::string file_;
  Json json_;
};

}  // namespace

Json metric_json(const PreparedMetric& metric, const std::vector<std::string>& names) {
  const auto dim = static_cast<int>(names.size());
  const double* m = metric.inverse_mass.data();
  Json j;
  const Metric kind = metric.kind == Metric::unit ? Metric::diagonal : metric.kind;
  j["metric"] = spelled(kMetricNames, kind);
  j["parameters"] = names;
  if (kind == Metric::low_rank) {
    const int rank = rank_of(metric.inverse_mass.size(), dim);
    j["diagonal"] = std::vector<double>(m, m + dim);
    j["values"] = std::vector<double>(m + dim, m + dim + rank);
    j["vectors"] = rows_of(m + dim + rank, rank, dim);
  } else if (kind == Metric::dense) {
    j["inverse_mass"] = rows_of(m, dim, dim);
  } else {
    j["inverse_mass"] = metric.inverse_mass;
  }
  return j;
}

GivenMetric read_metric(const std::filesystem::path& path) {
  return Reader(path).metric();
}

}  // namespace lockstep
