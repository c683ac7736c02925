#pragma once

/// The whole public face.

#include "lockstep/concepts.hpp"
#include "lockstep/config.hpp"
#include "lockstep/diagnostics.hpp"
#include "lockstep/engine.hpp"
#include "lockstep/error.hpp"
#include "lockstep/options.hpp"
#include "lockstep/result.hpp"
#include "lockstep/sampler.hpp"
