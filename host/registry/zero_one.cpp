/// Classification by the 0-1 loss.

#include "kernels/targets/zero_one.hpp"

#include "host/io/zero_one_data.hpp"
#include "host/registry/entry.hpp"

namespace lockstep::registry {

namespace {

/// The shape of the design that stands in for the SECOM data.
constexpr int kObservations = 1477, kWeights = 377;

/// The user's data, or a made-up design.
ZeroOneData load(const TargetOptions& t) {
  if (!t.data_file.empty()) {
    require(t.dim == 0 && t.observations == 0,
            "zero-one takes its shape from --data: leave out --dim and --observations");
    return ZeroOneData(read_csv(t.data_file, Missing::allowed));
  }
  const int dim = t.dim == 0 ? kWeights : t.dim;
  const int observations = t.observations == 0 ? kObservations : t.observations;
  require(2 <= dim && dim <= kMostDiscontinuous,
          "zero-one: dimension " + std::to_string(dim) + " is outside 2.." +
              std::to_string(kMostDiscontinuous) + ": a feature and an intercept are the least");
  constexpr int most = 100000;
  require(2 <= observations && observations <= most, "zero-one: " + std::to_string(observations) +
                                                         " observations are outside 2.." +
                                                         std::to_string(most));
  return ZeroOneData(synthetic_classification(observations, dim - 1));
}

std::string described(const TargetOptions& t) {
  return (t.data_file.empty() ? "a synthetic design" : t.data_file.string()) + ", " +
         load(t).description();
}

}  // namespace

Entries zero_one() {
  TargetEntry e = data_entry("zero-one",
                             "generalised Bayes by the 0-1 loss: a CSV file, or a synthetic "
                             "(made-up) design of 1477 x 377",
                             "--data FILE.csv, or --dim and --observations", load,
                             [](const ZeroOneData& data, auto s) {
                               using S = decltype(s);
                               return ZeroOne<S, kMostDiscontinuous>(data.view<S>());
                             });
  e.needs_data = false;
  e.data = described;
  return {e};
}

}  // namespace lockstep::registry
