#pragma once
// The response under construction: header, question, RRsets whole or not at all, and the OPT record at the end.
//
// Lives in the room of an Exchange. Room for the OPT record is kept free from the start, so that it always fits.

#include <cstdint>
#include <optional>

#include "base/exchange.hh"
#include "serve/context.hh"
#include "serve/request.hh"
#include "zone/node.hh"

namespace steward::serve {

enum class Section : uint8_t { Answer, Authority, Additional };

/// Octets that a response to this request may have.
[[nodiscard]] size_t size_limit(const Exchange& exchange, const Request& request, const Settings& settings);

/// Where the question's name stands in every response that has one.
constexpr uint16_t question_place = header_size;

class Response {
 public:
  /// Writes the question, if `request` has one, and reserves what the OPT record will take, and the `signature` octets
  /// of a TSIG that is written after finish(). False: no room even for that.
  [[nodiscard]] bool begin(const Exchange& exchange, const Request& request, const Settings& settings,
                           size_t signature = 0);

  /// Writes an RRset whose owner (or the name that it was synthesized for) stands at `place` in the message. False, and
  /// nothing written, where it does not fit.
  [[nodiscard]] bool put(Section section, const zone::StoredRrset& rrset, dns::NameView owner, uint16_t place,
                         bool with_sigs) {
    if (!zone::write_rrset(out_, rrset, owner, {place}, with_sigs)) return false;
    count(section, rrset.rr_count + (with_sigs ? rrset.sig_count : 0U));
    return true;
  }
  /// The same for an RRset whose RDATA has no compressed names (NSEC, NSEC3), and whose owner's last octets
  /// from `shared` on stand at `place`: the others are written here.
  [[nodiscard]] bool put_with_owner(Section section, const zone::StoredRrset& rrset, dns::NameView owner, size_t shared,
                                    uint16_t place, bool with_sigs);
  /// A record at `place` in the answer section whose RDATA is one name that may be compressed (CNAME, PTR): the labels
  /// `prefix`, followed by the name at `target`.
  [[nodiscard]] bool put_name_record(uint16_t place, dns::RrType type, uint32_t ttl, ByteView prefix, uint16_t target);
  /// A TXT record of class CH, TTL 0, at the question's name, of one string cut at 255 octets.
  [[nodiscard]] bool put_chaos_txt(std::string_view text);
  /// The RRSIGs of `rrset` alone, owner at `place`, in the answer section.
  [[nodiscard]] bool put_sigs(const zone::StoredRrset& rrset, uint16_t place);

  /// A record whose owner is at or below QNAME, `rdata` uncompressed.
  [[nodiscard]] bool put_record(dns::NameView owner, dns::RrType type, uint32_t ttl, ByteView rdata,
                                Section section = Section::Answer);

  /// Offset of what will be written next.
  [[nodiscard]] size_t at() const { return out_.at(); }
  [[nodiscard]] const uint8_t* message() const { return out_.data(); }
  [[nodiscard]] uint16_t answer_count() const { return counts_[0]; }

  void set_rcode(dns::Rcode rcode) { rcode_ = rcode; }
  [[nodiscard]] dns::Rcode rcode() const { return rcode_; }
  void set_authoritative() { authoritative_ = true; }
  void clear_authoritative() { authoritative_ = false; }
  /// RA (RFC 1035 §4.1.1): the client may have names resolved.
  void set_recursion_available() { recursion_available_ = true; }
  /// The answer ends with a referral, or an alias for a name that is not answered here: a resolver goes on from it.
  void set_leads_on() { leads_on_ = true; }
  [[nodiscard]] bool leads_on() const { return leads_on_; }
  void set_truncated() { truncated_ = true; }
  /// The flag CO of the OPT record (RFC 9824 §5.1).
  void set_compact_answers_ok() { compact_answers_ok_ = true; }
  [[nodiscard]] bool truncated() const { return truncated_; }
  void set_extended_error(ExtendedError error) { extended_error_ = error; }
  /// A server cookie to send, 16 octets, borrowed.
  void set_server_cookie(ByteView cookie) { server_cookie_ = cookie; }
  /// Forgets all RRsets and the flags: only header, question and OPT remain.
  void clear();

  /// Writes the OPT record and the header; returns the size of the response.
  size_t finish(const Settings& settings);

 private:
  void count(Section section, size_t rrs) {
    counts_[static_cast<size_t>(section)] = static_cast<uint16_t>(counts_[static_cast<size_t>(section)] + rrs);
  }
  void write_opt(ByteWriter& out, const Settings& settings);
  static void write_padding(ByteWriter& out);

  ByteWriter out_{MutableByteView{}};
  MutableByteView room_;  // up to the largest size of this response, without its TSIG
  const Request* request_ = nullptr;
  ByteView server_cookie_;
  std::optional<ExtendedError> extended_error_;
  uint16_t counts_[3] = {};
  dns::Rcode rcode_ = dns::Rcode::NOERROR;
  Transport transport_ = Transport::Udp;
  bool authoritative_ = false;
  bool truncated_ = false;
  bool compact_answers_ok_ = false;
  bool recursion_available_ = false;
  bool leads_on_ = false;
};

}  // namespace steward::serve
