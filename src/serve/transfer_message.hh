#pragma once
// One message of a transfer under construction: records until it is full, each owner written once and pointed to after.
//
// Messages end before the reach of compression pointers (14 bits, RFC 1035 §4.1.4), so that every owner can be pointed
// at; with the length octets of a stream they just fill a TLS record. A record that does not fit has a message of its
// own, up to 65,535 octets. One job owns it; one thread.

#include <array>
#include <cstdint>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "serve/request.hh"
#include "zone/node.hh"

namespace steward::serve {

class TransferMessage {
 public:
  /// Keeps what all messages of the transfer have of the request: ID, opcode, RD, OPT with DO (RFC 5936 §2.2.1,
  /// §2.2.5). `udp_size`: what our OPT says. `signature_size` octets stay free behind every message.
  TransferMessage(ByteView request_message, const Request& request, uint16_t udp_size, size_t signature_size);

  /// Starts the next message. The first one has the question; RFC 5936 §2.2.1: those after it need none.
  void begin();
  /// An RRset with its RRSIGs, whole or not at all: false where it does not fit.
  [[nodiscard]] bool put_rrset(const zone::StoredRrset& rrset, dns::NameView owner);
  /// One record, `rdata` uncompressed.
  [[nodiscard]] bool put_record(dns::NameView owner, dns::RrType type, uint32_t ttl, ByteView rdata);
  /// No record yet.
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// Of an empty message, as much room as a message may have at all. False where it has that already.
  [[nodiscard]] bool enlarge();
  /// Forgets the records of this message and what is pointed at.
  void clear();

  /// Writes OPT and header; returns the size. Room for the signature follows: room().
  [[nodiscard]] size_t finish(dns::Rcode rcode);
  [[nodiscard]] MutableByteView room() { return room_; }

 private:
  /// Writes `owner`, as far as it does not stand in the message already, and remembers where its labels stand.
  void put_owner(dns::NameView owner);
  void remember(dns::NameView owner, size_t place);

  Bytes room_;
  ByteWriter out_{MutableByteView{}};
  Bytes question_;
  size_t reserved_ = 0;  // OPT and signature
  size_t count_ = 0;
  uint16_t id_ = 0;
  uint16_t flags_ = 0;
  uint16_t udp_size_ = 0;
  bool edns_ = false;
  bool dnssec_ok_ = false;
  bool first_ = true;
  bool started_ = false;
  bool has_question_ = false;

  // The last owner that was written: its octets, where in them its labels start, and where these stand in the message.
  std::array<uint8_t, dns::max_name_size> owner_{};
  std::array<uint8_t, dns::max_labels> label_at_{};
  std::array<uint16_t, dns::max_labels> place_of_label_{};
  size_t owner_size_ = 0;  // 0: none was written
  size_t label_count_ = 0;
};

}  // namespace steward::serve
