#include "host/adapt/schedule.hpp"

#include <algorithm>

namespace lockstep {

std::vector<Window> windowed_schedule(int warmup) {
  constexpr int kFirst = 75, kShortest = 25, kLast = 50;
  if (warmup < 20) {
    return {{0, warmup, warmup, false}};
  }
  int first = kFirst, length = kShortest, last = kLast;
  if (warmup < kFirst + kShortest + kLast) {
    first = static_cast<int>(0.15 * warmup);
    last = static_cast<int>(0.1 * warmup);
    length = warmup - first - last;
  }
  std::vector<Window> windows{{0, first, first, false}};
  const int until = warmup - last;
  for (int begin = first; begin < until; length *= 2) {
    const int end = 3 * length <= until - begin ? begin + length : until;
    windows.push_back({begin, end, begin, true});
    begin = end;
  }
  windows.push_back({until, warmup, warmup, false});
  return windows;
}

std::vector<Window> pooled_schedule(int warmup) {
  const int until = warmup - std::max(std::min(warmup / 4, kSettling), 1);
  std::vector<Window> windows;
  int length = 10;
  for (int begin = 0; begin + 10 <= until; length *= 2) {
    const int end = begin + 2 * length <= until ? begin + length : until;
    windows.push_back({begin, end, (begin + end) / 2, true});
    begin = end;
  }
  const int begin = windows.empty() ? 0 : until;
  windows.push_back({begin, warmup, warmup, false});
  return windows;
}

Schedule resolved(Schedule schedule, std::int64_t chains) {
  if (schedule != Schedule::automatic) {
    return schedule;
  }
  return chains >= kPooledChains ? Schedule::pooled : Schedule::windowed;
}

}  // namespace lockstep
