#include "sign/rrsig.hh"

#include <algorithm>

#include "dns/rdata.hh"
#include "dns/serial.hh"

namespace steward::sign {

namespace {

/// The RDATAs in canonical form, sorted, without repeats, as spans into scratch.rdata_octets.
void canonicalize_all(const Rrset& rrset, SignScratch& scratch) {
  size_t total = 0;
  for (const ByteView rdata : rrset.rdatas) total += rdata.size();
  scratch.rdata_octets.resize(total);
  scratch.rdatas.clear();
  size_t at = 0;
  for (const ByteView rdata : rrset.rdatas) {
    const std::span<uint8_t> copy = std::span(scratch.rdata_octets).subspan(at, rdata.size());
    std::copy(rdata.begin(), rdata.end(), copy.begin());
    dns::canonicalize_rdata(rrset.type, copy);
    scratch.rdatas.push_back(copy);
    at += rdata.size();
  }
  // RFC 4034 §6.3: nearly always in order already; names that differ in case only may have changed that, or have become
  // equal.
  const auto before = [](std::span<uint8_t> a, std::span<uint8_t> b) { return dns::compare_rdata(a, b) < 0; };
  const auto equal = [](std::span<uint8_t> a, std::span<uint8_t> b) { return dns::compare_rdata(a, b) == 0; };
  if (!std::is_sorted(scratch.rdatas.begin(), scratch.rdatas.end(), before)) {
    std::sort(scratch.rdatas.begin(), scratch.rdatas.end(), before);
  }
  scratch.rdatas.erase(std::unique(scratch.rdatas.begin(), scratch.rdatas.end(), equal), scratch.rdatas.end());
}

void append_folded(Bytes& to, NameView name) {
  const size_t at = to.size();
  to.resize(at + name.size());
  dns::fold_into(name, &to[at]);
}

/// RFC 4034 §3.1.8.1: RRSIG_RDATA without its signature is in scratch.data already; appends RR(1) | RR(2) | …. Where
/// the RRSIG has fewer labels than the owner the name signed is `*.` and that many rightmost labels (RFC 4035 §5.3.2).
void append_rrs(const Rrset& rrset, uint8_t labels, uint32_t original_ttl, SignScratch& scratch) {
  canonicalize_all(rrset, scratch);
  std::array<uint8_t, dns::max_name_size + 2> name;
  size_t name_size = rrset.owner.size();
  if (labels < rrsig_labels(rrset.owner)) {
    const NameView suffix = rrset.owner.suffix(labels);
    name[0] = 1;
    name[1] = '*';
    dns::fold_into(suffix, &name[2]);
    name_size = suffix.size() + 2;
  } else {
    dns::fold_into(rrset.owner, name.data());
  }
  for (const std::span<uint8_t> rdata : scratch.rdatas) {
    append(scratch.data, ByteView(name.data(), name_size));
    append_u16(scratch.data, dns::value(rrset.type));
    append_u16(scratch.data, dns::value(dns::RrClass::IN));
    append_u32(scratch.data, original_ttl);
    append_u16(scratch.data, static_cast<uint16_t>(rdata.size()));
    append(scratch.data, rdata);
  }
}

bool is_before(uint32_t a, uint32_t b) { return dns::Serial(a) < dns::Serial(b); }

/// RFC 4035 §5.3.1: everything that needs no cryptography.
Verdict check_fields(const RrsigView& rrsig, const ZoneKey& key, NameView zone, const Rrset& rrset, UnixTime now) {
  if (rrsig.type_covered != rrset.type) return Verdict::TypeMismatch;
  if (!(rrsig.signer == zone)) return Verdict::SignerMismatch;
  if (!rrset.owner.is_at_or_below(zone)) return Verdict::OutsideZone;
  // A wildcard owner signed as such has one label less than the name has.
  if (rrsig.labels > rrsig_labels(rrset.owner)) return Verdict::LabelsExceedOwner;
  if (rrsig.key_tag != key.tag() || rrsig.algorithm != crypto::value(key.algorithm())) return Verdict::KeyMismatch;
  if (rrset.ttl > rrsig.original_ttl) return Verdict::TtlExceedsOriginal;
  // RFC 4034 §3.1.5: serial arithmetic, and both ends belong to the period.
  const auto present = static_cast<uint32_t>(seconds_of(now));
  if (is_before(present, rrsig.inception)) return Verdict::NotYetValid;
  if (is_before(rrsig.expiration, present)) return Verdict::Expired;
  return Verdict::Valid;
}

/// RRSIG RDATA up to its signature, and behind it what is signed with it, into scratch.data: the size of the former.
Result<size_t> prepare_signed(crypto::Signer& key, KeyTag tag, NameView signer, const Rrset& rrset,
                              const Validity& validity, SignScratch& scratch) {
  if (rrset.type == RrType::RRSIG) return fail(Errc::Refused, "RRSIG RRsets are not signed (RFC 4035 §2.2)");
  if (rrset.rdatas.empty()) return fail(Errc::Invalid, "an RRset without records cannot be signed");
  if (!rrset.owner.is_at_or_below(signer)) {
    return fail(Errc::Refused, rrset.owner.to_text() + " is not in zone " + signer.to_text());
  }
  const uint8_t labels = rrsig_labels(rrset.owner);
  scratch.data.clear();
  append_u16(scratch.data, dns::value(rrset.type));
  append_u8(scratch.data, crypto::value(key.algorithm()));
  append_u8(scratch.data, labels);
  append_u32(scratch.data, rrset.ttl);
  append_u32(scratch.data, static_cast<uint32_t>(seconds_of(validity.expiration)));
  append_u32(scratch.data, static_cast<uint32_t>(seconds_of(validity.inception)));
  append_u16(scratch.data, tag);
  append_folded(scratch.data, signer);
  const size_t header_size = scratch.data.size();
  append_rrs(rrset, labels, rrset.ttl, scratch);
  return header_size;
}

using RrsigRdata = std::array<uint8_t, rrsig_fixed_size + dns::max_name_size + crypto::max_signature_size>;

}  // namespace

Result<RrsigView> RrsigView::from_rdata(ByteView rdata) {
  ByteReader in(rdata);
  RrsigView view;
  view.type_covered = static_cast<RrType>(in.u16());
  view.algorithm = in.u8();
  view.labels = in.u8();
  view.original_ttl = in.u32();
  view.expiration = in.u32();
  view.inception = in.u32();
  view.key_tag = in.u16();
  if (!in.ok()) return fail(Errc::Invalid, "RRSIG: RDATA ends early (RFC 4034 §3.1)");
  const auto signer = NameView::from_wire(in.rest());
  if (!signer) return fail("RRSIG: signer's name", signer.error());
  view.signer = *signer;
  view.signature = in.rest().subspan(signer->size());
  if (view.signature.empty()) return fail(Errc::Invalid, "RRSIG: no signature (RFC 4034 §3.1)");
  return view;
}

uint8_t rrsig_labels(NameView owner) {
  return static_cast<uint8_t>(owner.label_count() - (owner.is_wildcard() ? 1 : 0));
}

Result<void> sign_rrset(crypto::Signer& key, KeyTag tag, NameView signer, const Rrset& rrset, const Validity& validity,
                        SignScratch& scratch, RrsigList& out) {
  const auto header_size = prepare_signed(key, tag, signer, rrset, validity, scratch);
  if (!header_size) return tl::unexpected<Error>(header_size.error());
  RrsigRdata rdata;
  std::copy_n(scratch.data.begin(), *header_size, rdata.begin());
  if (auto made = key.sign(scratch.data, &rdata[*header_size]); !made) return made;
  out.add(ByteView(rdata.data(), *header_size + key.signature_size()));
  return {};
}

Result<void> SignLater::add(crypto::Signer& key, KeyTag tag, NameView signer, const Rrset& rrset,
                            const Validity& validity, SignScratch& scratch, RrsigList& out) {
  const auto header_size = prepare_signed(key, tag, signer, rrset, validity, scratch);
  if (!header_size) return tl::unexpected<Error>(header_size.error());
  if (waiting_.size() == messages_.size()) messages_.emplace_back();
  key.prehash(scratch.data, messages_[waiting_.size()]);
  RrsigRdata rdata;
  std::copy_n(scratch.data.begin(), *header_size, rdata.begin());
  std::fill_n(&rdata[*header_size], key.signature_size(), uint8_t{0});
  waiting_.push_back({&out, out.size()});
  out.add(ByteView(rdata.data(), *header_size + key.signature_size()));
  return {};
}

Result<void> SignLater::settle(crypto::Signer& key) {
  // Only now no list grows any more.
  for (size_t i = 0; i < waiting_.size(); ++i)
    messages_[i].out = waiting_[i].list->tail_of(waiting_[i].index, key.signature_size());
  const size_t count = waiting_.size();
  waiting_.clear();
  return key.sign_all(std::span(messages_).first(count));
}

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::Valid: return "valid";
    case Verdict::Malformed: return "RRSIG malformed (RFC 4034 §3.1)";
    case Verdict::TypeMismatch: return "RRSIG covers another type (RFC 4035 §5.3.1)";
    case Verdict::SignerMismatch: return "signer is not the zone (RFC 4035 §5.3.1)";
    case Verdict::OutsideZone: return "owner is outside the signer's zone (RFC 4035 §5.3.1)";
    case Verdict::LabelsExceedOwner: return "more labels than the owner has (RFC 4035 §5.3.1)";
    case Verdict::KeyMismatch: return "made by another key (RFC 4035 §5.3.1)";
    case Verdict::TtlExceedsOriginal: return "TTL exceeds the original TTL (RFC 4035 §5.3.3)";
    case Verdict::NotYetValid: return "signature not yet valid (RFC 4035 §5.3.1)";
    case Verdict::Expired: return "signature expired (RFC 4035 §5.3.1)";
    case Verdict::BadSignature: return "signature does not verify (RFC 4035 §5.3.3)";
  }
  return "unknown";
}

