/// How a network is trained: Adam, its schedules, trials, which network is kept, when to stop.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>

#include "host/clock.hpp"
#include "host/configuration.hpp"
#include "host/io/checkpoint.hpp"
#include "host/train/adam.hpp"
#include "host/train/random_sequence.hpp"
#include "lockstep/training.hpp"

namespace lockstep {

namespace {

/// Weight of one iteration in the running means, and how many iterations they must cover before
/// networks are compared by them.
constexpr double kFresh = 0.01;
constexpr int kSettled = 100;
/// The chains' variances are looked at every so many iterations.
constexpr int kLook = 10;

constexpr int kHistory = 200;      // points
constexpr double kInterval = 0.2;  // seconds between calls of progress
/// Iterations in a row whose every trajectory leaves the numbers: nothing is learned any more.
constexpr int kAllLost = 10;

/// Exponentially weighted means, corrected for having begun at zero, as Adam's moments are.
class Running {
 public:
  void add(const TrainingStep& step) {
    weight_ += kFresh * (1 - weight_);
    loss_ += kFresh * (step.loss - loss_);
    acceptance_ += kFresh * (step.acceptance - acceptance_);
    jump_ += kFresh * (step.jump - jump_);
    ++count_;
  }
  /// The sum of the chains' variances, once every kLook iterations.
  void add_variance(double variance) {
    const double fresh = 1 - std::pow(1 - kFresh, kLook);
    variance_weight_ += fresh * (1 - variance_weight_);
    variance_ += fresh * (variance - variance_);
  }
  bool settled() const { return count_ >= kSettled; }
  double loss() const { return mean(loss_); }
  double acceptance() const { return mean(acceptance_); }
  double jump() const { return mean(jump_); }
  /// The mean jump as a share of 2 tr cov(x); 0 while the variances are unknown.
  double share() const { return variance_ > 0 ? jump() / (2 * variance_ / variance_weight_) : 0; }

 private:
  double mean(double sum) const { return count_ > 0 ? sum / weight_ : 0; }

  double loss_ = 0, acceptance_ = 0, jump_ = 0, weight_ = 0;
  double variance_ = 0, variance_weight_ = 0;
  std::int64_t count_ = 0;
};

/// Plain means since the last point of the history.
class Interval {
 public:
  void add(const TrainingStep& step) {
    sum_.loss += step.loss;
    sum_.acceptance += step.acceptance;
    sum_.jump += step.jump;
    sum_.clipped += static_cast<double>(step.clipped);
    sum_.not_finite += static_cast<double>(step.not_finite);
    ++count_;
  }
  TrainingPoint point(double trajectories) const {
    TrainingPoint p = sum_;
    for (double* x : {&p.loss, &p.acceptance, &p.jump, &p.clipped, &p.not_finite}) {
      *x /= count_;
    }
    p.clipped /= trajectories;
    p.not_finite /= trajectories;
    return p;
  }

 private:
  TrainingPoint sum_;
  double count_ = 0;
};

/// A network on its way, and all that its next iteration depends on but the chains.
struct Course {
  Network network;
  Adam adam{0};
  int done = 0;  // iterations
  int lost = 0;  // of them, the last ones in a row without any finite trajectory
  Running running;
  Interval interval;
  std::vector<TrainingPoint> history;

  /// The parameters of the last iteration that had a finite trajectory and a finite loss.
  std::vector<double> good;

  /// The best network so far, once there is one.
  std::vector<double> best;
  Running best_running;
  int best_at = 0;

  /// While it waits for others to be tried.
  std::vector<double> chains;

  void archive(Archive& a) {
    a(network.parameters, network.masks, adam, done, lost, running, interval, history, good, best,
      best_running, best_at, chains);
  }
};

class Training {
 public:
  Training(TrainingEngine& engine, const std::string& target, const L2hmcOptions& options)
      : engine_(engine),
        target_(target),
        options_(options),
        place_(place_of(options, engine.dim())),
        trajectories_(options.batch * (options.noise_weight > 0 ? 2 : 1)) {
    if (!options.checkpoint.empty()) {
      checkpoint_.emplace(options.checkpoint, configuration_of(engine, target, options));
    }
  }

  Network result() {
    begin();
    while (!finished_ && !stopped_) {
      if (course_.done == goal()) {
        conclude();
      } else {
        iterate();
      }
    }
    save();
    return kept();
  }

 private:
  bool in_trials() const { return options_.trials > 1 && trial_ < options_.trials; }
  int goal() const { return in_trials() ? options_.trial_iterations : options_.iterations; }
  int total() const {
    return options_.iterations +
           (options_.trials > 1 ? (options_.trials - 1) * options_.trial_iterations : 0);
  }

  void begin() {
    course_ = fresh(0);
    if (checkpoint_ && checkpoint_->exists()) {
      checkpoint_->restore([this](Archive& a) { archive(a); });
    } else {
      engine_.place(starts());
    }
  }

