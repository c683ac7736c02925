#include "host/vi/prepare.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/adapt/warmup.hpp"
#include "host/clock.hpp"
#include "host/configuration.hpp"
#include "host/io/json.hpp"
#include "host/io/metric_file.hpp"
#include "host/io/npy.hpp"
#include "host/vi/fit.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

/// The fit whose metric is asked for, if it is one.
std::optional<Approximation> fitted(MetricInit metric) {
  switch (metric) {
    case MetricInit::mean_field:
      return Approximation::mean_field;
    case MetricInit::full_rank:
      return Approximation::full_rank;
    case MetricInit::low_rank:
      return Approximation::low_rank;
    case MetricInit::fisher:
      return Approximation::fisher;
    case MetricInit::pathfinder:
      return Approximation::pathfinder;
    default:
      return std::nullopt;
  }
}

MetricInit metric_of(Approximation fit) {
  switch (fit) {
    case Approximation::mean_field:
      return MetricInit::mean_field;
    case Approximation::full_rank:
      return MetricInit::full_rank;
    case Approximation::low_rank:
      return MetricInit::low_rank;
    case Approximation::fisher:
      return MetricInit::fisher;
    default:
      return MetricInit::pathfinder;
  }
}

/// The fit whose draws chains start at, if it is one.
std::optional<Approximation> fitted(const PrepareOptions& how) {
  switch (how.init) {
    case Init::vi:
      return how.family;
    case Init::advi_adapt_diag:
      return Approximation::mean_field;
    case Init::pathfinder:
      return Approximation::pathfinder;
    default:
      return std::nullopt;
  }
}

/// What is wrong with the fit, a clause; empty if nothing is.
std::string fault_of(const NormalFit& fit, double most_k_hat) {
  if (!fit.trouble.empty()) {
    return fit.trouble;
  }
  if (!std::isfinite(fit.elbo)) {
    return "its ELBO is not finite";
  }
  char text[120];
  std::snprintf(text, sizeof text, "k-hat %.2f is above %.2g, so its draws do not cover the law",
                fit.k_hat, most_k_hat);
  return fit.k_hat <= most_k_hat ? "" : std::isnan(fit.k_hat) ? "its k-hat is not known" : text;
}

/// Makes one preparation.
class Preparing {
 public:
  Preparing(const PrepareOptions& how, const SampleOptions& options, int dim, std::int64_t chains,
            const MakeEngine& make, const MakeFit& fit)
      : how_(how), options_(options), dim_(dim), chains_(chains), make_(make), fit_(fit) {}

  Preparation result() {
    const Clock clock;
    set_starts();
    set_metric();
    p_.gradients = density_ ? density_->evaluations() : 0;
    p_.seconds = clock.seconds();
    return std::move(p_);
  }

 private:
  std::int64_t superchains() const {
    return (chains_ + options_.superchain - 1) / options_.superchain;
  }

  Density& density() {
    if (!density_) {
      density_.emplace(make_);
    }
    return *density_;
  }

  /// Every method fits once.
  const NormalFit& fit_by(Approximation method) {
    const auto found = fits_.find(method);
    if (found != fits_.end()) {
      return found->second;
    }
    VariationalOptions o = how_.fit;
    o.method = method;
    o.rank = std::min(o.rank, dim_);
    o.seed = options_.seed;
    o.starts = superchains();
    o.start_radius = options_.start_radius;
    NormalFit fit = fit_(density(), o);
    return fits_.emplace(method, std::move(fit)).first->second;
  }

  void tell_of(const NormalFit& fit) {
    p_.elbo = fit.elbo;
    p_.k_hat = fit.k_hat;
  }

  void warn(const NormalFit& fit, const std::string& fault, const std::string& instead) {
    p_.warnings.push_back(spelled(kApproximationNames, fit.method) + ": " + fault + "; " + instead);
  }

