#include <new>
#include <string>

#include <thrust/device_vector.h>
#include <thrust/system_error.h>

#include "host/diagnostics/order_thrust.hpp"

namespace lockstep::order {

struct DeviceSystem {
  template <class T>
  using Vector = thrust::device_vector<T>;
  static auto policy() { return thrust::device; }
};

using Device = ThrustOrder<DeviceSystem>;

namespace {

/// Runs `body`, turning Thrust's ways of reporting a device's failure into this library's.
template <class Body>
auto on_device(Body body) {
  const std::string what = "ordering draws on the CUDA device: ";
  const std::string remedy = "; order them on the host instead";
  try {
    return body();
  } catch (const thrust::system_error& error) {
    throw BackendError(what + error.what() + remedy);
  } catch (const std::bad_alloc&) {
    throw BackendError(what + "not enough memory" + remedy);
  }
}

}  // namespace

namespace cuda {

std::vector<double> sort(std::span<const double> values) {
  return on_device([&] { return Device::sort(values); });
}

Order sort_with_index(std::span<const double> values) {
  return on_device([&] { return Device::sort_with_index(values); });
}

Order fold(const Order& order, double centre) {
  return on_device([&] { return Device::fold(order, centre); });
}

std::vector<double> average_ranks_of_sorted(std::span<const double> sorted) {
  return on_device([&] { return Device::average_ranks_of_sorted(sorted); });
}

std::vector<double> average_ranks(std::span<const double> values) {
  return on_device([&] { return Device::average_ranks(values); });
}

std::vector<double> merge(std::span<const double> a, std::span<const double> b) {
  return on_device([&] { return Device::merge(a, b); });
}

}  // namespace cuda
}  // namespace lockstep::order
