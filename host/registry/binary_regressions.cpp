/// Regressions with two outcomes.

#include "host/io/logistic_data.hpp"
#include "host/registry/entry.hpp"
#include "kernels/instantiate/instantiate.hpp"
#include "kernels/targets/logistic.hpp"
#include "kernels/targets/probit.hpp"
#include "kernels/targets/sparse_logistic.hpp"

namespace lockstep::registry {

namespace {

/// The number of weights of the German credit data, for which kernels are built.
constexpr int kCredit = 25;

/// Data from the folder that is called like their file.
auto folder(const char* name) {
  return [name](const TargetOptions& t) { return load_logistic(name, t.data_dir); };
}

/// Any number of weights; that of the German credit data has a kernel of its own.
template <class Load>
TargetEntry logistic(std::string name, std::string description, std::string options, Load load) {
  TargetEntry e = data_entry(std::move(name), std::move(description), std::move(options), load,
                             [](const LogisticData& data, auto s) {
                               using S = decltype(s);
                               return LogisticN<S, kMaxPredictors>(data.view<S>());
                             });
  const TargetEntry narrow = data_entry("", "", "", load, [](const LogisticData& data, auto s) {
    using S = decltype(s);
    return Logistic<S, kCredit>(data.view<S>());
  });
  e.make = [load, general = e.make, narrow = narrow.make](const TargetOptions& t,
                                                          const SampleOptions& s) {
    return load(t).dim() == kCredit ? narrow(t, s) : general(t, s);
  };
  return e;
}

}  // namespace

Entries binary_regressions() {
  const char* german = "german_credit_numeric";
  return {
      referenced(logistic("german-credit", "logistic regression, 1000 x 25, N(0, 1) priors",
                          "--data-dir", folder(german)),
                 german, "logistic_own"),
      referenced(data_entry("german-credit-probit", "probit regression on the same data",
                            "--data-dir", folder(german),
                            [](const LogisticData& data, auto s) {
                              using S = decltype(s);
                              return Probit<S, kCredit>(data.view<S>());
                            }),
                 german, "probit"),
      referenced(data_entry("german-credit-sparse",
                            "logistic regression on the same data, weights that shrink, 51-d",
                            "--data-dir", folder(german),
                            [](const LogisticData& data, auto s) {
                              using S = decltype(s);
                              return SparseLogistic<S, kCredit>(data.view<S>());
                            }),
                 german, "sparse_logistic"),
      referenced(logistic("australian-credit", "logistic regression, 690 x 15, N(0, 1) priors",
                          "--data-dir", folder("australian_credit")),
                 "australian_credit", "logistic"),
      referenced(logistic("heart-disease", "logistic regression, 270 x 14, N(0, 1) priors",
                          "--data-dir", folder("heart_disease")),
                 "heart_disease", "logistic"),
      logistic("logistic", "logistic regression on a CSV file, N(0, 1) priors", "--data FILE.csv",
               [](const TargetOptions& t) {
                 require(!t.data_file.empty(),
                         "target logistic needs its data: give --data FILE.csv");
                 return LogisticData(read_csv(t.data_file));
               }),
  };
}

}  // namespace lockstep::registry
