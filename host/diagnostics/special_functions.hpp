#pragma once

namespace lockstep::diagnostics {

/// Phi^{-1}(p), relative error below 1e-15 for 0 < p < 1; -inf and inf at the ends.
/// Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988), PPND16.
double normal_quantile(double p);

/// Regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1.
double incomplete_beta(double a, double b, double x);

/// The x with I_x(a, b) = p.
double beta_quantile(double a, double b, double p);

}  // namespace lockstep::diagnostics
