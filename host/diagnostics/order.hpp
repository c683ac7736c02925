#pragma once

#include <cstdint>
#include <span>
#include <vector>

// Sorting, ranking and merging of stored draws. The functions of namespace `order` run on the host
// (Thrust's host backend, or the standard library under LOCKSTEP_WITHOUT_THRUST, with equal
// results) unless an `OrderOn` says otherwise. Those of `order::cuda` run the same body on the
// current CUDA device; they exist only in CUDA builds and throw BackendError where the device fails
// or is absent. No input may hold a NaN, which has no place in an order: callers decide first what
// a NaN means.

namespace lockstep::order {

enum class Place : std::uint8_t { host, device };

/// While it lives, this thread's ordering runs there. `device` means the host in a build without
/// CUDA.
class OrderOn {
 public:
  explicit OrderOn(Place place);
  ~OrderOn();
  OrderOn(const OrderOn&) = delete;
  OrderOn& operator=(const OrderOn&) = delete;

 private:
  Place previous_;
};

/// Values in ascending order and where each came from: sorted[i] == values[index[i]].
/// Equal values keep their order of appearance (but that of -0.0 and 0.0 is unspecified).
struct Order {
  std::vector<double> sorted;
  std::vector<std::uint32_t> index;
};

/// Ascending copy.
std::vector<double> sort(std::span<const double> values);

/// Ascending copy with origins. Throws UsageError for 2^32 values or more.
Order sort_with_index(std::span<const double> values);

/// The order of |x - centre| from that of x. Both sides of `centre` are sorted already, so this is
/// a merge: linear time. `centre` must be finite.
Order fold(const Order& order, double centre);

/// Ranks 1..n of already ascending values; equal values share the average of their ranks.
std::vector<double> average_ranks_of_sorted(std::span<const double> sorted);

/// Ranks 1..n in the order of `values`; equal values share the average of their ranks.
std::vector<double> average_ranks(std::span<const double> values);

/// One ascending sequence from two.
std::vector<double> merge(std::span<const double> a, std::span<const double> b);

namespace cuda {

std::vector<double> sort(std::span<const double> values);
Order sort_with_index(std::span<const double> values);
Order fold(const Order& order, double centre);
std::vector<double> average_ranks_of_sorted(std::span<const double> sorted);
std::vector<double> average_ranks(std::span<const double> values);
std::vector<double> merge(std::span<const double> a, std::span<const double> b);

}  // namespace cuda
}  // namespace lockstep::order
