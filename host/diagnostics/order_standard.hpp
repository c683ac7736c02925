#pragma once

// order.hpp on the standard library alone: what a build without Thrust uses, and what the tests
// hold the Thrust body against.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "host/diagnostics/order.hpp"
#include "lockstep/error.hpp"

namespace lockstep::order {

struct StandardOrder {
  static std::vector<double> sort(std::span<const double> values) {
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

  static Order sort_with_index(std::span<const double> values) {
    require(values.size() < UINT32_MAX, "ranking: " + std::to_string(values.size()) +
                                            " draws of one quantity are too many; thin them below "
                                            "4294967295");
    struct Entry {
      double value;
      std::uint32_t index;
    };
    std::vector<Entry> entries(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      entries[i] = {values[i], static_cast<std::uint32_t>(i)};
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.value < b.value || (a.value == b.value && a.index < b.index);
    });
    Order order{std::vector<double>(values.size()), std::vector<std::uint32_t>(values.size())};
    for (std::size_t i = 0; i < entries.size(); ++i) {
      order.sorted[i] = entries[i].value;
      order.index[i] = entries[i].index;
    }
    return order;
  }

  static Order fold(const Order& order, double centre) {
    const std::vector<double>& x = order.sorted;
    const std::size_t size = x.size();
    // Walk away from the centre on both sides, always taking the nearer value; ties go to the left,
    // as in a merge that lists the left side first.
    std::size_t right =
        static_cast<std::size_t>(std::lower_bound(x.begin(), x.end(), centre) - x.begin());
    std::size_t left = right;
    Order folded{std::vector<double>(size), std::vector<std::uint32_t>(size)};
    for (std::size_t i = 0; i < size; ++i) {
      const bool take_left =
          left > 0 && (right == size || centre - x[left - 1] <= x[right] - centre);
      const std::size_t from = take_left ? --left : right++;
      folded.sorted[i] = take_left ? centre - x[from] : x[from] - centre;
      folded.index[i] = order.index[from];
    }
    return folded;
  }

  static std::vector<double> average_ranks_of_sorted(std::span<const double> sorted) {
    std::vector<double> ranks(sorted.size());
    for (std::size_t head = 0; head < sorted.size();) {
      std::size_t end = head + 1;
      while (end < sorted.size() && sorted[end] == sorted[head]) {
        ++end;
      }
      const double rank = 0.5 * (static_cast<double>(head) + 1.0 + static_cast<double>(end));
      std::fill(ranks.begin() + static_cast<std::ptrdiff_t>(head),
                ranks.begin() + static_cast<std::ptrdiff_t>(end), rank);
      head = end;
    }
    return ranks;
  }

  static std::vector<double> average_ranks(std::span<const double> values) {
    const Order order = sort_with_index(values);
    const std::vector<double> sorted_ranks = average_ranks_of_sorted(order.sorted);
    std::vector<double> ranks(values.size());
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      ranks[order.index[i]] = sorted_ranks[i];
    }
    return ranks;
  }

  static std::vector<double> merge(std::span<const double> a, std::span<const double> b) {
    std::vector<double> merged;
    merged.reserve(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged));
    return merged;
  }
};

}  // namespace lockstep::order
