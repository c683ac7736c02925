#include "host/vi/fit.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

NormalFit fit_pathfinder(Density&, const VariationalOptions&) {
  throw UsageError("pathfinder: not yet");
}

}  // namespace lockstep
