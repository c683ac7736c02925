#pragma once

/// Capture and recapture with an unknown number of unseen animals: Jolly and Seber's model, as
/// Nishimura, Dunson & Lu (Biometrika 2020, section 4.1) sample it with discontinuous HMC.

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/lane/sum.hpp"
#include "kernels/targets/binomial.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/embedding.hpp"
#include "kernels/targets/names.hpp"
#include "kernels/targets/transforms.hpp"

namespace lockstep {

/// What was counted on T occasions: sufficient for everything below.
template <int T>
struct JollySeberData {
  std::array<int, T> caught;            // n_i, of which
  std::array<int, T> marked;            // m_i had been marked before; m_1 = 0
  std::array<int, T - 1> released;      // R_i <= n_i, all marked now, of which
  std::array<int, T - 1> caught_again;  // r_i were seen once more, on whichever occasion
  int most;                             // U_i <= most
  double spread;                        // sigma_B, of births and immigration
};

/// On occasion i of T each animal is caught with probability p_i; between i and i + 1 it survives
/// and stays with probability phi_i. U_i is the number of animals there that have never been
/// caught, of which u_i = n_i - m_i now are; z_i were caught before i and after i, but not on i.
///
///   log pi(p, phi, U) =
///       sum_i [log U_i! / (U_i - u_i)! + u_i log p_i + (U_i - u_i) log(1 - p_i)]
///     - log U_1 - sum_(i<T) [log(v_i) / 2 + (U_(i+1) - phi_i S_i)^2 / (2 v_i)]
///     + sum_(i<T) (R_i - r_i) log chi_i
///     + sum_(i>1) [(z_i + m_i) log phi_(i-1) + z_i log(1 - p_i) + m_i log p_i],
///
///   S_i = U_i - u_i,   v_i = sigma_B^2 + phi_i (1 - phi_i) S_i,   u_i <= U_i <= most,
///   chi_T = 1,   chi_i = 1 - phi_i [1 - (1 - p_(i+1)) chi_(i+1)]     (never seen after i).
///
/// That is: p_i and phi_i uniform, P(U_1) ~ 1 / U_1, and the normal density at the integer U_(i+1),
/// not renormalised on its range. q = (logit p, logit phi, log U embedded), reported as p, phi and
/// the integers U.
///
/// Erratum: the program that came with the paper takes p_(i+2) for p_(i+1) in chi_i, i < T - 1. It
/// moves means by up to seven posterior standard deviations (E U_13 from 108 to 411), and the
/// published efficiencies are those of that law: `as_coded` has it, to stand beside them.
///
/// @tparam Occasions  T
template <int Occasions>
class JollySeber {
  static constexpr int T_ = Occasions;
  static constexpr int phi_ = T_;               // where logit phi begins in q,
  static constexpr int embedded_ = 2 * T_ - 1;  // and where U does

 public:
  static constexpr int dim = 3 * T_ - 1;
  using Data = JollySeberData<T_>;

  /// @throw UsageError  for counts that cannot be, or nobody caught on the first occasion
  explicit JollySeber(const Data& data, bool as_coded = false)
      : most_(data.most), as_coded_(as_coded), variance_(data.spread * data.spread) {
    check_positive("jolly-seber", "the spread of births", data.spread);
    // What makes the conditional laws of U_i log-concave (see `conditional`).
    demand(variance_ >= 2.0 * most_, "the variance of births is below twice the largest U");
    int known = 0;  // animals marked, alive and about to be seen: z_i + m_i
    for (int i = 0; i < T_; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const int u = data.caught[k] - data.marked[k], z = known - data.marked[k];
      demand(u >= (i == 0 ? 1 : 0), "too few unmarked animals", i);
      demand(data.marked[k] >= 0 && z >= 0, "more marked animals than can be", i);
      demand(u <= most_, "U has no room", i);
      low_[i] = u > 1 ? u : 1;  // log 0 has no cell
      unmarked_.set(i, u);
      per_unmarked_.set(i, u > 0 ? 1.0 / u : 0);
      seen_.set(i, data.marked[k] + 1);
      missed_.set(i, z + 1);
      if (i > 0) {
        survived_.set(i - 1, known + 1);
      }
      if (i < T_ - 1) {
        const int released = data.released[k], again = data.caught_again[k];
        demand(0 <= released && released <= data.caught[k], "more released than caught", i);
        demand(0 <= again && again <= released, "more caught again than released", i);
        lost_.set(i, released - again);
        known = z + again;
      } else {
        demand(z == 0, "more caught again than marked in the end", i);
      }
    }
  }

  LOCKSTEP_HD bool discontinuous(int j) const { return j >= embedded_; }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    return evaluate<false>(q, static_cast<T*>(nullptr));
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    return evaluate<true>(q, gradient);
  }

