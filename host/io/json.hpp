#pragma once

/// Results as JSON. Here also: how options are spelled, on the command line and in files alike.

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "lockstep/result.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

/// Keys keep the order in which they are written.
using Json = nlohmann::ordered_json;

/// A number, or null where it is NaN or infinite, which JSON does not know.
Json json_number(double x);

// ---- spellings ---------------------------------------------------------------------------------

template <class E>
using Spelling = std::pair<E, std::string_view>;

inline constexpr std::array<Spelling<Integrator>, 3> kIntegratorNames{{
    {Integrator::leapfrog, "leapfrog"},
    {Integrator::minimal_norm_2, "minimal-norm-2"},
    {Integrator::minimal_norm_4, "minimal-norm-4"},
}};
inline constexpr std::array<Spelling<Metric>, 6> kMetricNames{{
    {Metric::automatic, "auto"},
    {Metric::unit, "unit"},
    {Metric::diagonal, "diagonal"},
    {Metric::dense, "dense"},
    {Metric::fisher, "fisher"},
    {Metric::low_rank, "low-rank"},
}};
inline constexpr std::array<Spelling<Method>, 6> kMethodNames{{
    {Method::random_walk, "random walk"},
    {Method::hmc, "hmc"},
    {Method::l2hmc, "l2hmc"},
    {Method::dhmc, "dhmc"},
    {Method::mixed_hmc, "mixed-hmc"},
    {Method::gibbs, "gibbs"},
}};
inline constexpr std::array<Spelling<Length>, 3> kLengthNames{{
    {Length::given, "given"},
    {Length::chees, "chees"},
    {Length::snaper, "snaper"},
}};
inline constexpr std::array<Spelling<Schedule>, 3> kScheduleNames{{
    {Schedule::automatic, "auto"},
    {Schedule::windowed, "windowed"},
    {Schedule::pooled, "pooled"},
}};
inline constexpr std::array<Spelling<Stop>, 4> kStopNames{{
    {Stop::draws, "draws"},
    {Stop::until, "until"},
    {Stop::hours, "hours"},
    {Stop::interrupted, "interrupted"},
}};
inline constexpr std::array<Spelling<LengthJitter>, 3> kLengthJitterNames{{
    {LengthJitter::none, "none"},
    {LengthJitter::uniform, "uniform"},
    {LengthJitter::halton, "halton"},
}};
inline constexpr std::array<Spelling<VisitOrder>, 2> kVisitOrderNames{{
    {VisitOrder::coin, "coin"},
    {VisitOrder::permutation, "permutation"},
}};
inline constexpr std::array<Spelling<Backend>, 3> kBackendNames{{
    {Backend::automatic, "auto"},
    {Backend::cpu, "cpu"},
    {Backend::cuda, "cuda"},
}};
inline constexpr std::array<Spelling<Precision>, 2> kPrecisionNames{{
    {Precision::single_, "float"},
    {Precision::double_, "double"},
}};
inline constexpr std::array<Spelling<Generator>, 2> kGeneratorNames{{
    {Generator::philox, "philox"},
    {Generator::curand, "curand"},
}};

inline constexpr std::array<Spelling<Approximation>, 5> kApproximationNames{{
    {Approximation::mean_field, "mean-field"},
    {Approximation::full_rank, "full-rank"},
    {Approximation::low_rank, "low-rank"},
    {Approximation::fisher, "fisher"},
    {Approximation::pathfinder, "pathfinder"},
}};
/// Those of Init::vi.
inline constexpr std::array<Spelling<Approximation>, 4> kViNames{{
    {Approximation::mean_field, "mean-field"},
    {Approximation::full_rank, "full-rank"},
    {Approximation::low_rank, "low-rank"},
    {Approximation::fisher, "fisher"},
}};
/// Not `file`, which is spelled by its name.
inline constexpr std::array<Spelling<Init>, 6> kInitNames{{
    {Init::uniform, "uniform"},
    {Init::prior, "prior"},
    {Init::vi, "vi"},
    {Init::pathfinder, "pathfinder"},
    {Init::jitter_adapt_diag, "jitter+adapt_diag"},
    {Init::advi_adapt_diag, "advi+adapt_diag"},
}};
inline constexpr std::array<Spelling<MetricInit>, 8> kMetricInitNames{{
    {MetricInit::automatic, "auto"},
    {MetricInit::starts, "starts"},
    {MetricInit::unit, "unit"},
    {MetricInit::mean_field, "mean-field"},
    {MetricInit::full_rank, "full-rank"},
    {MetricInit::low_rank, "low-rank"},
    {MetricInit::fisher, "fisher"},
    {MetricInit::pathfinder, "pathfinder"},
}};

