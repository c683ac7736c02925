#include <algorithm>
#include <cmath>
#include <sstream>

#include "lockstep/error.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

namespace {

std::string text(double x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

void between(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  require(value >= least && value <= most, std::string(name) + " is " + std::to_string(value) +
                                               ": give " + std::to_string(least) + " to " +
                                               std::to_string(most));
}

void positive(const char* name, double value) {
  require(std::isfinite(value) && value > 0,
          std::string(name) + " is " + text(value) + ": give a positive number");
}

void not_negative(const char* name, double value, const char* zero) {
  require(std::isfinite(value) && value >= 0,
          std::string(name) + " is " + text(value) + ": give a positive number, or 0 " + zero);
}

void fraction(const char* name, double value) {
  require(value > 0 && value <= 1,
          std::string(name) + " is " + text(value) + ": give a factor above 0 and up to 1");
}

}  // namespace

TrainingPlace place_of(const L2hmcOptions& o, int dim) {
  between("steps", o.steps, 1, 1024);
  between("width", o.width, 0, 1024);
  between("hidden", o.hidden, 1, 8);
  between("batch", o.batch, 1, 1 << 20);
  between("iterations", o.iterations, 1, 1 << 30);
  between("decay_every", o.decay_every, 1, 1 << 30);
  between("trials", o.trials, 1, 1024);
  between("patience", o.patience, 0, 1 << 30);
  between("threads", o.threads, 0, 1024);
  if (o.trials > 1) {
    require(o.trial_iterations >= 1 && o.trial_iterations <= o.iterations,
            "trial_iterations is " + std::to_string(o.trial_iterations) + ": give 1 to the " +
                std::to_string(o.iterations) + " iterations");
    require(std::int64_t{o.trials} * o.trial_iterations + o.iterations < (std::int64_t{1} << 30),
            "trials of trial_iterations are above 2^30 iterations in all: random numbers are "
            "counted up to there; give fewer");
  }
  positive("step_size", o.step_size);
  positive("learning_rate", o.learning_rate);
  fraction("decay", o.decay);
  positive("loss_scale", o.loss_scale);
  not_negative("noise_weight", o.noise_weight, "for none");
  require(std::isfinite(o.temperature) && o.temperature >= 1,
          "temperature is " + text(o.temperature) + ": give 1 or more");
  fraction("cooling", o.cooling);
  not_negative("clip_gradient", o.clip_gradient, "to clip never");
  not_negative("enough_jump", o.enough_jump, "to stop by it never");
  not_negative("max_hours", o.max_hours, "for no limit");
  not_negative("checkpoint_minutes", o.checkpoint_minutes, "to save after every iteration");
  require(o.inverse_mass.empty() || o.inverse_mass.size() == static_cast<std::size_t>(dim),
          "inverse_mass has " + std::to_string(o.inverse_mass.size()) +
              " numbers, but the target has " + std::to_string(dim) +
              " parameters: give the diagonal of a metric of this target");
  for (const double m : o.inverse_mass) {
    positive("inverse_mass", m);
  }
  const auto size = static_cast<std::size_t>(dim) * static_cast<std::size_t>(o.batch);
  require(o.start.empty() || o.start.size() == size,
          "start has " + std::to_string(o.start.size()) +
              " numbers: give dim * batch = " + std::to_string(size) + ", or none");
  for (const double q : o.start) {
    require(std::isfinite(q), "start has a number that is not finite: give finite positions");
  }
  TrainingPlace place;
  place.shape = {dim, o.steps, o.width > 0 ? o.width : dim <= 10 ? 10 : 2 * dim, o.hidden};
  place.shape.validate();
  place.batch = o.batch;
  place.seed = o.seed;
  place.threads = o.threads;
  place.remember = o.remember;
  return place;
}

}  // namespace lockstep
