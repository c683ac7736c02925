#include "host/report/failures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "host/report/numbers.hpp"

namespace lockstep::report {

namespace {

constexpr std::size_t kListed = 8;  // names before "and 42 more"

template <class Fails, class Figure>
Failure of_parameters(const Fit& fit, const std::string& title, const std::string& help,
                      Fails fails, Figure figure) {
  std::vector<const ParameterSummary*> found;
  for (const ParameterSummary& p : fit.parameters) {
    if (fails(p)) {
      found.push_back(&p);
    }
  }
  if (found.empty()) {
    return {};
  }
  std::string text = plural(static_cast<std::int64_t>(found.size()), "parameter") + " of " +
                     grouped(static_cast<std::int64_t>(fit.parameters.size())) + ": ";
  // Worst first by badness; the sort is stable, so equal ones stay in order.
  std::stable_sort(found.begin(), found.end(),
                   [](const auto* a, const auto* b) { return badness(*a) > badness(*b); });
  for (std::size_t i = 0; i < std::min(found.size(), kListed); ++i) {
    const std::string shown_figure = figure(*found[i]);
    text += (i > 0 ? ", " : "") + found[i]->name;
    text += shown_figure.empty() ? "" : " (" + shown_figure + ")";
  }
  if (found.size() > kListed) {
    text += " and " + grouped(static_cast<std::int64_t>(found.size() - kListed)) + " more";
  }
  return {title, text + ". " + help, {}};
}

Failure interrupted(const Fit& fit) {
  const bool in_time = fit.stop == Stop::hours;
  if (!fit.interrupted && !in_time) {
    return {};
  }
  const std::string made = grouped(fit.draws_done) + " of " + grouped(fit.options.draws);
  return {in_time ? "Out of time" : "Interrupted",
          fit.draws_done > 0
              ? "Sampling ended after " + made + " transitions per chain; every figure is of these."
              : "The run ended before sampling began, so there are no figures.",
          {}};
}

Failure diverged(const Fit& fit) {
  if (fit.divergences == 0) {
    return {};
  }
  const double share =
      static_cast<double>(fit.divergences) / static_cast<double>(fit.total_draws());
  std::int64_t chains = 0;
  for (const double n : fit.statistics.divergences) {
    chains += n > 0 ? 1 : 0;
  }
  return {"Divergent transitions",
          grouped(fit.divergences) + " of " + grouped(fit.total_draws()) + " transitions (" +
              shown(100 * share, 2) + " %), in " + plural(chains, "chain") +
              ": the integrator could not follow the density there, so regions of high curvature "
              "are sampled too rarely and figures may be biased. A higher target acceptance (a "
              "smaller step size) helps, or another parametrisation.",
          {}};
}

Failure stranded(const Fit& fit) {
  if (fit.stranded.empty()) {
    return {};
  }
  constexpr std::size_t listed = 20;
  std::int64_t left = 0;
  Failure f;
  for (const StrandedChain& s : fit.stranded) {
    left += s.restarted_from < 0 ? 1 : 0;
    if (f.details.size() < listed) {
      std::string line = "Chain " + std::to_string(s.chain) + ", ";
      line += s.transition < 0 ? "after sampling"
                               : "transition " + std::to_string(s.transition) + " of the warm-up";
      line += s.parameter.empty() ? "" : ", farthest in " + s.parameter;
      line += ": " + s.cause;
      line += line.ends_with(".") ? "" : ".";
      line += s.restarted_from >= 0
                  ? " Restarted where chain " + std::to_string(s.restarted_from) + " was."
                  : " Left where it was.";
      f.details.push_back(line);
    }
  }
  const auto all = static_cast<std::int64_t>(fit.stranded.size());
  f.title = "Stranded chains";
  f.text = plural(all, "chain") + " stayed far from the others: " + grouped(all - left) +
           " restarted during warm-up, " + grouped(left) +
           " left where they were. Chains that stay apart can mean several modes, which no figure "
           "of one mode shows.";
  if (fit.stranded.size() > listed) {
    f.details.push_back("and " + grouped(all - static_cast<std::int64_t>(listed)) + " more");
  }
  return f;
}

Failure unprepared(const Fit& fit) {
  if (fit.preparation.warnings.empty()) {
    return {};
  }
  return {
      "A preparation that was not used",
      "What was fitted before the warm-up was not to be trusted. Figures suffer no harm but its "
      "cost, which is counted.",
      fit.preparation.warnings};
}

Failure low_energy(const Fit& fit) {
  if (fit.sampler.method == Method::random_walk || fit.draws_done < 2 ||
      !(fit.e_bfmi < kEnergyLimit)) {
    return {};
  }
  return {"Low E-BFMI",
          shown(fit.e_bfmi, 3) + ", below " + shown(kEnergyLimit, 1) +
              ": fresh momenta reach the energies of this density slowly, as with heavy tails or "
              "funnels. Another parametrisation helps.",
          {}};
}

Failure undiagnosed(const Fit& fit) {
  if (fit.draws_done == 0 || fit.parameters.empty()) {
    return {};
  }
  if (fit.draws_done < 4) {
    return {"Too few draws",
            plural(fit.draws_done, "draw") +
                " per chain: R-hat and effective sample sizes need four or more.",
            {}};
  }
  if (fit.draws.chains == 0) {
    return {"No draws kept",
            "Quantiles, R-hat and bulk ESS need draws: keep those of some chains (keep_chains).",
            {}};
  }
  if (fit.options.chains == 1) {
    return {"One chain",
            "R-hat compares chains, so with one alone nothing tells whether it found the whole "
            "law. Run more chains.",
            {}};
  }
  return {};
}

}  // namespace

double badness(const ParameterSummary& p) {
  if (!std::isfinite(p.mean) || !std::isfinite(p.sd)) {
    return std::numeric_limits<double>::infinity();
  }
  double worst = 0;
  const auto consider = [&](double x) { worst = std::isnan(x) ? worst : std::max(worst, x); };
  consider((p.rhat - 1) / (kRhatLimit - 1));
  consider((p.nested_rhat - 1) / (kRhatLimit - 1));
  consider(kEssLimit / p.ess_bulk);
  consider(kEssLimit / p.ess_tail);
  return worst;
}

std::vector<int> worst_first(const Fit& fit) {
  std::vector<int> order(fit.parameters.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return badness(fit.parameters[static_cast<std::size_t>(a)]) >
           badness(fit.parameters[static_cast<std::size_t>(b)]);
  });
  return order;
}

