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

#if LOCKSTEP_WITH_CUDA
#define LOCKSTEP_ORDER(call) (current == Place::device ? cuda::call : Host::call)
#else
#define LOCKSTEP_ORDER(call) Host::call
#endif

namespace lockstep::order {

namespace {
thread_local Place current = Place::host;
}

OrderOn::OrderOn(Place place) : previous_(current) {
  current = place;
}

OrderOn::~OrderOn() {
  current = previous_;
}

std::vector<double> sort(std::span<const double> values) {
  return LOCKSTEP_ORDER(sort(values));
}

Order sort_with_index(std::span<const double> values) {
  return LOCKSTEP_ORDER(sort_with_index(values));
}

Order fold(const Order& order, double centre) {
  return LOCKSTEP_ORDER(fold(order, centre));
}

std::vector<double> average_ranks_of_sorted(std::span<const double> sorted) {
  return LOCKSTEP_ORDER(average_ranks_of_sorted(sorted));
}

std::vector<double> average_ranks(std::span<const double> values) {
  return LOCKSTEP_ORDER(average_ranks(values));
}

std::vector<double> merge(std::span<const double> a, std::span<const double> b) {
  return LOCKSTEP_ORDER(merge(a, b));
}

}  // namespace lockstep::order
