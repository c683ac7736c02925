#include "host/diagnostics/lag_sums.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include <Eigen/Core>
#include <unsupported/Eigen/FFT>

namespace lockstep::diagnostics {
namespace {

/// Smallest product of 2, 3 and 5 not below `n`: the sizes the transform is fast for.
std::size_t transform_size(std::size_t n) {
  std::size_t best = std::bit_ceil(n);
  for (std::size_t five = 1; five < best; five *= 5) {
    for (std::size_t three = five; three < best; three *= 3) {
      std::size_t size = three;
      while (size < n) {
        size *= 2;
      }
      best = std::min(best, size);
    }
  }
  return best;
}

/// Sixteen running sums in a fixed order: enough for any SIMD unit, and equal on all.
double dot(const double* a, const double* b, std::size_t size) {
  constexpr std::size_t lanes = 16;
  using Lanes = Eigen::Array<double, lanes, 1>;
  using View = Eigen::Map<const Lanes>;
  Lanes sums = Lanes::Zero();
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    sums += View(a + i) * View(b + i);
  }
  double sum = 0;
  for (; i < size; ++i) {
    sum += a[i] * b[i];
  }
  return std::accumulate(sums.data(), sums.data() + lanes, sum);
}

}  // namespace

struct SpectralLagSums::Transform {
  Eigen::FFT<double> fft;
  std::vector<std::complex<double>> time;
  std::vector<std::complex<double>> frequency;

  explicit Transform(std::size_t size) : time(size), frequency(size) {}
};

// Padding to at least 2 T keeps the circular correlation of the transform from wrapping round.
SpectralLagSums::SpectralLagSums(std::size_t draws)
    : draws_(draws),
      power_(transform_size(std::max<std::size_t>(2, 2 * draws))),
      transform_(std::make_unique<Transform>(power_.size())) {}

SpectralLagSums::~SpectralLagSums() = default;

void SpectralLagSums::add(Trace trace, double shift) {
  auto& [fft, time, frequency] = *transform_;
  const auto size = static_cast<Eigen::Index>(power_.size());
  // Two real columns travel as one complex one: for z = a + i b the real part of the inverse
  // transform of |Z|^2 is the lag sum of a plus that of b.
  for (std::size_t c = 0; c < trace.chains; c += 2) {
    const bool paired = c + 1 < trace.chains;
    for (std::size_t draw = 0; draw < draws_; ++draw) {
      time[draw] = {trace(draw, c) - shift, paired ? trace(draw, c + 1) - shift : 0.0};
    }
    fft.fwd(frequency.data(), time.data(), size);
    for (std::size_t k = 0; k < power_.size(); ++k) {
      power_[k] += std::norm(frequency[k]);
    }
  }
}

std::vector<double> SpectralLagSums::sums() {
  auto& [fft, time, frequency] = *transform_;
  std::copy(power_.begin(), power_.end(), frequency.begin());
  std::vector<std::complex<double>> correlation(power_.size());
  fft.inv(correlation.data(), frequency.data(), static_cast<Eigen::Index>(power_.size()));
  std::vector<double> sums(draws_);
  for (std::size_t lag = 0; lag < draws_; ++lag) {
    sums[lag] = correlation[lag].real();
  }
  return sums;
}

// One lag costs one multiply-add per value, the transform of a pair about 8 log2(size) per value.
LazyLagSums::LazyLagSums(const Columns& data)
    : data_(data), direct_lags_(8 * std::bit_width(2 * data.draws)) {}

double LazyLagSums::operator()(std::size_t lag) {
  if (lag >= direct_lags_) {
    if (all_.empty()) {
      SpectralLagSums spectral(data_.draws);
      spectral.add(data_.view());
      all_ = spectral.sums();
    }
    return all_[lag];
  }
  // With the column fastest, a shift by one draw is a shift by one row of the flat array.
  return dot(data_.values.data(), data_.values.data() + lag * data_.columns,
             (data_.draws - lag) * data_.columns);
}

}  // namespace lockstep::diagnostics
