#pragma once

#include <type_traits>

#include "kernels/lane/math.hpp"

namespace lockstep {

/// Mills' ratio of the standard normal, R(t) = (1 - Phi(t)) / phi(t), for t >= 0: falls from
/// sqrt(pi / 2) like 1 / t and never underflows, which both factors do.
///
/// (t + 2) R(t) is a polynomial in v = (t - c) / (t + c), c = 4.25, which maps [0, inf) to [-1, 1)
/// (the substitution of Shepherd & Laframboise, Math. Comp. 36 (1981) 249, for erfc). Interpolated
/// at 200 Chebyshev nodes; relative error 5e-8 of degree 9 (float), 2e-15 of degree 23.
template <class L>
LOCKSTEP_INLINE L mills_ratio(const L& t) {
  const L v = L(1) - L(8.5) / (t + L(4.25));  // 1 where t is infinite
  if constexpr (std::is_same_v<Scalar<L>, float>) {
    constexpr float c[] = {1.3999412f,    -0.6482029f,   0.35605353f,    -0.12894586f,
                           0.010847811f,  0.020973796f,  -0.0142184505f, 0.0032911652f,
                           0.0006900339f, -0.0004304242f};
    L sum = L(c[9]);
    LOCKSTEP_UNROLL
    for (int k = 8; k >= 0; --k) {
      sum = fma(sum, v, L(c[k]));
    }
    return sum / (t + L(2));
  } else {
    constexpr double c[] = {
        1.3999412165864302,      -0.6482034962576823,     0.3560532872186184,
        -0.1289330481110943,     0.010849110834092334,    0.020900162094691675,
        -0.014218359736623038,   0.003467000790794571,    0.0006806997133590769,
        -0.0006224697308293116,  1.629613359123825e-05,   8.982340587514644e-05,
        -9.56266818442432e-06,   -1.4284630115984822e-05, 1.5837009879170329e-06,
        2.614101824721001e-06,   -1.177328407083673e-07,  -5.366754187175934e-07,
        -2.6805059167115775e-08, 1.1955194197297733e-07,  1.1630915710210524e-08,
        -2.505257072936159e-08,  -1.5597880045437497e-09, 3.197084624041358e-09};
    L sum = L(c[23]);
    LOCKSTEP_UNROLL
    for (int k = 22; k >= 0; --k) {
      sum = fma(sum, v, L(c[k]));
    }
    return sum / (t + L(2));
  }
}

}  // namespace lockstep