  /// U_i and what is computed of it: n = U_i; the terms that have nothing to do with neighbours; of
  /// U_(i+1), the mean phi_i S_i and half the precision 1 / (2 v_i) (0 on the last occasion).
  template <class T>
  struct Site {
    T n, energy, mean, weight;
  };
  template <class T>
  struct Cache {
    T p[T_], survival[T_ - 1];
    Site<T> here[T_], there;
  };
  template <class T>
  LOCKSTEP_HD void prepare(const T* q, Cache<T>& cache) const {
    for (int i = 0; i < T_; ++i) {
      cache.p[i] = logistic(q[i]);
    }
    for (int i = 0; i < T_ - 1; ++i) {
      cache.survival[i] = logistic(q[phi_ + i]);
    }
    for (int i = 0; i < T_; ++i) {
      cache.here[i] = site(i, cells(i).index(q[embedded_ + i]), cache);
    }
  }
  /// One function of (U_i, its neighbours) at two places: what delta(a to b) adds, delta(b to a)
  /// takes away, to the bit.
  template <class T>
  LOCKSTEP_HD T delta(int j, const T*, const T& to, Cache<T>& cache) const {
    const int i = j - embedded_;
    const T n = cells(i).index(to);
    cache.there = site(i, n, cache);
    return select(cells(i).contains(n),
                  around(i, cache.there, cache) - around(i, cache.here[i], cache),
                  T(std::numeric_limits<Scalar<T>>::infinity()));
  }
  template <class T>
  LOCKSTEP_HD void commit(int j, const T*, const T&, const Mask<T>& moves, Cache<T>& cache) const {
    Site<T>& here = cache.here[j - embedded_];
    const Site<T>& there = cache.there;
    here.n = select(moves, there.n, here.n);
    here.energy = select(moves, there.energy, here.energy);
    here.mean = select(moves, there.mean, here.mean);
    here.weight = select(moves, there.weight, here.weight);
  }

  /// A draw of U_i given all else, by inversion of its law, which is summed; even in its cell.
  /// Written c(n) e^(-b(n)), with
  ///   c(n + 1) / c(n) = (n + 1) (1 - p_i) / (n + 1 - u_i)   (i = 1: n for n + 1, by 1 / U_1)
  /// and b the normal densities of U_i and U_(i+1), it is log-concave: the first by u_1 >= 1, the
  /// rest because square over linear is convex and sigma_B^2 > U outweighs the logarithm of v_i. So
  /// the sum goes from the mode outwards, until what is left is below rounding.
  template <class T>
  LOCKSTEP_HD T conditional(int j, const T* q, const T& u) const {
    const int i = j - embedded_;
    const T others = logistic(-q[i]);  // 1 - p_i
    const T caught = unmarked_.template get<T>(i);
    const T survival = i < T_ - 1 ? logistic(q[phi_ + (i < T_ - 1 ? i : 0)]) : T(0);
    const T after = i < T_ - 1 ? cells(i + 1).index(q[j + (i < T_ - 1 ? 1 : 0)]) : T(0);
    Forecast<T> into{T(0), T(0), T(0)};
    if (i > 0) {
      into = forecast(i - 1, cells(i - 1).index(q[j - 1]), logistic(q[phi_ + i - 1]));
    }
    const auto b = [&](const T& n) {
      T sum = square(n - into.mean) * into.weight;
      if (i < T_ - 1) {
        const Forecast<T> onward = forecast(i, n, survival);
        sum = sum + fma(square(after - onward.mean), onward.weight, onward.energy);
      }
      return sum;
    };
    const auto ratio = [&](const T& n) {  // c(n + 1) / c(n)
      return (i == 0 ? n : n + T(1)) * others / (n + T(1) - caught);
    };

    T low = T(Scalar<T>(low_[i])), high = T(Scalar<T>(most_));
    const T first = low, last = high;
    while (any(low < high)) {
      const T middle = floor(T(0.5f) * (low + high));
      const auto rises = log(ratio(middle)) > b(middle + T(1)) - b(middle);
      const auto open = low < high;
      low = select(open && rises, middle + T(1), low);
      high = select(open && !rises, middle, high);
    }
    const T mode = low, least = b(mode);

    // Calls add(n, weight): up from the mode, then down from below it.
    const auto outwards = [&](auto add) {
      const T negligible = T(std::numeric_limits<Scalar<T>>::epsilon() / 1024);
      T c = T(1), n = mode, w = T(1);
      while (any(w > negligible)) {
        add(n, w);
        c = c * ratio(n);
        n = n + T(1);
        w = select(n <= last, c * exp(least - b(n)), T(0));
      }
      c = T(1), n = mode, w = T(1);
      do {
        n = n - T(1);
        c = c / ratio(n);
        w = select(first <= n, c * exp(least - b(n)), T(0));
        add(n, w);
      } while (any(w > negligible));
    };
    T total = T(0);
    outwards([&](const T&, const T& w) { total = total + w; });
    const T wanted = u * total;
    T sum = T(0), drawn = mode, below = T(0), weight = T(1);
    outwards([&](const T& n, const T& w) {
      const Mask<T> reached = sum < wanted && T(0) < w;
      drawn = select(reached, n, drawn);  // the last that begins below it
      below = select(reached, sum, below);
      weight = select(reached, w, weight);
      sum = sum + w;
    });
    return place_in(cells(i), drawn, (wanted - below) / weight);
  }

