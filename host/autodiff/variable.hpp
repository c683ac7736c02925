#pragma once

/// Reverse-mode differentiation of batched matrices, defined by running: each operation
/// (operations.hpp) leaves a node that knows its inputs and how a gradient is pulled back to each
/// of them. Pulling back is written in the same operations, so a gradient can itself be recorded
/// and differentiated again.
///
///   Variable w = Variable::parameter(...);          // a leaf, [in][out]
///   Variable loss = mean(square(matmul(x, w) - y)); // x, y: constants, [batch][...]
///   backward(loss);                                 // w.gradient() += d loss / d w
///   gradients(loss, {w}, create_graph)              // the same as variables, w left alone
///
/// Everything is a matrix of doubles, [batch][feature] by convention; a number is 1 x 1. A graph
/// lives as long as a variable of it, and belongs to one thread at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "host/eigen.hpp"

namespace lockstep::tape {

using Matrix = Eigen::MatrixXd;
using Index = Eigen::Index;

class Variable;
struct Node;

/// The gradient of one input, from the gradient of the result and the result itself, whose inputs
/// are at `result.input(i)`. (A captured input would keep the graph alive twice over, and a
/// captured result for ever.)
using Pull = std::function<Variable(const Variable& gradient, const Variable& result)>;

/// A handle to a node of the graph: copies share it.
class Variable {
 public:
  /// A constant: no gradient reaches it.
  Variable(double value);
  Variable(Matrix value);

  /// A leaf, which gradients are taken with respect to.
  static Variable parameter(Matrix value);

  /// The result of an operation. It is a constant where no input needs a gradient, or nothing is
  /// being recorded.
  /// @param pulls  one for each input
  static Variable record(Matrix value, std::vector<Variable> inputs, std::vector<Pull> pulls);

  const Matrix& value() const;
  Index rows() const { return value().rows(); }
  Index cols() const { return value().cols(); }
  /// The number in a 1 x 1 variable.
  /// @throw UsageError  naming the shape of any other
  double scalar() const;

  /// Whether it is a parameter or was computed from one.
  bool needs_gradient() const;
  /// Of a recorded result.
  const Variable& input(std::size_t i) const;

  /// Of a parameter, what `backward` has added up since `clear_gradient`; the shape of its value.
  /// @throw UsageError  if it is no parameter
  const Matrix& gradient() const;
  void clear_gradient();
  /// Gives a parameter another value of the same shape. What was computed from the old one is not
  /// computed anew, and its gradients are meaningless from here on.
  /// @throw UsageError  if it is no parameter, or naming both shapes
  void assign(Matrix value);

 private:
  friend struct Node;
  friend std::vector<Variable> gradients(const Variable&, const std::vector<Variable>&, bool);
  friend void backward(const Variable&);
  explicit Variable(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  Node& parameter_node() const;

  std::shared_ptr<Node> node_;
};

/// d output / d input for each of `inputs`, with their shapes; zero for those that the output does
/// not depend on.
/// @param create_graph  record them, so that they can be differentiated in turn
/// @throw UsageError  unless the output is 1 x 1 and every input needs a gradient
std::vector<Variable> gradients(const Variable& output, const std::vector<Variable>& inputs,
                                bool create_graph = false);

/// Adds d output / d p to the gradient of every parameter p that the output depends on.
/// @throw UsageError  unless the output is 1 x 1
void backward(const Variable& output);

/// While it lives, operations of this thread are recorded, or not: values alone cost less.
class Recording {
 public:
  explicit Recording(bool on);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();

 private:
  bool before_;
};

/// "3 x 4", for messages.
std::string shape(const Matrix& m);

}  // namespace lockstep::tape