inline constexpr std::array<Spelling<Remember>, 2> kRememberNames{{
    {Remember::steps, "steps"},
    {Remember::nothing, "nothing"},
}};

/// The spelling of a value in its table.
template <class Table, class E>
std::string spelled(const Table& table, E value) {
  for (const auto& [known, name] : table) {
    if (known == value) {
      return std::string(name);
    }
  }
  return "?";
}

/// What a sampler is called: "rwm", "l2hmc", "dhmc", "mixed-hmc", "gibbs", "ghmc" where momentum
/// persists, "mala" for HMC of one fixed leapfrog step, else "hmc".
std::string sampler_name(const Sampler& sampler);

/// A sampler in one line for people: "hmc, step size tuned, about 10 leapfrog steps (uniform),
/// ...".
std::string sampler_line(const Sampler& sampler);

// ---- objects -----------------------------------------------------------------------------------

/// The name and those settings that the sampler has; `longest` in place of `length_jitter` where it
/// says how trajectories vary. `inverse_mass` and `hop_scale` are left out.
Json to_json(const Sampler& sampler);

/// How a network came about: TrainingRecord's members; its history by columns.
Json to_json(const TrainingRecord& training);

/// One parameter: every figure, null where it is not defined or not known.
Json to_json(const ParameterSummary& parameter);

/// Its members but the inverse mass, with the kind of its metric; null if nothing was prepared.
Json to_json(const Preparation& preparation);

/// One discontinuous coordinate: its parameter's name, hop, mass and no_flip, null where there is
/// none.
Json to_json(const VisitSummary& visit);

/// One run:
///   lockstep                        version
///   target, dimension               `target` as given: an engine does not know its target's name
///   sampler                         name and settings as frozen after warm-up
///   inverse_mass                    as frozen: [dim], dense [dim * dim] row-major, unit []
///   backend, device, lane, threads, threads_per_chain, precision, rng
///   chains, warmup, draws           draws: those made; draws_asked: those asked for
///   warmup_done, schedule           transitions of the warm-up, which may end early
///   seed, interrupted
///   stop                            why it ended: draws (all made), until, hours, interrupted
///   missing                         what `until` still lacked, in words, or null
///   acceptance, divergences         of all chains after warm-up; warmup_divergences before
///   no_flip                         mean over visits of discontinuous coordinates, or null
///   preparation                     see above, or null
///   gradients                       {preparation, warmup, sampling}, of one chain
///                                   (Fit::gradients_sampling)
///   esjd, e_bfmi                    mean squared jump; energy fraction of missing information
///   seconds                         {setup, preparation, warmup, sampling,
///                                   transfer}
///   stranded                        a list of {chain, transition, parameter, cause,
///                                   restarted_from}; transition -1: after sampling
///   warnings                        sentences
///   truth_source                    where truth_* come from, or null
///   parameters                      a list, see above
///   visits                          a list, see above; [] where no coordinate is visited
///   ess_min                         smallest bulk ESS of all draws, and this per transition and
///   ess_per_{transition,gradient,second}_min   gradient of one chain, and second of sampling
///   ess_per_{gradient,second}_total_min        with preparation and warm-up counted
///   rhat_max, nested_rhat_max
///   digest                          of the final positions of the first min(64, chains) chains
Json to_json(const Fit& fit, const std::string& target);

}  // namespace lockstep
