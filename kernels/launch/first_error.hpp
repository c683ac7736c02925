#pragma once

/// What a target throws must not leave a parallel region: it is kept, and thrown on after it.

#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "lockstep/error.hpp"

namespace lockstep {

class FirstError {
 public:
  /// f() for `chains` chains from `first` on, unless another thread's has failed already.
  template <class F>
  void guard(std::int64_t first, std::int64_t chains, F f) noexcept {
    if (failed_.load(std::memory_order_relaxed)) {
      return;
    }
    try {
      f();
    } catch (const std::bad_alloc&) {
      keep(std::current_exception());
    } catch (const std::exception& e) {
      keep(first, chains, e.what());
    } catch (...) {
      keep(first, chains, "it threw what is no std::exception");
    }
  }

  /// @throw Error  naming the chains and what was thrown there
  void rethrow() const {
    if (error_) {
      std::rethrow_exception(error_);
    }
  }

 private:
  void keep(std::int64_t first, std::int64_t chains, const std::string& what) {
    keep(std::make_exception_ptr(Error("the target failed in chains " + std::to_string(first) +
                                       " to " + std::to_string(first + chains - 1) + ": " + what)));
  }
  void keep(std::exception_ptr error) {
    if (!failed_.exchange(true)) {
      error_ = std::move(error);
    }
  }

  std::atomic<bool> failed_ = false;
  std::exception_ptr error_;  // read after the region, whose end orders it behind its writing
};

}  // namespace lockstep
