#include "host/registry.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "host/io/logistic_data.hpp"
#include "host/io/reference.hpp"
#include "kernels/instantiate/instantiate.hpp"
#include "kernels/targets/banana.hpp"
#include "kernels/targets/eight_schools.hpp"
#include "kernels/targets/funnel.hpp"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/mixture.hpp"
#include "kernels/targets/normal.hpp"
#include "kernels/targets/rough_well.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

#if LOCKSTEP_WITH_CUDA
constexpr bool kWithCuda = true;
#else
constexpr bool kWithCuda = false;
#endif

/// Binds a target to the backend that `options` ask for.
template <class S, class Target>
std::unique_ptr<Engine> bind(const Target& target, const SampleOptions& options) {
  constexpr bool cuda = kWithCuda && std::is_same_v<S, float>;
  require(options.backend != Backend::cuda || !kWithCuda || cuda,
          "the prebuilt targets run on CUDA in float only: choose --precision float, or the cpu "
          "backend");
  if (resolve_backend(options.backend, cuda) == Backend::cuda) {
    if constexpr (cuda) {
      return make_cuda_engine<S>(target, options);
    }
  }
  return make_cpu_engine<S>(target, options);
}

template <class Target>
std::unique_ptr<Engine> bind(const Target& target, const SampleOptions& options) {
  return options.precision == Precision::double_ ? bind<double>(target, options)
                                                 : bind<float>(target, options);
}

/// An entry whose target is made by `make(TargetOptions)`.
template <class Make>
TargetEntry entry(std::string name, std::string description, std::string options, Make make) {
  TargetEntry e;
  e.name = std::move(name);
  e.description = std::move(description);
  e.options = std::move(options);
  e.make = [make](const TargetOptions& t, const SampleOptions& s) { return bind(make(t), s); };
  e.check = [make](const TargetOptions& t, const GradientOptions& g) {
    return check_gradient(make(t), g);
  };
  e.dim = [make](const TargetOptions& t) { return dimension(make(t)); };
  return e;
}

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
  return e;
}

NormalPrior prior_of(const TargetOptions& t) {
  NormalPrior prior;
  if (t.prior_sd != 0) {
    require(t.prior_sd > 0 && std::isfinite(t.prior_sd),
            "prior sd is " + std::to_string(t.prior_sd) + ": give a positive number");
    prior.sd = t.prior_sd;
  }
  prior.mean = t.prior_mean;
  return prior;
}

/// Adds the reference of `folder`, if that file can be found; a run without it has no truth column.
std::unique_ptr<Engine> with_reference(std::unique_ptr<Engine> engine, const std::string& folder,
                                       const std::string& posterior, const TargetOptions& t) {
  std::filesystem::path file;
  try {
    file = find_data_file(folder, "reference.json", t.data_dir);
  } catch (const FileError&) {
    return engine;
  }
  engine->know(truth_of(read_reference(file, posterior), engine->description().names));
  return engine;
}

/// Logistic regression on `data`, in the kernel built for 25 weights or the general one.
std::unique_ptr<Engine> bind_logistic(std::shared_ptr<const LogisticData> data,
                                      const SampleOptions& s) {
  const auto with = [&]<class S>(S) -> std::unique_ptr<Engine> {
    if (data->dim() == 25) {
      return bind<S>(Logistic<S, 25>(data->view<S>()), s);
    }
    return bind<S>(LogisticN<S, kMaxPredictors>(data->view<S>()), s);
  };
  auto engine = s.precision == Precision::double_ ? with(0.0) : with(0.0f);
  engine->keep(data);
  return engine;
}

template <class Load>
TargetEntry logistic_entry(std::string name, std::string description, std::string options,
                           Load load) {
  TargetEntry e;
  e.name = std::move(name);
  e.description = std::move(description);
  e.options = std::move(options);
  e.needs_data = true;
  e.make = [load](const TargetOptions& t, const SampleOptions& s) {
    return bind_logistic(std::make_shared<const LogisticData>(load(t)), s);
  };
  e.check = [load](const TargetOptions& t, const GradientOptions& g) {
    const LogisticData data = load(t);
    return check_gradient(LogisticN<double, kMaxPredictors>(data.view<double>()), g);
  };
  e.dim = [load](const TargetOptions& t) { return load(t).dim(); };
  return e;
}

TargetEntry eight_schools_entry(TargetEntry e) {
  const auto make = e.make;
  e.make = [make](const TargetOptions& t, const SampleOptions& s) {
    auto engine = make(t, s);
    const NormalPrior prior = prior_of(t), published;
    const bool same = prior.mean == published.mean && prior.sd == published.sd;
    return same ? with_reference(std::move(engine), "eight_schools", "hierarchical_posteriordb", t)
                : std::move(engine);
  };
  return e;
}

std::vector<TargetEntry> build() {
  std::vector<TargetEntry> list;
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
  list.push_back(entry("icg", "50 independent normals, variances log-spaced from 1e-2 to 1e2", "",
                       [](const TargetOptions&) { return Icg{}; }));
  list.push_back(entry(
      "scg", "2-d normal, variances 1e2 and 1e-2, rotated by pi/4", "--small-variance (1e-2)",
      [](const TargetOptions& t) { return t.small_variance > 0 ? Scg(t.small_variance) : Scg(); }));
  list.push_back(entry("mog", "2-d mixture, modes at (-2, 0) and (2, 0), variance 0.1", "",
                       [](const TargetOptions&) { return Mog{}; }));
  list.push_back(entry("mog2", "2-d mixture, modes 10 apart, variances 3 and 0.05", "",
                       [](const TargetOptions&) { return Mog2{}; }));
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
  list.push_back(eight_schools_entry(
      entry("eight-schools", "hierarchical normal (Rubin 1981), centred: a funnel",
            "--prior-mean (0), --prior-sd (5)",
            [](const TargetOptions& t) { return EightSchools(prior_of(t)); })));
  list.push_back(eight_schools_entry(entry(
      "eight-schools-nc", "the same posterior, non-centred", "--prior-mean (0), --prior-sd (5)",
      [](const TargetOptions& t) { return EightSchoolsNc(prior_of(t)); })));

  TargetEntry german = logistic_entry(
      "german-credit", "logistic regression, 1000 x 25, N(0, 1) priors", "--data-dir",
      [](const TargetOptions& t) { return load_logistic("german_credit_numeric", t.data_dir); });
  const auto make_german = german.make;
  german.make = [make_german](const TargetOptions& t, const SampleOptions& s) {
    return with_reference(make_german(t, s), "german_credit_numeric", "logistic_own", t);
  };
  list.push_back(german);
  list.push_back(logistic_entry("logistic", "logistic regression on a CSV file, N(0, 1) priors",
                                "--data FILE.csv", [](const TargetOptions& t) {
                                  require(!t.data_file.empty(),
                                          "target logistic needs its data: give --data FILE.csv");
                                  return LogisticData(read_csv(t.data_file));
                                }));
  return list;
}

/// Levenshtein's distance.
std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<TargetEntry>& targets() {
  static const std::vector<TargetEntry> list = build();
  return list;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  return *std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return edits(name, a) < edits(name, b);
  });
}

const TargetEntry& find_target(const std::string& name) {
  std::vector<std::string> names;
  for (const TargetEntry& e : targets()) {
    if (e.name == name) {
      return e;
    }
    names.push_back(e.name);
  }
  throw UsageError("no target is called '" + name + "': did you mean '" +
                   nearest_name(name, names) + "'? (`lockstep-bench list` names them all)");
}

}  // namespace lockstep
