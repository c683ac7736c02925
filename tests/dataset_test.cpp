// Finding, reading and refusing data.

#include "host/io/dataset.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "host/io/logistic_data.hpp"
#include "host/io/reference.hpp"
#include "lockstep/error.hpp"
#include "tests/message_of.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

/// An environment variable, put back at the end of the test.
class ScopedEnvironment {
 public:
  ScopedEnvironment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) {
      old_ = old;
    }
    setenv(name, value.c_str(), 1);
  }
  ~ScopedEnvironment() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }
  ScopedEnvironment(const ScopedEnvironment&) = delete;
  ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

/// A folder of its own for each test.
class DatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("lockstep_dataset_" + std::string(info->name()) + "_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const fs::path& name, const std::string& text) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string csv_error(const std::string& text) const {
    const fs::path path = write("bad.csv", text);
    const std::string message = message_of<FileError>([&] { read_csv(path); });
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    return message.substr(std::min(message.size(), path.string().size()));
  }
  std::string logistic_error(const std::string& text) const {
    const fs::path path = write("bad.csv", text);
    const std::string message = message_of<FileError>([&] { LogisticData data(read_csv(path)); });
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
    return message;
  }

  fs::path folder_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(DatasetTest, ReadsATable) {
  const Table t = read_csv(write("t.csv", "a,\"b c\", d\n1,2.5,-3e2\r\n+4, 5 ,\"6\"\n\n"));
  EXPECT_EQ(t.columns, (std::vector<std::string>{"a", "b c", "d"}));
  EXPECT_EQ(t.values, (std::vector<double>{1, 2.5, -300, 4, 5, 6}));
  EXPECT_EQ(t.rows(), 2u);
  EXPECT_EQ(t.at(1, 2), 6);
}

TEST_F(DatasetTest, AcceptsAByteOrderMarkAndAMissingLastNewline) {
  const Table t = read_csv(write("t.csv",
                                 "\xEF\xBB\xBF"
                                 "a\n7"));
  EXPECT_EQ(t.columns, std::vector<std::string>{"a"});
  EXPECT_EQ(t.values, std::vector<double>{7});
}

TEST_F(DatasetTest, MalformedTablesNameTheirPlace) {
  EXPECT_EQ(csv_error("a,b\n1,2\n3\n"), ":3: found 1 columns, expected 2 as in the header");
  EXPECT_EQ(csv_error("a,b\n1,2,3\n"), ":2: found 3 columns, expected 2 as in the header");
  EXPECT_EQ(csv_error("a,b\n1,x2\n"), ":2, column 'b': found 'x2', expected a finite number");
  EXPECT_EQ(csv_error("a,b\n1,2y\n"), ":2, column 'b': found '2y', expected a finite number");
  EXPECT_EQ(csv_error("a,b\n,2\n"), ":2, column 'a': found nothing, expected a finite number");
  EXPECT_EQ(csv_error("a,b\n1,nan\n"), ":2, column 'b': found 'nan', expected a finite number");
  EXPECT_EQ(csv_error("a,b\n1,inf\n"), ":2, column 'b': found 'inf', expected a finite number");
  EXPECT_EQ(csv_error("a,b\n1,1e999\n"), ":2, column 'b': found '1e999', expected a finite number");
  EXPECT_EQ(csv_error("a,b\n\n1,2\n"), ":2: found an empty line between rows: remove it");
  EXPECT_EQ(csv_error("1,2\n3,4\n"),
            ":1: column 1 is named '1', a number: add a header row that names the columns");
  EXPECT_EQ(csv_error("a,a\n3,4\n"), ":1: two columns are named 'a': rename one");
  EXPECT_EQ(csv_error("a,\n3,4\n"), ":1: column 2 has no name: the first row must name all");
  EXPECT_EQ(csv_error("a,b\n"), ": has a header row but no data rows");
  EXPECT_EQ(csv_error(""), ": is empty, expected a header row and rows of numbers");
}

