/// Targets whose density jumps: embedded integers and discontinuous likelihoods.

#include "host/io/capture_data.hpp"
#include "host/registry/entry.hpp"
#include "kernels/targets/integer_grid.hpp"
#include "kernels/targets/jolly_seber.hpp"

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

}  // namespace

Entries discontinuous() {
  return {
      entry("integer-grid", "two integers on 0..5, law exp(-(m - n)^2 / 3 - |m + n - 5| / 4)", "",
            [](const TargetOptions&) { return IntegerGrid{}; }),
      jolly_seber("jolly-seber", "capture-recapture, black-kneed capsid, 25 rates and 13 counts",
                  "jolly_seber", false),
      jolly_seber("jolly-seber-as-coded",
                  "the same with an index slip, as its published efficiencies were measured",
                  "jolly_seber_as_coded_in_source", true),
  };
}

}  // namespace lockstep::registry
