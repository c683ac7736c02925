#pragma once

#include <filesystem>

#include "kernels/targets/jolly_seber.hpp"

namespace lockstep {

/// Occasions of the black-kneed capsid data.
inline constexpr int kCapsidOccasions = 13;

/// Black-kneed capsids (Blepharidopterus angulatus) on apple trees, thirteen occasions three or
/// four days apart: G. M. Jolly, Biometrika 52 (1965) 225; G. A. F. Seber, The Estimation of Animal
/// Abundance (1982). From capsid_jolly_seber/data.json, with n, R and r; m and z from the second
/// occasion on, and u, which must agree with these; sigma_B and U_max.
/// @throw FileError  naming file and entry, where they are absent, malformed, or contradict each
///                   other
JollySeberData<kCapsidOccasions> load_capsid(const std::filesystem::path& data_dir = {});

}  // namespace lockstep
