#include "auth/signature.hh"

#include "dns/compressed_name.hh"
#include "dns/message.hh"

namespace steward::auth {

namespace {

/// Skips the labels that stand in place; where a pointer leads is for those who want the name.
bool skip_name(ByteView message, size_t& at) {
  size_t size = 0;
  while (at < message.size()) {
    const uint8_t octet = message[at];
    if (octet >= 0xc0) {
      at += 2;
      return at <= message.size();
    }
    if (octet > dns::max_label_size) return false;
    at += octet + size_t{1};
    size += octet + size_t{1};
    if (octet == 0) return at <= message.size() && size <= dns::max_name_size;
    if (size >= dns::max_name_size) return false;
  }
  return false;
}

struct RecordHead {
  size_t at;  // of the owner
  uint16_t type;
  uint16_t klass;
  uint32_t ttl;
  size_t rdata_at;
  uint16_t rdata_size;
};

/// Moves `at` behind the record.
bool read_head(ByteView message, size_t& at, RecordHead& head) {
  head.at = at;
  if (!skip_name(message, at)) return false;
  ByteReader in(message, at);
  head.type = in.u16();
  head.klass = in.u16();
  head.ttl = in.u32();
  head.rdata_size = in.u16();
  head.rdata_at = in.at();
  in.skip(head.rdata_size);
  at = in.at();
  return in.ok();
}

SignatureKind kind_of(ByteView message, const RecordHead& head) {
  if (head.type == dns::value(dns::RrType::TSIG)) return SignatureKind::Tsig;
  // RFC 2931 §3: what makes a SIG a SIG(0) is that it covers type 0. An UPDATE may delete SIG RRsets with empty RDATA.
  if (head.type == dns::value(dns::RrType::SIG) && head.rdata_size >= 2 && load_u16(&message[head.rdata_at]) == 0) {
    return SignatureKind::Sig0;
  }
  return SignatureKind::None;
}

FoundSignature malformed() { return {SignatureKind::Malformed}; }

FoundSignature describe(ByteView message, SignatureKind kind, const RecordHead& head) {
  // RFC 8945 §4.2: class ANY, TTL 0.
  if (kind == SignatureKind::Tsig && (head.klass != dns::value(dns::RrClass::ANY) || head.ttl != 0)) return malformed();
  FoundSignature found{kind, head.at, head.rdata_at, head.rdata_size};
  size_t used = 0;
  const auto owner = dns::name_from_message(message, head.at, message.size(), used);
  if (!owner) return malformed();
  found.owner = owner->folded();
  return found;
}

}  // namespace

FoundSignature find_signature(ByteView message) {
  if (message.size() < dns::header_size) return malformed();
  size_t at = dns::header_size;
  for (uint32_t left = load_u16(&message[4]); left > 0; --left) {
    if (!skip_name(message, at) || message.size() - at < 4) return malformed();
    at += 4;
  }
  // No overflow: three counts of 16 bits.
  uint32_t left = uint32_t{load_u16(&message[6])} + load_u16(&message[8]) + load_u16(&message[10]);
  const bool has_additional = load_u16(&message[10]) > 0;
  RecordHead head{};
  SignatureKind kind = SignatureKind::None;
  for (; left > 0; --left) {
    if (!read_head(message, at, head)) return malformed();
    kind = kind_of(message, head);
    // RFC 8945 §5.1: the last record of the additional section, and so only one.
    if (kind != SignatureKind::None && (left > 1 || !has_additional)) return malformed();
  }
  if (at != message.size()) return malformed();
  if (kind == SignatureKind::None) return {SignatureKind::None, message.size()};
  return describe(message, kind, head);
}

}  // namespace steward::auth
