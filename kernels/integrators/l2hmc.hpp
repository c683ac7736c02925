#pragma once

/// The modified leapfrog integrator of L2HMC (Levy, Hoffman & Sohl-Dickstein, ICLR 2018, section 4
/// and appendix A), in its corrected form. With eps the step size, t the step, m its mask and g =
/// dU/dx, a step forwards is
///
///   v  <- v exp(eps/2 S) + eps/2 (T - g exp(eps Q))                S, Q, T = V(x, g, t)
///   x  <- x exp(eps S) + eps (T + v exp(eps Q))   where m = 0      S, Q, T = X(v, m x, t)
///   x  <- x exp(eps S) + eps (T + v exp(eps Q))   where m = 1      S, Q, T = X(v, (1 - m) x, t)
///   v  <- v exp(eps/2 S) + eps/2 (T - g exp(eps Q))                S, Q, T = V(x, g, t) at the new
///   x
///
/// and backwards its exact inverse, steps and updates in the opposite order. Every update is
///
///   u <- E u + b   forwards,   u <- (u - b) E   backwards,   E = exp(+- h S), b = h (T + c exp(eps
///   Q))
///
/// with h = eps or eps / 2, and its other inputs do not change, so the log-determinant of the
/// Jacobian is the sum of all +- h S. Chains of one lane go either way: which update comes first,
/// and which step it belongs to, are selected lane by lane.
///
/// Departures from the printed equations, all errors of the print: Q enters as exp(eps Q); the
/// backward updates of v have eps / 2 in the exponent and those of x have S of X; V sees (x, dU/dx,
/// t).
///
/// With networks that return zero this is the leapfrog integrator, bit for bit: products with
/// exp(0) are exact, and the last operation of an update is leapfrog's fused multiply-add.

#include "kernels/integrators/palindromic.hpp"
#include "kernels/networks/stq.hpp"

namespace lockstep {

/// Exponents are kept within this: exp(16) scales a coordinate nine-million-fold in one update. A
/// trajectory that asks for more goes on with the bound, which is as exact, and is counted among
/// the divergent ones.
inline constexpr double kLargestExponent = 16;

/// The networks and their step, as kernels read them.
template <class S, class Shape_>
struct L2hmcNetwork {
  using Shape = Shape_;
  L2hmcLayout<Shape> layout;
  const S* data;  // networks/packed.hpp

  LOCKSTEP_INLINE const S* at(int offset) const { return data + offset; }
  /// What evaluate_network takes for V and for X.
  LOCKSTEP_INLINE const S* v() const { return at(layout.v()); }
  LOCKSTEP_INLINE const S* x() const { return at(layout.x()); }
};

/// Of a shape known to the compiler the numbers stand here themselves, and are copied with a CUDA
/// kernel's parameters into constant memory, where multiply-adds find them without a register each.
template <class S, int Dim, int Width, int Hidden>
struct L2hmcNetwork<S, FixedShape<Dim, Width, Hidden>> {
  using Shape = FixedShape<Dim, Width, Hidden>;
  static constexpr int max_steps = 32;

  L2hmcLayout<Shape> layout;
  /// Puts the networks, which begin at data[1], where weights can be read two at a time.
  alignas(2 * sizeof(S)) S unused;
  S data[L2hmcLayout<Shape>{{}, max_steps}.size()];

  LOCKSTEP_INLINE const S* at(int offset) const { return data + offset; }
  LOCKSTEP_INLINE const S* v() const { return at(layout.v()); }
  LOCKSTEP_INLINE const S* x() const { return at(layout.x()); }
};

/// One update and all that its adjoint needs to know.
template <class L>
struct Update {
  Activations<L> net;
  L* multiplier;  // [dim]: E
  L* gain;        // [dim]: exp(eps Q)
  L* before;      // [dim]: what E multiplies, u forwards and u - b backwards

  template <class Net>
  static LOCKSTEP_INLINE constexpr int size(const Net& net) {
    return Activations<L>::size(net) + 3 * net.dim;
  }
  template <class Net>
  LOCKSTEP_INLINE Update(const Net& n, L* memory)
      : net(n, memory),
        multiplier(memory + Activations<L>::size(n)),
        gain(multiplier + n.dim),
        before(gain + n.dim) {}
};

/// What an update is recorded in.
template <class L, class Shape>
struct RecordOf {
  using Type = Update<L>;
};

/// The chains of a lane on their way: their place, and what has been added up.
template <class L>
struct Path {
  L* x;         // [dim], in units of the network's scale
  L* v;         // [dim]
  L* gradient;  // [dim], at x: of U / temperature in x
  Sum<L> log_jacobian;
  Mask<L> clipped;
};

/// Modified leapfrog steps. Chains where `forward` go forwards, the others backwards.
///
/// @tparam Slope  slope(x, gradient): writes d(U / temperature)/dx
template <class L, class Net, class Slope>
class ModifiedLeapfrog {
 public:
  LOCKSTEP_INLINE ModifiedLeapfrog(const Net& network, const L& step, const Mask<L>& forward,
                                   const Slope& slope)
      : network_(network), step_(step), forward_(forward), slope_(slope) {}

