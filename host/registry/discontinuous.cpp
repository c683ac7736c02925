/// Targets whose density jumps: embedded integers and discontinuous likelihoods.

#include "host/io/capture_data.hpp"
#include "host/io/dataset.hpp"
#include "host/registry/entry.hpp"
#include "kernels/targets/binomial_n.hpp"
#include "kernels/targets/change_point.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/jolly_seber.hpp"
#include "kernels/targets/mixed_grid.hpp"
#include "kernels/targets/mixture_indicator.hpp"
#include "kernels/targets/sign.hpp"

namespace lockstep::registry {

namespace {

/// Of the black-kneed capsid. @param as_coded  with the slip of the program of the paper
TargetEntry jolly_seber(std::string name, std::string description, std::string posterior,
                        bool as_coded) {
  return referenced(data_entry(
                        std::move(name), std::move(description), "--data-dir",
                        [](const TargetOptions& t) { return load_capsid(t.data_dir); },
                        [as_coded](const JollySeberData<kCapsidOccasions>& data, auto) {
                          return JollySeber<kCapsidOccasions>(data, as_coded);
                        }),
                    "capsid_jolly_seber", std::move(posterior));
}

/// The last column of a table.
std::vector<double> counts_of(const Table& table) {
  std::vector<double> counts;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    counts.push_back(table.at(row, table.columns.size() - 1));
  }
  return counts;
}

}  // namespace

Entries discontinuous() {
  return {
      entry("integer-grid", "two integers on 0..5, law exp(-(m - n)^2 / 3 - |m + n - 5| / 4)", "",
            [](const TargetOptions&) { return IntegerGrid{}; }),
      entry("mixed-grid", "two integers on 0..3 and a normal number whose law they set", "",
            [](const TargetOptions&) { return MixedGrid{}; }),
      entry("binomial-n", "100 successes in an unknown number of trials: (p, N), law summed", "",
            [](const TargetOptions&) { return BinomialN{}; }),
      entry("sign", "x ~ N(0, 1); if x >= 0 then y ~ N(1, 1), else y ~ N(-1, 1); y = 1", "",
            [](const TargetOptions&) { return Sign{}; }),
      entry("change-point", "counts whose rate changes once: two rates and the time between them",
            "--data",
            [](const TargetOptions& t) {
              return t.data_file.empty() ? ChangePoint()
                                         : ChangePoint(counts_of(read_csv(t.data_file)));
            }),
      entry("mixture-indicator", "four normals and the indicator of which one x is from", "",
            [](const TargetOptions&) { return MixtureIndicator{}; }),
      jolly_seber("jolly-seber", "capture-recapture, black-kneed capsid, 25 rates and 13 counts",
                  "jolly_seber", false),
      jolly_seber("jolly-seber-as-coded",
                  "the same with an index slip, as its published efficiencies were measured",
                  "jolly_seber_as_coded_in_source", true),
  };
}

}  // namespace lockstep::registry
