#include "bench/cli/interrupt.hpp"

#include <csignal>

namespace lockstep::bench {

namespace {

volatile std::sig_atomic_t raised = 0;

extern "C" void on_interrupt(int signal) {
  raised = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}

bool interrupted() {
  return raised != 0;
}

int interrupted_status() {
  return 128 + raised;
}

}  // namespace lockstep::bench