  /// The network of a trial. Seeds are apart by 2^32, so that those of neighbouring seeds differ.
  Course fresh(int trial) const {
    Course c;
    c.network = initial_network(place_.shape, options_.step_size,
                                options_.seed + (static_cast<std::uint64_t>(trial) << 32));
    if (!options_.inverse_mass.empty()) {
      std::transform(options_.inverse_mass.begin(), options_.inverse_mass.end(),
                     c.network.scale.begin(), [](double m) { return std::sqrt(m); });
    }
    c.adam = Adam(c.network.parameters.size());
    return c;
  }

  /// [dim][batch], the same for all trials.
  std::vector<double> starts() const {
    if (!options_.start.empty()) {
      return options_.start;
    }
    RandomSequence random(options_.seed, Purpose::start);
    std::vector<double> q;
    for (const double scale : course_.network.scale) {
      for (std::int64_t c = 0; c < options_.batch; ++c) {
        q.push_back(scale * random.normal());
      }
    }
    return q;
  }

  double temperature() const {
    return std::max(1.0, options_.temperature * std::pow(options_.cooling, course_.done));
  }
  double learning_rate() const {
    return options_.learning_rate *
           std::pow(options_.decay, course_.done / options_.decay_every);  // whole periods
  }

  void iterate() {
    const Clock clock;
    Course& c = course_;
    TrainingLaunch launch;
    launch.iteration = static_cast<std::uint32_t>(made_);
    launch.temperature = temperature();
    launch.loss_scale = options_.loss_scale;
    launch.noise_weight = options_.noise_weight;
    launch.stop_gradient = options_.stop_gradient;
    gradient_.resize(c.network.parameters.size());
    const TrainingStep step = engine_.step(c.network, launch, gradient_);
    const double norm = options_.clip_gradient > 0 ? clip_to_norm(gradient_, options_.clip_gradient)
                                                   : global_norm(gradient_);
    c.lost = step.not_finite >= trajectories_ ? c.lost + 1 : 0;
    if (!std::isfinite(step.loss) || !std::isfinite(norm) || c.lost == kAllLost) {
      fail(std::isfinite(step.loss) ? std::isfinite(norm) ? "no trajectory's energy is finite"
                                                          : "the gradient of the loss is not finite"
                                    : "the loss is not finite");
      return;
    }
    keep_if_best(step, launch.temperature);
    if (c.lost == 0) {
      record(step, launch.temperature);
      c.good = c.network.parameters;
    }
    c.adam.step(c.network.parameters, gradient_, learning_rate());
    ++c.done;
    ++made_;
    seconds_ += clock.seconds();
    finished_ = !in_trials() && !c.best.empty() &&
                ((options_.patience > 0 && c.done - c.best_at >= options_.patience) ||
                 (options_.enough_jump > 0 && c.best_running.share() >= options_.enough_jump));
    goes_on(launch.temperature);
  }

  /// The means tell of the network before this iteration's update.
  void keep_if_best(const TrainingStep& step, double temperature) {
    Course& c = course_;
    if (temperature == 1 && !cooled(c.done - 1)) {
      c.running = Running();  // jumps at other temperatures cannot be compared
    }
    c.running.add(step);
    if (options_.enough_jump > 0 && c.done % kLook == 0) {
      c.running.add_variance(variance());
    }
    // Chains on their way from the starts can jump farther than settled ones ever will.
    const bool stale = c.best.empty() || c.best_at < c.done / 2;
    if (temperature == 1 && c.running.settled() &&
        (stale || c.running.jump() > c.best_running.jump())) {
      c.best = c.network.parameters;
      c.best_running = c.running;
      c.best_at = c.done;
    }
  }
  /// tr cov(x) over the chains, x in units of the network's scale.
  double variance() const {
    const auto batch = static_cast<std::size_t>(options_.batch);
    std::vector<double> q(course_.network.scale.size() * batch);
    engine_.positions(q);
    double sum = 0;
    for (std::size_t j = 0; j < course_.network.scale.size(); ++j) {
      const auto x = std::span(q).subspan(j * batch, batch);
      const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(batch);
      double squares = 0;
      for (const double value : x) {
        squares += (value - mean) * (value - mean);
      }
      sum += squares / static_cast<double>(batch) /
             (course_.network.scale[j] * course_.network.scale[j]);
    }
    return sum;
  }
  /// Whether the temperature was 1 in an iteration; before the first it was what it is then.
  bool cooled(int iteration) const {
    return options_.temperature * std::pow(options_.cooling, std::max(iteration, 0)) <= 1;
  }

