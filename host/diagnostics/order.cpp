#include "host/diagnostics/order.hpp"

#ifdef LOCKSTEP_WITHOUT_THRUST

#include "host/diagnostics/order_standard.hpp"

namespace lockstep::order {
using Host = StandardOrder;
}

#else

#include <thrust/host_vector.h>

#include "host/diagnostics/order_thrust.hpp"

namespace lockstep::order {

struct HostSystem {
  template <class T>
  using Vector = thrust::host_vector<T>;
  static auto policy() { return thrust::host; }
};

using Host = ThrustOrder<HostSystem>;

}  // namespace lockstep::order

#endif

namespace lockstep::order {

std::vector<double> sort(std::span<const double> values) {
  return Host::sort(values);
}

Order sort_with_index(std::span<const double> values) {
  return Host::sort_with_index(values);
}

Order fold(const Order& order, double centre) {
  return Host::fold(order, centre);
}

std::vector<double> average_ranks_of_sorted(std::span<const double> sorted) {
  return Host::average_ranks_of_sorted(sorted);
}

std::vector<double> average_ranks(std::span<const double> values) {
  return Host::average_ranks(values);
}

std::vector<double> merge(std::span<const double> a, std::span<const double> b) {
  return Host::merge(a, b);
}

}  // namespace lockstep::order
