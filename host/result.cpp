#include "lockstep/result.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "host/hash.hpp"
#include "host/io/json.hpp"

namespace lockstep {

namespace {

/// The most alarming value; NaN only if every one is.
template <class F>
double worst(const std::vector<ParameterSummary>& parameters, bool largest, F figure) {
  double result = ParameterSummary::kUnknown;
  for (const ParameterSummary& p : parameters) {
    const double x = figure(p);
    if (std::isnan(result) || (largest ? x > result : x < result)) {
      result = x;
    }
  }
  return result;
}

/// The parameter whose visits move it least, or most.
const VisitSummary& extreme(const std::vector<VisitSummary>& visits, bool most) {
  const auto less = [](const VisitSummary& a, const VisitSummary& b) {
    return a.no_flip < b.no_flip;
  };
  return most ? *std::max_element(visits.begin(), visits.end(), less)
              : *std::min_element(visits.begin(), visits.end(), less);
}

std::string cell(double x, int width, const char* format = "%.4g") {
  char text[32];
  if (std::isnan(x)) {
    std::snprintf(text, sizeof text, "-");
  } else {
    std::snprintf(text, sizeof text, format, x);
  }
  char padded[64];
  std::snprintf(padded, sizeof padded, "%*s", width, text);
  return padded;
}

/// "preparation: pathfinder, 31 gradients a chain, 0.120 s, ELBO -12.3, k-hat 0.21"; nothing where
/// there was none.
std::string preparation_line(const Fit& fit) {
  const Preparation& p = fit.preparation;
  if (p.name.empty()) {
    return "";
  }
  char text[160];
  std::snprintf(text, sizeof text, ", %lld gradients a chain, %.3f s",
                static_cast<long long>(fit.gradients_preparation), p.seconds);
  std::string line = "preparation: " + p.name + text;
  if (!std::isnan(p.elbo)) {
    std::snprintf(text, sizeof text, ", ELBO %.4g", p.elbo);
    line += text;
  }
  if (!std::isnan(p.k_hat)) {
    std::snprintf(text, sizeof text, ", k-hat %.2f", p.k_hat);
    line += text;
  }
  return line + '\n';
}

}  // namespace

double Fit::ess_min() const {
  return worst(parameters, false, [](const ParameterSummary& p) {
    return std::isnan(p.ess_bulk) ? p.ess_between : p.ess_bulk;
  });
}

double Fit::ess_per_transition_min() const {
  return ess_min() / static_cast<double>(total_draws());
}

double Fit::ess_per_gradient_min() const {
  return ess_min() /
         (static_cast<double>(gradients_sampling) * static_cast<double>(options.chains));
}

double Fit::ess_per_second_min() const {
  return ess_min() / seconds.sampling;
}

double Fit::ess_per_gradient_total_min() const {
  return ess_min() / (static_cast<double>(gradients_total()) * static_cast<double>(options.chains));
}

double Fit::ess_per_second_total_min() const {
  return ess_min() / (seconds.preparation + seconds.warmup + seconds.sampling);
}

double Fit::rhat_max() const {
  return worst(parameters, true, [](const ParameterSummary& p) { return p.rhat; });
}

double Fit::nested_rhat_max() const {
  return worst(parameters, true, [](const ParameterSummary& p) { return p.nested_rhat; });
}

double Fit::no_flip() const {
  double sum = 0;
  for (const VisitSummary& v : visits) {
    sum += v.no_flip;
  }
  return visits.empty() ? VisitSummary::kUnknown : sum / static_cast<double>(visits.size());
}

std::string Fit::digest() const {
  // Chain by chain, so that more chains do not change the first ones' digest.
  std::vector<double> first;
  const std::int64_t chains = std::min<std::int64_t>(64, options.chains);
  for (std::int64_t c = 0; c < chains; ++c) {
    for (int j = 0; j < engine.dim; ++j) {
      first.push_back(positions[static_cast<std::size_t>(j * options.chains + c)]);
    }
  }
  return hash_of(first.data(), first.size() * sizeof(double));
}

std::string Fit::summary() const {
  std::size_t name_width = 9;
  for (const ParameterSummary& p : parameters) {
    name_width = std::max(name_width, p.name.size());
  }
  const bool truth = engine.has_truth;
  std::string out(name_width, ' ');
  for (const char* head : {"mean", "sd", "mcse", "5 %", "50 %", "95 %", "ess bulk", "ess tail"}) {
    char text[32];
    std::snprintf(text, sizeof text, "%11s", head);
    out += text;
  }
  out += "    R-hat   nested";
  out += truth ? "     truth  error/mcse\n" : "\n";
  for (const ParameterSummary& p : parameters) {
    out += p.name + std::string(name_width - p.name.size(), ' ');
    for (const double x : {p.mean, p.sd, p.mcse, p.q05, p.q50, p.q95}) {
      out += cell(x, 11);
    }
    out += cell(p.ess_bulk, 11, "%.0f") + cell(p.ess_tail, 11, "%.0f");
    out += cell(p.rhat, 9, "%.4f") + cell(p.nested_rhat, 9, "%.4f");
    out += truth ? cell(p.truth_mean, 10) + cell(p.error_in_mcse, 12, "%.2f") + "\n" : "\n";
  }
  char text[768];
  std::snprintf(text, sizeof text,
                "%lld chains x %lld draws, acceptance %.3f, step size %.4g, divergences %lld, "
                "E-BFMI %.2f\n"
                "smallest ESS: %.3g per transition, %.3g per gradient, %.3g per second\n"
                "with %s counted: %.3g per gradient, %.3g per second\n"
                "seconds: setup %.3f, warm-up %.3f, sampling %.3f, transfer %.3f\n"
                "warm-up: %d transitions, %lld gradients a chain; trajectories: %d leapfrog steps "
                "on average, %s metric\n",
                static_cast<long long>(options.chains), static_cast<long long>(draws_done),
                acceptance, sampler.step_size, static_cast<long long>(divergences), e_bfmi,
                ess_per_transition_min(), ess_per_gradient_min(), ess_per_second_min(),
                preparation.name.empty() ? "warm-up" : "preparation and warm-up",
                ess_per_gradient_total_min(), ess_per_second_total_min(), seconds.setup,
                seconds.warmup, seconds.sampling, seconds.transfer, warmup_done,
                static_cast<long long>(gradients_warmup), sampler.leapfrog,
                spelled(kMetricNames, metric.kind).c_str());
  out += text;
  out += preparation_line(*this);
  if (!visits.empty()) {
    const VisitSummary& least = extreme(visits, false);
    const VisitSummary& most = extreme(visits, true);
    std::snprintf(text, sizeof text,
                  "discontinuous parameters: %zu, moved by %.3f of their visits (%.3f %s to %.3f "
                  "%s)",
                  visits.size(), no_flip(), least.no_flip, least.name.c_str(), most.no_flip,
                  most.name.c_str());
    out += text;
    if (!std::isnan(least.hop)) {
      std::snprintf(text, sizeof text, ", hop %.4g", sampler.hop);
      out += text;
    }
    out += '\n';
  }
  for (const std::string& warning : warnings()) {
    out += warning + '\n';
  }
  if (stop == Stop::interrupted) {
    out += "interrupted: these are the draws made until then\n";
  } else if (stop == Stop::hours) {
    out += "the hours are up: these are the draws made until then\n";
  } else if (stop == Stop::until) {
    out += "stopped because what was asked for is reached\n";
  }
  if (!missing.empty()) {
    out += "not reached yet: " + missing + "\n";
  }
  return out;
}

}  // namespace lockstep