TEST_F(DatasetTest, MissingFilesAreNamed) {
  const fs::path path = folder_ / "absent.csv";
  for (const std::string& message : {message_of<FileError>([&] { read_csv(path); }),
                                     message_of<FileError>([&] { read_csv(folder_); }),
                                     message_of<FileError>([&] { read_json_data(path); }),
                                     message_of<FileError>([&] { read_reference(path, "p"); })}) {
    EXPECT_TRUE(contains(message, folder_.string())) << message;
  }
}

TEST_F(DatasetTest, LooksInTheGivenFolderThenTheEnvironmentThenTheCache) {
  const ScopedEnvironment data("LOCKSTEP_DATA", (folder_ / "environment").string());
  const ScopedEnvironment cache("XDG_CACHE_HOME", (folder_ / "cache").string());
  const fs::path given = folder_ / "given";
  const std::string message =
      message_of<FileError>([&] { find_data_file("heart", "heart.csv", given); });
  const auto first = message.find(given.string());
  const auto second = message.find((folder_ / "environment").string());
  const auto third = message.find((folder_ / "cache" / "lockstep").string());
  ASSERT_NE(third, std::string::npos) << message;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_TRUE(contains(message, "`bench/fetch-data heart`")) << message;

  // Found in each in turn, the earlier folder first.
  for (const char* place : {"cache/lockstep", "environment", "given"}) {
    const fs::path file = write(fs::path(place) / "heart" / "heart.csv", "a,y\n1,0\n");
    EXPECT_EQ(find_data_file("heart", "heart.csv", given), file);
  }
}

TEST_F(DatasetTest, TheCacheDefaultsToTheHomeFolder) {
  const ScopedEnvironment data("LOCKSTEP_DATA", ""), cache("XDG_CACHE_HOME", "");
  const ScopedEnvironment home("HOME", folder_.string());
  EXPECT_EQ(data_folders(), std::vector<fs::path>{folder_ / ".cache" / "lockstep"});
}

