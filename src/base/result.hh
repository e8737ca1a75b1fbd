#pragma once
// Result<T>: a value, or an Error that says what was wrong and which rule it broke.
//
// For failures that a caller can handle. An outcome of the protocol (NXDOMAIN, REFUSED) is not an error
// but an enum value; a broken invariant of our own is an assert.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace steward {

enum class Errc : uint8_t {
  Invalid,      ///< input that breaks a rule
  NotFound,     ///< what was asked for does not exist
  Exists,       ///< what was to be made exists already
  Refused,      ///< not allowed
  Io,           ///< the operating system or a file said no
  Full,         ///< no room: disk, map, quota, message
  Corrupt,      ///< stored data that does not hold together
  Unsupported,  ///< valid, but not something that we do
};

/// What went wrong, in one sentence that names the file, line, key or peer, and the rule.
struct Error {
  Errc code = Errc::Invalid;
  std::string what;
};

template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(Errc::Invalid, "…");` from any function that returns a Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string what) {
  return tl::unexpected<Error>(Error{code, std::move(what)});
}

/// Passes an error up, with the place where it happened put before it: "zones/a.zone: …".
[[nodiscard]] inline tl::unexpected<Error> fail(std::string_view where, const Error& error) {
  return tl::unexpected<Error>(Error{error.code, std::string(where) + ": " + error.what});
}

}  // namespace steward