  void set_starts() {
    if (const auto method = fitted(how_)) {
      const NormalFit& fit = fit_by(*method);
      tell_of(fit);
      std::string fault = fault_of(fit, how_.most_k_hat);
      if (fault.empty() && !start_at(fit)) {
        fault = "the potential is not finite at any of its draws";
      }
      if (!fault.empty()) {
        warn(fit, fault, "chains start as without it");
      }
    } else if (how_.init == Init::prior) {
      p_.start_law = how_.prior;
    } else if (how_.init == Init::jitter_adapt_diag) {
      p_.start_law = [dim = dim_](const double* u, double* q) {
        std::transform(u, u + dim, q, [](double v) { return 2 * v - 1; });
      };
    } else if (how_.init == Init::file) {
      start_at_file();
    }
  }

  /// Each superchain at one draw of the fit, and where the potential is not finite at the next one
  /// at which it is. False if it is at none.
  bool start_at(const NormalFit& fit) {
    const Matrix draws = Eigen::Map<const Matrix>(fit.draws.data(), dim_, superchains());
    Eigen::VectorXd potential;
    Matrix gradient;
    density().evaluate(draws, potential, gradient);
    const auto usable = [&](std::int64_t k) {
      return draws.col(k).allFinite() && std::isfinite(potential[k]) && gradient.col(k).allFinite();
    };
    std::vector<double> start(static_cast<std::size_t>(dim_ * chains_));
    for (std::int64_t k = 0; k < superchains(); ++k) {
      std::int64_t from = k, looked = 0;
      for (; !usable(from); from = (from + 1) % superchains()) {
        if (++looked == superchains()) {
          return false;
        }
      }
      put(draws.col(from), k * options_.superchain,
          std::min((k + 1) * options_.superchain, chains_), start);
    }
    p_.start = std::move(start);
    return true;
  }

  /// Point q for chains [first, last).
  template <class Point>
  void put(const Point& q, std::int64_t first, std::int64_t last, std::vector<double>& start) {
    for (int j = 0; j < dim_; ++j) {
      std::fill_n(start.begin() + j * chains_ + first, last - first, q[j]);
    }
  }

  /// A point for each chain, or one for each superchain, in turn.
  void start_at_file() {
    const std::string name = how_.start_file.string();
    const NpyMatrix file = read_npy_matrix(how_.start_file);
    require(file.columns == dim_, name + " has points of " + std::to_string(file.columns) +
                                      " parameters, but this target has " + std::to_string(dim_) +
                                      ": give the positions of a run of the same target");
    for (std::size_t i = 0; i < file.values.size(); ++i) {
      require(std::isfinite(file.values[i]),
              name + ": row " + std::to_string(i / static_cast<std::size_t>(dim_) + 1) +
                  " is not finite, so no chain can start there");
    }
    const std::int64_t width = file.rows == chains_ ? 1 : options_.superchain;
    p_.start.resize(static_cast<std::size_t>(dim_ * chains_));
    for (std::int64_t first = 0; first < chains_; first += width) {
      put(file.values.data() + (first / width) % file.rows * dim_, first,
          std::min(first + width, chains_), p_.start);
    }
  }

  void set_metric() {
    p_.weight = how_.weight;
    if (how_.metric == MetricInit::unit) {
      p_.kind = Metric::diagonal;
      p_.inverse_mass.assign(static_cast<std::size_t>(dim_), 1.0);
    } else if (how_.metric == MetricInit::file) {
      GivenMetric given = read_metric(how_.metric_file);
      p_.kind = given.kind;
      p_.inverse_mass = std::move(given.inverse_mass);
    } else if (const auto method = fitted(how_.metric)) {
      const NormalFit& fit = fit_by(*method);
      if (!fitted(how_)) {
        tell_of(fit);
      }
      std::string fault = fault_of(fit, how_.most_k_hat_metric);
      if (fault.empty()) {
        fault = fault_of_covariance(fit, dim_);
      }
      if (fault.empty()) {
        p_.kind = fit.kind;
        p_.inverse_mass = fit.covariance;
      } else {
        warn(fit, fault, "warm-up begins with the metric that starts suggest");
      }
    }
  }

  const PrepareOptions& how_;
  const SampleOptions& options_;
  int dim_;
  std::int64_t chains_;
  const MakeEngine& make_;
  const MakeFit& fit_;
  std::optional<Density> density_;
  std::map<Approximation, NormalFit> fits_;
  Preparation p_;
};

