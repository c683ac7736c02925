#include "host/until.hpp"

#include <cmath>
#include <cstdio>

#include "kernels/statistics/streaming.hpp"

namespace lockstep {

namespace {

/// @param figure  of a parameter; NaN is as bad as can be
template <class F>
void compare(std::string& text, const Fit& fit, const char* what, double wanted, bool at_most,
             const char* format, F figure) {
  if (wanted == 0) {
    return;
  }
  const ParameterSummary* worst = nullptr;
  double worst_value = 0;
  for (const ParameterSummary& p : fit.parameters) {
    if (p.sd == 0) {  // it never varies, and is known exactly
      continue;
    }
    const double x = figure(p);
    const bool reached = at_most ? x <= wanted : x >= wanted;  // NaN never does
    const bool worse =
        worst == nullptr || std::isnan(x) || (at_most ? x > worst_value : x < worst_value);
    if (!reached && worse && (worst == nullptr || !std::isnan(worst_value))) {
      worst = &p;
      worst_value = x;
    }
  }
  if (worst != nullptr) {
    char value[32], limit[32];
    std::snprintf(value, sizeof value, format, worst_value);
    std::snprintf(limit, sizeof limit, "%.4g", wanted);
    text += std::string(text.empty() ? "" : ", ") + what + " " +
            (std::isnan(worst_value) ? "unknown" : value) + " (" + worst->name + ")" +
            (at_most ? " above " : " below ") + limit;
  }
}

}  // namespace

std::int64_t next_look(std::int64_t done) {
  std::int64_t look = 2 * kChunk;
  while (look <= done) {
    // 2^k -> 3 2^(k-1) -> 2^(k+1)
    look += (look & (look - 1)) == 0 ? look / 2 : look / 3;
  }
  return look;
}

std::string lacking(const Until& until, const Fit& fit) {
  std::string text;
  compare(text, fit, "nested R-hat", until.nested_rhat, true, "%.4f",
          [](const ParameterSummary& p) { return p.nested_rhat; });
  compare(text, fit, "ESS", until.ess, false, "%.0f", [](const ParameterSummary& p) {
    return std::isnan(p.ess_bulk) ? p.ess_between : p.ess_bulk;
  });
  compare(text, fit, "MCSE/sd", until.mcse, true, "%.4f",
          [](const ParameterSummary& p) { return p.mcse / p.sd; });
  return text;
}

}  // namespace lockstep
