#pragma once
// Outcome<T>: a value, or a Failure that says in one sentence what went wrong. The library throws nothing of its own.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace steward::client {

enum class Fault : uint8_t {
  Invalid,      ///< what was asked for is malformed: a name, a setting, a file
  NotFound,     ///< proved not to exist, or a file that is not there
  Refused,      ///< the registry, or a rule of the records, says no
  Untrusted,    ///< DNSSEC, a signature or a digest does not hold
  Unreachable,  ///< no answer in time
  Io,           ///< the operating system says no
};

struct Failure {
  Fault fault = Fault::Invalid;
  std::string what;  ///< may hold text from the network: for_terminal() before it is shown
};

template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Outcome(Failure failure)
      : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  /// ok() holds.
  [[nodiscard]] T& value() & { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }
  /// ok() does not hold.
  [[nodiscard]] const Failure& failure() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Failure> state_;
};

/// Done, or a Failure.
struct Done {};

}  // namespace steward::client
