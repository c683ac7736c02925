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

/// Whether a line is due: not for what is over soon.
bool worth_showing(double seconds, double done, double total) {
  const double expected = done > 0 ? seconds * total / done : 0;
  return seconds > kWorthShowing || (seconds > 0.5 && expected > kWorthShowing);
}

std::string bar(const std::string& label, double share) {
  constexpr int width = 20;
  const int filled = static_cast<int>(share * width);
  std::string text = label.empty() ? "" : label + " ";
  text.append("[").append(static_cast<std::size_t>(filled), '=');
  text.append(static_cast<std::size_t>(width - filled), ' ').append("] ");
  return text + fixed(100 * share, 0) + " % ";
}

std::string fitted(const std::string& text, int columns) {
  return text.substr(0, static_cast<std::size_t>(std::max(columns, 1)));
}

void draw(const std::string& line) {
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void erase_if(bool& drawn) {
  if (std::exchange(drawn, false)) {
    draw("");
  }
}

}  // namespace

ProgressBar::ProgressBar(std::string label, std::int64_t chains)
    : label_(std::move(label)), chains_(chains), terminal_(isatty(STDERR_FILENO) == 1) {}

std::function<bool(const Progress&)> ProgressBar::callback() {
  return [this](const Progress& p) {
    const bool long_run =
        worth_showing(p.seconds, static_cast<double>(p.done), static_cast<double>(p.total));
    if (terminal_ && long_run && p.seconds - last_ >= kInterval && p.done < p.total) {
      last_ = p.seconds;
      drawn_ = true;
      draw(line(p, terminal_columns() - 1));
    }
    return !interrupted();
  };
}

void ProgressBar::erase() {
  erase_if(drawn_);
}

std::string ProgressBar::line(const Progress& p, int columns) const {
  const double share = p.total > 0 ? static_cast<double>(p.done) / static_cast<double>(p.total) : 0;
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
  if (share > 0 && p.missing.empty()) {
    text += "  " + duration(p.seconds / share - p.seconds) + " left";
  }
  return fitted(text, columns);
}

TrainingBar::TrainingBar(std::string label)
    : label_(std::move(label)), terminal_(isatty(STDERR_FILENO) == 1) {}

std::function<bool(const TrainingProgress&)> TrainingBar::callback() {
  return [this](const TrainingProgress& p) {
    if (terminal_ && p.done < p.total && worth_showing(p.seconds, p.done, p.total)) {
      drawn_ = true;
      const double share = static_cast<double>(p.done) / std::max(p.total, 1);
      draw(fitted(bar(label_, share) + "training  loss " + significant(p.loss) + "  acceptance " +
                      fixed(p.acceptance, 2) + "  jump " + significant(p.jump) + "  step " +
                      significant(p.step_size) + "  " +
                      duration(share > 0 ? p.seconds / share - p.seconds : 0) + " left",
                  terminal_columns() - 1));
    }
    return !interrupted();
  };
}

void TrainingBar::erase() {
  erase_if(drawn_);
}

}  // namespace lockstep::bench
