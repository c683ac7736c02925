#pragma once

/// Item response with one parameter an item: student i answers question j correctly with
/// probability s(m + a_i - d_j), s the logistic function; abilities a_i ~ N(0, 1), difficulties d_j
/// ~ N(0, 1), mean ability m ~ N(0.75, 1) (inference_gym's SyntheticItemResponseTheory).

#include "kernels/autodiff/gradient.hpp"
#include "kernels/targets/constant.hpp"
#include "kernels/targets/names.hpp"

namespace lockstep {

/// Who answered what, [students] lists one after the other. Each list is filled up with the number
/// `questions`, which stands for no question, to a multiple of kAnswers. Memory of someone else.
template <class S>
struct Answers {
  static constexpr int kAnswers = 4;

  const int* first = nullptr;                    // [students + 1], where each student's list begins
  const int* question = nullptr;                 // [first[students]], from 0
  const S* right = nullptr;                      // [students + questions], correct answers of each
  int students = 0, questions = 0, answers = 0;  // answers: first[students]
  double total = 0;                              // correct answers
};

/// q = (m, a, d), all real. With eta_k = m + a_i - d_j of answer k and c_k whether it is correct,
///   U = (m - 0.75)^2 / 2 + sum a_i^2 / 2 + sum d_j^2 / 2 + sum_k log(1 + exp(eta_k)) - sum_k c_k
///   eta_k.
/// exp(eta_k) = exp(m + a_i) exp(-d_j): an exponential for each student and question, not for each
/// answer. Four answers share a logarithm and a division, of the product of their 1 + exp(eta_k);
/// in float it overflows, and the point is rejected, beyond eta = 22, which has probability below
/// 1e-30.
/// @tparam Max  the most parameters
template <class S, int Max>
struct ItemResponse {
  static constexpr int max_dim = Max;

  /// @throw UsageError for more parameters than Max
  explicit ItemResponse(const Answers<S>& answers)
      : answers_(answers),
        dim_(checked_dimension("item response", 1 + answers.students + answers.questions, Max)) {}
  LOCKSTEP_INLINE int dim() const {
    if (dim_ < 1) {
      __builtin_unreachable();  // else q[0] looks as if it might not be set
    }
    return dim_;
  }

  template <class T>
  LOCKSTEP_HD Sum<T> potential(const T* q) const {
    Sum<T> u = prior(q);
    sweep(
        q, [&](const T& product) { u += log(product); }, [](int, const T&) {},
        [](int, const T&) {});
    return u;
  }
  template <class T>
  LOCKSTEP_HD Sum<T> potential_and_gradient(const T* q, T* gradient) const {
    Sum<T> u = prior(q);
    add_gradient(q, T(1), gradient, true, [&](const T& product) { u += log(product); });
    return u;
  }
  template <class T>
  LOCKSTEP_HD void kick(const T* q, T scale, T* p) const {
    add_gradient(q, scale, p, false, [](const T&) {});
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names{"mean_student_ability"};
    for (const std::string& name : numbered_names("centered_student_ability", answers_.students)) {
      names.push_back(name);
    }
    for (const std::string& name : numbered_names("question_difficulty", answers_.questions)) {
      names.push_back(name);
    }
    return names;
  }
  template <class Copy>
  ItemResponse moved(Copy copy) const {
    ItemResponse target = *this;
    const auto size = [](int n) { return static_cast<std::size_t>(n); };
    target.answers_.first = copy(answers_.first, size(answers_.students + 1));
    target.answers_.question = copy(answers_.question, size(answers_.answers));
    target.answers_.right = copy(answers_.right, size(answers_.students + answers_.questions));
    return target;
  }

 private:
  static constexpr int kAnswers = Answers<S>::kAnswers;

  /// The terms that are not sums over answers: priors and sum_k c_k eta_k, a product for each
  /// parameter.
  template <class T>
  LOCKSTEP_INLINE Sum<T> prior(const T* q) const {
    const T m = q[0] - T(0.75f);
    Sum<T> u = T(0.5f) * m * m;
    u += constant<T>(-answers_.total) * q[0];
    const S* right = answers_.right;
    const int students = answers_.students;
    for (int i = 1; i < dim_; ++i) {
      const T count = T(static_cast<Scalar<T>>(right[i - 1]));
      u += q[i] * fma(T(0.5f), q[i], i <= students ? -count : count);
    }
    return u;
  }

  /// For each four answers: energy(prod (1 + exp(eta_k))); for each of them: question(j, share),
  /// share = s(eta_k); and for each student: student(i, sum of shares). j = `questions` is nobody.
  template <class T, class Energy, class Question, class Student>
  LOCKSTEP_INLINE void sweep(const T* q, Energy energy, Question question, Student student) const {
    const int students = answers_.students, questions = answers_.questions;
    const int* first = answers_.first;
    const int* list = answers_.question;
    T ease[Max];  // exp(-d_j), and 0: no question is answered correctly with probability 0
    for (int j = 0; j < questions; ++j) {
      ease[j] = exp(-q[1 + students + j]);
    }
    ease[questions] = T(0);
    for (int i = 0; i < students; ++i) {
      const T ability = exp(q[0] + q[1 + i]);
      T sum = T(0);
      for (int k = first[i]; k < first[i + 1]; k += kAnswers) {
        const T a = fma(ability, ease[list[k]], T(1)), b = fma(ability, ease[list[k + 1]], T(1));
        const T c = fma(ability, ease[list[k + 2]], T(1)),
                d = fma(ability, ease[list[k + 3]], T(1));
        const T ab = a * b, cd = c * d, product = ab * cd;
        energy(product);
        const T inverse = T(1) / product;
        const T by_ab = inverse * cd, by_cd = inverse * ab;  // 1 / ab, 1 / cd
        const T shares[kAnswers] = {T(1) - by_ab * b, T(1) - by_ab * a, T(1) - by_cd * d,
                                    T(1) - by_cd * c};
        for (int r = 0; r < kAnswers; ++r) {
          sum = sum + shares[r];
          question(list[k + r], shares[r]);
        }
      }
      student(i, sum);
    }
  }

  /// p += scale dU/dq; p = dU/dq where `fresh`, which has scale 1.
  template <class T, class Energy>
  LOCKSTEP_INLINE void add_gradient(const T* q, const T& scale, T* p, bool fresh,
                                    Energy energy) const {
    const int students = answers_.students, questions = answers_.questions;
    const S* right = answers_.right;
    const auto at = [&](int j) { return fresh ? T(0) : p[j]; };
    T shares[Max];  // of each question, and of none
    for (int j = 0; j <= questions; ++j) {
      shares[j] = T(0);
    }
    T total = constant<T>(-answers_.total);
    sweep(
        q, energy, [&](int j, const T& share) { shares[j] = shares[j] + share; },
        [&](int i, const T& sum) {
          const T excess = sum - T(static_cast<Scalar<T>>(right[i]));
          total = total + sum;
          p[1 + i] = fma(scale, q[1 + i] + excess, at(1 + i));
        });
    for (int j = 0; j < questions; ++j) {
      const int place = 1 + students + j;
      const T excess = T(static_cast<Scalar<T>>(right[students + j])) - shares[j];
      p[place] = fma(scale, q[place] + excess, at(place));
    }
    p[0] = fma(scale, (q[0] - T(0.75f)) + total, at(0));
  }

  Answers<S> answers_;
  int dim_;
};

}  // namespace lockstep
