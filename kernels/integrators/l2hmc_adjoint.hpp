#pragma once

/// The adjoint of the modified leapfrog integrator (l2hmc.hpp), derived by hand. A bar marks the
/// derivative of the loss by a quantity. Of an update
///
///   u' = E u + b  or  E (u - b),   E = exp(z),  z = +-h S,  b = h w,  w = T + c G,  G = exp(eps
///   Q),
///
/// with B what E multiplies, and since log J is the sum of all z,
///
///   B~ = E u'~                        z~ = E B u'~ + (log J)~
///   b~ = u'~ or -B~                   S~ = +-h z~,  T~ = h b~,  c~ = h b~ G,  Q~ = eps G c h b~
///   eps~ += +-(dh/deps) S z~ + (dh/deps) w b~ + Q G c h b~
///
/// (c = -g in updates of v, v in those of x). The slope g = dU/dx at a point is an input of V and a
/// term of the update, before and after; all that reaches it passes on through the Hessian:
/// x~ += H g~.

#include "kernels/integrators/l2hmc.hpp"
#include "kernels/networks/stq_adjoint.hpp"

namespace lockstep {

/// An update's record with room for its adjoint.
template <class L>
struct UpdateRecord {
  Update<L> update;
  Deltas<L> deltas;

  template <class Net>
  static LOCKSTEP_INLINE constexpr int size(const Net& net) {
    return Update<L>::size(net) + Deltas<L>::size(net);
  }
  template <class Net>
  LOCKSTEP_INLINE UpdateRecord(const Net& net, L* memory)
      : update(net, memory), deltas(net, memory + Update<L>::size(net)) {}
};

/// The adjoints that travel back along a path.
template <class L>
struct PathAdjoint {
  L* x;             // [dim]
  L* v;             // [dim]
  L* gradient;      // [dim]: of dU/dx at the x where the path now is
  L log_jacobian;   // the same all along
  L step;           // what has reached the step size
  L* v_log_scales;  // [2 dim]: what has reached s and q of V,
  L* x_log_scales;  // and of X
};

/// Steps back through what ModifiedLeapfrog recorded.
///
/// @tparam Curve  curve(x, v, product): writes the Hessian of U / temperature in x times v
template <class L, class Net, class Forward, class Curve>
class ModifiedLeapfrogAdjoint {
 public:
  /// @param integrator  that made the records
  LOCKSTEP_INLINE ModifiedLeapfrogAdjoint(const Net& network, const L& step, const Mask<L>& forward,
                                          const Forward& integrator, const Curve& curve)
      : network_(network), step_(step), forward_(forward), integrator_(integrator), curve_(curve) {}

  /// Through the i-th step: from the adjoints after it to those before.
  /// @param memory   memory(k): where the UpdateRecord of the step's k-th update is
  /// @param scratch  [dim]
  template <class Memory>
  LOCKSTEP_INLINE void operator()(int i, PathAdjoint<L>& bar, Memory memory, L* scratch) const {
    const auto& net = network_.layout.net;
    const auto record = [&](int k) { return UpdateRecord<L>(net, memory(k)); };
    const UpdateRecord<L> last = record(3);
    momentum(last, bar);
    curve_(last.update.net.input, bar.gradient, scratch);
    for_range<N::fixed>(net.dim, [&](int j) {
      bar.x[j] = bar.x[j] + scratch[j];
      bar.gradient[j] = L(0);
    });
    position(i, 1, record(2), bar);
    position(i, 0, record(1), bar);
    momentum(record(0), bar);
  }

 private:
  using S = Scalar<L>;
  using N = std::decay_t<decltype(std::declval<Net>().layout.net)>;

  LOCKSTEP_INLINE void momentum(const UpdateRecord<L>& r, PathAdjoint<L>& bar) const {
    const auto& net = network_.layout.net;
    const L* gradient = r.update.net.input + net.dim;
    affine(
        network_.at(network_.layout.v_scales()), S(0.5), r, bar, bar.v, bar.v_log_scales,
        [&](int j) { return -gradient[j]; },
        [&](int j, const L& drive) { bar.gradient[j] = bar.gradient[j] - drive; },
        [](int) { return L(1); });
    evaluate_adjoint(net, network_.at(network_.layout.v()), r.update.net, r.deltas,
                     [&](int i, const L& in) {
                       L& to = i < net.dim ? bar.x[i] : bar.gradient[i - net.dim];
                       to = to + in;
                     });
  }

  LOCKSTEP_INLINE void position(int i, int half, const UpdateRecord<L>& r,
                                PathAdjoint<L>& bar) const {
    const auto& net = network_.layout.net;
    const L* v = r.update.net.input;
    affine(
        network_.at(network_.layout.x_scales()), S(1), r, bar, bar.x, bar.x_log_scales,
        [&](int j) { return v[j]; }, [&](int j, const L& drive) { bar.v[j] = bar.v[j] + drive; },
        [&](int j) { return integrator_.moves(i, half, j); });
    evaluate_adjoint(net, network_.at(network_.layout.x()), r.update.net, r.deltas,
                     [&](int k, const L& in) {
                       if (k < net.dim) {
                         bar.v[k] = bar.v[k] + in;
                       } else {
                         const int j = k - net.dim;
                         bar.x[j] = fma(L(1) - integrator_.moves(i, half, j), in, bar.x[j]);
                       }
                     });
  }

  /// @param scales      exp(s), exp(q), [2][dim]
  /// @param share       h / eps
  /// @param u           [dim]: the adjoint of what the update changes, in place
  /// @param log_scales  [2][dim]: the adjoints of s and q, added to
  template <class Drive, class DriveAdjoint, class Moves>
  LOCKSTEP_INLINE void affine(const S* scales, S share, const UpdateRecord<L>& r,
                              PathAdjoint<L>& bar, L* u, L* log_scales, Drive drive,
                              DriveAdjoint drive_adjoint, Moves moves) const {
    const auto& net = network_.layout.net;
    const L bound = L(S(kLargestExponent)), h = L(share) * step_;
    const L sign = select(forward_, L(1), L(-1));
    const L* bounded = r.update.net.bounded;
    for_range<N::fixed>(net.dim, [&](int j) {
      const int q = net.dim + j;
      const auto moved = moves(j) > L(S(0.5));
      const L out = select(moved, u[j], L(0));
      const L stretch = L(scales[j]) * bounded[j], gain = L(scales[q]) * bounded[q];
      const L e = r.update.multiplier[j], g = r.update.gain[j], c = drive(j);

      const L before = e * out;
      const L z = fma(before, r.update.before[j], select(moved, bar.log_jacobian, L(0)));
      const L bent = select(abs(h * stretch) <= bound, sign * z, L(0));
      const L b = select(forward_, out, -before);
      const L w = h * b;
      const L grown = select(abs(step_ * gain) <= bound, w * c * g, L(0));

      bar.step = fma(L(share), fma(bent, stretch, b * fma(c, g, r.update.net.shift[j])),
                     fma(grown, gain, bar.step));
      drive_adjoint(j, w * g);
      u[j] = select(moved, before, u[j]);

      r.deltas.heads[j] = h * bent * L(scales[j]);
      r.deltas.heads[q] = step_ * grown * L(scales[q]);
      r.deltas.heads[2 * net.dim + j] = w;
      log_scales[j] = fma(r.deltas.heads[j], bounded[j], log_scales[j]);
      log_scales[q] = fma(r.deltas.heads[q], bounded[q], log_scales[q]);
    });
  }

  const Net& network_;
  L step_;
  Mask<L> forward_;
  const Forward& integrator_;
  const Curve& curve_;
};

}  // namespace lockstep
