#pragma once

/// The operations on variables. Binary ones take matrices of one shape, or broadcast: a row
/// (1 x n), a column (m x 1) or a number (1 x 1) stands for as many copies as the other side needs,
/// and its gradient is the sum over them. Each throws UsageError naming both shapes where they do
/// not fit.

#include <vector>

#include "host/autodiff/variable.hpp"

namespace lockstep::tape {

/// Where something holds, [rows][cols].
using Mask = Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic>;

Variable operator+(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);  // element by element
Variable operator/(const Variable& a, const Variable& b);
Variable operator-(const Variable& x);

/// [m][k] [k][n] -> [m][n]
Variable matmul(const Variable& a, const Variable& b);
Variable transpose(const Variable& x);

Variable exp(const Variable& x);
Variable log(const Variable& x);
Variable sqrt(const Variable& x);
Variable square(const Variable& x);
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);   // 1 / (1 + exp(-x))
Variable softplus(const Variable& x);  // log(1 + exp(x))
Variable relu(const Variable& x);      // max(x, 0); its slope at 0 is 0

/// a where the mask holds, b elsewhere: nothing, NaN included, passes from the side not taken, be
/// it a value or a gradient. a and b broadcast to the mask.
Variable select(const Mask& mask, const Variable& a, const Variable& b);
/// The smaller, the larger: a where they are equal or cannot be compared.
Variable minimum(const Variable& a, const Variable& b);
Variable maximum(const Variable& a, const Variable& b);
/// x confined to [low, high], NaN left as it is; its slope is 1 inside, bounds included, and 0
/// outside.
Variable clamp(const Variable& x, double low, double high);

Variable sum(const Variable& x);               // -> 1 x 1
Variable mean(const Variable& x);              // -> 1 x 1
Variable sum_over_rows(const Variable& x);     // -> 1 x cols
Variable sum_over_columns(const Variable& x);  // -> rows x 1
/// Copies of a row, column or number.
Variable broadcast_to(const Variable& x, Index rows, Index cols);
/// Its adjoint: the sum over rows, over columns, over both or neither.
Variable sum_to(const Variable& x, Index rows, Index cols);

/// Side by side: the same rows, the columns of one after those of the other.
Variable concatenate(const std::vector<Variable>& parts);
/// Columns first, ..., first + count - 1.
Variable columns(const Variable& x, Index first, Index count);

/// The value of x as a constant.
Variable stop_gradient(const Variable& x);

}  // namespace lockstep::tape