  template <class T>
  LOCKSTEP_HD void constrain(const T* q, T* x) const {
    for (int j = 0; j < embedded_; ++j) {
      x[j] = logistic(q[j]);
    }
    for (int i = 0; i < T_; ++i) {
      x[embedded_ + i] = cells(i).index(q[embedded_ + i]);
    }
  }
  /// p and phi uniform on (0.05, 0.95), and U_i = u_i / p_i.
  void start(const double* u, double* q) const {
    for (int j = 0; j < embedded_; ++j) {
      q[j] = logit(0.05 + 0.9 * u[j]);
    }
    for (int i = 0; i < T_; ++i) {
      const int n = static_cast<int>(unmarked_.template get<double>(i) / (0.05 + 0.9 * u[i]));
      q[embedded_ + i] = cells(i).middle(n < low_[i] ? low_[i] : n < most_ ? n : most_);
    }
  }
  /// p[1] .. p[T], phi[1] .. phi[T - 1], U[1] .. U[T].
  std::vector<std::string> names() const {
    std::vector<std::string> names = numbered_names("p", T_);
    for (const auto& [prefix, n] : {std::pair{"phi", T_ - 1}, std::pair{"U", T_}}) {
      for (const std::string& name : numbered_names(prefix, n)) {
        names.push_back(name);
      }
    }
    return names;
  }

 private:
  static void demand(bool holds, const char* what, int i = -1) {
    require(holds, std::string("jolly-seber: ") + what +
                       (i < 0 ? "" : " on occasion " + std::to_string(i + 1)) +
                       ": check the counts");
  }
  LOCKSTEP_INLINE LogCells cells(int i) const { return {low_[i], most_}; }

  /// Of U_(i+1), given U_i: log(v_i / sigma_B^2) / 2, phi_i S_i, 1 / (2 v_i).
  template <class T>
  struct Forecast {
    T energy, mean, weight;
  };
  template <class T>
  LOCKSTEP_INLINE Forecast<T> forecast(int i, const T& n, const T& survival) const {
    const T unseen = n - unmarked_.template get<T>(i);
    const T mean = survival * unseen;
    const T spread = (T(1) - survival) * mean;
    return {T(0.5f) * log1p(spread * constant<T>(1 / variance_)), mean,
            T(0.5f) / (constant<T>(variance_) + spread)};
  }
  template <class T>
  LOCKSTEP_INLINE Site<T> site(int i, const T& n, const T& p, const T& survival) const {
    Site<T> s{n, T(0), T(0), T(0)};
    s.energy = unseen_energy(n, unmarked_.template get<T>(i), per_unmarked_.template get<T>(i), p) +
               cells(i).log_width(n);
    if (i == 0) {
      s.energy = s.energy + log(n);
    }
    if (i < T_ - 1) {
      const Forecast<T> onward = forecast(i, n, survival);
      s.energy = s.energy + onward.energy;
      s.mean = onward.mean;
      s.weight = onward.weight;
    }
    return s;
  }
  template <class T>
  LOCKSTEP_INLINE Site<T> site(int i, const T& n, const Cache<T>& cache) const {
    return site(i, n, cache.p[i], cache.survival[i < T_ - 1 ? i : 0]);
  }
  /// All terms that U_i is in, if it were as in `s`.
  template <class T>
  LOCKSTEP_INLINE T around(int i, const Site<T>& s, const Cache<T>& cache) const {
    T energy = s.energy;
    if (i > 0) {
      energy = fma(square(s.n - cache.here[i - 1].mean), cache.here[i - 1].weight, energy);
    }
    if (i < T_ - 1) {
      energy = fma(square(cache.here[i + 1].n - s.mean), s.weight, energy);
    }
    return energy;
  }

  /// A probability x by its logit; 1 - x keeps its digits too.
  template <class T>
  struct Probability {
    T x, other, log_x, log_other;

