#include "host/autodiff/variable.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "host/autodiff/operations.hpp"
#include "lockstep/error.hpp"

namespace lockstep::tape {

/// Nodes are numbered as they are made: an operation's number is above its inputs', so descending
/// numbers are an order in which gradients can be pulled back.
struct Node {
  Matrix value;
  std::vector<Variable> inputs = {};
  std::vector<Pull> pulls = {};
  bool is_parameter = false;
  Matrix gradient = {};  // of a parameter
  std::uint64_t number = next();

  explicit Node(Matrix v) : value(std::move(v)) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Frees what only this node kept, without recursion: a loop of a million operations is a chain
  /// of a million nodes.
  ~Node() {
    std::vector<Variable> dying = std::move(inputs);
    while (!dying.empty()) {
      const Variable last = std::move(dying.back());
      dying.pop_back();
      if (last.node_.use_count() == 1) {
        std::vector<Variable> theirs = std::move(last.node_->inputs);
        last.node_->inputs.clear();
        std::move(theirs.begin(), theirs.end(), std::back_inserter(dying));
      }
    }
  }

 private:
  static std::uint64_t next() {
    static std::atomic<std::uint64_t> count{0};
    return count++;
  }
};

namespace {

thread_local bool recording = true;

}  // namespace

Recording::Recording(bool on) : before_(recording) {
  recording = on;
}
Recording::~Recording() {
  recording = before_;
}

std::string shape(const Matrix& m) {
  return std::to_string(m.rows()) + " x " + std::to_string(m.cols());
}

Variable::Variable(double value) : Variable(Matrix::Constant(1, 1, value).eval()) {}
Variable::Variable(Matrix value) : node_(std::make_shared<Node>(std::move(value))) {}

Variable Variable::parameter(Matrix value) {
  Variable v(std::move(value));
  v.node_->is_parameter = true;
  v.clear_gradient();
  return v;
}

Variable Variable::record(Matrix value, std::vector<Variable> inputs, std::vector<Pull> pulls) {
  Variable v(std::move(value));
  if (recording && std::any_of(inputs.begin(), inputs.end(),
                               [](const Variable& x) { return x.needs_gradient(); })) {
    v.node_->inputs = std::move(inputs);
    v.node_->pulls = std::move(pulls);
  }
  return v;
}

const Matrix& Variable::value() const {
  return node_->value;
}

double Variable::scalar() const {
  require(value().size() == 1,
          "a number was expected where a variable is " + shape(value()) + ": take its sum or mean");
  return value()(0, 0);
}

bool Variable::needs_gradient() const {
  return node_->is_parameter || !node_->inputs.empty();
}

const Variable& Variable::input(std::size_t i) const {
  return node_->inputs.at(i);
}

Node& Variable::parameter_node() const {
  require(node_->is_parameter, "a variable of shape " + shape(value()) +
                                   " is no parameter: make it with Variable::parameter");
  return *node_;
}

const Matrix& Variable::gradient() const {
  return parameter_node().gradient;
}

void Variable::clear_gradient() {
  Node& node = parameter_node();
  node.gradient = Matrix::Zero(node.value.rows(), node.value.cols());
}

void Variable::assign(Matrix value) {
  Node& node = parameter_node();
  require(value.rows() == rows() && value.cols() == cols(),
          "a parameter of shape " + shape(node.value) + " was given a value of shape " +
              shape(value) + ": they must agree");
  node.value = std::move(value);
}

std::vector<Variable> gradients(const Variable& output, const std::vector<Variable>& inputs,
                                bool create_graph) {
  require(output.value().size() == 1,
          "gradients are those of a number, not of a variable of shape " + shape(output.value()) +
              ": take its sum or mean");
  const Recording guard(create_graph);

  // What is to be known of a node between the output and the inputs.
  struct Passed {
    bool leads_to_input = false;
    std::optional<Variable> gradient = {};
  };
  std::unordered_map<const Node*, Passed> passed;
  std::uint64_t oldest = output.node_->number;
  for (const Variable& x : inputs) {
    require(x.needs_gradient(), "a variable of shape " + shape(x.value()) +
                                    " is a constant, which has no gradient: make it with "
                                    "Variable::parameter");
    passed[x.node_.get()].leads_to_input = true;
    oldest = std::min(oldest, x.node_->number);
  }

  std::vector<Variable> below{output};  // all nodes that the output was computed from
  std::unordered_set<const Node*> seen{output.node_.get()};
  for (std::size_t i = 0; i < below.size(); ++i) {
    const std::shared_ptr<Node> node = below[i].node_;
    for (const Variable& x : node->inputs) {
      if (x.node_->number >= oldest && seen.insert(x.node_.get()).second) {
        below.push_back(x);
      }
    }
  }
  std::sort(below.begin(), below.end(),
            [](const Variable& a, const Variable& b) { return a.node_->number < b.node_->number; });
  for (const Variable& v : below) {
    for (const Variable& x : v.node_->inputs) {
      const auto found = passed.find(x.node_.get());
      if (found != passed.end() && found->second.leads_to_input) {
        passed[v.node_.get()].leads_to_input = true;
        break;
      }
    }
  }

  passed[output.node_.get()].gradient = Variable(1.0);
  for (auto v = below.rbegin(); v != below.rend(); ++v) {
    const std::optional<Variable> gradient = passed[v->node_.get()].gradient;
    if (!gradient) {
      continue;
    }
    const Node& node = *v->node_;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto found = passed.find(node.inputs[i].node_.get());
      if (found != passed.end() && found->second.leads_to_input) {
        const Variable pulled = node.pulls[i](*gradient, *v);
        std::optional<Variable>& sum = found->second.gradient;
        sum = sum ? *sum + pulled : pulled;
      }
    }
  }

  std::vector<Variable> result;
  for (const Variable& x : inputs) {
    const std::optional<Variable>& gradient = passed[x.node_.get()].gradient;
    result.push_back(gradient ? *gradient : Variable(Matrix::Zero(x.rows(), x.cols()).eval()));
  }
  return result;
}

void backward(const Variable& output) {
  std::vector<Variable> parameters, todo{output};
  std::unordered_set<const Node*> seen{output.node_.get()};
  while (!todo.empty()) {
    const Variable v = todo.back();
    todo.pop_back();
    if (v.node_->is_parameter) {
      parameters.push_back(v);
    }
    for (const Variable& x : v.node_->inputs) {
      if (seen.insert(x.node_.get()).second) {
        todo.push_back(x);
      }
    }
  }
  const std::vector<Variable> found = gradients(output, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].node_->gradient += found[i].value();
  }
}

}  // namespace lockstep::tape
