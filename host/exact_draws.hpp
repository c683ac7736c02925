#pragma once

/// Exact draws of the analytic targets, to start chains in their stationary law: for tests of
/// stationarity, and for studies that leave the way there out.

#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "kernels/targets/normal.hpp"

namespace lockstep::exact {

using Random = std::mt19937_64;

inline double normal(Random& r) {
  return std::normal_distribution<double>()(r);
}
inline bool coin(Random& r) {
  return (r() >> 63) != 0;
}

/// One draw of exp(-x^2/2 - eta cos(x/eta)) by rejection from N(0, 1).
inline double rough_well(Random& r, double eta) {
  for (;;) {
    const double x = normal(r);
    const double u = std::uniform_real_distribution<double>()(r);
    if (u <= std::exp(-eta * std::cos(x / eta) - eta)) {
      return x;
    }
  }
}

/// One draw of exp(-min_k ((r - first - k) / width)^2), k < rings, by rejection: a ring and a
/// normal about it, taken if no other ring is nearer, with probability proportional to r.
inline void rings(Random& r, std::vector<double>& q, int rings, double first, double width) {
  std::uniform_real_distribution<double> uniform;
  for (;;) {
    const int k = std::uniform_int_distribution<int>(0, rings - 1)(r);
    const double from_ring = width / std::sqrt(2.0) * normal(r);
    const double radius = first + k + from_ring;
    const bool nearest = (k == 0 || from_ring > -0.5) && (k == rings - 1 || from_ring < 0.5);
    const bool taken = uniform(r) * (first + rings + 5 * width) < radius;
    if (nearest && taken) {
      const double angle = 2 * std::acos(-1.0) * uniform(r);
      q = {radius * std::cos(angle), radius * std::sin(angle)};
      return;
    }
  }
}

/// Fills q, [dim], unconstrained, with one draw.
using Draw = std::function<void(Random&, std::vector<double>&)>;

/// Of the strongly correlated normal, variances `large` along (1, 1) and `small` along (1, -1).
inline Draw scg(double small, double large) {
  return [=](Random& r, std::vector<double>& q) {
    const double along = std::sqrt(large) * normal(r), across = std::sqrt(small) * normal(r);
    q = {(along + across) / std::sqrt(2.0), (along - across) / std::sqrt(2.0)};
  };
}

/// By the target's name, with its default settings.
inline const std::map<std::string, Draw>& samplers() {
  static const std::map<std::string, Draw> table = {
      {"std-normal",
       [](Random& r, std::vector<double>& q) {
         for (double& x : q) {
           x = normal(r);
         }
       }},
      {"icg",
       [](Random& r, std::vector<double>& q) {
         for (std::size_t j = 0; j < q.size(); ++j) {
           q[j] = std::sqrt(Icg::variance(static_cast<int>(j))) * normal(r);
         }
       }},
      {"scg", scg(1e-2, 1e2)},
      {"mog",
       [](Random& r, std::vector<double>& q) {
         const double sd = std::sqrt(0.1);
         const double mode = coin(r) ? 2 : -2;
         q = {mode + sd * normal(r), sd * normal(r)};
       }},
      {"mog2",
       [](Random& r, std::vector<double>& q) {
         const bool wide = coin(r);
         const double sd = std::sqrt(wide ? 3.0 : 0.05);
         q = {(wide ? -5 : 5) + sd * normal(r), sd * normal(r)};
       }},
      {"mog2-equal",
       [](Random& r, std::vector<double>& q) {
         q = {(coin(r) ? -5 : 5) + 0.5 * normal(r), 0.5 * normal(r)};
       }},
      {"mog6",
       [](Random& r, std::vector<double>& q) {
         const double angle = std::uniform_int_distribution<int>(0, 5)(r) * std::acos(-1.0) / 3;
         q = {5 * std::cos(angle) + 0.5 * normal(r), 5 * std::sin(angle) + 0.5 * normal(r)};
       }},
      {"ring", [](Random& r, std::vector<double>& q) { rings(r, q, 1, 2, 0.4); }},
      {"ring5", [](Random& r, std::vector<double>& q) { rings(r, q, 5, 1, 0.2); }},
      {"rough-well",
       [](Random& r, std::vector<double>& q) {
         for (double& x : q) {
           x = rough_well(r, 1e-2);
         }
       }},
      {"banana",
       [](Random& r, std::vector<double>& q) {
         const double x = 10 * normal(r);
         q = {x, 0.03 * (x * x - 100) + normal(r)};
       }},
      {"funnel",
       [](Random& r, std::vector<double>& q) {
         q[0] = 3 * normal(r);
         for (std::size_t j = 1; j < q.size(); ++j) {
           q[j] = std::exp(q[0] / 2) * normal(r);
         }
       }},
      {"funnel-nc",
       [](Random& r, std::vector<double>& q) {
         for (double& x : q) {
           x = normal(r);
         }
       }},
  };
  return table;
}

/// Starts for SampleOptions: [dim][chains], the chain fastest.
inline std::vector<double> starts(const Draw& draw, int dim, std::int64_t chains,
                                  std::uint64_t seed) {
  Random random(seed);
  std::vector<double> q(static_cast<std::size_t>(dim)),
      all(q.size() * static_cast<std::size_t>(chains));
  for (std::int64_t c = 0; c < chains; ++c) {
    draw(random, q);
    for (std::size_t j = 0; j < q.size(); ++j) {
      all[j * static_cast<std::size_t>(chains) + static_cast<std::size_t>(c)] = q[j];
    }
  }
  return all;
}
inline std::vector<double> starts(const std::string& target, int dim, std::int64_t chains,
                                  std::uint64_t seed) {
  return starts(samplers().at(target), dim, chains, seed);
}

}  // namespace lockstep::exact
