#include "host/diagnostics/cells.hpp"

#include <algorithm>
#include <cmath>

#include "host/diagnostics/common_error.hpp"

namespace lockstep {

CellComparison compare_with(const CellLaw& law, const Draws& draws) {
  const std::size_t cells = law.probability.size();
  const auto chains = static_cast<std::size_t>(draws.chains);
  const auto length = static_cast<std::size_t>(draws.draws);
  const auto n = static_cast<double>(chains), each = static_cast<double>(length);
  std::vector<double> of_chain(cells * chains), of_time(cells * length), total(cells);
  std::vector<double> x(law.parameters.size());
  CellComparison f;
  std::size_t next = 1;  // when total variation is looked at
  for (std::size_t t = 0; t < length; ++t) {
    for (std::size_t c = 0; c < chains; ++c) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = draws.row(static_cast<std::int64_t>(t), law.parameters[i])[c];
      }
      const std::size_t k = law.cell(x.data());
      of_chain[k * chains + c] += 1 / each;
      of_time[k * length + t] += 1 / n;
      ++total[k];
    }
    if (t + 1 == next || t + 1 == length) {
      double distance = 0;
      for (std::size_t k = 0; k < cells; ++k) {
        const double share = total[k] / (n * static_cast<double>(t + 1));
        distance += 0.5 * std::abs(share - law.probability[k]);
      }
      f.draws.push_back(static_cast<double>(t + 1));
      f.by_draws.push_back(distance);
      next = std::max(next + 1, next * 5 / 4);
    }
  }
  f.total_variation = f.by_draws.back();
  for (std::size_t k = 0; k < cells; ++k) {
    const double share = total[k] / (n * each);
    double squares = 0;
    for (std::size_t c = 0; c < chains; ++c) {
      squares += std::pow(of_chain[k * chains + c] - share, 2);
    }
    const auto first = of_time.begin() + static_cast<std::ptrdiff_t>(k * length);
    // A cell that nobody was in has no spread, but the error of independent draws at least.
    const double p = law.probability[k];
    const double error =
        std::max({std::sqrt(squares / (n - 1) / n), std::sqrt(p * (1 - p) / (n * each)),
                  standard_error_in_time({first, first + static_cast<std::ptrdiff_t>(length)})});
    f.expected += 0.5 * std::sqrt(2 / std::acos(-1.0)) * error;
    const double off = std::abs(share - law.probability[k]);
    f.worst_in_mcse = std::max(f.worst_in_mcse, off > 0 ? off / error : 0);
  }
  return f;
}

}  // namespace lockstep
