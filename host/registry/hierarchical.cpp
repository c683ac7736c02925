/// Groups that share a law of unknown width.

#include <cmath>

#include "host/io/posterior_data.hpp"
#include "host/registry/entry.hpp"
#include "kernels/instantiate/instantiate.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/item_response.hpp"

namespace lockstep::registry {

namespace {

NormalPrior prior_of(const TargetOptions& t) {
  NormalPrior prior;
  if (t.prior_sd != 0) {
    require(t.prior_sd > 0 && std::isfinite(t.prior_sd),
            "prior sd is " + std::to_string(t.prior_sd) + ": give a positive number");
    prior.sd = t.prior_sd;
  }
  prior.mean = t.prior_mean;
  return prior;
}

/// Whether the reference, which has the published prior, says anything of this one.
bool has_published_prior(const TargetOptions& t) {
  const NormalPrior prior = prior_of(t), published;
  return prior.mean == published.mean && prior.sd == published.sd;
}

}  // namespace

Entries hierarchical() {
  const char* prior = "--prior-mean (0), --prior-sd (5)";
  return {
      referenced(entry("eight-schools", "hierarchical normal (Rubin 1981), centred: a funnel",
                       prior, [](const TargetOptions& t) { return EightSchools(prior_of(t)); }),
                 "eight_schools", "hierarchical_posteriordb", has_published_prior),
      referenced(entry("eight-schools-nc", "the same posterior, non-centred", prior,
                       [](const TargetOptions& t) { return EightSchoolsNc(prior_of(t)); }),
                 "eight_schools", "hierarchical_posteriordb", has_published_prior),
      referenced(entry("eight-schools-log", "the same data, mu ~ N(0, 10), log tau ~ N(5, 1)", "",
                       [](const TargetOptions&) { return EightSchoolsLogNormal(); }),
                 "eight_schools", "hierarchical_inference_gym_own"),
      referenced(
          data_entry(
              "item-response", "one-parameter item response, 400 students, 100 questions",
              "--data-dir", [](const TargetOptions& t) { return load_item_response(t.data_dir); },
              [](const AnswerData& data, auto s) {
                using S = decltype(s);
                return ItemResponse<S, kItemParameters>(data.view<S>());
              }),
          "item_response_1pl", "item_response_1pl"),
  };
}

}  // namespace lockstep::registry