  /// The i-th step of a trajectory, i = 0 .. steps - 1: step i forwards, step steps - 1 - i
  /// backwards.
  /// @param memory  memory(k): where to record the step's k-th update, k = 0 .. 3
  template <class Memory>
  LOCKSTEP_INLINE void operator()(int i, Path<L>& path, Memory memory) const {
    const auto& net = network_.layout.net;
    // A loop, so that each network stands here once. A compiler that meets its weights twice keeps
    // them all in between, in registers that there are not.
    LOCKSTEP_KEEP_LOOP
    for (int k = 0; k < 4; ++k) {
      if (k == 1 || k == 2) {
        update_position(i, k - 1, path, Record(net, memory(k)));
      } else {
        if (k == 3) {
          slope_(path.x, path.gradient);
        }
        update_momentum(i, path, Record(net, memory(k)));
      }
    }
  }

  /// 1 for coordinates that the first (0) or second (1) position update of step i moves.
  LOCKSTEP_INLINE L moves(int i, int half, int j) const {
    const int dim = network_.layout.net.dim;
    const Scalar<L>* masks = network_.at(network_.layout.masks());
    const L m = L(masks[i * dim + j]), last = L(masks[opposite(i) * dim + j]);
    return half == 0 ? select(forward_, L(1) - m, last) : select(forward_, m, L(1) - last);
  }

 private:
  using S = Scalar<L>;
  using Record = typename RecordOf<L, typename Net::Shape>::Type;

  LOCKSTEP_INLINE int opposite(int i) const { return network_.layout.steps - 1 - i; }

  template <class Input>
  LOCKSTEP_INLINE void time(int i, Input input) const {
    const S* times = network_.at(network_.layout.times());
    for_range<true>(2, [&](int k) {
      input[k] = select(forward_, L(times[2 * i + k]), L(times[2 * opposite(i) + k]));
    });
  }

  LOCKSTEP_INLINE void update_momentum(int i, Path<L>& path, const Record& u) const {
    const auto& net = network_.layout.net;
    using N = std::decay_t<decltype(net)>;
    for_range<N::fixed>(net.dim, [&](int j) {
      u.net.input[j] = path.x[j];
      u.net.input[net.dim + j] = path.gradient[j];
    });
    time(i, u.net.input + 2 * net.dim);
    evaluate_network(net, network_.v(), u.net);
    affine(
        network_.at(network_.layout.v_scales()), L(S(0.5)) * step_, u, path, path.v,
        [&](int j) { return -path.gradient[j]; }, [](int) { return L(1); });
  }

  LOCKSTEP_INLINE void update_position(int i, int half, Path<L>& path, const Record& u) const {
    const auto& net = network_.layout.net;
    using N = std::decay_t<decltype(net)>;
    for_range<N::fixed>(net.dim, [&](int j) {
      u.net.input[j] = path.v[j];
      u.net.input[net.dim + j] = (L(1) - moves(i, half, j)) * path.x[j];
    });
    time(i, u.net.input + 2 * net.dim);
    evaluate_network(net, network_.x(), u.net);
    affine(
        network_.at(network_.layout.x_scales()), step_, u, path, path.x,
        [&](int j) { return path.v[j]; }, [&](int j) { return moves(i, half, j); });
  }

  /// u <- E u + b forwards, (u - b) E backwards, where `moves`.
  /// @param scales  exp(s), exp(q), [2][dim]
  /// @param h       eps or eps / 2
  template <class Drive, class Moves>
  LOCKSTEP_INLINE void affine(const S* scales, const L& h, const Record& record, Path<L>& path,
                              L* u, Drive drive, Moves moves) const {
    const auto& net = network_.layout.net;
    using N = std::decay_t<decltype(net)>;
    const L bound = L(S(kLargestExponent));
    L sum = L(0);
    for_range<N::fixed>(net.dim, [&](int j) {
      const auto moved = moves(j) > L(S(0.5));
      const L stretch = h * (L(scales[j]) * record.net.bounded[j]);
      const L gain = step_ * (L(scales[net.dim + j]) * record.net.bounded[net.dim + j]);
      path.clipped = path.clipped || (moved && (bound < abs(stretch) || bound < abs(gain)));
      const L z = select(moved, within(select(forward_, stretch, -stretch), bound), L(0));
      const L e = exp(z);
      const L g = approximate_exp(within(gain, bound));
      const L w = fma(drive(j), g, record.net.shift[j]);
      const L before = select(forward_, u[j], fma(-h, w, u[j]));
      const L after = select(forward_, fma(h, w, e * u[j]), e * before);
      record.multiplier[j] = e;
      record.gain[j] = g;
      record.before[j] = before;
      u[j] = select(moved, after, u[j]);
      sum = sum + z;
    });
    path.log_jacobian += sum;
  }

  static LOCKSTEP_INLINE L within(const L& x, const L& bound) {
    return smaller(larger(x, -bound), bound);
  }

  const Net& network_;
  L step_;
  Mask<L> forward_;
  const Slope& slope_;
};

}  // namespace lockstep
