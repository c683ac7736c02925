/// The report of a run: its parts (axes, densities, numbers, failures in words), and whole pages of
/// ordinary and degenerate runs. What a browser's parser makes of them is in report_html_test.py.

#include "host/report/report.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/plot/axis.hpp"
#include "host/plot/density.hpp"
#include "host/plot/html.hpp"
#include "host/plot/panel.hpp"
#include "host/registry.hpp"
#include "host/report/failures.hpp"
#include "host/report/numbers.hpp"
#include "host/summarise.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// ---- parts
// ---------------------------------------------------------------------------------------

std::string ticks_of(const plot::Axis& axis, int wanted = 4) {
  std::string text;
  for (const plot::Tick& t : axis.ticks(wanted)) {
    text += t.label + " ";
  }
  return text;
}

TEST(Axis, TicksAreRound) {
  EXPECT_EQ(ticks_of({0, 1, "", false}), "0 0.5 1.0 ");
  EXPECT_EQ(ticks_of({-0.3, 0.31, "", false}), "\u22120.2 0 0.2 ");
  EXPECT_EQ(ticks_of({0, 500, "", false}), "0 200 400 ");
  EXPECT_EQ(ticks_of({0, 183'882, "", false}), "0 50k 100k 150k ");
  EXPECT_EQ(ticks_of({-3e6, 3e6, "", false}), "\u22122M 0 2M ");
  EXPECT_EQ(ticks_of({1e-7, 4e-7, "", false}), "1e\u221207 2e\u221207 3e\u221207 4e\u221207 ");
  EXPECT_EQ(ticks_of({0.002, 30, "", true}), "0.01 0.1 1 10 ");
  EXPECT_EQ(ticks_of({2, 7, "", true}), "2 4 6 ");  // less than two powers of ten: as if linear
}

TEST(Axis, OfAnyValuesCanBeDrawn) {
  for (const std::vector<double>& values : {std::vector<double>{},
                                            {kNan, kInf},
                                            {0},
                                            {5, 5},
                                            {-1e300, 1e300},
                                            {1e9, 1e9 + 1e-7},
                                            {3}}) {
    for (const bool logarithmic : {false, true}) {
      const plot::Axis axis = plot::axis_over(values, "", logarithmic);
      EXPECT_LT(axis.low, axis.high);
      EXPECT_EQ(axis.at(axis.low), 0);
      EXPECT_EQ(axis.at(axis.high), 1);
      EXPECT_LE(axis.ticks(5).size(), 50u);
    }
  }
}

TEST(Density, OfANormalLaw) {
  std::vector<double> values;  // its quantiles, by Newton's method on the distribution function
  const int n = 20'000;
  double x = -4.5;
  for (int i = 0; i < n; ++i) {
    const double p = (i + 0.5) / n;
    for (int k = 0; k < 50; ++k) {
      const double f = std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
      x += std::clamp((p - 0.5 * std::erfc(-x / std::numbers::sqrt2)) / f, -0.5, 0.5);
    }
    values.push_back(x);
  }
  const plot::Curve curve = plot::density(values, -5, 5, 201);
  double area = 0;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const double truth = std::exp(-0.5 * curve.x[i] * curve.x[i]) / std::sqrt(2 * std::numbers::pi);
    EXPECT_NEAR(curve.y[i], truth, 0.008);
    area += curve.y[i] * 0.05;
  }
  EXPECT_NEAR(area, 1, 1e-3);
}

TEST(Density, EndsWhereTheLawEnds) {
  std::vector<double> values;  // exponential
  const int n = 50'000;
  for (int i = 0; i < n; ++i) {
    values.push_back(-std::log1p(-(i + 0.5) / n));
  }
  const plot::Curve curve = plot::density(values, -1, 5, 301);
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    if (curve.x[i] < 0) {
      EXPECT_EQ(curve.y[i], 0);
    } else if (curve.x[i] > 1e-3) {
      EXPECT_NEAR(curve.y[i], std::exp(-curve.x[i]), 0.06) << curve.x[i];
    }
  }
}

TEST(Density, OfNothing) {
  EXPECT_TRUE(plot::density({}, 0, 1).y.empty());
  EXPECT_TRUE(plot::density(std::vector<double>{2, 2, 2}, 0, 3).y.empty());
}

TEST(Numbers, AsPeopleReadThem) {
  using namespace report;
  EXPECT_EQ(shown(1234567.8, 4), "1,234,568");
  EXPECT_EQ(shown(-0.0123456, 3), "\u22120.0123");
  EXPECT_EQ(shown(1.00004, 5), "1.0000");
  EXPECT_EQ(shown(-1.5e-7, 2), "\u22121.5e\u221207");
  EXPECT_EQ(shown(0, 4), "0");
  EXPECT_EQ(shown(kNan, 4), "\u2013");
  EXPECT_EQ(shown(-kInf, 4), "\u2212\u221E");
  EXPECT_EQ(shown_to(6.22578, 0.0107), "6.226");
  EXPECT_EQ(shown_to(-0.00002, 0.0107), "0.000");
  EXPECT_EQ(shown_to(97.4, 31), "97");
  EXPECT_EQ(shown_to(97.4, kNan), "97.40");
  EXPECT_EQ(shown_to(97.4, 0), "97.40");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(plural(1, "chain"), "1 chain");
  EXPECT_EQ(data_element(0.1, "0.10"), "<data value=\"0.1\">0.10</data>");
  EXPECT_EQ(data_element(kInf, ""), "\u2013");
}

TEST(Panel, LeavesOutWhatIsNotFinite) {
  plot::Panel panel({0, 1, "x"}, {0, 1, "y"}, "d");
  const std::vector<double> x{0, kNan, 0.5, 2}, y{0, 1, kInf, -kInf};
  panel.line(x, y, "a");
  panel.dots(x, y, "a");
  panel.crosses(x, y, "a");
  panel.band(x, y, y, "a");
  panel.vertical(kNan, "a");
  panel.horizontal(2, "a");
  const std::string svg = panel.svg();
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  EXPECT_EQ(svg.find("class=\"rule"), std::string::npos);
}

// ---- pages
// ---------------------------------------------------------------------------------------

Fit fit_of(const std::string& target, SampleOptions options = {}) {
  options.backend = Backend::cpu;
  options.threads = 1;
  const auto engine = find_target(target).make({}, options);
  return run(*engine, Hmc{}, options);
}

SampleOptions small() {
  SampleOptions options;
  options.chains = 64;
  options.warmup = 100;
  options.draws = 200;
  return options;
}

/// The first tag that is not closed or not open, or what is drawn from outside; "" if all is well.
std::string fault(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    std::size_t end = at;  // of the tag, not of a quoted value
    for (bool quoted = false; end < page.size() && (quoted || page[end] != '>'); ++end) {
      quoted ^= page[end] == '"';
    }
    if (end == page.size()) {
      return "a tag without an end";
    }
    const bool closing = page[at + 1] == '/';
    const std::size_t begin = at + (closing ? 2 : 1);
    const std::string name = page.substr(begin, page.find_first_of(" />", begin) - begin);
    if (closing) {
      if (open.empty() || open.back() != name) {
        return "</" + name + "> after <" + (open.empty() ? "" : open.back()) + ">";
      }
      open.pop_back();
    } else if (name != "!doctype" && name != "meta" && page[end - 1] != '/') {
      open.push_back(name);
    }
    at = name == "style" && !closing ? page.find("</style>", at) - 1 : end;
  }
  for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<script", "<link"}) {
    if (page.find(outside) != std::string::npos) {
      return outside;
    }
  }
  for (std::size_t at = page.find("href="); at != std::string::npos;
       at = page.find("href=", at + 1)) {
    if (page.compare(at, 7, "href=\"#") != 0) {
      return page.substr(at, 30);
    }
  }
  for (const char* number : {"nan", "inf"}) {
    for (const char* before : {" ", "M", "L", "\""}) {
      if (page.find(std::string(before) + number + " ") != std::string::npos) {
        return std::string("a coordinate that is ") + number;
      }
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

TEST(FaultFinder, FindsFaults) {
  EXPECT_EQ(fault("<!doctype html><p a=\">\">x</p>"), "");
  EXPECT_NE(fault("<p><b></p></b>"), "");
  EXPECT_NE(fault("<p>"), "");
  EXPECT_NE(fault("<p"), "");
  EXPECT_NE(fault("<a href=\"x.css\"></a>"), "");
  EXPECT_NE(fault("<path d=\"M nan 1\"/>"), "");
}

std::size_t count(const std::string& page, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = page.find(what); at != std::string::npos; at = page.find(what, at + 1)) {
    ++n;
  }
  return n;
}

void expect_says(const std::string& page, const std::string& what) {
  EXPECT_NE(page.find(what), std::string::npos) << what;
}

TEST(Report, OfAGoodRun) {
  const Fit fit = fit_of("std-normal", small());
  const std::string page = report_html(fit, {"std-normal", "lockstep-bench run --target x", {}});
  EXPECT_EQ(fault(page), "");
  for (const char* section :
       {"failures", "table", "parameters", "pairs", "energy", "adaptation", "settings"}) {
    expect_says(page, std::string("<h2 id=\"") + section + "\">");
    expect_says(page, std::string("href=\"#") + section + "\"");
  }
  expect_says(page, "lockstep-bench run --target x");
  expect_says(page, fit.digest());
  // Eight parameters of four plots, three pairs, one energy plot, three of the warm-up; an svg has
  // another one inside.
  EXPECT_EQ(count(page, "</svg>"), 2u * (8 * 4 + 3 + 1 + 3));
  EXPECT_EQ(page, report_html(fit, {"std-normal", "lockstep-bench run --target x", {}}));
}

TEST(Report, ShowsTheGeometryThatWasMeasured) {
  const Fit fit = fit_of("std-normal", small());
  Geometry geometry;
  geometry.points = 64;
  geometry.kappa_median = 12.5;
  geometry.kappa_95 = std::numeric_limits<double>::infinity();
  const std::string page = report_html(fit, {"std-normal", "", {}, geometry});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "<h2 id=\"geometry\">");
  expect_says(page, "href=\"#geometry\"");
  expect_says(page, "<data value=\"12.5\">");
  EXPECT_EQ(report_html(fit, {"std-normal", "", {}}).find("id=\"geometry\""), std::string::npos);
}