/// With recipes and `automatic` spelled out.
/// @param why  there can be no metric; empty: there can
PrepareOptions resolved(PrepareOptions how, const std::string& why) {
  const bool recipe = is_recipe(how.init);
  require(!recipe || how.metric == MetricInit::automatic,
          spelled(kInitNames, how.init) +
              " says which metric warm-up begins with: leave the metric's init as it is");
  require(!recipe || why.empty(), spelled(kInitNames, how.init) +
                                      " has a metric for the warm-up to begin with, but " + why);
  if (how.init == Init::jitter_adapt_diag) {
    how.metric = MetricInit::unit;
    how.weight = 10;
  } else if (how.init == Init::advi_adapt_diag) {
    how.metric = MetricInit::mean_field;
    how.weight = 50;
  } else if (how.metric == MetricInit::automatic) {
    const auto method = fitted(how);
    how.metric = method && why.empty() ? metric_of(*method) : MetricInit::starts;
  }
  require(how.metric == MetricInit::starts || why.empty(),
          "the preparation has a metric for the warm-up to begin with, but " + why);
  return how;
}

void check(const PrepareOptions& how, const Sampler& sampler, const SampleOptions& options) {
  require(!is_recipe(how.init) || sampler.metric == Metric::diagonal,
          spelled(kInitNames, how.init) + " adapts a diagonal metric, and this sampler's is " +
              spelled(kMetricNames, sampler.metric) + ": choose diagonal");
  require(how.init != Init::vi || how.family != Approximation::pathfinder,
          "vi fits by the ELBO, or fisher: for pathfinder choose that init");
  require(how.init != Init::prior || how.prior,
          "init is prior, but this target has no prior to draw from: give one, or start otherwise");
  require(how.init != Init::file || !how.start_file.empty(),
          "init is a file, but none is given: name it");
  require(how.metric != MetricInit::file || !how.metric_file.empty(),
          "the metric's init is a file, but none is given: name it");
  require(how.init == Init::uniform || options.start.empty(),
          "start says where chains begin, and so does the preparation: leave one of them out");
  require(std::isfinite(how.weight) && how.weight >= 0,
          "the weight of the preparation's metric is " + std::to_string(how.weight) +
              ": give a number of pseudo-draws, 0 or more");
}

/// For people: "pathfinder", "prior starts, fisher metric".
std::string name_of(const PrepareOptions& how, MetricInit metric) {
  const auto method = fitted(how);
  std::string name = how.init == Init::file ? "file" : spelled(kInitNames, how.init);
  if (how.init == Init::vi) {
    name += " (" + spelled(kApproximationNames, *method) + ")";
  }
  if (how.metric == MetricInit::automatic || (method && metric == metric_of(*method))) {
    return name;
  }
  return name + " starts, " +
         (metric == MetricInit::file ? "file" : spelled(kMetricInitNames, metric)) + " metric";
}

}  // namespace

SampleOptions options_of_fits(SampleOptions options, const EngineDescription& about,
                              std::int64_t chains) {
  options.chains = chains;
  options.backend = about.backend == "cuda" ? Backend::cuda : Backend::cpu;
  options.precision = options.backend == Backend::cuda ? Precision::single_ : Precision::double_;
  options.threads_per_chain = 0;
  return options;
}

Recipe recipe_of(const PrepareOptions& how, const Sampler& sampler, const SampleOptions& options,
                 const EngineDescription& about, MakeEngine make, MakeFit fit) {
  check(how, sampler, options);
  const PrepareOptions all = resolved(how, keeps_no_metric(sampler, options, about));
  if (all.init == Init::uniform && all.metric == MetricInit::starts) {
    return {};
  }
  const auto prepare = [=, dim = about.dim, chains = about.chains, make = std::move(make),
                        fit = std::move(fit), name = name_of(how, all.metric)] {
    Preparation p = Preparing(all, options, dim, chains, make, fit).result();
    p.name = name;
    return p;
  };
  return {settings_of(all), prepare};
}

Recipe recipe_of(const PrepareOptions& how, const Sampler& sampler, const SampleOptions& options,
                 const EngineDescription& about, MakeEngine make) {
  return recipe_of(how, sampler, options, about, std::move(make), fit_normal);
}

}  // namespace lockstep
