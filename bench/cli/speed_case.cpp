#include "bench/cli/speed_case.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>

namespace lockstep::bench {

namespace {

constexpr int kLongest = 1000;

struct NamedSettings {
  const char* target;
  SpeedSettings settings;
};

// Step sizes are below the smallest standard deviation (twice that would be unstable), in the rough
// well below 1 / sqrt(1 + 1 / eta). Multiply-adds of a step for each coordinate: one drift; kicks
// of normals with diagonal precision one, of scg two (a row of its precision matrix), of logistic
// regression two for each of 1000 rows. The latter's 1000 logistic functions are left out, so its
// fraction is a lower bound.
constexpr NamedSettings kSettings[] = {
    {"std-normal", {0.5, 2}},
    {"icg", {0.09, 2}},
    {"scg", {0.09, 3}},
    {"mog", {0.2, 0}},
    {"mog2", {0.15, 0}},
    {"rough-well", {0.09, 0}},
    {"banana", {0.5, 0}},
    {"funnel", {0.1, 0}},
    {"funnel-nc", {0.5, 2}},
    {"eight-schools", {0.2, 0}},
    {"eight-schools-nc", {0.3, 0}},
    {"german-credit", {0.03, 2.0 * 1000}},
    {"logistic", {0.02, 0}},
};

}  // namespace

SpeedSettings speed_settings(const std::string& target) {
  for (const NamedSettings& s : kSettings) {
    if (target == s.target) {
      return s.settings;
    }
  }
  return {};
}

std::vector<double> speed_starts(int dim, std::int64_t chains) {
  std::mt19937 bits(7);
  std::vector<double> q(static_cast<std::size_t>(dim) * static_cast<std::size_t>(chains));
  for (double& x : q) {
    x = static_cast<double>(bits()) * 0x1p-32 - 0.5;
  }
  return q;
}

SpeedCase::SpeedCase(const TargetEntry& entry, const TargetOptions& target,
                     const SampleOptions& options, std::vector<int> lengths, int transitions)
    : engine_(entry.make(target, options)), step_size_(speed_settings(entry.name).step_size) {
  const int dim = engine_->description().dim;
  const std::vector<double> ones(static_cast<std::size_t>(dim), 1.0);
  Hmc hmc;
  hmc.step_size = step_size_;
  hmc.length_jitter = LengthJitter::none;
  hmc.metric = Metric::unit;
  engine_->configure(hmc, {Metric::unit, ones, ones});
  engine_->place(speed_starts(dim, options.chains));

  timed(kShort, 1);  // first touch of code and memory
  const double once = timed(kShort, 1);
  // Long enough that steps are nearly all of it, short enough for a timing of expensive targets.
  long_ = std::clamp(static_cast<int>(2 * kLeastSeconds / once * kShort), 4 * kShort, kLongest);
  lengths.push_back(kShort);
  lengths.push_back(long_);
  for (const int length : lengths) {
    Timing& timing = timings_[length];
    timing.seconds = std::numeric_limits<double>::infinity();
    timing.transitions = std::max(transitions, 1);
    while (transitions == 0 && timing.transitions < (1 << 20) &&
           timed(length, timing.transitions) * timing.transitions < kLeastSeconds) {
      timing.transitions *= 2;
    }
  }
}

void SpeedCase::round() {
  for (auto& [length, timing] : timings_) {
    timing.seconds = std::min(timing.seconds, timed(length, timing.transitions));
  }
}

double SpeedCase::seconds(int length) const {
  return timings_.at(length).seconds;
}

double SpeedCase::steps_per_second() const {
  return static_cast<double>(description().chains) * (long_ - kShort) /
         (seconds(long_) - seconds(kShort));
}

double SpeedCase::timed(int length, int transitions) {
  Recording recording;
  recording.draws = transitions;
  engine_->record(recording);
  Launch launch;
  launch.first = next_;
  launch.count = transitions;
  launch.step_size = step_size_;
  launch.steps = length;
  next_ += static_cast<std::uint32_t>(transitions);
  const auto begin = std::chrono::steady_clock::now();
  engine_->advance_recording(launch);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() /
         transitions;
}

}  // namespace lockstep::bench
