#include "host/vi/fit.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

NormalFit fit_fisher(Density&, const VariationalOptions&) {
  throw UsageError("fisher: not yet");
}

}  // namespace lockstep
