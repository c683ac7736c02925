#pragma once

#include "bench/studies/study.hpp"

namespace lockstep::bench {

/// The four experiments of Levy, Hoffman & Sohl-Dickstein (ICLR 2018): L2HMC as the paper trains it
/// and as we do, beside HMC as the paper runs it and HMC tuned; ESS in the paper's definition and
/// as others define it, what training costs, and whether it pays.
Study l2hmc_study();

}  // namespace lockstep::bench
