#pragma once
// The TSIG record itself (RFC 8945 §4.2) and what its MAC is made over (§4.3). The inside of src/auth/tsig.hh; a chain
// is used by one thread.

#include <array>
#include <optional>

#include "auth/signature.hh"
#include "auth/tsig_key.hh"
#include "base/bytes.hh"
#include "base/clock.hh"

namespace steward::auth {

/// The Error field (RFC 8945 §3); 16 means BADVERS elsewhere, so that these are not dns::Rcode.
enum class TsigError : uint16_t { NOERROR = 0, BADSIG = 16, BADKEY = 17, BADTIME = 18, BADTRUNC = 22 };

/// The two views lead into the message that the record was read from, or to whoever fills them in.
struct TsigRecord {
  dns::Name key_name;        ///< in lower case
  dns::Name algorithm_name;  ///< in lower case
  uint64_t time_signed = 0;  ///< seconds since 1970, 48 bits
  uint16_t fudge = 0;        ///< seconds
  ByteView mac;
  uint16_t original_id = 0;
  uint16_t error = 0;
  ByteView other;
};

/// Nothing where the RDATA of the found TSIG does not hold together. Compressed names are understood.
std::optional<TsigRecord> read_tsig(ByteView message, const FoundSignature& found);

/// In octets, of the whole record.
size_t tsig_record_size(dns::NameView key, dns::NameView algorithm, size_t mac_size, size_t other_size);

/// Appends the record to the message of `size` octets that stands in `room` and counts it in the header. Full where the
/// room or the 65,535 octets of a message do not suffice; then nothing is changed. Returns the new size.
Result<size_t> append_tsig(MutableByteView room, size_t size, const TsigRecord& record);

/// As the Time Signed field has it; times before 1970 are 0.
uint64_t tsig_time(UnixTime time);
/// RFC 8945 §5.2.3: not farther from the time signed than the fudge.
bool is_in_time(const TsigRecord& record, UnixTime now);

/// How the MAC field's size stands to the algorithm (RFC 8945 §5.2.2.1) and to local policy (§5.2.4).
enum class MacLength : uint8_t { Full, Truncated, BelowPolicy, Impossible };
MacLength mac_length(const TsigRecord& record, const TsigKey& key);

/// A running HMAC from one MAC to the next.
class TsigChain {
 public:
  explicit TsigChain(const TsigKey& key) : hmac_(digest_of(key.algorithm), key.secret.view()) {}

  /// A request's or an earlier message's MAC, with its length before it (RFC 8945 §5.3, §5.3.1).
  void add_mac(ByteView mac);
  /// A message that has no TSIG of its own, as it stands.
  void add_unsigned(ByteView message) { hmac_.update(message); }
  /// A message whose TSIG starts at `size` or is not there yet; `with_tsig` says whether the header counts it already.
  void add_message(ByteView message, size_t size, bool with_tsig, uint16_t original_id);
  /// RFC 8945 §4.3.3.
  void add_variables(const TsigRecord& record);
  /// RFC 8945 §5.3.1: all that later messages of a stream have of the variables.
  void add_timers(const TsigRecord& record);
  /// The MAC of what was added; begins anew with the same key.
  size_t finish(std::array<uint8_t, crypto::max_digest_size>& mac) { return hmac_.finish(mac.data()); }
  /// finish() and whether `mac`, which may be truncated, is what came out.
  bool matches(ByteView mac);

 private:
  crypto::Hmac hmac_;
};

}  // namespace steward::auth
