#include "bench/cli/arguments.hpp"

namespace lockstep::bench {

void add_adaptation(CLI::App& app, Adaptation& a) {
  const std::string group = "Warm-up";
  add_choice(
      app, "--schedule", a.schedule, kScheduleNames,
      "When the metric is set: windowed as in NumPyro, pooled over chains; auto: pooled with "
      "64 chains or more")
      ->default_str("auto")
      ->group(group);
  app.add_flag("--per-chain-step-size", a.per_chain_step_size,
               "Each chain tunes a step size of its own")
      ->group(group);
  app.add_flag("!--no-regularise", a.regularise, "Estimated metrics are not shrunk")->group(group);
  app.add_flag("--force-dense", a.force_dense,
               "A dense metric from fewer than 100 pooled draws per parameter too")
      ->group(group);
  app.add_flag("!--no-restart", a.restart_stranded,
               "Stranded chains are reported, but left where they are")
      ->group(group);
  app.add_flag("!--no-early-stop", a.stop_early,
               "A pooled warm-up makes all its transitions, settled or not")
      ->group(group);
}

}  // namespace lockstep::bench
