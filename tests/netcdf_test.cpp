/// Draws as netCDF: which variables the names make, and a file read back through the C library.
/// What ArviZ and xarray make of it is in netcdf_arviz_test.py.

#include "host/io/netcdf.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/gradients.hpp"
#include "host/io/json.hpp"
#include "host/registry.hpp"
#include "lockstep/error.hpp"
#include "lockstep/result.hpp"

#if defined(LOCKSTEP_WITH_NETCDF)
#include <netcdf.h>
#endif

namespace lockstep {

namespace {

namespace fs = std::filesystem;

// ---- names
// ---------------------------------------------------------------------------------------

/// "theta{1,2|3}=0,1,2": a variable's name, the indices along each dimension, its columns.
std::string spelled_out(const std::vector<std::string>& names) {
  std::string text;
  const auto list = [&](const auto& numbers) {
    const char* separator = "";
    for (const auto n : numbers) {
      text.append(separator).append(std::to_string(n));
      separator = ",";
    }
  };
  for (const NetcdfVariable& v : netcdf_variables(names)) {
    text.append(text.empty() ? "" : " ").append(v.name).append("{");
    for (std::size_t d = 0; d < v.indices.size(); ++d) {
      text.append(d > 0 ? "|" : "");
      list(v.indices[d]);
    }
    text.append("}=");
    list(v.columns);
  }
  return text;
}

TEST(NetcdfVariables, ArraysAreOneVariable) {
  EXPECT_EQ(spelled_out({"theta[1]", "theta[2]", "mu", "theta[3]"}), "theta{1,2,3}=0,1,3 mu{}=2");
  EXPECT_EQ(spelled_out({"L[1,1]", "L[2,1]", "L[1,2]", "L[2,2]"}), "L{1,2|1,2}=0,2,1,3");
  EXPECT_EQ(spelled_out({"x[10]", "x[9]"}), "x{9,10}=1,0");  // numbers, not text
  EXPECT_EQ(spelled_out({"theta[5]"}), "theta{5}=0");
}

TEST(NetcdfVariables, WhatFillsNoGridStaysApart) {
  EXPECT_EQ(spelled_out({"L[1,1]", "L[2,1]", "L[2,2]"}), "L[1,1]{}=0 L[2,1]{}=1 L[2,2]{}=2");
  EXPECT_EQ(spelled_out({"beta[age]", "x[", "[1]", "x[1", "x[1,]", "x[]"}),
            "beta[age]{}=0 x[{}=1 _[1]{}=2 x[1{}=3 x[1,]{}=4 x[]{}=5");
  EXPECT_EQ(spelled_out({"a[1]", "a[1]"}), "a[1]{}=0 a[1]_{}=1");
}

TEST(NetcdfVariables, NamesAreLegalAndDiffer) {
  EXPECT_EQ(spelled_out({"theta", "theta[1]", "theta[1,1]"}),
            "theta{}=0 theta_{1}=1 theta__{1|1}=2");
  EXPECT_EQ(spelled_out({"chain", "draw", "a/b", "a b", "", "\u03c4"}),
            "chain_{}=0 draw_{}=1 a_b{}=2 a_b_{}=3 _{}=4 \u03c4{}=5");
  EXPECT_EQ(spelled_out({"x[1]", "x_dim_0"}), "x{1}=0 x_dim_0_{}=1");
  EXPECT_EQ(spelled_out({"x_dim_0", "x[1]"}), "x_dim_0{}=0 x_{1}=1");
}

// ---- files
// ---------------------------------------------------------------------------------------

class NetcdfFiles : public testing::Test {
 protected:
  void SetUp() override {
    try {
      require_netcdf("x.nc");
    } catch (const UsageError&) {
      GTEST_SKIP() << "this build has no netCDF library (libnetcdf-dev)";
    }
    std::string name = (fs::temp_directory_path() / "lockstep_netcdf_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) {
      fs::permissions(folder_, fs::perms::owner_all);
      fs::remove_all(folder_);
    }
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path path() const { return folder_ / "draws.nc"; }

  fs::path folder_;
};

Fit eight_schools(int draws = 30) {
  SampleOptions options;
  options.chains = 70;
  options.warmup = 20;
  options.draws = draws;
  options.keep_chains = 6;
  options.thin = 3;
  options.seed = std::numeric_limits<std::uint64_t>::max();
  options.backend = Backend::cpu;
  const auto engine = find_target("eight-schools-nc").make({}, options);
  return run(*engine, Hmc{.step_jitter = 0.2}, options);
}

#if defined(LOCKSTEP_WITH_NETCDF)

void ok(int status) {
  ASSERT_EQ(status, NC_NOERR) << nc_strerror(status);
}

/// A file that is open for reading.
class Reader {
 public:
  explicit Reader(const fs::path& path) { ok(nc_open(path.c_str(), NC_NOWRITE, &id_)); }
  ~Reader() { nc_close(id_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  int group(const std::string& name) const {
    int id = 0;
    ok(nc_inq_grp_ncid(id_, name.c_str(), &id));
    return id;
  }
  bool has_group(const std::string& name) const {
    int id = 0;
    return nc_inq_grp_ncid(id_, name.c_str(), &id) == NC_NOERR;
  }
  int id() const { return id_; }

 private:
  int id_ = 0;
};

std::vector<std::size_t> shape(int group, const std::string& name) {
  int v = 0, rank = 0, dims[NC_MAX_VAR_DIMS];
  ok(nc_inq_varid(group, name.c_str(), &v));
  ok(nc_inq_var(group, v, nullptr, nullptr, &rank, dims, nullptr));
  std::vector<std::size_t> lengths(static_cast<std::size_t>(rank));
  for (int d = 0; d < rank; ++d) {
    ok(nc_inq_dimlen(group, dims[d], &lengths[static_cast<std::size_t>(d)]));
  }
  return lengths;
}

std::vector<double> values(int group, const std::string& name) {
  int v = 0;
  ok(nc_inq_varid(group, name.c_str(), &v));
  std::size_t size = 1;
  for (const std::size_t n : shape(group, name)) {
    size *= n;
  }
  std::vector<double> out(size);
  ok(nc_get_var_double(group, v, out.data()));
  return out;
}

std::string text(int id, int variable, const char* name) {
  std::size_t length = 0;
  ok(nc_inq_attlen(id, variable, name, &length));
  std::string out(length, ' ');
  ok(nc_get_att_text(id, variable, name, out.data()));
  return out;
}

void expect_equal(const Fit& fit, const Draws& draws, int group) {
  const auto chains = static_cast<std::size_t>(draws.chains);
  const auto n = static_cast<std::size_t>(draws.draws);
  using Shape = std::vector<std::size_t>;
  ASSERT_EQ(fit.engine.names[8], "mu");
  EXPECT_EQ(shape(group, "theta"), (Shape{chains, n, 8}));
  EXPECT_EQ(shape(group, "mu"), (Shape{chains, n}));
  EXPECT_EQ(values(group, "theta_dim_0"), (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}));
  const std::vector<double> theta = values(group, "theta"), mu = values(group, "mu");
  for (std::size_t c = 0; c < chains; ++c) {
    for (std::size_t t = 0; t < n; ++t) {
      const auto draw = static_cast<std::int64_t>(t);
      EXPECT_EQ(mu[c * n + t], draws.row(draw, 8)[c]);
      for (std::size_t j = 0; j < 8; ++j) {
        EXPECT_EQ(theta[(c * n + t) * 8 + j], draws.row(draw, static_cast<int>(j))[c]);
      }
    }
  }
}

TEST_F(NetcdfFiles, HoldEveryDraw) {
  const Fit fit = eight_schools();
  ASSERT_EQ(fit.draws.draws, 10);
  fit.write_netcdf(path());
  const Reader file(path());
  const int posterior = file.group("posterior"), stats = file.group("sample_stats");
  expect_equal(fit, fit.draws, posterior);
  EXPECT_EQ(values(posterior, "chain"), (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values(stats, "draw"), (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(file.has_group("warmup_posterior"));

  const char* names[] = {"acceptance_rate", "energy", "diverging"};
  for (int row = 0; row < 3; ++row) {
    const std::vector<double> found = values(stats, names[row]);
    for (std::size_t c = 0; c < 6; ++c) {
      for (std::size_t t = 0; t < 10; ++t) {
        EXPECT_EQ(found[c * 10 + t], fit.draws.row(static_cast<std::int64_t>(t), 10 + row)[c]);
      }
    }
  }
  int diverging = 0;
  nc_type type = 0;
  ok(nc_inq_varid(stats, "diverging", &diverging));
  ok(nc_inq_vartype(stats, diverging, &type));
  EXPECT_EQ(type, NC_BYTE);
  EXPECT_EQ(text(stats, diverging, "dtype"), "bool");

  for (const int id : {file.id(), posterior, stats}) {
    EXPECT_EQ(text(id, NC_GLOBAL, "inference_library"), "lockstep");
    EXPECT_EQ(text(id, NC_GLOBAL, "digest"), fit.digest());
    EXPECT_EQ(Json::parse(text(id, NC_GLOBAL, "sampler"))["step_size"], fit.sampler.step_size);
    unsigned long long seed = 0;
    ok(nc_get_att_ulonglong(id, NC_GLOBAL, "seed", &seed));
    EXPECT_EQ(seed, fit.options.seed);
    long long chains = 0;
    ok(nc_get_att_longlong(id, NC_GLOBAL, "chains_run", &chains));
    EXPECT_EQ(chains, 70);
  }
}

TEST_F(NetcdfFiles, StepsOfKeptDrawsAreThoseThatWereMade) {
  Fit fit = eight_schools();
  fit.write_netcdf(path());
  {
    const Reader file(path());
    const int stats = file.group("sample_stats");
    const std::vector<double> steps = values(stats, "n_steps"), size = values(stats, "step_size");
    for (std::size_t k = 0; k < 10; ++k) {
      const auto transition = fit.first_transition + static_cast<std::uint32_t>(3 * k + 2);
      const auto made = static_cast<double>(gradients_of(fit.sampler, fit.engine, fit.options.seed,
                                                         {transition, 1, fit.sampler.step_size}));
      for (std::size_t c = 0; c < 6; ++c) {
        EXPECT_EQ(steps[c * 10 + k], made);
        EXPECT_NEAR(size[c * 10 + k] / fit.sampler.step_size, 1, 0.2);
      }
    }
    EXPECT_NE(size[0], size[1]);  // jitter
  }
  // Lengths that do not add up to what was counted are not told.
  fit.gradients_sampling += 1;
  fit.write_netcdf(path());
  const Reader file(path());
  int v = 0;
  EXPECT_EQ(nc_inq_varid(file.group("sample_stats"), "n_steps", &v), NC_ENOTVAR);
}

TEST_F(NetcdfFiles, HoldTheWarmup) {
  Fit fit = eight_schools();
  fit.warmup_draws = fit.draws;
  fit.warmup_draws.draws = 4;
  fit.adaptation.clear();
  for (int t = 0; t < 12; ++t) {
    fit.adaptation.push_back({0.1 * (t + 1), 0.7 * (t + 1), 0.8, 0.5, 0, false});
  }
  fit.write_netcdf(path());
  const Reader file(path());
  expect_equal(fit, fit.warmup_draws, file.group("warmup_posterior"));
  const int stats = file.group("warmup_sample_stats");
  const std::vector<double> size = values(stats, "step_size"), steps = values(stats, "n_steps");
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_DOUBLE_EQ(size[k], 0.1 * static_cast<double>(3 * k + 3));
    EXPECT_EQ(steps[k], 7);
  }
}

TEST_F(NetcdfFiles, LargerThanABlockOfTheWriter) {
  Fit fit;
  fit.engine.names = {"a[1]", "b", "a[2]"};
  fit.draws.parameters = {0, 1, 2};
  fit.draws.chains = 700;
  fit.draws.draws = 2000;  // 2.8 million values of a
  fit.draws.values.resize(700 * 2000 * 6);
  for (std::size_t i = 0; i < fit.draws.values.size(); ++i) {
    fit.draws.values[i] = static_cast<double>(i);
  }
  fit.options.chains = 0;  // without positions
  fit.write_netcdf(path());
  const Reader file(path());
  const std::vector<double> a = values(file.group("posterior"), "a");
  for (std::size_t c = 0; c < 700; ++c) {
    for (std::size_t t = 0; t < 2000; ++t) {
      const double* row[] = {fit.draws.row(static_cast<std::int64_t>(t), 0),
                             fit.draws.row(static_cast<std::int64_t>(t), 2)};
      ASSERT_EQ(a[(c * 2000 + t) * 2], row[0][c]);
      ASSERT_EQ(a[(c * 2000 + t) * 2 + 1], row[1][c]);
    }
  }
}

TEST_F(NetcdfFiles, OfARunWithoutDraws) {
  Fit fit = eight_schools();
  fit.draws.draws = 0;
  fit.draws_done = 0;
  fit.gradients_sampling = 0;
  fit.write_netcdf(path());
  const Reader file(path());
  EXPECT_EQ(shape(file.group("posterior"), "theta"), (std::vector<std::size_t>{6, 0, 8}));
}

#endif  // LOCKSTEP_WITH_NETCDF

TEST_F(NetcdfFiles, NeedKeptChains) {
  Fit fit = eight_schools();
  fit.draws.chains = 0;
  EXPECT_THROW(fit.write_netcdf(path()), UsageError);
}

std::string error_of_writing(const Fit& fit, const fs::path& path) {
  try {
    fit.write_netcdf(path);
  } catch (const FileError& e) {
    return e.what();
  }
  return {};
}

TEST_F(NetcdfFiles, AFolderThatIsNotThere) {
  const Fit fit = eight_schools();
  EXPECT_NE(error_of_writing(fit, folder_ / "absent" / "x.nc").find("absent/x.nc"),
            std::string::npos);
}

TEST_F(NetcdfFiles, AReadOnlyFolder) {
  const Fit fit = eight_schools();
  fs::permissions(folder_, static_cast<fs::perms>(0555));
  const bool root = geteuid() == 0;  // who may write anywhere
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);  // nobody
  }
  const std::string error = error_of_writing(fit, path());
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_NE(error.find("cannot write " + path().string()), std::string::npos) << error;
  EXPECT_NE(error.find("ermission denied"), std::string::npos) << error;
  EXPECT_EQ(files(), 0u);
}

/// A limit on the size of files fails a write in the middle, as a full disk does.
TEST_F(NetcdfFiles, AWriteThatFailsLeavesTheOlderFile) {
  Fit fit = eight_schools(3000);
  std::ofstream(path()) << "older";
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto action = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of_writing(fit, path());
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, action);
  EXPECT_NE(error.find("cannot write " + path().string()), std::string::npos) << error;
  EXPECT_NE(error.find("it needs 1 MB"), std::string::npos) << error;
  EXPECT_EQ(files(), 1u);
  std::string content;
  std::ifstream(path()) >> content;
  EXPECT_EQ(content, "older");
  // And the library is still usable.
  fit.write_netcdf(path());
  EXPECT_GT(fs::file_size(path()), 100'000u);
}

}  // namespace
}  // namespace lockstep