TEST_F(DatasetTest, ReadsJsonArrays) {
  const auto data = read_json_data(
      write("data.json", R"({"N": 3, "y": [1, 2.5, -3], "X": [[1, 2, 3], [4, 5, 6]], "e": []})"));
  EXPECT_TRUE(data.at("N").shape.empty());
  EXPECT_EQ(data.at("N").values, std::vector<double>{3});
  EXPECT_EQ(data.at("y").shape, std::vector<std::size_t>{3});
  EXPECT_EQ(data.at("X").shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(data.at("X").values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(data.at("e").shape, std::vector<std::size_t>{0});
}

TEST_F(DatasetTest, JsonNullIsAMissingValue) {
  const auto data = read_json_data(write("gaps.json", R"({"y": [1, null, 3]})"));
  const std::vector<double>& y = data.at("y").values;
  ASSERT_EQ(y.size(), 3u);
  EXPECT_EQ(y[0], 1);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 3);
}

TEST_F(DatasetTest, RefusesJsonThatIsNotNumbers) {
  const auto json_error = [&](const std::string& text) {
    return message_of<FileError>([&] { read_json_data(write("bad.json", text)); });
  };
  EXPECT_TRUE(contains(json_error("{\"a\": [1, "), "is not valid JSON"));
  EXPECT_TRUE(contains(json_error("[1, 2]"), "expected a JSON object"));
  EXPECT_TRUE(contains(json_error(R"({"a": ["x"]})"), "'a' holds '\"x\"'"));
  EXPECT_TRUE(contains(json_error(R"({"a": [[1, 2], [3]]})"), "'a' is a ragged array"));
  EXPECT_TRUE(contains(json_error(R"({"a": [1, [2]]})"), "'a' is a ragged array"));
  EXPECT_TRUE(contains(json_error(R"({"a": [[1], 2]})"), "'a' is a ragged array"));
}

TEST_F(DatasetTest, StandardisesSignsAndBlocks) {
  // Features 0, 2, 4: mean 2, standard deviation sqrt(8/3) with divisor 3. Outcome 7 counts as 1.
  const LogisticData data(read_csv(write("t.csv", "x,y\n0,5\n2,7\n4,5\n")));
  EXPECT_EQ(data.dim(), 2);
  EXPECT_EQ(data.rows(), 3);
  EXPECT_EQ(data.ones(), 1);
  const LogisticRows<double> rows = data.view<double>();
  ASSERT_EQ(rows.blocks, 1);
  const double z = 2 / std::sqrt(8.0 / 3);
  const double feature[kRowBlock] = {-z, 0, z}, one[kRowBlock] = {1, -1, 1};
  for (int r = 0; r < kRowBlock; ++r) {
    EXPECT_NEAR(rows.z[r], feature[r], 1e-15) << r;
    EXPECT_EQ(rows.z[kRowBlock + r], one[r]) << r;
    EXPECT_EQ(data.view<float>().z[r], static_cast<float>(rows.z[r])) << r;
  }
}

TEST_F(DatasetTest, RefusesDataThatNoRegressionFits) {
  EXPECT_TRUE(contains(logistic_error("a,b,y\n1,5,0\n2,5,1\n"), "column 'b' is constant"));
  EXPECT_TRUE(contains(logistic_error("a,b,y\n1,0.1,0\n2,0.1,1\n3,0.1,1\n"),
                       "column 'b' is constant"));  // whose mean is not exactly 0.1
  EXPECT_TRUE(contains(logistic_error("a,y\n1,1\n2,1\n"), "column 'y' has one value only"));
  EXPECT_TRUE(contains(logistic_error("a,y\n1,0\n2,1\n3,2\n"), "column 'y' holds 2 in row 3"));
  EXPECT_TRUE(contains(logistic_error("a,y\n1,0\n2,0.5\n"), "column 'y' holds 0.5 in row 2"));
  EXPECT_TRUE(contains(logistic_error("y\n0\n1\n"), "has one column"));
}

TEST_F(DatasetTest, ReadsReferences) {
  const fs::path path = write("reference.json", R"({
    "run": {"basis": "own run", "parameters": {
      "mu": {"mean": 1.5, "sd": 2, "q05": -1, "q50": 1.4, "q95": 4, "mcse_mean": 0.02,
             "mcse_sd": 0.03, "ess": 10000},
      "tau": {"mean": 3, "sd": 1, "mcse_mean": 0.01}}},
    "exact": {"parameters": {"mu": {"mean": 1, "sd": 2}}}})");
  const Reference run = read_reference(path, "run");
  EXPECT_EQ(run.parameters.at("mu").q05, -1);
  EXPECT_EQ(run.parameters.at("mu").q50, 1.4);
  EXPECT_EQ(run.parameters.at("mu").q95, 4);
  EXPECT_TRUE(std::isnan(run.parameters.at("tau").q05));

  const Truth truth = truth_of(run, {"tau", "mu"});
  EXPECT_EQ(truth.mean, (std::vector<double>{3, 1.5}));
  EXPECT_EQ(truth.sd, (std::vector<double>{1, 2}));
  EXPECT_EQ(truth.error_mean, (std::vector<double>{0.01, 0.02}));
  EXPECT_EQ(truth.error_sd, (std::vector<double>{0.01 / std::sqrt(2.0), 0.03}));
  EXPECT_EQ(truth.source, "own run");
  EXPECT_TRUE(truth_of(read_reference(path, "exact"), {"mu"}).error_mean.empty());

  EXPECT_TRUE(
      contains(message_of<FileError>([&] { truth_of(run, {"theta"}); }), "no parameter 'theta'"));
  EXPECT_TRUE(contains(message_of<FileError>([&] { read_reference(path, "other"); }),
                       "has no posterior 'other', only: exact, run"));
  const fs::path bad = write("bad.json", R"({"p": {"parameters": {"mu": {"mean": "high"}}}})");
  EXPECT_TRUE(contains(message_of<FileError>([&] { read_reference(bad, "p"); }),
                       "p.mu.mean: found \"high\""));
  const fs::path empty = write("empty.json", R"({"p": {}})");
  EXPECT_TRUE(
      contains(message_of<FileError>([&] { read_reference(empty, "p"); }), "with 'parameters'"));
}

}  // namespace
}  // namespace lockstep
