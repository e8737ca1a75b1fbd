#pragma once
// The server's certificate for TLS: loaded at the start, again by a reload, and when its files change. Main thread.

#include <memory>
#include <string>

#include "base/clock.hh"
#include "config/config.hh"
#include "crypto/tls.hh"

namespace steward::daemon {

class TlsCertificates {
 public:
  /// Nothing to do without `tls` in the configuration: then context() is null.
  Result<void> open(const config::TlsConfig& tls, UnixTime now);
  /// Other files, or the same again. On an error, which is logged, what was in force stays.
  void reload(const config::TlsConfig& tls, UnixTime now);
  /// A file has been changed by ourselves.
  void look_now(UnixTime now);
  /// Every second: looks now and then whether a file has changed.
  void look(UnixTime now);

  [[nodiscard]] const std::shared_ptr<crypto::TlsServerContext>& context() const { return context_; }

 private:
  void take(const Result<void>& reloaded, UnixTime now);
  void report(UnixTime now) const;

  std::shared_ptr<crypto::TlsServerContext> context_;
  UnixTime looked_{};
  std::string last_error_;  ///< told already
};

}  // namespace steward::daemon
