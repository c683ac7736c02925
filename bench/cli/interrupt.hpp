#pragma once

namespace lockstep::bench {

/// From now on Ctrl-C (SIGINT) and SIGTERM only raise a flag, so that the launch can finish, be
/// saved and reported. A second one ends the process at once.
void catch_interrupts();

/// True once one of them has come.
bool interrupted();

/// What the process then returns: 128 and the signal's number, as shells count; 130 or 143.
int interrupted_status();

}  // namespace lockstep::bench
