#pragma once
// IncomingTransfer: the messages of an AXFR (RFC 5936) or IXFR (RFC 1995) response, taken one by one and checked; their
// records go to a TransferSink.
//
// Pure: no I/O, no clock. The caller owns connection and timeouts, and has verified TSIG before a message comes here; a
// TSIG that still stands in the additional section is passed over. Nothing is believed before Step::Done: the sink
// gathers, the zone in service stays as it is. One thread; nothing is allocated per record.
//
// Which refusal is which:
//   Refused         what a full transfer would be refused for as well, or an answer that is not one to our query;
//   FallBackToAxfr  the primary does no IXFR, or the differences do not lead from our serial to the announced one, or
//                   are too many: AXFR from the same primary is the next thing to try (RFC 1995 §4).
// An IXFR whose first two records are the same SOA may be a whole zone without anything in it, or no difference: that
// is not believed, but asked for by AXFR.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::transfer {

using dns::NameView;
using dns::RrType;

/// A record as the sink gets it. Its views hold until the sink's function returns.
struct TransferRecord {
  NameView owner;  ///< at or below the apex, in the primary's case
  RrType type{};
  uint32_t ttl = 0;  ///< seconds, at most 2^31 - 1: one with the top bit set counts as 0 (RFC 2181 §8)
  ByteView rdata;    ///< uncompressed, satisfies dns::check_rdata
};

/// What the response turned out to be: an IXFR may be answered by a whole zone (RFC 1995 §4).
enum class TransferKind : uint8_t { Axfr, Ixfr };

struct TransferBeginning {
  TransferKind kind = TransferKind::Axfr;
  NameView apex;                        ///< in the case of the SOA's owner
  uint32_t from = 0;                    ///< Ixfr: our serial
  uint32_t to = 0;                      ///< the serial that the primary announces
  const TransferRecord* soa = nullptr;  ///< the announced SOA; of an Axfr it comes again as the first record()
};

/// Where records go. An error stops the transfer: of an Ixfr with Full, NotFound, Exists or Corrupt (the differences do
/// not fit what we have, or are too many) as FallBackToAxfr; else as Refused.
///
/// Calls: Axfr: begin, record…, end. Ixfr: begin, then for each difference removing, removed…, adding, added…; end.
/// The SOA that closes the transfer is checked, not passed on. Repeated records are passed on as often as they come
/// (RFC 5936 §3.4 lets a client merge them; zone images do).
class TransferSink {
 public:
  virtual ~TransferSink() = default;
  virtual Result<void> begin(const TransferBeginning& beginning) = 0;
  /// Axfr: a record of the zone, the SOA first.
  virtual Result<void> record(const TransferRecord& record) = 0;
  /// Ixfr: a difference begins; `old_soa` is the SOA of the version that it starts from, and goes with it.
  virtual Result<void> removing(const TransferRecord& old_soa) = 0;
  virtual Result<void> removed(const TransferRecord& record) = 0;
  /// Ixfr: the removals of this difference are complete; `new_soa` is the SOA of the version that it makes.
  virtual Result<void> adding(const TransferRecord& new_soa) = 0;
  virtual Result<void> added(const TransferRecord& record) = 0;
  /// All came, and the closing SOA is right.
  virtual Result<void> end() = 0;
};

struct TransferLimits {
  uint64_t max_records = 1'000'000'000;      ///< of all messages, with every SOA
  uint64_t max_octets = uint64_t{16} << 30;  ///< of all messages
  uint32_t max_empty_messages = 16;          ///< in a row: messages without an answer record
  uint32_t max_differences = 100'000;        ///< of an IXFR
};

/// What was asked.
struct TransferQuery {
  uint16_t id = 0;
  dns::Name zone;
  RrType type = RrType::AXFR;  ///< or IXFR
  uint32_t serial = 0;         ///< IXFR: of our version
  bool datagram = false;       ///< IXFR over UDP (RFC 1995 §2): one message, possibly cut down to one SOA
};

class IncomingTransfer {
 public:
  enum class Step : uint8_t {
    More,            ///< sound so far: read on
    Done,            ///< whole; the sink's end() was called
    UpToDate,        ///< IXFR: the primary's serial() is ours or older (RFC 1995 §2, §4); the sink was not begun
    RetryOverTcp,    ///< IXFR over UDP: the answer did not fit (RFC 1995 §2, §4)
    FallBackToAxfr,  ///< see above; error() says why
    Refused,         ///< see above; error() says why
  };

