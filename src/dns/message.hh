#pragma once
// A whole DNS message, owned: for clients, NOTIFY, UPDATE, transfers of small things and tests. The query path of the
// server does not use it. Values only; one thread a message.

#include <optional>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::dns {

constexpr size_t max_message_size = 65535;
constexpr size_t header_size = 12;

/// The header's fields without the counts (RFC 1035 §4.1.1, RFC 4035 §3). `rcode` has the header's four bits only;
/// Message::rcode() adds those of the OPT record.
struct Header {
  uint16_t id = 0;
  bool qr = false;
  Opcode opcode = Opcode::QUERY;
  bool aa = false;
  bool tc = false;
  bool rd = false;
  bool ra = false;
  bool z = false;  ///< the reserved bit
  bool ad = false;
  bool cd = false;
  uint8_t rcode = 0;  ///< 0 to 15

  friend bool operator==(const Header&, const Header&) = default;
};

struct Question {
  Name name;
  RrType type{};
  RrClass klass = RrClass::IN;
};

/// `rdata` is uncompressed and satisfies check_rdata, but for the empty RDATA that UPDATE uses (RFC 2136 §2.4, §2.5).
struct Record {
  Name owner;
  RrType type{};
  RrClass klass = RrClass::IN;
  uint32_t ttl = 0;
  Bytes rdata;
};

struct Message {
  Header header;
  std::vector<Question> question;  ///< UPDATE: the zone
  std::vector<Record> answer;      ///< UPDATE: the prerequisites
  std::vector<Record> authority;   ///< UPDATE: the updates
  std::vector<Record> additional;  ///< with OPT and TSIG as they stand

  /// All of `wire`: Invalid, with section and index, where a name or RDATA is malformed, a count does not hold, octets
  /// are left over, OPT is anywhere but once in the additional section at the root (RFC 6891 §6.1.1), or TSIG is not
  /// the last record (RFC 8945 §5.1).
  static Result<Message> parse(ByteView wire);

  /// In wire form with names compressed where RFC 3597 §4 allows it; the case of every name is kept. Full where it is
  /// over `limit` octets or a section over 65,535 records.
  [[nodiscard]] Result<Bytes> build(size_t limit = max_message_size) const;

  /// The OPT record, null where there is none.
  [[nodiscard]] const Record* opt() const;
  /// With the upper eight bits of the OPT record (RFC 6891 §6.1.3).
  [[nodiscard]] Rcode rcode() const;
};

/// One EDNS option in the RDATA of an OPT record (RFC 6891 §6.1.2).
struct EdnsOption {
  uint16_t code;
  ByteView data;
};
/// Takes the first option off `rdata`; nothing at the end, or where what is left is cut short.
std::optional<EdnsOption> next_edns_option(ByteView& rdata);
void append_edns_option(Bytes& rdata, uint16_t code, ByteView data);

/// An OPT record: `udp_size` in octets, DO bit, version 0, no extended response code (RFC 6891 §6.1.3, RFC 3225).
Record make_opt(uint16_t udp_size, bool dnssec_ok, Bytes options = {});

}  // namespace steward::dns
