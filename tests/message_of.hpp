#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lockstep/error.hpp"

namespace lockstep {

/// What an error of type E that f() throws says; empty if it throws none.
template <class E = UsageError, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return {};
}

/// f() throws a UsageError that names all of `parts`.
template <class F>
void throws_naming(F f, const std::vector<std::string>& parts) {
  const std::string message = message_of(f);
  EXPECT_FALSE(message.empty()) << "nothing was thrown";
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

}  // namespace lockstep
