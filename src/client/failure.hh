#pragma once
// Between the house's Result and the library's Outcome.

#include "base/result.hh"
#include "steward/outcome.hh"

namespace steward::client {

inline Failure failure_of(const Error& error) {
  switch (error.code) {
    case Errc::Invalid:
    case Errc::Unsupported:
    case Errc::Full: return {Fault::Invalid, error.what};
    case Errc::NotFound: return {Fault::NotFound, error.what};
    case Errc::Exists:
    case Errc::Refused: return {Fault::Refused, error.what};
    case Errc::Corrupt: return {Fault::Untrusted, error.what};
    case Errc::Io: return {Fault::Io, error.what};
  }
  return {Fault::Invalid, error.what};
}

}  // namespace steward::client
