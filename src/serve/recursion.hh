#pragma once
// Recursion (RFC 1034 §4.3.1) for the clients of a registry: a question with RD for a name below the apex that none of our
// zones answers to its end is handed to Recursion, and answered later. Everybody else, and every other name, gets what an
// authoritative server says.
//
// The composition root implements Recursion. RecursiveResponse keeps of the request what the response repeats.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.hh"
#include "base/reply.hh"
#include "dns/message.hh"
#include "serve/context.hh"
#include "serve/request.hh"

namespace steward::serve {

/// Who may have which names resolved. Immutable, shared by the workers.
struct RecursionRights {
  dns::Name apex;                   ///< in lower case; names at and below it
  std::vector<AddressBlock> allow;  ///< nobody else

  [[nodiscard]] bool admits(const SocketAddress& client, dns::NameView name) const;
};

/// What was found, and whether DNSSEC proves all of it.
struct Resolution {
  dns::Rcode rcode = dns::Rcode::NOERROR;
  bool secure = false;
  std::vector<dns::Record> answer;
  std::vector<dns::Record> authority;
};

/// Takes out of `found` all records whose owner is not at or below `apex`: what leads out of the federation is not
/// resolved, and what comes from there not passed on. Without them nothing is proved any more.
void keep_below(Resolution& found, dns::NameView apex);

/// The one response to such a question. Moved along from the worker to whoever answers; one thread at a time, any thread.
class RecursiveResponse {
 public:
  /// Takes `exchange`, as in Responder::answer(), over; it must have a source.
  RecursiveResponse(const Exchange& exchange, const Request& request, const Settings& settings, ByteView server_cookie);
  RecursiveResponse(RecursiveResponse&&) noexcept = default;
  RecursiveResponse& operator=(RecursiveResponse&&) noexcept = default;

  /// With RA; with AD where all is proved and the client asked to be told (RFC 6840 §5.8); without signatures and proofs
  /// unless it set DO (RFC 4035 §3.2.1); with TC and nothing else where it does not fit. Once; this or fail().
  void send(const Resolution& found);
  /// `text`: EXTRA-TEXT of the error (RFC 8914 §2), cut at 240 octets.
  void fail(dns::Rcode rcode, ExtendedError error, std::string_view text = {});

  [[nodiscard]] const dns::Question& question() const { return question_; }
  [[nodiscard]] const SocketAddress& client() const { return reply_->client(); }

 private:
  dns::Message begin(dns::Rcode rcode) const;
  void add_opt(dns::Message& message, std::optional<ExtendedError> error, std::string_view text) const;
  [[nodiscard]] std::vector<dns::Record> shown(const std::vector<dns::Record>& records) const;
  void write(dns::Message message);

  size_t limit_;  // octets; first, since an exchange that is taken over has no room any more
  std::unique_ptr<Reply> reply_;
  dns::Question question_;
  Bytes cookie_;  // of client and server; empty: none is sent
  uint16_t id_;
  uint16_t flags_;
  uint16_t udp_size_;
  bool edns_;
  bool dnssec_ok_;
};

/// Resolves. All workers call it, each from within Responder::answer(); it may not wait. It outlives the workers.
class Recursion {
 public:
  virtual ~Recursion() = default;
  /// The response is sent later, on any thread.
  virtual void resolve(RecursiveResponse response) = 0;
};

}  // namespace steward::serve