  void record(const TrainingStep& step, double temperature) {
    Course& c = course_;
    c.interval.add(step);
    const int every = (options_.iterations + kHistory - 1) / kHistory;
    if ((c.done + 1) % every == 0 || c.done + 1 == options_.iterations) {
      TrainingPoint p = c.interval.point(static_cast<double>(trajectories_));
      p.iteration = c.done + 1;
      p.step_size = c.network.step_size();
      p.temperature = temperature;
      c.history.push_back(p);
      c.interval = Interval();
    }
  }

  /// The end of a trial, or of all.
  void conclude(bool failed = false) {
    if (!in_trials()) {
      finished_ = true;
      return;
    }
    if (!failed && (!leader_ || course_.running.jump() > leader_->running.jump())) {
      leader_ = course_;
      leader_->chains.resize(static_cast<std::size_t>(place_.shape.dim) *
                             static_cast<std::size_t>(options_.batch));
      engine_.positions(leader_->chains);
    }
    ++trial_;
    if (in_trials()) {
      course_ = fresh(trial_);
      engine_.place(starts());
    } else if (leader_) {
      course_ = std::move(*leader_);
      leader_.reset();
      engine_.place(course_.chains);
      course_.chains.clear();
    }
  }

  /// A trial that fails is only one that does not lead, unless all do.
  void fail(const std::string& why) {
    if (in_trials() && (leader_ || trial_ + 1 < options_.trials)) {
      ++made_;
      conclude(true);
      return;
    }
    if (!course_.good.empty()) {
      course_.network.parameters = course_.good;
    }
    throw TrainingFailure(
        "training for " + target_ + " stopped in iteration " + std::to_string(made_) + ": " + why +
            (course_.done == 0 ? "; give other starts, or a smaller step size"
                               : "; try a smaller learning rate, a bound on the gradient's norm "
                                 "(clip_gradient), or a smaller step size"),
        kept());
  }

  void goes_on(double temperature) {
    const bool due =
        course_.done == 1 || finished_ || course_.done == goal() || told_.seconds() >= kInterval;
    if (options_.progress && due) {
      TrainingProgress p;
      p.done = made_;
      p.total = total();
      p.loss = course_.running.loss();
      p.acceptance = course_.running.acceptance();
      p.jump = course_.running.jump();
      p.step_size = course_.network.step_size();
      p.temperature = temperature;
      p.seconds = seconds_;
      stopped_ = !options_.progress(p);
      told_ = Clock();
    }
    stopped_ = stopped_ || (options_.max_hours > 0 && clock_.seconds() > 3600 * options_.max_hours);
    if (checkpoint_ && saved_.seconds() >= 60 * options_.checkpoint_minutes) {
      save();
    }
  }

  Network kept() const {
    const Course& c = leader_ ? *leader_ : course_;
    Network network = c.network;
    const Running& means = c.best.empty() ? c.running : c.best_running;
    if (!c.best.empty()) {
      network.parameters = c.best;
    }
    TrainingRecord& t = network.training;
    t.target = target_;
    t.iterations = made_;
    t.kept = c.best.empty() ? c.done : c.best_at;
    t.batch = options_.batch;
    t.seconds = seconds_;
    t.gradients = static_cast<double>(made_) * gradients_per_iteration();
    t.loss = means.loss();
    t.acceptance = means.acceptance();
    t.jump = means.jump();
    t.history = c.history;
    return network;
  }

  /// A trajectory of T steps needs 1 + T gradients of the potential on its way, T Hessian-vector
  /// products on the way back, and where nothing is remembered T gradients to go back by the
  /// inverse and T more to repeat each step.
  double gradients_per_iteration() const {
    const double steps = options_.steps;
    return static_cast<double>(trajectories_) *
           (1 + steps + (options_.stop_gradient ? 0 : 2 * steps) +
            (options_.remember == Remember::nothing ? 2 * steps : 0));
  }

  void save() {
    if (checkpoint_) {
      checkpoint_->save([this](Archive& a) { archive(a); });
      saved_ = Clock();
    }
  }
  void archive(Archive& a) {
    bool led = leader_.has_value();
    a(made_, trial_, seconds_, finished_, course_, led);
    if (led) {
      if (!leader_) {
        leader_ = fresh(0);
      }
      a(*leader_);
    }
    engine_.archive(a);
  }

  TrainingEngine& engine_;
  const std::string& target_;
  const L2hmcOptions& options_;
  const TrainingPlace place_;
  const std::int64_t trajectories_;  // of an iteration
  const Clock clock_;
  Clock saved_, told_;
  std::optional<Checkpoint> checkpoint_;

  int made_ = 0;  // iterations of all networks: what random numbers depend on
  int trial_ = 0;
  double seconds_ = 0;
  bool finished_ = false, stopped_ = false;
  Course course_;
  std::optional<Course> leader_;  // the best of the trials so far
  std::vector<double> gradient_;
};

}  // namespace

Network train(TrainingEngine& engine, const std::string& target, const L2hmcOptions& options) {
  return Training(engine, target, options).result();
}

}  // namespace lockstep
