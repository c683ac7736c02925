#include "host/summarise.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/diagnostics/order.hpp"
#include "host/diagnostics/streamed.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep {

namespace {

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

/// Standard error of the mean of independent values.
double standard_error(const std::vector<double>& x) {
  const double m = mean_of(x);
  double square = 0;
  for (const double v : x) {
    square += (v - m) * (v - m);
  }
  const auto n = static_cast<double>(x.size());
  return std::sqrt(square / (n - 1) / n);
}

ChainMoments moments_of(const Statistics& s, int j, std::int64_t chains) {
  ChainMoments moments;
  HalfMoments* halves[2] = {&moments.first, &moments.second};
  for (int h = 0; h < 2; ++h) {
    const auto first = static_cast<std::ptrdiff_t>(j * s.chains);
    halves[h]->count = static_cast<std::size_t>(s.draws[h]);
    halves[h]->mean.assign(s.mean[h].begin() + first, s.mean[h].begin() + first + chains);
    halves[h]->m2.assign(s.m2[h].begin() + first, s.m2[h].begin() + first + chains);
  }
  return moments;
}

void streamed_figures(const Fit& fit, int j, ParameterSummary& p) {
  const Statistics& s = fit.statistics;
  const ChainMoments halves = moments_of(s, j, s.chains);
  const diagnostics::WholeMoments f = diagnostics::join(halves);
  const auto draws = static_cast<double>(f.count);
  const double n = draws * static_cast<double>(s.chains);
  p.mean = mean_of(f.mean);
  double m2 = 0;
  std::vector<double> second(f.mean.size());  // each chain's mean of (x - grand mean)^2
  for (std::size_t c = 0; c < f.mean.size(); ++c) {
    const double delta = f.mean[c] - p.mean;
    m2 += f.m2[c] + draws * delta * delta;
    second[c] = f.m2[c] / draws + delta * delta;
  }
  p.sd = std::sqrt(m2 / (n - 1));
  if (s.chains >= 2) {
    p.ess_between = ess_between_chains(halves);
  }
  if (s.chains >= kManyChains) {
    p.mcse = standard_error(f.mean);
  }
  const std::int64_t width = fit.options.superchain;
  if (s.chains / width >= 4) {
    p.nested_rhat =
        nested_rhat(moments_of(s, j, s.chains / width * width), static_cast<std::size_t>(width));
  }

  if (fit.engine.has_truth) {
    const Truth& truth = fit.engine.truth;
    const auto i = static_cast<std::size_t>(j);
    const auto known = [&](const std::vector<double>& v) {
      return i < v.size() ? v[i] : ParameterSummary::kUnknown;
    };
    const auto error = [&](const std::vector<double>& v) {
      return i < v.size() && std::isfinite(v[i]) ? v[i] : 0.0;
    };
    p.truth_mean = known(truth.mean);
    p.truth_sd = known(truth.sd);
    if (s.chains >= kManyChains) {
      p.error_in_mcse = (p.mean - p.truth_mean) / std::hypot(p.mcse, error(truth.error_mean));
      const double sd_error = standard_error(second) / (2 * p.sd);
      p.sd_error_in_mcse = (p.sd - p.truth_sd) / std::hypot(sd_error, error(truth.error_sd));
    }
  }
}

void kept_figures(const Fit& fit, int row, ParameterSummary& p) {
  const Draws& kept = fit.draws;
  if (kept.draws < 4 || kept.chains < 1) {
    return;
  }
  const std::vector<double> column = kept.column(row);
  const Diagnosis d = diagnose(
      {column, static_cast<std::size_t>(kept.draws), static_cast<std::size_t>(kept.chains)});
  const double scale = static_cast<double>(fit.options.chains) / static_cast<double>(kept.chains);
  p.q05 = d.q05;
  p.q50 = d.q50;
  p.q95 = d.q95;
  p.ess_bulk = d.ess_bulk * scale;
  p.ess_tail = d.ess_tail * scale;
  p.rhat = d.rhat;
  if (std::isnan(p.mcse)) {
    p.mcse = d.mcse_mean / std::sqrt(scale);
  }
}

}  // namespace

void summarise(Fit& fit) {
  const Statistics& s = fit.statistics;
  fit.parameters.resize(static_cast<std::size_t>(fit.engine.dim));
  for (int j = 0; j < fit.engine.dim; ++j) {
    fit.parameters[static_cast<std::size_t>(j)].name =
        fit.engine.names[static_cast<std::size_t>(j)];
  }
  if (fit.draws_done < 2) {
    return;
  }
  for (int j = 0; j < fit.engine.dim; ++j) {
    streamed_figures(fit, j, fit.parameters[static_cast<std::size_t>(j)]);
  }
  const order::OrderOn where(fit.engine.backend == "cuda" ? order::Place::device
                                                          : order::Place::host);
  for (std::size_t r = 0; r < fit.draws.parameters.size(); ++r) {
    kept_figures(fit, static_cast<int>(r),
                 fit.parameters[static_cast<std::size_t>(fit.draws.parameters[r])]);
  }
  fit.acceptance = mean_of(s.acceptance);
  fit.esjd = mean_of(s.squared_jump);
  // E-BFMI: squared energy changes over the energy's spread within chains (Betancourt 2016).
  const double spread = std::accumulate(s.energy_m2.begin(), s.energy_m2.end(), 0.0);
  const double jumps = std::accumulate(s.energy_jump.begin(), s.energy_jump.end(), 0.0);
  fit.e_bfmi = jumps / spread;
}

}  // namespace lockstep
