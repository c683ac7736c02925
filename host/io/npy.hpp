#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace lockstep {

/// A matrix of float64, row by row.
struct NpyMatrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;
};

/// Reads a matrix that `numpy.save` or Fit::write_positions wrote.
/// @throw FileError  naming the file and what is wrong with it
NpyMatrix read_npy_matrix(const std::filesystem::path& path);

}  // namespace lockstep
