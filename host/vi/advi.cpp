#include "host/vi/fit.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

NormalFit fit_advi(Density&, const VariationalOptions&) {
  throw UsageError("advi: not yet");
}

}  // namespace lockstep
