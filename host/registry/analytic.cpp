/// Targets whose law is known.

#include "host/io/spectrum.hpp"
#include "host/registry/entry.hpp"
#include "kernels/instantiate/instantiate.hpp"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/dense_normal.hpp"
#include "kernels/targets/funnel.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/mog6.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rings.hpp"
#include "kernels/targets/rough_well.hpp"

namespace lockstep::registry {

namespace {

/// An entry of any dimension: the common ones have kernels of their own, with state in registers.
template <class Narrow, class Wide, class Dim>
TargetEntry any_dimension(std::string name, std::string description, std::string options, Dim dim,
                          Narrow narrow, Wide wide) {
  TargetEntry e = entry(std::move(name), std::move(description), std::move(options), wide);
  e.make = [=](const TargetOptions& t, const SampleOptions& s) {
    std::unique_ptr<Engine> engine;
    narrow(t, dim(t), [&](const auto& target) { engine = bind(target, s); });
    return engine ? std::move(engine) : bind(wide(t), s);
  };
  e.make_cuda_l2hmc = [=](const TargetOptions& t, const SampleOptions& s) {
    std::unique_ptr<Engine> engine;
    narrow(t, dim(t), [&](const auto& target) { engine = bind_cuda_l2hmc(target, s); });
    return engine;
  };
  e.make_cuda_training = [=](const TargetOptions& t, const TrainingPlace& p) {
    std::unique_ptr<TrainingEngine> engine;
    narrow(t, dim(t), [&](const auto& target) { engine = bind_cuda_training(target, p); });
    return engine;
  };
  return e;
}

/// A normal law of a known spectrum.
TargetEntry spectrum(std::string name, std::string description, bool rotated) {
  TargetEntry e = data_entry(
      std::move(name), std::move(description), "--dim (8), --condition (1e3)",
      [rotated](const TargetOptions& t) {
        return SpectrumData(t.dim > 0 ? t.dim : 8, t.condition > 0 ? t.condition : 1e3, rotated);
      },
      [](const SpectrumData& data, auto s) {
        using S = decltype(s);
        return DenseNormal<S, kMaxPrecision>(data.view<S>());
      });
  e.needs_data = false;  // it makes its own
  return e;
}

}  // namespace

Entries analytic() {
  Entries list;
  const auto dim_or = [](int fallback) {
    return [fallback](const TargetOptions& t) { return t.dim > 0 ? t.dim : fallback; };
  };
  const auto eta = [](const TargetOptions& t) { return t.eta > 0 ? t.eta : 1e-2; };

  list.push_back(any_dimension(
      "std-normal", "independent standard normals", "--dim (10)", dim_or(10),
      [](const TargetOptions&, int d, auto use) {
        if (d == 1) {
          use(StdNormal<1>{});
        } else if (d == 2) {
          use(StdNormal<2>{});
        } else if (d == 10) {
          use(StdNormal<10>{});
        }
      },
      [=](const TargetOptions& t) { return StdNormalN<kMaxDimension>(dim_or(10)(t)); }));
  list.push_back(spectrum("normal", "normal, precisions log-spaced over --condition", false));
  list.push_back(spectrum("normal-rotated", "the same, rotated at random", true));
  list.push_back(entry("icg", "50 independent normals, variances log-spaced from 1e-2 to 1e2", "",
                       [](const TargetOptions&) { return Icg{}; }));
  list.push_back(entry("icg-100", "the same in 100 dimensions, variances from 10^-2.5 to 10^2.5",
                       "", [](const TargetOptions&) { return Icg100{}; }));
  list.push_back(entry(
      "scg", "2-d normal, variances 1e2 and 1e-2, rotated by pi/4", "--small-variance (1e-2)",
      [](const TargetOptions& t) { return t.small_variance > 0 ? Scg(t.small_variance) : Scg(); }));
  list.push_back(entry("mog", "2-d mixture, modes at (-2, 0) and (2, 0), variance 0.1", "",
                       [](const TargetOptions&) { return Mog{}; }));
  list.push_back(entry("mog2", "2-d mixture, modes 10 apart, variances 3 and 0.05", "",
                       [](const TargetOptions&) { return Mog2{}; }));
  list.push_back(entry("mog2-equal", "the same with variances 0.25 and 0.25", "",
                       [](const TargetOptions&) { return Mog(5, 0.25); }));
  list.push_back(entry("mog6", "2-d mixture, six modes on a circle of radius 5, sd 0.5", "",
                       [](const TargetOptions&) { return Mog6{}; }));
  list.push_back(entry("ring", "2-d ring of radius 2: U = ((r - 2) / 0.4)^2", "",
                       [](const TargetOptions&) { return Ring{}; }));
  list.push_back(entry("ring5", "five of them: U = min ((r - k) / 0.2)^2, k = 1 to 5", "",
                       [](const TargetOptions&) { return Ring5{}; }));
  list.push_back(any_dimension(
      "rough-well", "normal with ripples: x'x/2 + eta sum cos(x/eta)", "--dim (2), --eta (1e-2)",
      dim_or(2),
      [=](const TargetOptions& t, int d, auto use) {
        if (d == 2) {
          use(RoughWell<2>(eta(t)));
        }
      },
      [=](const TargetOptions& t) { return RoughWellN<kMaxDimension>(dim_or(2)(t), eta(t)); }));
  list.push_back(entry("banana", "2-d: x1 ~ N(0, 10), x2 ~ N(0.03 (x1^2 - 100), 1)", "",
                       [](const TargetOptions&) { return Banana{}; }));
  list.push_back(entry("funnel", "Neal's funnel in 10-d, centred: hard on purpose", "",
                       [](const TargetOptions&) { return Funnel{}; }));
  list.push_back(entry("funnel-nc", "the same law, non-centred", "",
                       [](const TargetOptions&) { return FunnelNc{}; }));
  return list;
}

}  // namespace lockstep::registry
