#include "host/io/capture_data.hpp"

#include <algorithm>

#include "host/io/data_file.hpp"

namespace lockstep {

JollySeberData<kCapsidOccasions> load_capsid(const std::filesystem::path& data_dir) {
  const DataFile file("capsid_jolly_seber", data_dir);
  constexpr std::size_t n = kCapsidOccasions;
  require<FileError>(file.count("T") == kCapsidOccasions,
                     file.where("T") + "is not 13: the target is compiled for that many occasions");
  JollySeberData<kCapsidOccasions> data;
  const auto read = [&](const char* key, auto& to, std::size_t first) {
    const std::vector<int> from = file.counts(key, to.size() - first);
    std::copy(from.begin(), from.end(), to.begin() + first);
  };
  data.marked[0] = 0;
  read("n", data.caught, 0);
  read("m_from_occasion_2", data.marked, 1);
  read("R", data.released, 0);
  read("r", data.caught_again, 0);
  data.most = file.count("U_max");
  data.spread = file.positive("sigma_B");

  // What follows from these stands in the file too: a slip of the pen is then seen.
  const std::vector<int> unmarked = file.counts("u", n);
  const std::vector<int> missed = file.counts("z_from_occasion_2", n - 1);
  int z = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string on = " on occasion " + std::to_string(i + 1);
    require<FileError>(unmarked[i] == data.caught[i] - data.marked[i],
                       file.where("u") + "is not n - m" + on);
    if (i > 0) {
      z += data.caught_again[i - 1] - data.marked[i];
      require<FileError>(missed[i - 1] == z,
                         file.where("z_from_occasion_2") + "is not z + r - m" + on);
    }
  }
  return data;
}

}  // namespace lockstep