  /// `sink` must outlive this.
  IncomingTransfer(const TransferQuery& query, TransferSink& sink, const TransferLimits& limits = {});

  /// The next message, without the length octets of TCP. After any step but More the transfer is over: a further call
  /// returns Refused.
  Step take(ByteView message);
  /// The stream ended, or broke. Done and UpToDate stay what they are; a transfer that is not whole is FallBackToAxfr
  /// where only the SOA of an IXFR has come, else Refused.
  Step closed();

  /// After Refused and FallBackToAxfr: what is wrong and the rule, "message 3, answer record 17: …".
  [[nodiscard]] const Error& error() const { return error_; }
  /// After Refused and FallBackToAxfr: the primary's response code, where that is what it was about.
  [[nodiscard]] std::optional<dns::Rcode> rcode() const { return rcode_; }
  /// The serial that the primary announces; nothing before its first SOA.
  [[nodiscard]] std::optional<uint32_t> serial() const { return announced_ ? std::optional(to_) : std::nullopt; }
  /// Whether an IXFR was answered by differences; meaningful after begin() of the sink.
  [[nodiscard]] TransferKind kind() const { return kind_; }

  [[nodiscard]] uint64_t messages() const { return messages_; }
  [[nodiscard]] uint64_t records() const { return records_; }
  [[nodiscard]] uint64_t octets() const { return octets_; }
  [[nodiscard]] uint32_t differences() const { return differences_; }

 private:
  enum class State : uint8_t {
    First,     // the announced SOA comes next
    Second,    // IXFR: the next record tells differences from a whole zone
    Whole,     // in an AXFR
    Removing,  // in a difference, after its old SOA
    Adding,    // in a difference, after its new SOA
    Complete,  // the closing SOA has come: nothing may follow
    Over,
  };

  // The message (incoming.cc). More: go on; `at` is moved past what was read.
  Step check_header(ByteView message);
  Step check_rcode(dns::Rcode rcode);
  Step take_question(ByteView message, size_t& at);
  Step take_answers(ByteView message, size_t& at);
  Step take_rest(ByteView message, size_t& at);
  Step end_message();
  Step read_record(ByteView message, size_t& at);
  Step read_owner(ByteView message, size_t& at);

  // The order of records (incoming_order.cc); each looks at record_.
  Step place_record();
  Step place_first();
  Step place_second();
  Step place_old_soa();
  Step place_new_soa();
  Step close(std::string_view what);
  Step begin(TransferKind kind);
  Step passed_on(const Result<void>& result);
  [[nodiscard]] bool is_announced_soa();

  static constexpr size_t not_here = SIZE_MAX;
  Step finish(Step step);
  Step refuse(std::string_view what, Errc code = Errc::Invalid);
  Step fall_back(std::string_view what);
  Step fail_with(Step step, std::string_view what, Errc code);

  TransferQuery query_;
  TransferSink& sink_;
  TransferLimits limits_;
  State state_ = State::First;
  Step last_ = Step::More;
  Error error_;
  std::optional<dns::Rcode> rcode_;

  uint64_t messages_ = 0;
  uint64_t records_ = 0;
  uint64_t octets_ = 0;
  uint32_t differences_ = 0;
  uint32_t empty_messages_ = 0;  // in a row
  const char* section_ = "";     // that is being read, for errors
  size_t index_ = 0;             // of the record in it, from 1; 0: the message as a whole

  // The record that is being looked at; its owner and RDATA lie in owner_ and rdata_.
  TransferRecord record_;
  dns::Name owner_;
  size_t owner_at_ = not_here;  // where in this message the labels of owner_ begin
  Bytes rdata_;

  // The announced SOA.
  bool announced_ = false;
  dns::Name apex_;
  Bytes soa_;
  uint32_t soa_ttl_ = 0;
  uint32_t to_ = 0;
  uint32_t at_ = 0;  // the version that the differences have led to so far
  TransferKind kind_ = TransferKind::Axfr;
};

}  // namespace steward::transfer
