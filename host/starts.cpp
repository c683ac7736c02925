#include "host/starts.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

#include "kernels/random/distributions.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr int kAttempts = 100;

/// Where the preparation says, or the target, or uniform on [-radius, radius].
StartLaw law_of(const EngineDescription& about, const SampleOptions& options,
                const Preparation& preparation) {
  if (preparation.start_law) {
    return preparation.start_law;
  }
  if (about.start) {
    return about.start;
  }
  return [dim = about.dim, radius = options.start_radius](const double* u, double* q) {
    std::transform(u, u + dim, q, [radius](double v) { return radius * (2 * v - 1); });
  };
}

/// Fills the column of `q` of one superchain, all its chains alike.
void draw_superchain(std::vector<double>& q, const EngineDescription& about, std::int64_t first,
                     std::int64_t last, int attempt, const SampleOptions& options,
                     const StartLaw& law) {
  const auto stream = Stream<double>::of(options.seed, static_cast<std::uint64_t>(first));
  const int dim = about.dim;
  std::vector<double> u(static_cast<std::size_t>(dim)), x(u.size());
  for (int j = 0; j < dim; ++j) {
    u[static_cast<std::size_t>(j)] =
        uniform(words(stream, static_cast<std::uint32_t>(attempt), Purpose::start,
                      static_cast<std::uint32_t>(j / 4))[j % 4]);
  }
  law(u.data(), x.data());
  for (int j = 0; j < dim; ++j) {
    std::fill_n(q.begin() + j * about.chains + first, last - first, x[static_cast<std::size_t>(j)]);
  }
}

/// What is wrong at a chain's start: empty if nothing is.
std::string fault(const EngineDescription& about, std::int64_t chain, const std::vector<double>& q,
                  const std::vector<double>& potential, const std::vector<double>& gradient) {
  std::ostringstream text;
  const auto c = static_cast<std::size_t>(chain);
  if (!std::isfinite(potential[c])) {
    text << "chain " << chain << ": the potential is " << potential[c] << " at the start q = (";
  } else {
    int bad = -1;
    for (int j = 0; j < about.dim && bad < 0; ++j) {
      if (!std::isfinite(gradient[static_cast<std::size_t>(j * about.chains + chain)])) {
        bad = j;
      }
    }
    if (bad < 0) {
      return {};
    }
    text << "chain " << chain << ": the gradient's coordinate " << bad + 1 << " is "
         << gradient[static_cast<std::size_t>(bad * about.chains + chain)] << " at the start q = (";
  }
  for (int j = 0; j < about.dim && j < 8; ++j) {
    text << (j > 0 ? ", " : "") << q[static_cast<std::size_t>(j * about.chains + chain)];
  }
  text << (about.dim > 8 ? ", ...)" : ")");
  return text.str();
}

}  // namespace

void start_chains(Engine& engine, const SampleOptions& options, const Preparation& preparation) {
  const EngineDescription& about = engine.description();
  const std::int64_t chains = about.chains;
  const auto size = static_cast<std::size_t>(about.dim) * static_cast<std::size_t>(chains);
  require(options.start.empty() || (preparation.start.empty() && !preparation.start_law),
          "start says where chains begin, and so does the preparation: leave one of them out");
  std::vector<double> q = preparation.start.empty() ? options.start : preparation.start;
  const bool given = !q.empty();
  require(!given || q.size() == size, "start has " + std::to_string(q.size()) + " values, but " +
                                          std::to_string(size) +
                                          " are needed: [dim][chains], the chain fastest");

  const StartLaw law = law_of(about, options, preparation);
  std::vector<double> potential(static_cast<std::size_t>(chains)), gradient(size);
  q.resize(size);
  const std::int64_t width = given ? 1 : options.superchain;
  std::vector<bool> wrong(static_cast<std::size_t>((chains + width - 1) / width), true);
  for (int attempt = 0;; ++attempt) {
    for (std::int64_t first = 0; !given && first < chains; first += width) {
      if (wrong[static_cast<std::size_t>(first / width)]) {
        draw_superchain(q, about, first, std::min(first + width, chains), attempt, options, law);
      }
    }
    engine.place(q);
    engine.evaluations(potential, gradient);
    std::string first_fault;
    std::int64_t faults = 0;
    for (std::int64_t first = 0; first < chains; first += width) {
      const std::string what = fault(about, first, q, potential, gradient);
      wrong[static_cast<std::size_t>(first / width)] = !what.empty();
      faults += what.empty() ? 0 : 1;
      first_fault = first_fault.empty() ? what : first_fault;
    }
    if (faults == 0) {
      return;
    }
    if (given) {
      throw InitialisationError(first_fault + ": give a start inside the target's support");
    }
    if (attempt + 1 == kAttempts) {
      throw InitialisationError(first_fault + " (" + std::to_string(faults) + " of " +
                                std::to_string(wrong.size()) + " starts, after " +
                                std::to_string(kAttempts) +
                                " tries): give a smaller start radius, or start positions");
    }
  }
}

}  // namespace lockstep