TEST(Report, OfNamesThatHtmlWouldRead) {
  Fit fit = fit_of("banana", small());
  const std::string name = "</td><script>alert(\"x\" & 'y')</script>";
  fit.parameters[0].name = fit.engine.names[0] = name;
  fit.stranded.push_back({3, 7, name, "<b>stuck</b>", -1});
  const std::string page = report_html(fit, {name, "a < b > c & d", {name, "x[2]"}});
  EXPECT_EQ(fault(page), "");
  EXPECT_GE(count(page, html_escaped(name)), 8u);
  expect_says(page, "a &lt; b &gt; c &amp; d");
  expect_says(page, "&lt;b&gt;stuck&lt;/b&gt;");
  EXPECT_EQ(html_escaped("a\x01\n"), "a\uFFFD\n");
}

TEST(Report, OfWhatWarmupDid) {
  Fit fit = fit_of("banana", small());
  fit.adaptation.clear();
  for (int t = 0; t < 1000; ++t) {
    fit.adaptation.push_back(
        {0.1 + 0.01 * t, 1.0 + t, 0.8, 0.3, t % 100 == 0 ? 5 : 0, t == 200 || t == 600});
  }
  const std::string page = report_html(fit, {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "Divergent chains: 50 in all");
  expect_says(page, "new metric");
  expect_says(page, "Trajectory length during warm-up");
}

TEST(Report, OfDegenerateRuns) {
  const auto one = [](SampleOptions options) { return fit_of("banana", options); };
  SampleOptions options = small();
  options.draws = 1;
  std::string page = report_html(one(options), {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "Too few draws");

  options = small();
  options.chains = 1;
  page = report_html(one(options), {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "One chain");

  options = small();
  options.keep_chains = 0;
  page = report_html(one(options), {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "No draws kept");

  options = small();
  options.thin = 7;
  options.keep_parameters = {1};
  page = report_html(one(options), {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "A pair needs two kept parameters");
  expect_says(page, "draws are thinned");

  options = small();
  options.progress = [](const Progress&) { return false; };  // interrupted in warm-up
  page = report_html(one(options), {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "ended before sampling began");

  options.progress = [](const Progress& p) { return p.warming_up; };
  options.draws = 100'000;
  options.keep_chains = 2;
  page = report_html(one(options), {});
  EXPECT_EQ(fault(page), "");
  expect_says(page, "Interrupted");
}

/// Overwrites a parameter's recordings with one value.
void fill(Fit& fit, int j, double value) {
  for (std::int64_t t = 0; t < fit.draws.draws; ++t) {
    double* row = fit.draws.values.data() + (t * fit.draws.rows() + j) * fit.draws.chains;
    std::fill(row, row + fit.draws.chains, value);
  }
  for (int half = 0; half < 2; ++half) {
    const auto first = static_cast<std::ptrdiff_t>(j * fit.statistics.chains);
    const auto n = static_cast<std::ptrdiff_t>(fit.statistics.chains);
    std::fill_n(fit.statistics.mean[half].begin() + first, n, value);
    std::fill_n(fit.statistics.m2[half].begin() + first, n, std::isfinite(value) ? 0.0 : kNan);
  }
  summarise(fit);
}

TEST(Report, OfParametersThatAreNoGood) {
  for (const double value : {0.0, 3.5, kNan, kInf, -1e100}) {
    Fit fit = fit_of("banana", small());
    fill(fit, 1, value);
    const std::string page = report_html(fit, {});
    EXPECT_EQ(fault(page), "") << value;
    SCOPED_TRACE(std::to_string(value) + ": mean " + std::to_string(fit.parameters[1].mean) +
                 ", sd " + std::to_string(fit.parameters[1].sd));
    expect_says(page, std::isfinite(value) ? "Parameters that never change"
                                           : "Figures that are not numbers");
    expect_says(page, std::isfinite(value) ? "It never changes." : "Some draws are not finite.");
  }
}

TEST(Report, OfManyParametersIsBounded) {
  Fit fit;
  const int dim = 501;
  fit.engine.dim = dim;
  fit.options.chains = 0;  // without positions
  fit.draws_done = 200;
  fit.draws.chains = 256;
  fit.draws.draws = 200;
  fit.e_bfmi = 1;
  std::uint32_t random = 1;
  for (int j = 0; j < dim; ++j) {
    fit.draws.parameters.push_back(j);
    fit.engine.names.push_back("a_parameter_of_long_name[" + std::to_string(j + 1) + "]");
    ParameterSummary p;
    p.name = fit.engine.names.back();
    for (double ParameterSummary::*figure :
         {&ParameterSummary::mean, &ParameterSummary::sd, &ParameterSummary::mcse,
          &ParameterSummary::q05, &ParameterSummary::q50, &ParameterSummary::q95,
          &ParameterSummary::rhat, &ParameterSummary::nested_rhat, &ParameterSummary::truth_mean,
          &ParameterSummary::truth_sd}) {
      p.*figure = 1 + 1e-3 * std::sin(j);
    }
    p.ess_bulk = p.ess_tail = p.ess_between = 1e4 + std::sin(j);
    fit.parameters.push_back(p);
  }
  fit.engine.has_truth = true;
  fit.draws.values.resize(static_cast<std::size_t>(200 * 256 * (dim + 3)));
  for (double& x : fit.draws.values) {
    random = random * 1664525u + 1013904223u;
    x = static_cast<double>(random >> 8) * 0x1p-24;
  }
  fit.options.chains = 256;
  fit.positions.resize(static_cast<std::size_t>(256 * dim));
  const std::string page = report_html(fit, {});
  EXPECT_EQ(fault(page), "");
  EXPECT_LT(page.size(), 3'000'000u);
  EXPECT_EQ(count(page, fit.parameters[500].name),
            1u + (report::worst_first(fit)[0] == 500 ? 1 : 0));
  expect_says(page, "All 501 parameters");
}

// ---- failures in words
// ---------------------------------------------------------------------------

Fit flawless() {
  Fit fit;
  fit.options.chains = 4;
  fit.draws_done = 1000;
  fit.draws.chains = 4;
  fit.draws.draws = 1000;
  fit.e_bfmi = 1;
  for (const char* name : {"a", "b"}) {
    ParameterSummary p;
    p.name = name;
    p.mean = 0, p.sd = 1, p.rhat = p.nested_rhat = 1.01;
    p.ess_bulk = p.ess_tail = 400;
    p.error_in_mcse = 4;
    fit.parameters.push_back(p);
  }
  return fit;
}

std::string said(const Fit& fit) {
  std::string text;
  for (const report::Failure& f : report::failures(fit)) {
    text += f.title + ": " + f.text + "\n";
    for (const std::string& line : f.details) {
      text += "- " + line + "\n";
    }
  }
  return text;
}

TEST(Failures, NoneAtTheLimits) {
  EXPECT_EQ(said(flawless()), "");
  Fit fit = flawless();
  fit.e_bfmi = 0.3;
  EXPECT_EQ(said(fit), "");
}

TEST(Failures, EachIsNamed) {
  struct Case {
    void (*change)(Fit&);
    const char* title;
    const char* text;
  };
  const Case cases[] = {
      {[](Fit& f) { f.parameters[1].rhat = 1.0101; },
       "R-hat above 1.01: 1 parameter of 2: b (1.010)", "Chains disagree"},
      {[](Fit& f) { f.parameters[0].nested_rhat = 1.2; }, "Nested R-hat above 1.01", "a (1.200)"},
      {[](Fit& f) { f.parameters[0].ess_bulk = 399; }, "Effective sample size below 400",
       "a (399)"},
      {[](Fit& f) { f.parameters[0].ess_tail = 12; }, "Effective sample size below 400",
       "a (12.0)"},
      {[](Fit& f) { f.e_bfmi = 0.299; }, "Low E-BFMI", "0.299"},
      {[](Fit& f) { f.divergences = 40; }, "Divergent transitions",
       "40 of 4,000 transitions (1.0 %)"},
      {[](Fit& f) { f.parameters[0].error_in_mcse = -4.1; }, "Means off their known values",
       "a (\u22124.10)"},
      {[](Fit& f) { f.parameters[0].sd = 0; }, "Parameters that never change", "a."},
      {[](Fit& f) { f.parameters[0].mean = kInf; }, "Figures that are not numbers", "a."},
      {[](Fit& f) { f.interrupted = true; }, "Interrupted", "after 1,000 of 500"},
      {[](Fit& f) { f.stop = Stop::hours; }, "Out of time", "after 1,000 of 500"},
      {[](Fit& f) { f.options.chains = 1; }, "One chain", "Run more chains"},
      {[](Fit& f) { f.draws.chains = 0; }, "No draws kept", "keep_chains"},
      {[](Fit& f) { f.draws_done = 3; }, "Too few draws", "3 draws per chain"},
  };
  for (const Case& c : cases) {
    Fit fit = flawless();
    c.change(fit);
    const std::string text = said(fit);
    EXPECT_TRUE(text.starts_with(c.title)) << text;
    EXPECT_NE(text.find(c.text), std::string::npos) << text;
    EXPECT_EQ(report::failures(fit).size(), 1u) << text;
  }
}

TEST(Failures, StrandedChainsOneByOne) {
  Fit fit = flawless();
  fit.stranded.push_back({17, 120, "tau", "its log density stays 40 below the others'", 5});
  fit.stranded.push_back({3, -1, "mu", "it never left its start.", -1});
  EXPECT_EQ(said(fit),
            "Stranded chains: 2 chains stayed far from the others: 1 restarted during warm-up, 1 "
            "left where they were. Chains that stay apart can mean several modes, which no figure "
            "of one mode shows.\n"
            "- Chain 17, transition 120 of the warm-up, farthest in tau: its log density stays 40 "
            "below the others'. Restarted where chain 5 was.\n"
            "- Chain 3, after sampling, farthest in mu: it never left its start. Left where it "
            "was.\n");
  fit.stranded.resize(1000);
  EXPECT_EQ(report::failures(fit)[0].details.size(), 21u);
}

TEST(Failures, WorstParametersComeFirst) {
  Fit fit = flawless();
  fit.parameters.resize(4, fit.parameters[0]);
  fit.parameters[1].ess_tail = 20;
  fit.parameters[2].rhat = 1.5;
  fit.parameters[3].mean = kNan;
  EXPECT_EQ(report::worst_first(fit), (std::vector<int>{3, 2, 1, 0}));
}

TEST(Pairs, AreParametersThatAreKept) {
  const std::vector<std::string> names{"a", "b", "c"};
  EXPECT_NO_THROW(check_pairs({}, names, {}));
  EXPECT_NO_THROW(check_pairs({"c", "a"}, names, {}));
  EXPECT_NO_THROW(check_pairs({"c", "a"}, names, {0, 2}));
  EXPECT_THROW(check_pairs({"c", "b"}, names, {0, 2}), UsageError);
  EXPECT_THROW(check_pairs({"c", "d"}, names, {}), UsageError);
  EXPECT_THROW(check_pairs({"a"}, names, {}), UsageError);
}

}  // namespace
}  // namespace lockstep
