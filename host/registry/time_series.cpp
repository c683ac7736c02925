/// Series with a hidden state.

#include "host/io/posterior_data.hpp"
#include "host/registry/entry.hpp"
#include "kernels/instantiate/instantiate.hpp"
#include "kernels/targets/brownian_motion.hpp"
#include "kernels/targets/garch.hpp"
#include "kernels/targets/stochastic_volatility.hpp"

namespace lockstep::registry {

Entries time_series() {
  TargetEntry known =
      entry("brownian", "random walk with a gap in its observations, 30-d normal", "--data-dir",
            [](const TargetOptions& t) {
              const BrownianData data = load_brownian(t.data_dir);
              return BrownianMotion(data.y, data.innovation_scale, data.observation_scale);
            });
  TargetEntry unknown = entry(
      "brownian-unknown", "the same with unknown scales: a funnel, 32-d", "--data-dir",
      [](const TargetOptions& t) { return BrownianMotionUnknown(load_brownian(t.data_dir).y); });
  known.needs_data = unknown.needs_data = true;
  return {
      referenced(data_entry(
                     "garch11", "GARCH(1,1), a bound that depends on another parameter",
                     "--data-dir", [](const TargetOptions& t) { return load_garch11(t.data_dir); },
                     [](const GarchData& data, auto s) {
                       using S = decltype(s);
                       return Garch<S>(data.y.data<S>(), data.y.size(), data.first_sd);
                     }),
                 "garch11", "garch11"),
      referenced(known, "brownian_motion", "known_scales_exact"),
      referenced(unknown, "brownian_motion", "unknown_scales_exact"),
      referenced(data_entry(
                     "stochastic-volatility", "S&P 500, 100 days, non-centred, 103-d", "--data-dir",
                     [](const TargetOptions& t) { return load_squared_returns(t.data_dir); },
                     [](const Column& squares, auto s) {
                       using S = decltype(s);
                       return StochasticVolatility<S, kSeries>(squares.data<S>(), squares.size());
                     }),
                 "stochastic_volatility_sp500_small", "stochastic_volatility"),
  };
}

}  // namespace lockstep::registry
