#include <thrust/device_vector.h>

#include "host/diagnostics/order_thrust.hpp"

namespace lockstep::order {

struct DeviceSystem {
  template <class T>
  using Vector = thrust::device_vector<T>;
  static auto policy() { return thrust::device; }
};

using Device = ThrustOrder<DeviceSystem>;

namespace cuda {

std::vector<double> sort(std::span<const double> values) {
  return Device::sort(values);
}

Order sort_with_index(std::span<const double> values) {
  return Device::sort_with_index(values);
}

Order fold(const Order& order, double centre) {
  return Device::fold(order, centre);
}

std::vector<double> average_ranks_of_sorted(std::span<const double> sorted) {
  return Device::average_ranks_of_sorted(sorted);
}

std::vector<double> average_ranks(std::span<const double> values) {
  return Device::average_ranks(values);
}

std::vector<double> merge(std::span<const double> a, std::span<const double> b) {
  return Device::merge(a, b);
}

}  // namespace cuda
}  // namespace lockstep::order
