#include "bench/sweep/rows.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/cli/table.hpp"
#include "bench/studies/study.hpp"
#include "lockstep/error.hpp"

namespace lockstep::bench {

namespace {

constexpr double kConverged = 1.01;   // R-hat, nested where there are superchains
constexpr double kRight = 4;          // errors in MCSE
constexpr double kDivergent = 0.001;  // share of transitions

/// Why the draws are not to be trusted.
Json failures_of(const Fit& fit) {
  Json failures = Json::array();
  const double nested = fit.nested_rhat_max();
  const double rhat = std::isnan(nested) ? fit.rhat_max() : nested;
  const std::string name = std::isnan(nested) ? "R-hat" : "nested R-hat";
  if (std::isnan(rhat)) {
    failures.push_back("R-hat is not defined");
  } else if (!(rhat < kConverged)) {
    failures.push_back(name + " " +
                       (rhat < 1000 ? significant(rhat, 4) : std::string("above 1000")));
  }
  const double share =
      static_cast<double>(fit.divergences) / static_cast<double>(fit.total_draws());
  if (share > kDivergent) {
    failures.push_back(significant(100 * share, 2) + " % divergences");
  }
  const double worst = worst_error_in_mcse(fit);
  if (worst > kRight) {
    failures.push_back("moments wrong by " + significant(worst, 3) + " standard errors");
  }
  const double ess = fit.ess_min();
  if (!std::isfinite(ess)) {
    failures.push_back("ESS is not defined");
  }
  return failures;
}

Json heading(const Combination& combination) {
  Json row;
  row["sweep"] = kSweepFormat;
  row["key"] = combination.key();
  for (const Setting& s : combination.settings) {
    row["settings"][s.option] = s.is_text ? Json(s.value) : Json::parse(s.value);
  }
  row["command"] = combination.command();
  return row;
}

double number(const Json& row, const char* name) {
  const Json& value = row.at(name);
  return value.is_null() ? SweepFigures::kUnknown : value.get<double>();
}

}  // namespace

Json sweep_row(const Combination& combination, const Fit& fit) {
  Json row = heading(combination);
  row["failures"] = failures_of(fit);
  row["worst_error_in_mcse"] = json_number(worst_error_in_mcse(fit));
  Json run = to_json(fit, combination.value("target"));
  for (const char* of_each_parameter : {"parameters", "visits", "inverse_mass"}) {
    run.erase(of_each_parameter);
  }
  row.update(run);
  return row;
}

Json sweep_row(const Combination& combination, const std::string& error) {
  Json row = heading(combination);
  row["failures"] = {error};
  row["error"] = error;
  return row;
}

SweepFigures figures_of(const Json& row) {
  SweepFigures f;
  f.failures = row.at("failures").get<std::vector<std::string>>();
  if (row.contains("error")) {
    return f;
  }
  f.per_transition = number(row, "ess_per_transition_min");
  f.per_gradient = number(row, "ess_per_gradient_min");
  f.per_second = number(row, "ess_per_second_min");
  f.acceptance = number(row, "acceptance");
  f.step_size = number(row.at("sampler"), "step_size");
  f.sampling_seconds = number(row.at("seconds"), "sampling");
  f.place = row.at("device").get<std::string>();
  if (row.at("backend") == "cpu") {
    const int threads = row.at("threads").get<int>();
    f.place += ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  }
  return f;
}

SweepFile::SweepFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) {
    fail(std::strerror(errno));
  }
  try {
    struct stat about {};
    if (fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) {
      fail("they need an ordinary file, to be read again when the sweep goes on");
    }
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      fail("another sweep is writing it");
    }
    read();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

SweepFile::~SweepFile() {
  close(descriptor_);
}

void SweepFile::fail(const std::string& what) const {
  throw FileError("sweep rows " + path_.string() + ": " + what);
}

void SweepFile::read() {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(descriptor_, buffer, sizeof buffer);
    if (got < 0) {
      fail(std::strerror(errno));
    }
    if (got == 0) {
      break;
    }
    text.append(buffer, static_cast<std::size_t>(got));
  }
  // Every line is checked before anything is cut off: this may be some other file.
  const std::size_t whole = text.rfind('\n') + 1;  // npos + 1 = 0
  int line = 1;
  for (std::size_t begin = 0; begin < whole; ++line) {
    const std::size_t end = text.find('\n', begin);
    const std::string where = "line " + std::to_string(line);
    const std::string remedy = ": choose another --out, or remove this file";
    const Json row = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                 text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    if (!row.is_object() || !row.contains("sweep")) {
      fail(where + " is not a row of a sweep" + remedy);
    }
    if (row["sweep"] != kSweepFormat) {
      fail(where + " is of sweep format " + row["sweep"].dump() + ", but this program writes " +
           std::to_string(kSweepFormat) + remedy);
    }
    try {
      rows_[row.at("key").get<std::string>()] = figures_of(row);
    } catch (const Json::exception& e) {
      fail(where + " is not a whole row (" + e.what() + ")" + remedy);
    }
    begin = end + 1;
  }
  torn_ = whole < text.size();
  const std::string begins = std::string("{\"sweep\":").substr(0, text.size());
  if (torn_ && whole == 0 && text.rfind(begins, 0) != 0) {
    fail("is not a sweep's: choose another --out, or remove this file");
  }
  if (torn_ && ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) {
    fail(std::strerror(errno));
  }
}

void SweepFile::add(const Json& row) {
  const std::string line = row.dump() + "\n";
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t wrote = write(descriptor_, line.data() + done, line.size() - done);
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      fail(std::string("cannot write a row: ") + std::strerror(errno) +
           "; what is there is kept, and the same command goes on from it");
    }
    done += static_cast<std::size_t>(wrote);
  }
  if (fsync(descriptor_) != 0) {
    fail(std::string("cannot write a row: ") + std::strerror(errno));
  }
  rows_[row.at("key").get<std::string>()] = figures_of(row);
}

}  // namespace lockstep::bench
