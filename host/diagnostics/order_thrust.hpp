#pragma once

// The one body of order.hpp on Thrust, as a template on the system it runs on. A System names
//   System::Vector<T>    where values live (host_vector, device_vector), and
//   System::policy()     the execution policy.
//
// Kept to what Thrust 1.17 and 3.x have in common, with functors instead of lambdas, so that nvcc
// needs no extended-lambda option. Thrust's sequential backend passes its stateless policy through
// a null reference, in both versions: under UBSan the file that instantiates this header needs
// -fno-sanitize=null.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <thrust/copy.h>
#include <thrust/execution_policy.h>
#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/merge.h>
#include <thrust/reverse.h>
#include <thrust/scan.h>
#include <thrust/scatter.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>

#include "host/diagnostics/order.hpp"
#include "lockstep/config.hpp"
#include "lockstep/error.hpp"

namespace lockstep::order {

/// `i` where a run of equal values starts, else 0, which a running maximum ignores.
struct RunHead {
  const double* sorted;
  LOCKSTEP_HD std::uint32_t operator()(std::uint32_t i) const {
    return i > 0 && sorted[i] != sorted[i - 1] ? i : 0;
  }
};

/// The same from the back: `j` = 0 is the last value, and a run starts with its last element.
struct RunTail {
  const double* sorted;
  std::uint32_t size;
  LOCKSTEP_HD std::uint32_t operator()(std::uint32_t j) const {
    const std::uint32_t i = size - 1 - j;
    return j > 0 && sorted[i] != sorted[i + 1] ? j : 0;
  }
};

/// Average rank from head = index of the run's first element and tail = that of its last, counted
/// from the back: ((head + 1) + (size - tail)) / 2.
struct AverageRank {
  double size;
  LOCKSTEP_HD double operator()(std::uint32_t head, std::uint32_t tail) const {
    return 0.5 * (static_cast<double>(head) + 1.0 + size - static_cast<double>(tail));
  }
};

/// |x - centre|.
struct Distance {
  double centre;
  LOCKSTEP_HD double operator()(double x) const { return x < centre ? centre - x : x - centre; }
};

template <class System>
struct ThrustOrder {
  using Values = typename System::template Vector<double>;
  using Indices = typename System::template Vector<std::uint32_t>;

  static Values upload(std::span<const double> values) {
    return Values(values.begin(), values.end());
  }

  template <class T, class Vector>
  static std::vector<T> download(const Vector& from) {
    std::vector<T> to(from.size());
    thrust::copy(from.begin(), from.end(), to.begin());
    return to;
  }

  static std::uint32_t checked_size(std::span<const double> values) {
    require(values.size() < UINT32_MAX, "ranking: " + std::to_string(values.size()) +
                                            " draws of one quantity are too many; thin them below "
                                            "4294967295");
    return static_cast<std::uint32_t>(values.size());
  }

  // Empty inputs return at once: Thrust's copies would hand null pointers to memmove.

  static std::vector<double> sort(std::span<const double> values) {
    if (values.empty()) {
      return {};
    }
    Values sorted = upload(values);
    thrust::sort(System::policy(), sorted.begin(), sorted.end());
    return download<double>(sorted);
  }

  static void sort_with_index(Values& keys, Indices& index) {
    thrust::sequence(System::policy(), index.begin(), index.end());
    thrust::stable_sort_by_key(System::policy(), keys.begin(), keys.end(), index.begin());
  }

  static Order sort_with_index(std::span<const double> values) {
    if (values.empty()) {
      return {};
    }
    Values keys = upload(values);
    Indices index(checked_size(values));
    sort_with_index(keys, index);
    return {download<double>(keys), download<std::uint32_t>(index)};
  }

  static Order fold(const Order& order, double centre) {
    if (order.sorted.empty()) {
      return {};
    }
    const Values sorted = upload(order.sorted);
    Values distance(sorted.size());
    thrust::transform(System::policy(), sorted.begin(), sorted.end(), distance.begin(),
                      Distance{centre});
    Indices index(order.index.begin(), order.index.end());
    // Below the centre distances descend; reversed they ascend like those above it.
    const auto below =
        std::lower_bound(order.sorted.begin(), order.sorted.end(), centre) - order.sorted.begin();
    thrust::reverse(System::policy(), distance.begin(), distance.begin() + below);
    thrust::reverse(System::policy(), index.begin(), index.begin() + below);
    Values folded(distance.size());
    Indices folded_index(index.size());
    thrust::merge_by_key(System::policy(), distance.begin(), distance.begin() + below,
                         distance.begin() + below, distance.end(), index.begin(),
                         index.begin() + below, folded.begin(), folded_index.begin());
    return {download<double>(folded), download<std::uint32_t>(folded_index)};
  }

  /// Two running maxima find, for every position, the first and the last of its run of equal
  /// values.
  static Values ranks_of(const Values& sorted) {
    const auto size = static_cast<std::uint32_t>(sorted.size());
    const double* data = thrust::raw_pointer_cast(sorted.data());
    const thrust::counting_iterator<std::uint32_t> begin(0);
    Indices head(size);
    const auto heads = thrust::make_transform_iterator(begin, RunHead{data});
    thrust::inclusive_scan(System::policy(), heads, heads + size, head.begin(),
                           thrust::maximum<std::uint32_t>());
    Indices tail(size);
    const auto tails = thrust::make_transform_iterator(begin, RunTail{data, size});
    thrust::inclusive_scan(System::policy(), tails, tails + size, tail.begin(),
                           thrust::maximum<std::uint32_t>());
    thrust::reverse(System::policy(), tail.begin(), tail.end());
    Values ranks(size);
    thrust::transform(System::policy(), head.begin(), head.end(), tail.begin(), ranks.begin(),
                      AverageRank{static_cast<double>(size)});
    return ranks;
  }

  static std::vector<double> average_ranks_of_sorted(std::span<const double> sorted) {
    if (sorted.empty()) {
      return {};
    }
    checked_size(sorted);
    return download<double>(ranks_of(upload(sorted)));
  }

  static std::vector<double> average_ranks(std::span<const double> values) {
    if (values.empty()) {
      return {};
    }
    Values keys = upload(values);
    Indices index(checked_size(values));
    sort_with_index(keys, index);
    const Values sorted_ranks = ranks_of(keys);
    Values ranks(values.size());
    thrust::scatter(System::policy(), sorted_ranks.begin(), sorted_ranks.end(), index.begin(),
                    ranks.begin());
    return download<double>(ranks);
  }

  static std::vector<double> merge(std::span<const double> a, std::span<const double> b) {
    if (a.empty() || b.empty()) {
      const auto rest = a.empty() ? b : a;
      return {rest.begin(), rest.end()};
    }
    const Values left = upload(a);
    const Values right = upload(b);
    Values merged(left.size() + right.size());
    thrust::merge(System::policy(), left.begin(), left.end(), right.begin(), right.end(),
                  merged.begin());
    return download<double>(merged);
  }
};

}  // namespace lockstep::order
