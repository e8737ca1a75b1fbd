#include "serve/transfer_message.hh"

#include <algorithm>

namespace steward::serve {
namespace {

using dns::NameView;
using dns::RrType;

constexpr size_t bare_opt_size = 11;
// With the two octets of length, one TLS record (RFC 8446 §5.1), and all of it within 14 bits.
constexpr size_t usual_size = 16384 - 2;
constexpr size_t largest_size = 65535;
// Where an owner may begin that is pointed at: as zone::write_rrset has it.
constexpr size_t last_owner_place = 0x3fff - dns::max_name_size;
constexpr uint16_t pointer = 0xc000;

}  // namespace

TransferMessage::TransferMessage(ByteView request_message, const Request& request, uint16_t udp_size,
                                 size_t signature_size)
    : room_(largest_size),
      reserved_(signature_size + (request.edns.present ? bare_opt_size : 0)),
      id_(request.id),
      flags_(static_cast<uint16_t>(0x8400U | (request.flags & 0x7900U))),  // QR, AA; opcode and RD as they came
      udp_size_(std::max<uint16_t>(udp_size, 512)),
      edns_(request.edns.present),
      dnssec_ok_(request.edns.dnssec_ok) {
  const ByteView question = request_message.subspan(header_size, request.question_size);
  question_.assign(question.begin(), question.end());
}

void TransferMessage::begin() {
  first_ = !started_;
  started_ = true;
  clear();
}

void TransferMessage::clear() {
  count_ = 0;
  owner_size_ = label_count_ = 0;
  out_ = ByteWriter(MutableByteView(room_).first(usual_size - reserved_), header_size);
  has_question_ = first_ && !question_.empty();
  if (!has_question_) return;
  out_.bytes(question_);
  // What was parsed once: a whole name, uncompressed.
  remember(NameView(question_.data(), question_.size() - 4), header_size);
}

bool TransferMessage::enlarge() {
  const size_t at = out_.at();
  const size_t most = largest_size - reserved_;
  if (at + out_.left() == most) return false;
  out_ = ByteWriter(MutableByteView(room_).first(most), at);
  return true;
}

void TransferMessage::remember(NameView owner, size_t place) {
  owner_size_ = owner.size();
  label_count_ = 0;
  std::memcpy(owner_.data(), owner.data(), owner.size());
  for (size_t at = 0; owner_[at] != 0; at += owner_[at] + size_t{1}) {
    label_at_[label_count_] = static_cast<uint8_t>(at);
    place_of_label_[label_count_++] = static_cast<uint16_t>(place + at);
  }
}

void TransferMessage::put_owner(NameView owner) {
  const size_t place = out_.at();
  // Octet for octet, so that the case of every name is kept (RFC 5936 §3.4).
  std::array<uint8_t, dns::max_labels> label_at;  // NOLINT: filled below
  size_t labels = 0;
  const uint8_t* const name = owner.data();
  for (size_t at = 0; name[at] != 0; at += name[at] + size_t{1}) label_at[labels++] = static_cast<uint8_t>(at);

  size_t shared = 0;
  while (shared < labels && shared < label_count_) {
    const uint8_t* const mine = name + label_at[labels - 1 - shared];
    const uint8_t* const theirs = owner_.data() + label_at_[label_count_ - 1 - shared];
    if (*mine != *theirs || std::memcmp(mine + 1, theirs + 1, *mine) != 0) break;
    ++shared;
  }
  const size_t own = labels - shared;
  const size_t own_size = shared > 0 && own < labels ? label_at[own] : owner.size() - 1;
  out_.bytes(ByteView(name, own_size));
  std::array<uint16_t, dns::max_labels> places;  // NOLINT: filled below
  for (size_t i = 0; i < own; ++i) places[i] = static_cast<uint16_t>(place + label_at[i]);
  for (size_t i = 0; i < shared; ++i) places[own + i] = place_of_label_[label_count_ - shared + i];
  if (shared > 0) {
    out_.u16(pointer | places[own]);
  } else {
    out_.u8(0);
  }
  if (!out_.ok()) return;
  std::memcpy(owner_.data(), name, owner.size());
  owner_size_ = owner.size();
  label_count_ = labels;
  std::copy_n(label_at.begin(), labels, label_at_.begin());
  std::copy_n(places.begin(), labels, place_of_label_.begin());
}

bool TransferMessage::put_rrset(const zone::StoredRrset& rrset, NameView owner) {
  const size_t start = out_.at();
  const bool same =
      owner_size_ == owner.size() && label_count_ > 0 && std::memcmp(owner_.data(), owner.data(), owner.size()) == 0;
  if (same) {
    if (!zone::write_rrset(out_, rrset, owner, {place_of_label_[0]}, true)) return false;
  } else {
    // The root has no label to point at: record by record.
    if (start > last_owner_place || owner.is_root() || out_.left() < owner.size() + rrset.rrs_with_sigs.size())
      return false;
    put_owner(owner);
    if (!zone::write_rrset_behind_owner(out_, rrset, owner, {place_of_label_[0]})) return false;
  }
  count_ += rrset.rr_count + size_t{rrset.sig_count};
  return true;
}

bool TransferMessage::put_record(NameView owner, RrType type, uint32_t ttl, ByteView rdata) {
  const size_t start = out_.at();
  constexpr size_t fixed_size = 10;
  if (out_.left() < owner.size() + fixed_size + rdata.size() || start > last_owner_place || count_ == 0xffff)
    return false;
  put_owner(owner);
  out_.u16(value(type));
  out_.u16(value(dns::RrClass::IN));
  out_.u32(ttl);
  out_.u16(static_cast<uint16_t>(rdata.size()));
  out_.bytes(rdata);
  ++count_;
  return true;
}

size_t TransferMessage::finish(dns::Rcode rcode) {
  ByteWriter out(room_, out_.at());
  if (edns_) {
    out.u8(0);
    out.u16(value(RrType::OPT));
    out.u16(udp_size_);
    out.u8(static_cast<uint8_t>(static_cast<uint16_t>(rcode) >> 4));
    out.u8(0);
    out.u16(dnssec_ok_ ? 0x8000 : 0);
    out.u16(0);
  }
  uint8_t* const header = room_.data();
  store_u16(header, id_);
  // RFC 5936 §2.2.1: AA is set where the transfer succeeds.
  const unsigned flags = rcode == dns::Rcode::NOERROR ? flags_ : flags_ & ~0x0400U;
  store_u16(header + 2, static_cast<uint16_t>(flags | (static_cast<uint16_t>(rcode) & 0x0fU)));
  store_u16(header + 4, has_question_ ? 1 : 0);
  store_u16(header + 6, static_cast<uint16_t>(count_));
  store_u16(header + 8, 0);
  store_u16(header + 10, edns_ ? 1 : 0);
  return out.at();
}

}  // namespace steward::serve
