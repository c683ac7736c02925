#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// @throw UsageError  beginning with `who` and naming the package, if this build has no netCDF
void require_netcdf(const std::string& who);

/// One variable of a posterior: the parameters that make it up and how they are arranged.
struct NetcdfVariable {
  std::string name;
  std::vector<std::vector<long long>> indices;  // of each dimension after (chain, draw), ascending
  std::vector<int> columns;                     // which of the given names, the last index fastest

  std::string dimension(std::size_t d) const { return name + "_dim_" + std::to_string(d); }
};

/// Groups names like theta[1] or L[2,3] that fill a grid of indices into one variable each; a name
/// without indices, or whose grid has holes, is a variable by itself. Names are made legal for
/// netCDF and different from each other and from every dimension.
std::vector<NetcdfVariable> netcdf_variables(const std::vector<std::string>& names);

}  // namespace lockstep