Result<ZoneKey> ZoneKey::from_dnskey(ByteView rdata) {
  ByteReader in(rdata);
  const uint16_t flags = in.u16();
  const uint8_t protocol = in.u8();
  const uint8_t number = in.u8();
  if (!in.ok()) return fail(Errc::Invalid, "DNSKEY: RDATA ends early (RFC 4034 §2.1)");
  if ((flags & crypto::dnskey_flag_zone) == 0 || protocol != crypto::dnskey_protocol) {
    return fail(Errc::Invalid, "DNSKEY: not a zone key (RFC 4034 §2.1.1)");
  }
  if ((flags & crypto::dnskey_flag_revoke) != 0) return fail(Errc::Refused, "DNSKEY: revoked (RFC 5011 §2.1)");
  const auto algorithm = crypto::algorithm_from_number(number);
  if (!algorithm) return fail(Errc::Unsupported, "DNSKEY: algorithm " + std::to_string(number) + " is not known");
  const auto key = crypto::PublicKey::from_octets(*algorithm, in.rest());
  if (!key) return fail("DNSKEY", key.error());
  return ZoneKey(crypto::key_tag(rdata), flags, *algorithm, crypto::Verifier(*key));
}

Verdict verify_rrset(ZoneKey& key, NameView zone, const Rrset& rrset, ByteView rrsig_rdata, UnixTime now,
                     SignScratch& scratch, Depth depth) {
  const auto rrsig = RrsigView::from_rdata(rrsig_rdata);
  if (!rrsig) return Verdict::Malformed;
  if (const Verdict verdict = check_fields(*rrsig, key, zone, rrset, now); verdict != Verdict::Valid) return verdict;
  if (depth == Depth::Fields) return Verdict::Valid;
  scratch.data.clear();
  append(scratch.data, rrsig_rdata.first(rrsig_fixed_size));
  append_folded(scratch.data, rrsig->signer);
  append_rrs(rrset, rrsig->labels, rrsig->original_ttl, scratch);
  return key.verifier().verify(scratch.data, rrsig->signature) ? Verdict::Valid : Verdict::BadSignature;
}

}  // namespace steward::sign
