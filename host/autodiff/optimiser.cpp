#include "host/autodiff/optimiser.hpp"

#include <limits>
#include <string>

#include "lockstep/error.hpp"

namespace lockstep::tape {

namespace {

void append(std::vector<double>& flat, const Matrix& m) {
  flat.insert(flat.end(), m.data(), m.data() + m.size());
}

double limit(double clip) {
  return clip > 0 ? clip : std::numeric_limits<double>::infinity();
}

void clear(std::vector<Variable>& parameters) {
  for (Variable& p : parameters) {
    p.clear_gradient();
  }
}

}  // namespace

std::vector<double> flat_values(const std::vector<Variable>& parameters) {
  std::vector<double> flat;
  for (const Variable& p : parameters) {
    append(flat, p.value());
  }
  return flat;
}

std::vector<double> flat_gradients(const std::vector<Variable>& parameters) {
  std::vector<double> flat;
  for (const Variable& p : parameters) {
    append(flat, p.gradient());
  }
  return flat;
}

void assign_flat(std::vector<Variable>& parameters, const std::vector<double>& values) {
  Index size = 0;
  for (const Variable& p : parameters) {
    size += p.value().size();
  }
  require(static_cast<std::size_t>(size) == values.size(),
          std::to_string(size) + " parameters were given " + std::to_string(values.size()) +
              " values: they must be as many");
  const double* from = values.data();
  for (Variable& p : parameters) {
    p.assign(Eigen::Map<const Matrix>(from, p.rows(), p.cols()));
    from += p.value().size();
  }
}

Adam::Adam(std::vector<Variable> parameters, const AdamOptions& options, double clip)
    : parameters_(std::move(parameters)),
      clip_(clip),
      adam_(flat_values(parameters_).size(), options) {}

double Adam::step(double rate) {
  std::vector<double> values = flat_values(parameters_), gradient = flat_gradients(parameters_);
  const double norm = clip_to_norm(gradient, limit(clip_));
  adam_.step(values, gradient, rate);
  assign_flat(parameters_, values);
  clear(parameters_);
  return norm;
}

Sgd::Sgd(std::vector<Variable> parameters, double momentum, double clip)
    : parameters_(std::move(parameters)),
      momentum_(momentum),
      clip_(clip),
      velocity_(flat_values(parameters_).size()) {
  require(momentum >= 0 && momentum < 1,
          "SGD: momentum is " + std::to_string(momentum) + ": give 0 <= momentum < 1");
}

double Sgd::step(double rate) {
  std::vector<double> values = flat_values(parameters_), gradient = flat_gradients(parameters_);
  const double norm = clip_to_norm(gradient, limit(clip_));
  for (std::size_t i = 0; i < values.size(); ++i) {
    velocity_[i] = momentum_ * velocity_[i] + gradient[i];
    values[i] -= rate * velocity_[i];
  }
  assign_flat(parameters_, values);
  clear(parameters_);
  return norm;
}

}  // namespace lockstep::tape