std::vector<Failure> failures(const Fit& fit) {
  using P = ParameterSummary;
  std::vector<Failure> found{interrupted(fit)};
  if (fit.draws_done >= 2) {
    found.push_back(of_parameters(
        fit, "Figures that are not numbers",
        "Draws became infinite or undefined: the density or the reported scale overflows.",
        [](const P& p) { return !std::isfinite(p.mean) || !std::isfinite(p.sd); },
        [](const P&) { return std::string(); }));
  }
  found.push_back(diverged(fit));
  found.push_back(stranded(fit));
  found.push_back(of_parameters(
      fit, "R-hat above " + shown(kRhatLimit, 3),
      "Chains disagree: they have not all reached the same law. Warm up and sample longer.",
      [](const P& p) { return p.rhat > kRhatLimit; }, [](const P& p) { return shown(p.rhat, 4); }));
  found.push_back(of_parameters(
      fit, "Nested R-hat above " + shown(kRhatLimit, 3),
      "Groups of chains that began together still remember where: warm up longer.",
      [](const P& p) { return p.nested_rhat > kRhatLimit; },
      [](const P& p) { return shown(p.nested_rhat, 4); }));
  found.push_back(of_parameters(
      fit, "Effective sample size below " + grouped(static_cast<std::int64_t>(kEssLimit)),
      "Quantiles and the diagnostics themselves are uncertain: sample longer, or with more chains.",
      [](const P& p) { return std::min(p.ess_bulk, p.ess_tail) < kEssLimit; },
      [](const P& p) { return shown(std::min(p.ess_bulk, p.ess_tail), 3); }));
  found.push_back(low_energy(fit));
  found.push_back(of_parameters(
      fit, "Means off their known values",
      "Counted in combined standard errors; beyond " + shown(kErrorLimit, 1) +
          " it is no accident.",
      [](const P& p) { return std::abs(p.error_in_mcse) > kErrorLimit; },
      [](const P& p) { return shown(p.error_in_mcse, 3); }));
  if (fit.draws_done >= 2) {
    found.push_back(of_parameters(
        fit, "Parameters that never change",
        "Either they are constant by design, or no proposal was ever accepted.",
        [](const P& p) { return std::isfinite(p.mean) && p.sd <= 1e-15 * std::abs(p.mean); },
        [](const P&) { return std::string(); }));
  }
  found.push_back(unprepared(fit));
  found.push_back(undiagnosed(fit));
  std::erase_if(found, [](const Failure& f) { return f.title.empty(); });
  return found;
}

}  // namespace lockstep::report
