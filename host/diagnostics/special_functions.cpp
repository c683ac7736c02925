#include "host/diagnostics/special_functions.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace lockstep::diagnostics {
namespace {

using Coefficients = std::array<double, 8>;

/// Ascending powers, by Horner's rule.
double polynomial(const Coefficients& c, double x) {
  double value = c[7];
  for (std::size_t i = 7; i-- > 0;) {
    value = value * x + c[i];
  }
  return value;
}

// Numerators and denominators of AS 241 for |p - 1/2| <= 0.425, and for the tails in
// r = sqrt(-log(min(p, 1 - p))) up to 5 and beyond.
constexpr Coefficients central_top = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                      1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                      4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                      3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr Coefficients central_bottom = {1.0,
                                         4.2313330701600911252e+1,
                                         6.8718700749205790830e+2,
                                         5.3941960214247511077e+3,
                                         2.1213794301586595867e+4,
                                         3.9307895800092710610e+4,
                                         2.8729085735721942674e+4,
                                         5.2264952788528545610e+3};
constexpr Coefficients tail_top = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr Coefficients tail_bottom = {1.0,
                                      2.05319162663775882187e0,
                                      1.67638483018380384940e0,
                                      6.89767334985100004550e-1,
                                      1.48103976427480074590e-1,
                                      1.51986665636164571966e-2,
                                      5.47593808499534494600e-4,
                                      1.05075007164441684324e-9};
constexpr Coefficients far_top = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                  2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr Coefficients far_bottom = {1.0,
                                     5.99832206555887937690e-1,
                                     1.36929880922735805310e-1,
                                     1.48753612908506148525e-2,
                                     7.86869131145613259100e-4,
                                     1.84631831751005468180e-5,
                                     1.42151175831644588870e-7,
                                     2.04426310338993978564e-15};

/// log Gamma(a) minus Stirling's (a - 1/2) log a - a + log(2 pi) / 2. Small for large a, where
/// subtracting the two would lose all digits (Abramowitz & Stegun 6.1.41).
double stirling_error(double a) {
  if (a < 10) {
    return std::lgamma(a) - ((a - 0.5) * std::log(a) - a + 0.5 * std::log(2 * std::numbers::pi));
  }
  const double r = 1 / (a * a);
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / a;
}

/// log(x^a (1 - x)^b / B(a, b)), written in differences from the mean a / (a + b) so that nothing
/// of the size of a or b cancels.
double log_beta_kernel(double a, double b, double x) {
  const double s = a + b;
  const double below = a * std::log1p((x * s - a) / a);
  const double above = b * std::log1p((a - x * s) / b);
  return below + above + 0.5 * std::log(a * b / (2 * std::numbers::pi * s)) + stirling_error(s) -
         stirling_error(a) - stirling_error(b);
}

/// The continued fraction of I_x(a, b) (Abramowitz & Stegun 26.5.8), by the modified Lentz method.
/// Converges in O(sqrt(max(a, b))) terms for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto safe = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1;
  double d = 1 / safe(1 - (a + b) * x / (a + 1));
  double value = d;
  for (double m = 1; m < 1e6; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1) < 1e-15) {
      break;
    }
  }
  return value;
}

}  // namespace

double normal_quantile(double p) {
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(central_top, r) / polynomial(central_bottom, r);
  }
  const double tail = q < 0 ? p : 1 - p;
  if (!(tail > 0)) {
    const double end = tail == 0 ? std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::quiet_NaN();
    return q < 0 ? -end : end;
  }
  const double r = std::sqrt(-std::log(tail));
  const double z = r <= 5 ? polynomial(tail_top, r - 1.6) / polynomial(tail_bottom, r - 1.6)
                          : polynomial(far_top, r - 5) / polynomial(far_bottom, r - 5);
  return q < 0 ? -z : z;
}

double incomplete_beta(double a, double b, double x) {
  if (x <= 0 || x >= 1) {
    return x <= 0 ? 0 : 1;
  }
  const double front = std::exp(log_beta_kernel(a, b, x));
  if (x < (a + 1) / (a + b + 2)) {
    return front * beta_fraction(a, b, x) / a;
  }
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double beta_quantile(double a, double b, double p) {
  // Newton steps from the normal approximation, kept inside a bracket that shrinks every time.
  double low = 0;
  double high = 1;
  const double s = a + b;
  double x = a / s + normal_quantile(p) * std::sqrt(a * b / (s * s * (s + 1)));
  for (int i = 0; i < 200 && high - low > 4e-16 * high; ++i) {
    if (!(x > low && x < high)) {
      x = 0.5 * (low + high);
    }
    const double error = incomplete_beta(a, b, x) - p;
    (error > 0 ? high : low) = x;
    const double density = std::exp(log_beta_kernel(a, b, x)) / (x * (1 - x));
    const double next = x - error / density;
    if (error == 0 || std::abs(next - x) <= 1e-15 * x) {
      break;
    }
    x = next;
  }
  return x;
}

}  // namespace lockstep::diagnostics
