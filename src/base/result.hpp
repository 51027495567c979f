// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value, or a Problem, a sentence that says why there is no value.
//
// The pure rooms report failure by value; they do not throw. The text of a
// Problem is written for the operator: what is wrong and what to write instead.
#ifndef X402_BASE_RESULT_HPP
#define X402_BASE_RESULT_HPP

#include <string>
#include <utility>
#include <variant>

namespace x402 {

struct Problem {
    std::string text;
};

template <class T> class Result {
public:
    Result(T value) : outcome_(std::move(value)) {}
    Result(Problem problem) : outcome_(std::move(problem)) {}

    bool ok() const { return std::holds_alternative<T>(outcome_); }
    explicit operator bool() const { return ok(); }

    // Precondition: ok().
    T &value() { return *std::get_if<T>(&outcome_); }
    const T &value() const { return *std::get_if<T>(&outcome_); }
    T *operator->() { return &value(); }
    const T *operator->() const { return &value(); }

    // Precondition: !ok().
    const Problem &problem() const { return *std::get_if<Problem>(&outcome_); }

private:
    std::variant<T, Problem> outcome_;
};

}  // namespace x402

#endif
