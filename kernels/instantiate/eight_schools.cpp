#include "kernels/targets/eight_schools.hpp"

#include "kernels/instantiate/instantiate.hpp"
#include "kernels/launch/cpu.hpp"
#include "kernels/launch/lane_target.hpp"

LOCKSTEP_INSTANTIATE_CPU(float, lockstep::EightSchools)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::EightSchools)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::EightSchoolsNc)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::EightSchoolsNc)
LOCKSTEP_INSTANTIATE_CPU(float, lockstep::EightSchoolsLogNormal)
LOCKSTEP_INSTANTIATE_CPU(double, lockstep::EightSchoolsLogNormal)
