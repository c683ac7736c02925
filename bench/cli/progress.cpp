#include "bench/cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/cli/interrupt.hpp"
#include "bench/cli/table.hpp"

namespace lockstep::bench {

namespace {

constexpr double kWorthShowing = 2.0;  // seconds
constexpr double kInterval = 0.1;      // between drawings

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string duration(double seconds) {
  const auto s = static_cast<long long>(std::llround(std::min(seconds, 3.6e8)));
  char text[48];
  if (s < 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  }
  return text;
}

double share_of(double done, double total) {
  return total > 0 ? done / total : 0;
}

/// "label [=====     ] 50 % ".
std::string bar(const std::string& label, double share) {
  constexpr int width = 20;
  const int filled = static_cast<int>(share * width);
  std::string text = label.empty() ? "[" : label + " [";
  text.append(static_cast<std::size_t>(filled), '=');
  text.append(static_cast<std::size_t>(width - filled), ' ');
  return text + "] " + fixed(100 * share, 0) + " % ";
}

std::string time_left(double seconds, double share) {
  return share > 0 ? "  " + duration(seconds / share - seconds) + " left" : "";
}

}  // namespace

StatusLine::StatusLine() : terminal_(isatty(STDERR_FILENO) == 1) {}

void StatusLine::show(double seconds, double share, const std::function<std::string()>& line) {
  const double expected = share > 0 ? seconds / share : 0;
  const bool long_run = seconds > kWorthShowing || (seconds > 0.5 && expected > kWorthShowing);
  if (terminal_ && long_run && seconds - last_ >= kInterval && share < 1) {
    last_ = seconds;
    drawn_ = true;
    const auto columns = static_cast<std::size_t>(std::max(terminal_columns() - 1, 1));
    std::fprintf(stderr, "\r\033[K%s", line().substr(0, columns).c_str());
    std::fflush(stderr);
  }
}

void StatusLine::erase() {
  if (std::exchange(drawn_, false)) {
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }
}

ProgressBar::ProgressBar(std::string label, std::int64_t chains)
    : label_(std::move(label)), chains_(chains) {}

std::function<bool(const Progress&)> ProgressBar::callback() {
  return [this](const Progress& p) {
    const double share = share_of(static_cast<double>(p.done), static_cast<double>(p.total));
    status_.show(p.seconds, share, [&] { return line(p); });
    return !interrupted();
  };
}

std::string ProgressBar::line(const Progress& p) const {
  const double share = share_of(static_cast<double>(p.done), static_cast<double>(p.total));
  const double rate =
      p.seconds > 0 ? static_cast<double>(p.done) * static_cast<double>(chains_) / p.seconds : 0;
  std::string text = bar(label_, share) + (p.warming_up ? "warm-up" : "sampling");
  if (!p.missing.empty()) {
    text += "  " + p.missing;
  }
  text += "  " + with_prefix(rate) + "/s  acceptance " + fixed(p.acceptance, 2);
  if (p.divergences > 0) {
    text += "  " + std::to_string(p.divergences) + " divergences";
  }
  return p.missing.empty() ? text + time_left(p.seconds, share) : text;
}

TrainingBar::TrainingBar(std::string label) : label_(std::move(label)) {}

std::function<bool(const TrainingProgress&)> TrainingBar::callback() {
  return [this](const TrainingProgress& p) {
    const double share = share_of(p.done, p.total);
    status_.show(p.seconds, share, [&] {
      return bar(label_, share) + "training  loss " + significant(p.loss) + "  acceptance " +
             fixed(p.acceptance, 2) + "  jump " + significant(p.jump) + "  step " +
             significant(p.step_size) +
             (p.temperature > 1 ? "  temperature " + significant(p.temperature) : "") +
             time_left(p.seconds, share);
    });
    return !interrupted();
  };
}

FitBar::FitBar(std::string label) : label_(std::move(label)) {}

std::function<bool(const VariationalProgress&)> FitBar::callback() {
  clock_ = Clock();
  return [this](const VariationalProgress& p) {
    const double share = share_of(p.iteration, p.most), seconds = clock_.seconds();
    status_.show(seconds, share, [&] {
      return bar(label_, share) + "fitting  ELBO " + significant(p.elbo) +
             time_left(seconds, share);
    });
    return !interrupted();
  };
}

}  // namespace lockstep::bench
