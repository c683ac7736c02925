#pragma once

namespace lockstep::bench {

/// From now on Ctrl-C only raises a flag, so that the launch can finish and be reported. A second
/// Ctrl-C ends the process at once.
void catch_interrupts();

/// True once Ctrl-C has been pressed.
bool interrupted();

}  // namespace lockstep::bench
