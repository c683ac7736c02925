/// Linear regressions with normal errors, autoregression among them.

#include "host/io/posterior_data.hpp"
#include "host/registry/entry.hpp"
#include "kernels/targets/linear_regression.hpp"

namespace lockstep::registry {

namespace {

template <class Load>
TargetEntry regression(std::string name, std::string description, Load load) {
  TargetEntry e = entry(std::move(name), std::move(description), "--data-dir",
                        [load](const TargetOptions& t) { return LinearRegression(load(t)); });
  e.needs_data = true;
  return e;
}

}  // namespace

Entries linear_regressions() {
  return {
      referenced(regression("ark", "AR(5) time series, 7-d",
                            [](const TargetOptions& t) { return load_ark(t.data_dir); }),
                 "arK", "arK"),
      referenced(regression("kidiq", "test scores on mother's school and IQ, not centred",
                            [](const TargetOptions& t) { return load_kidiq(false, t.data_dir); }),
                 "kidiq", "kidscore_momhsiq"),
      referenced(regression("kidiq-interaction", "the same and their product",
                            [](const TargetOptions& t) { return load_kidiq(true, t.data_dir); }),
                 "kidiq", "kidscore_interaction"),
      referenced(regression("kilpisjarvi", "temperature on year: correlated almost to -1",
                            [](const TargetOptions& t) { return load_kilpisjarvi(t.data_dir); }),
                 "kilpisjarvi", "kilpisjarvi"),
  };
}

}  // namespace lockstep::registry
