#include "host/io/posterior_data.hpp"

#include <algorithm>
#include <cmath>

#include "host/eigen.hpp"
#include "host/io/data_file.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

namespace fs = std::filesystem;

/// Reduces y ~ N(X b, sigma) to a LinearRegressionModel with flat priors.
/// @param where  the file, for messages
LinearRegressionModel reduced(const Eigen::MatrixXd& x, const Eigen::VectorXd& y,
                              const std::string& where) {
  const Eigen::Index p = x.cols();
  require<FileError>(x.rows() > p,
                     where + "has too few observations for " + std::to_string(p) + " coefficients");
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(x);
  const Eigen::MatrixXd r =
      qr.matrixQR().topRows(p).template triangularView<Eigen::Upper>().toDenseMatrix();
  const double largest = r.diagonal().cwiseAbs().maxCoeff();
  require<FileError>(r.diagonal().cwiseAbs().minCoeff() > 1e-12 * largest,
                     where + "has predictors that depend on each other: the fit is not unique");
  const Eigen::VectorXd fit = qr.solve(y);
  LinearRegressionModel m;
  m.coefficients = static_cast<int>(p);
  m.observations = static_cast<double>(x.rows());
  m.rss = (y - x * fit).squaredNorm();
  for (Eigen::Index i = 0; i < p; ++i) {
    const auto row = static_cast<std::size_t>(i);
    m.fit[row] = fit[i];
    for (Eigen::Index j = i; j < p; ++j) {
      m.r[row][static_cast<std::size_t>(j)] = r(i, j);
    }
  }
  return m;
}

Eigen::Map<const Eigen::VectorXd> mapped(const std::vector<double>& v) {
  return {v.data(), static_cast<Eigen::Index>(v.size())};
}

}  // namespace

LinearRegressionModel load_ark(const fs::path& data_dir) {
  const DataFile file("arK", data_dir);
  const std::vector<double> y = file.vector("y");
  constexpr int order = 5;
  require<FileError>(file.number("K") == order,
                     file.where("K") + "is not 5: the target is autoregression of order five");
  const auto n = std::max<Eigen::Index>(static_cast<Eigen::Index>(y.size()) - order, 0);
  Eigen::MatrixXd x(n, 1 + order);
  x.col(0).setOnes();
  for (Eigen::Index k = 1; k <= order; ++k) {
    x.col(k) = mapped(y).segment(order - k, n);
  }
  LinearRegressionModel m = reduced(x, mapped(y).tail(n), file.where("y"));
  m.names = {"alpha", "beta[1]", "beta[2]", "beta[3]", "beta[4]", "beta[5]", "sigma"};
  std::fill_n(m.prior_precision.begin(), 1 + order, 1.0 / (10 * 10));
  m.sigma_scale = 2.5;
  return m;
}

LinearRegressionModel load_kidiq(bool interaction, const fs::path& data_dir) {
  const DataFile file("kidiq", data_dir);
  const std::vector<double> y = file.vector("kid_score");
  const std::vector<double> school = file.vector("mom_hs", y.size());
  const std::vector<double> iq = file.vector("mom_iq", y.size());
  Eigen::MatrixXd x(static_cast<Eigen::Index>(y.size()), interaction ? 4 : 3);
  x.col(0).setOnes();
  x.col(1) = mapped(school);
  x.col(2) = mapped(iq);
  if (interaction) {
    x.col(3) = mapped(school).cwiseProduct(mapped(iq));
  }
  LinearRegressionModel m = reduced(x, mapped(y), file.where("kid_score"));
  m.names = interaction ? decltype(m.names){"beta[1]", "beta[2]", "beta[3]", "beta[4]", "sigma"}
                        : decltype(m.names){"beta[1]", "beta[2]", "beta[3]", "sigma"};
  m.sigma_scale = 2.5;
  return m;
}

