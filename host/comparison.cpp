#include "host/comparison.hpp"

#include <algorithm>
#include <cmath>

#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr double kLevels[] = {0.05, 0.5, 0.95};

double or_zero(double x) {
  return std::isnan(x) ? 0.0 : x;
}

/// E (x - mean)^4 / Var(x)^2.
double kurtosis(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double mean = 0, second = 0, fourth = 0;
  for (const double x : values) {
    mean += x / n;
  }
  for (const double x : values) {
    const double square = (x - mean) * (x - mean);
    second += square / n;
    fourth += square * square / n;
  }
  return fourth / (second * second);
}

/// A run's figures of one parameter. Quantiles only where they are needed: they are sorts.
ReferenceFigures quantile_figures(Trace draws, const ReferenceFigures& wanted) {
  ReferenceFigures f;
  if (!std::isnan(wanted.q50)) {
    const std::vector<double> q = quantiles(draws, kLevels);
    f.q05 = q[0];
    f.q50 = q[1];
    f.q95 = q[2];
    f.mcse_q05 = mcse_quantile(draws, kLevels[0]);
    f.mcse_q50 = mcse_quantile(draws, kLevels[1]);
    f.mcse_q95 = mcse_quantile(draws, kLevels[2]);
  }
  return f;
}

/// The standard error of the standard deviation `sd` of parameter j: chains are independent, so the
/// spread of their mean squared deviations from the overall mean is that of the variance.
double error_of_sd(const Statistics& s, int j, double mean, double sd) {
  const auto chains = static_cast<std::size_t>(s.chains);
  const auto n = static_cast<double>(s.chains);
  std::vector<double> second(chains, 0.0);
  double average = 0;
  for (std::size_t c = 0; c < chains; ++c) {
    const std::size_t at = static_cast<std::size_t>(j) * chains + c;
    for (int h = 0; h < 2; ++h) {
      const double delta = s.draws[h] > 0 ? s.mean[h][at] - mean : 0.0;
      second[c] += s.m2[h][at] + static_cast<double>(s.draws[h]) * delta * delta;
    }
    second[c] /= static_cast<double>(s.draws[0] + s.draws[1]);
    average += second[c] / n;
  }
  double squares = 0;
  for (const double x : second) {
    squares += (x - average) * (x - average);
  }
  return std::sqrt(squares / (n - 1) / n) / (2 * sd);
}

std::vector<ComparedFigure> listed(const std::string& parameter, const ReferenceFigures& own,
                                   const ReferenceFigures& reference, Trace draws) {
  double sd_error = reference.mcse_sd;
  if (std::isnan(sd_error) && !std::isnan(reference.mcse_mean)) {
    sd_error = reference.mcse_mean * std::sqrt((kurtosis(draws.values) - 1) / 4);
  }
  // A quantile of whole numbers is rounded, and its own error often 0: that of rounding is added.
  const bool whole = std::all_of(draws.values.begin(), draws.values.end(),
                                 [](double x) { return x == std::floor(x); });
  const double rounding = whole ? 1 / std::sqrt(12.0) : 0.0;
  std::vector<ComparedFigure> list;
  const auto add = [&](const char* what, double ours, double our_error, double theirs,
                       double their_error) {
    if (!std::isnan(theirs)) {
      const double more = what[0] == 'q' ? rounding : 0.0;
      list.push_back({parameter, what, ours, std::hypot(our_error, more), theirs,
                      std::hypot(or_zero(their_error), more), own.sd});
    }
  };
  add("mean", own.mean, own.mcse_mean, reference.mean, reference.mcse_mean);
  add("sd", own.sd, own.mcse_sd, reference.sd, sd_error);
  add("q05", own.q05, own.mcse_q05, reference.q05, reference.mcse_q05);
  add("q50", own.q50, own.mcse_q50, reference.q50, reference.mcse_q50);
  add("q95", own.q95, own.mcse_q95, reference.q95, reference.mcse_q95);
  return list;
}

}  // namespace

double ComparedFigure::z() const {
  return (own - reference) / std::hypot(own_error, reference_error);
}

std::vector<ComparedFigure> compare(const std::string& parameter, Trace draws,
                                    const ReferenceFigures& reference) {
  ReferenceFigures own = quantile_figures(draws, reference);
  const Diagnosis d = diagnose(draws);
  own.mean = d.mean;
  own.sd = d.sd;
  own.mcse_mean = d.mcse_mean;
  own.mcse_sd = mcse_sd(draws);
  return listed(parameter, own, reference, draws);
}

std::vector<ComparedFigure> compare(const Fit& fit, const Reference& reference) {
  const Draws& kept = fit.draws;
  std::vector<ComparedFigure> list;
  for (std::size_t j = 0; j < fit.parameters.size(); ++j) {
    const ParameterSummary& p = fit.parameters[j];
    const auto known = reference.parameters.find(p.name);
    require<FileError>(known != reference.parameters.end(),
                       "the reference (" + reference.basis + ") has no parameter '" + p.name + "'");
    const auto row = std::find(kept.parameters.begin(), kept.parameters.end(), static_cast<int>(j));
    require(row != kept.parameters.end() && kept.draws >= 4,
            "no draws of " + p.name + " were kept: keep some to compare the run with a reference");
    const std::vector<double> column = kept.column(static_cast<int>(row - kept.parameters.begin()));
    const Trace draws{column, static_cast<std::size_t>(kept.draws),
                      static_cast<std::size_t>(kept.chains)};
    ReferenceFigures own = quantile_figures(draws, known->second);
    own.mean = p.mean;
    own.sd = p.sd;
    own.mcse_mean = p.mcse;
    own.mcse_sd = error_of_sd(fit.statistics, static_cast<int>(j), p.mean, p.sd);
    const std::vector<ComparedFigure> figures = listed(p.name, own, known->second, draws);
    list.insert(list.end(), figures.begin(), figures.end());
  }
  return list;
}

const ComparedFigure& farthest(const std::vector<ComparedFigure>& figures) {
  const auto distance = [](const ComparedFigure& f) {
    return std::isnan(f.z()) ? HUGE_VAL : std::abs(f.z());
  };
  return *std::max_element(figures.begin(), figures.end(),
                           [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
}

double largest_own_error(const std::vector<ComparedFigure>& figures) {
  double largest = 0;
  for (const ComparedFigure& f : figures) {
    if (f.what == "mean") {
      largest = std::max(largest, f.own_error / f.own_sd);
    }
  }
  return largest;
}

}  // namespace lockstep
