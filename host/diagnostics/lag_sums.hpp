#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "host/diagnostics/columns.hpp"
#include "lockstep/diagnostics.hpp"

namespace lockstep::diagnostics {

/// Sums over columns and times of x_tau x_{tau+t}, for all lags t = 0 .. T-1 at once, through one
/// power spectrum: transforms are linear in the sum over columns, so all columns share one inverse.
class SpectralLagSums {
 public:
  explicit SpectralLagSums(std::size_t draws);
  ~SpectralLagSums();
  SpectralLagSums(const SpectralLagSums&) = delete;
  SpectralLagSums& operator=(const SpectralLagSums&) = delete;

  /// Adds every column of `trace` less `shift`.
  void add(Trace trace, double shift = 0);

  /// Element t is the sum over everything added of sum_tau x_tau x_{tau+t}.
  std::vector<double> sums();

 private:
  struct Transform;
  std::size_t draws_;
  std::vector<double> power_;
  std::unique_ptr<Transform> transform_;
};

/// The same sums one lag at a time, for readers that stop early: the first lags as plain dot
/// products (a chain that mixes needs few), all of them by transform once that is cheaper.
class LazyLagSums {
 public:
  /// `data` must outlive this object.
  explicit LazyLagSums(const Columns& data);

  double operator()(std::size_t lag);

 private:
  const Columns& data_;
  std::size_t direct_lags_;
  std::vector<double> all_;
};

}  // namespace lockstep::diagnostics