    Probability() = default;
    LOCKSTEP_INLINE explicit Probability(const T& q) {
      const T e = exp(-abs(q)), inverse = T(1) / (T(1) + e), nearer = e * inverse;
      const auto left = q < T(0);
      const T rest = log1p(e);
      x = select(left, nearer, inverse);
      other = select(left, inverse, nearer);
      log_x = smaller(q, T(0)) - rest;
      log_other = smaller(-q, T(0)) - rest;
    }
  };

  /// Where p of chi_i's recursion stands.
  LOCKSTEP_INLINE int next(int i) const { return as_coded_ && i < T_ - 2 ? i + 2 : i + 1; }

  template <bool WithGradient, class T>
  LOCKSTEP_INLINE Sum<T> evaluate(const T* q, [[maybe_unused]] T* gradient) const {
    Sum<T> u;
    Probability<T> p[T_], phi[T_];  // of the last phi, nothing is used
    phi[T_ - 1] = {};
    Site<T> before{};
    Mask<T> inside = T(0) < T(1);
    for (int i = 0; i < T_; ++i) {
      // Counts come with the Jacobians p (1 - p) and phi (1 - phi), and `missed` without the half
      // that unseen_energy has.
      p[i] = Probability<T>(q[i]);
      const T seen = seen_.template get<T>(i), missed = missed_.template get<T>(i);
      u += -fma(seen, p[i].log_x, (missed - T(0.5f)) * p[i].log_other);
      if (i < T_ - 1) {
        phi[i] = Probability<T>(q[phi_ + i]);
        u += -fma(survived_.template get<T>(i), phi[i].log_x, phi[i].log_other);
      }
      const T n = cells(i).index(q[embedded_ + i]);
      inside = inside && cells(i).contains(n);
      const Site<T> here = site(i, n, p[i].x, phi[i].x);
      u += here.energy;
      const T misfit = n - before.mean, energy = square(misfit) * before.weight;
      u += energy;
      if constexpr (WithGradient) {
        const T caught = unmarked_.template get<T>(i);
        gradient[i] = fma(n - caught + missed, p[i].x, -(caught + seen) * p[i].other);
        gradient[embedded_ + i] = T(0);
        if (i < T_ - 1) {
          gradient[phi_ + i] = fma(-survived_.template get<T>(i), phi[i].other, phi[i].x);
        }
        if (i > 0) {
          // d/dphi [log(v) / 2 + r^2 / (2 v)] = S / (2 v) [(1 - 2 phi) (1 - r^2 / v) - 2 r]
          const Probability<T>& x = phi[i - 1];
          const T unseen = before.n - unmarked_.template get<T>(i - 1);
          const T bracket = fma(x.other - x.x, T(1) - T(2) * energy, T(-2) * misfit);
          gradient[phi_ + i - 1] =
              fma(x.x * x.other, unseen * before.weight * bracket, gradient[phi_ + i - 1]);
        }
      }
      before = here;
    }
    // chi_i = 1 - phi_i + phi_i missed_i, missed_i = (1 - p_(i+1)) chi_(i+1): sums of positive
    // terms.
    T chi[T_], missed[T_ - 1];
    chi[T_ - 1] = T(1);
    for (int i = T_ - 2; i >= 0; --i) {
      missed[i] = p[next(i)].other * chi[i + 1];
      chi[i] = fma(phi[i].x, missed[i], phi[i].other);
      u += -lost_.template get<T>(i) * log(chi[i]);
    }
    if constexpr (WithGradient) {
      // The adjoint of chi_i, -dU/dchi_i, comes down the recursion the other way.
      T adjoint = T(0);
      for (int i = 0; i < T_ - 1; ++i) {
        adjoint = adjoint + lost_.template get<T>(i) / chi[i];
        const T onward = adjoint * phi[i].x;
        gradient[phi_ + i] = fma(onward * phi[i].other, T(1) - missed[i], gradient[phi_ + i]);
        const int k = next(i);
        gradient[k] = fma(onward * p[k].x, missed[i], gradient[k]);
        adjoint = onward * p[k].other;
      }
    }
    return select(inside, u, Sum<T>(T(std::numeric_limits<Scalar<T>>::infinity())));
  }

  int low_[T_] = {};  // u_i, at least 1
  int most_;
  bool as_coded_;
  double variance_;                  // sigma_B^2
  Constants<T_> unmarked_ = {};      // u_i,
  Constants<T_> per_unmarked_ = {};  // 1 / u_i, or 0 for 0
  Constants<T_> seen_ = {};          // m_i + 1, one of p's Jacobian
  Constants<T_> missed_ = {};        // z_i + 1, likewise
  Constants<T_ - 1> survived_ = {};  // z_(i+1) + m_(i+1) + 1, of phi's
  Constants<T_ - 1> lost_ = {};      // R_i - r_i
};

}  // namespace lockstep
