#include "host/io/json.hpp"

#include <cmath>
#include <sstream>

#include "host/adapt/schedule.hpp"
#include "host/gradients.hpp"
#include "lockstep/config.hpp"

namespace lockstep {

namespace {

std::string formatted(double x) {
  std::ostringstream text;
  text << x;
  return text.str();
}

bool varies_length(const Sampler& s) {
  const std::string name = sampler_name(s);
  return name != "mala" && name != "rwm" && name != "l2hmc";
}

}  // namespace

Json json_number(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

std::string sampler_name(const Sampler& sampler) {
  if (sampler.method == Method::random_walk) {
    return "rwm";
  }
  if (sampler.method != Method::hmc) {
    return spelled(kMethodNames, sampler.method);
  }
  if (sampler.persistence > 0) {
    return "ghmc";
  }
  const bool one_step = sampler.leapfrog == 1 && sampler.length_jitter == LengthJitter::none &&
                        sampler.integrator == Integrator::leapfrog;
  return one_step ? "mala" : "hmc";
}

std::string sampler_line(const Sampler& s) {
  const std::string name = sampler_name(s);
  std::string line = name + ", step size ";
  line += s.step_size > 0 ? formatted(s.step_size) : "tuned";
  if (s.step_jitter > 0) {
    line += " +- " + formatted(100 * s.step_jitter) + " %";
  }
  if (makes_visits(s)) {
    line += ", hop " + (s.hop > 0 ? formatted(s.hop) : "tuned");
    line += s.hop_per_coordinate ? " (each its own)" : "";
  }
  if (varies_length(s)) {
    const bool fixed = s.length_jitter == LengthJitter::none || s.longest > 0;
    line += fixed ? ", " : ", about ";
    line += std::to_string(s.leapfrog) + (s.longest > 0 ? " to " + std::to_string(s.longest) : "");
    line += s.leapfrog == 1 && s.longest == 0 ? " step" : " steps";
    line += fixed ? "" : " (" + spelled(kLengthJitterNames, s.length_jitter) + ")";
    line += " of " + spelled(kIntegratorNames, s.integrator);
  }
  if (s.network) {
    const NetworkShape& shape = s.network->shape;
    return line + ", " + std::to_string(shape.steps) + (shape.steps == 1 ? " step" : " steps") +
           ", networks of " + std::to_string(shape.hidden) + " x " + std::to_string(shape.width) +
           " units";
  }
  if (s.persistence > 0) {
    line += ", persistence " + formatted(s.persistence);
  }
  return line + ", " + spelled(kMetricNames, s.metric) + " metric";
}

Json to_json(const Sampler& s) {
  Json j;
  j["name"] = sampler_name(s);
  j["step_size"] = json_number(s.step_size);
  if (s.method == Method::hmc || makes_visits(s)) {
    j["step_jitter"] = json_number(s.step_jitter);
    j["leapfrog"] = s.leapfrog;
    if (s.longest > 0) {
      j["longest"] = s.longest;
    } else {
      j["length_jitter"] = spelled(kLengthJitterNames, s.length_jitter);
    }
    j["integrator"] = spelled(kIntegratorNames, s.integrator);
    j["persistence"] = json_number(s.persistence);
  }
  if (makes_visits(s)) {
    j["hop"] = json_number(s.hop);
    j["hop_per_coordinate"] = s.hop_per_coordinate;
    j["target_no_flip"] = s.target_no_flip > 0 ? Json(s.target_no_flip) : Json(nullptr);
  }
  if (s.method == Method::dhmc) {
    j["order"] = spelled(kVisitOrderNames, s.order);
  }
  if (s.network) {
    const NetworkShape& shape = s.network->shape;
    j["leapfrog"] = shape.steps;
    j["width"] = shape.width;
    j["hidden"] = shape.hidden;
    j["training"] = to_json(s.network->training);
  }
  j["metric"] = spelled(kMetricNames, s.metric);
  // 0 means the method's own.
  j["target_acceptance"] = s.target_acceptance > 0 ? Json(s.target_acceptance) : Json(nullptr);
  return j;
}

Json to_json(const ParameterSummary& p) {
  Json j;
  j["name"] = p.name;
  const std::pair<const char*, double> figures[] = {
      {"mean", p.mean},
      {"sd", p.sd},
      {"q05", p.q05},
      {"q50", p.q50},
      {"q95", p.q95},
      {"mcse", p.mcse},
      {"ess_bulk", p.ess_bulk},
      {"ess_tail", p.ess_tail},
      {"ess_between", p.ess_between},
      {"rhat", p.rhat},
      {"nested_rhat", p.nested_rhat},
      {"truth_mean", p.truth_mean},
      {"truth_sd", p.truth_sd},
      {"error_in_mcse", p.error_in_mcse},
      {"sd_error_in_mcse", p.sd_error_in_mcse},
  };
  for (const auto& [key, value] : figures) {
    j[key] = json_number(value);
  }
  return j;
}

Json to_json(const Preparation& p) {
  if (p.name.empty()) {
    return nullptr;
  }
  Json j;
  j["name"] = p.name;
  j["metric"] = p.inverse_mass.empty() ? Json(nullptr) : Json(spelled(kMetricNames, p.kind));
  j["weight"] = p.inverse_mass.empty() ? Json(nullptr) : Json(p.weight);
  j["gradients"] = p.gradients;
  j["seconds"] = p.seconds;
  j["elbo"] = json_number(p.elbo);
  j["k_hat"] = json_number(p.k_hat);
  j["warnings"] = p.warnings;
  return j;
}

Json to_json(const VisitSummary& v) {
  Json j;
  j["name"] = v.name;
  j["hop"] = json_number(v.hop);
  j["mass"] = json_number(v.mass);
  j["no_flip"] = json_number(v.no_flip);
  return j;
}

Json to_json(const Fit& fit, const std::string& target) {
  Json j;
  j["lockstep"] = LOCKSTEP_VERSION;
  j["target"] = target;
  j["dimension"] = fit.engine.dim;
  j["sampler"] = to_json(fit.sampler);
  j["inverse_mass"] = Json::array();
  if (fit.metric.kind != Metric::unit) {  // which has nothing to say
    for (const double x : fit.metric.inverse_mass) {
      j["inverse_mass"].push_back(json_number(x));
    }
  }
  j["backend"] = fit.engine.backend;
  j["device"] = fit.engine.device;
  j["lane"] = fit.engine.lane;
  j["threads"] = fit.engine.threads;
  j["threads_per_chain"] = fit.engine.threads_per_chain;
  j["precision"] = spelled(kPrecisionNames, fit.options.precision);
  j["rng"] = spelled(kGeneratorNames, fit.options.generator);
  j["chains"] = fit.options.chains;
  j["warmup"] = fit.options.warmup;
  j["warmup_done"] = fit.warmup_done;
  j["schedule"] =
      spelled(kScheduleNames, resolved(fit.options.adaptation.schedule, fit.options.chains));
  j["draws"] = fit.draws_done;
  j["draws_asked"] = fit.options.draws;
  j["seed"] = fit.options.seed;
  j["interrupted"] = fit.interrupted;
  j["stop"] = spelled(kStopNames, fit.stop);
  j["missing"] = fit.missing.empty() ? Json(nullptr) : Json(fit.missing);
  j["acceptance"] = json_number(fit.acceptance);
  j["no_flip"] = json_number(fit.no_flip());
  j["divergences"] = fit.divergences;
  j["warmup_divergences"] = fit.warmup_divergences;
  j["preparation"] = to_json(fit.preparation);
  j["gradients"] = {{"preparation", fit.gradients_preparation},
                    {"warmup", fit.gradients_warmup},
                    {"sampling", fit.gradients_sampling}};
  j["esjd"] = json_number(fit.esjd);
  j["e_bfmi"] = json_number(fit.e_bfmi);
  j["seconds"] = {{"setup", fit.seconds.setup},
                  {"preparation", fit.seconds.preparation},
                  {"warmup", fit.seconds.warmup},
                  {"sampling", fit.seconds.sampling},
                  {"transfer", fit.seconds.transfer}};
  j["truth_source"] = fit.engine.has_truth ? Json(fit.engine.truth.source) : Json(nullptr);
  j["stranded"] = Json::array();
  for (const StrandedChain& s : fit.stranded) {
    j["stranded"].push_back({{"chain", s.chain},
                             {"transition", s.transition},
                             {"parameter", s.parameter},
                             {"cause", s.cause},
                             {"restarted_from", s.restarted_from}});
  }
  j["warnings"] = fit.warnings();
  j["parameters"] = Json::array();
  for (const ParameterSummary& p : fit.parameters) {
    j["parameters"].push_back(to_json(p));
  }
  j["visits"] = Json::array();
  for (const VisitSummary& v : fit.visits) {
    j["visits"].push_back(to_json(v));
  }
  j["ess_min"] = json_number(fit.ess_min());
  j["ess_per_transition_min"] = json_number(fit.ess_per_transition_min());
  j["ess_per_gradient_min"] = json_number(fit.ess_per_gradient_min());
  j["ess_per_second_min"] = json_number(fit.ess_per_second_min());
  j["ess_per_gradient_total_min"] = json_number(fit.ess_per_gradient_total_min());
  j["ess_per_second_total_min"] = json_number(fit.ess_per_second_total_min());
  j["rhat_max"] = json_number(fit.rhat_max());
  j["nested_rhat_max"] = json_number(fit.nested_rhat_max());
  j["digest"] = fit.digest();
  return j;
}

}  // namespace lockstep
