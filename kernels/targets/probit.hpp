#pragma once

/// Bayesian probit regression: P(y_i = 1) = Phi(x_i'w), w_j ~ N(0, 1).

#include "kernels/lane/normal_tail.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/logistic.hpp"

namespace lockstep {

/// F = Phi: loss(t) = -log Phi(-t), whose slope is the normal's hazard phi(t) / Phi(-t). With
/// Mills' ratio R = R(|t|), e = exp(-t^2 / 2) and Q = e R / sqrt(2 pi), the tail beyond |t|,
///   t >= 0:  loss = t^2 / 2 - log(R / sqrt(2 pi)),  slope = 1 / R,
///   t < 0:   loss = -log(1 - Q),                    slope = e / (sqrt(2 pi) (1 - Q)):
/// neither side underflows or cancels.
struct ProbitLink {
  /// The sum of the losses; eta becomes their slopes. One logarithm for the block.
  template <class T>
  static LOCKSTEP_INLINE T losses(T (&eta)[kRowBlock]) {
    T squares = T(0), product = T(1);
    unrolled<kRowBlock>([&](auto r) {
      const Parts<T> part(eta[r]);
      squares = squares + select(part.left, T(0), T(0.5f) * eta[r] * eta[r]);
      product = product * select(part.left, part.inside, constant<T>(kDensity) * part.ratio);
      eta[r] = part.slope();
    });
    return squares - log(product);
  }
  template <class T>
  static LOCKSTEP_INLINE T approximate_slope(const T& eta) {
    return Parts<T>(eta).slope();
  }

 private:
  static constexpr double kDensity = 0.39894228040143268;  // 1 / sqrt(2 pi)

  template <class T>
  struct Parts {
    decltype(T() < T()) left;
    T ratio, density, inside;  // R, phi(t), 1 - Q

    LOCKSTEP_INLINE explicit Parts(const T& t)
        : left(t < T(0)),
          ratio(mills_ratio(abs(t))),
          density(constant<T>(kDensity) * exp(T(-0.5f) * t * t)),
          inside(T(1) - density * ratio) {}
    LOCKSTEP_INLINE T slope() const {
      return select(left, density, T(1)) / select(left, inside, ratio);
    }
  };
};

/// Probit regression with D weights, on data of scalar S.
template <class S, int D>
struct Probit : BinaryRegression<Probit<S, D>, S, ProbitLink, D> {
  static constexpr int dim = D;

  /// @throw UsageError unless the data have D columns.
  explicit Probit(LogisticRows<S> rows) : BinaryRegression<Probit<S, D>, S, ProbitLink, D>(rows) {
    require(rows.dim == D, "probit: the data have " + std::to_string(rows.dim) +
                               " columns, but the target was built for " + std::to_string(D));
  }
};

}  // namespace lockstep