LinearRegressionModel load_kilpisjarvi(const fs::path& data_dir) {
  const DataFile file("kilpisjarvi", data_dir);
  const std::vector<double> y = file.vector("y");
  const std::vector<double> year = file.vector("x", y.size());
  Eigen::MatrixXd x(static_cast<Eigen::Index>(y.size()), 2);
  x.col(0).setOnes();
  x.col(1) = mapped(year);
  LinearRegressionModel m = reduced(x, mapped(y), file.where("x"));
  m.names = {"alpha", "beta", "sigma"};
  const double alpha_sd = file.positive("psalpha"), beta_sd = file.positive("psbeta");
  m.prior_mean = {file.number("pmualpha"), file.number("pmubeta")};
  m.prior_precision = {1 / (alpha_sd * alpha_sd), 1 / (beta_sd * beta_sd)};
  return m;
}

GarchData load_garch11(const fs::path& data_dir) {
  const DataFile file("garch11", data_dir);
  return {Column(file.vector("y")), file.positive("sigma1")};
}

Column load_normal_mixture(const fs::path& data_dir) {
  return Column(DataFile("low_dim_gauss_mix", data_dir).vector("y"));
}

PoissonData load_peregrine(const fs::path& data_dir) {
  const DataFile file("glm_poisson_peregrine", data_dir);
  const std::vector<double> year = file.vector("year");
  const std::vector<int> count = file.counts("C", year.size());
  PoissonData data{Column(year), {}};
  for (std::size_t i = 0; i < year.size(); ++i) {
    double power = count[i];
    for (double& moment : data.moment) {
      moment += power;
      power *= year[i];
    }
  }
  return data;
}

BrownianData load_brownian(const fs::path& data_dir) {
  const DataFile file("brownian_motion", data_dir);
  BrownianData data;
  const std::vector<double> y = file.with_gaps("observed_locs", data.y.size());
  std::copy(y.begin(), y.end(), data.y.begin());
  data.innovation_scale = file.positive("innovation_noise_scale");
  data.observation_scale = file.positive("observation_noise_scale");
  return data;
}

Column load_squared_returns(const fs::path& data_dir) {
  std::vector<double> y =
      DataFile("stochastic_volatility_sp500_small", data_dir).vector("centered_returns");
  std::transform(y.begin(), y.end(), y.begin(), [](double x) { return x * x; });
  return Column(std::move(y));
}

AnswerData::AnswerData(const fs::path& file) {
  const Table table = read_csv(file);
  const std::vector<std::string> wanted{"student", "question", "correct"};
  require<FileError>(table.columns == wanted,
                     table.source + ": expected the columns student, question, correct");
  const auto whole = [&](std::size_t row, std::size_t column, double most) {
    const double x = table.at(row, column);
    require<FileError>(x >= 0 && x <= most && x == std::floor(x),
                       table.source + ": row " + std::to_string(row + 1) + ": " + wanted[column] +
                           " is " + std::to_string(x) + ", expected a whole number from 0 to " +
                           std::to_string(static_cast<long>(most)));
    return static_cast<int>(x);
  };
  constexpr double many = 1e6;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    students_ = std::max(students_, 1 + whole(row, 0, many));
    questions_ = std::max(questions_, 1 + whole(row, 1, many));
  }
  std::vector<std::vector<int>> lists(static_cast<std::size_t>(students_));
  std::vector<double> right(static_cast<std::size_t>(students_ + questions_));
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const int student = whole(row, 0, many), question = whole(row, 1, many);
    const double correct = whole(row, 2, 1);
    lists[static_cast<std::size_t>(student)].push_back(question);
    right[static_cast<std::size_t>(student)] += correct;
    right[static_cast<std::size_t>(students_ + question)] += correct;
    total_ += correct;
  }
  for (std::vector<int>& list : lists) {
    first_.push_back(static_cast<int>(question_.size()));
    constexpr auto group = static_cast<std::size_t>(Answers<float>::kAnswers);
    list.resize((list.size() + group - 1) / group * group, questions_);
    question_.insert(question_.end(), list.begin(), list.end());
  }
  first_.push_back(static_cast<int>(question_.size()));
  right_ = Column(std::move(right));
}

AnswerData load_item_response(const fs::path& data_dir) {
  return AnswerData(find_data_file("item_response_1pl", "responses.csv", data_dir));
}

}  // namespace lockstep
