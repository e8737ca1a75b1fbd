#include "agent/rotation.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "dns/encoding.hh"

namespace steward::agent {

namespace {

constexpr std::array<std::string_view, 2> signature_fields{"sig-old", "sig-new"};

Result<std::string> signature_by(const crypto::KeyPair& key, ByteView data) {
  auto signer = crypto::Signer::create(key);
  if (!signer) return tl::unexpected(signer.error());
  Bytes signature(signer->signature_size());
  if (auto made = signer->sign(data, signature.data()); !made) return tl::unexpected(made.error());
  return dns::encode(dns::base64url, signature);
}

/// All but the signatures.
Bytes said(uint32_t number, std::string_view old_print, std::string_view new_print, UnixTime modified) {
  Bytes rdata;
  append_field(rdata, "v", rotation_version);
  append_field(rdata, "n", std::to_string(number));
  append_field(rdata, "old", old_print);
  append_field(rdata, "new", new_print);
  append_field(rdata, "modified", modified_to_text(modified));
  return rdata;
}

Result<void> check_rotation_fields(std::span<const TextField> fields) {
  constexpr std::array<std::string_view, 7> order{"v", "n", "old", "new", "modified", "sig-old", "sig-new"};
  if (fields[0].key != "v" || fields[0].value != rotation_version) {
    return fail(Errc::Invalid, "v=steward-rotate1 must be the first string");
  }
  for (const std::string_view key : order) {
    if (!find_field(fields, key)) return fail(Errc::Invalid, fmt::format("key {} is missing", key));
  }
  if (fields.back().key != "sig-new" || fields[fields.size() - 2].key != "sig-old") {
    return fail(Errc::Invalid, "sig-old and sig-new must come last, in this order");
  }
  for (const std::string_view key : {"old", "new"}) {
    if (!is_sha256_text(*find_field(fields, key))) {
      return fail(Errc::Invalid, fmt::format("{}: sha256: and 64 hex digits in lower case wanted", key));
    }
  }
  if (*find_field(fields, "old") == *find_field(fields, "new"))
    return fail(Errc::Invalid, "old and new are the same key");
  return {};
}

}  // namespace

Result<Rotation> Rotation::from_txt(ByteView txt_rdata) {
  auto fields = fields_from_txt(txt_rdata);
  if (!fields) return fail("rotation", fields.error());
  if (auto sound = check_rotation_fields(*fields); !sound) return fail("rotation", sound.error());
  Rotation rotation;
  const std::string_view number = *find_field(*fields, "n");
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rotation.number_);
  if (error != std::errc{} || end != number.data() + number.size() || rotation.number_ == 0 || number[0] == '0') {
    return fail(Errc::Invalid, "rotation: n: a number from 1 wanted");
  }
  const auto modified = modified_from_text(*find_field(*fields, "modified"));
  if (!modified) return fail("rotation: modified", modified.error());
  rotation.modified_ = *modified;
  rotation.rdata_.assign(txt_rdata.begin(), txt_rdata.end());
  rotation.fields_ = std::move(*fields);
  return rotation;
}

Result<Rotation> Rotation::make(NameView agent, uint32_t number, const crypto::KeyPair& old_key,
                                const crypto::KeyPair& new_key, UnixTime modified) {
  const auto old_print = old_key.public_key().fingerprint();
  const auto new_print = new_key.public_key().fingerprint();
  if (!old_print) return fail("rotation", old_print.error());
  if (!new_print) return fail("rotation", new_print.error());
  Bytes rdata = said(number, *old_print, *new_print, modified);
  const Bytes data = signed_octets(rotation_label, agent, rdata, signature_fields);
  const auto old_signature = signature_by(old_key, data);
  const auto new_signature = signature_by(new_key, data);
  if (!old_signature) return fail("rotation: sig-old", old_signature.error());
  if (!new_signature) return fail("rotation: sig-new", new_signature.error());
  append_field(rdata, "sig-old", *old_signature);
  append_field(rdata, "sig-new", *new_signature);
  return from_txt(rdata);
}

Result<Rotation> Rotation::from_claim(ByteView txt_rdata) {
  const auto fields = fields_from_txt(txt_rdata);
  if (!fields) return fail("rotation", fields.error());
  if (find_field(*fields, "sig-old") || fields->back().key != "sig-new") return from_txt(txt_rdata);
  Bytes rdata;
  for (const TextField& field : *fields) {
    if (field.key == "sig-new") append_field(rdata, "sig-old", "");
    append_field(rdata, field.key, field.value);
  }
  return from_txt(rdata);
}

Result<Rotation> Rotation::make_claim(NameView agent, uint32_t number, std::string_view old_fingerprint,
                                      const crypto::KeyPair& new_key, UnixTime modified) {
  const auto new_print = new_key.public_key().fingerprint();
  if (!new_print) return fail("rotation", new_print.error());
  Bytes rdata = said(number, old_fingerprint, *new_print, modified);
  const auto signature = signature_by(new_key, signed_octets(rotation_label, agent, rdata, signature_fields));
  if (!signature) return fail("rotation: sig-new", signature.error());
  append_field(rdata, "sig-new", *signature);
  return from_claim(rdata);
}

Result<Rotation> Rotation::countersigned(NameView agent, const crypto::KeyPair& old_key) const {
  const auto print = old_key.public_key().fingerprint();
  if (!print) return fail("rotation", print.error());
  if (*print != old_fingerprint()) {
    return fail(Errc::Refused, fmt::format("rotation: old is {}, the custodial key is {}", old_fingerprint(), *print));
  }
  const auto signature = signature_by(old_key, signed_octets(rotation_label, agent, rdata_, signature_fields));
  if (!signature) return fail("rotation: sig-old", signature.error());
  Bytes rdata;
  for (const TextField& field : fields_) {
    append_field(rdata, field.key, field.key == "sig-old" ? *signature : field.value);
  }
  return from_txt(rdata);
}

Result<void> Rotation::verify_one(NameView agent, std::string_view field, std::string_view fingerprint,
                                  std::span<const ByteView> keys) const {
  const auto signature = dns::decode(dns::base64url, *find_field(fields_, field));
  if (!signature) return fail(fmt::format("rotation: {}", field), signature.error());
  for (const ByteView rdata : keys) {
    const auto key = PublisherKey::from_rdata(rdata);
    if (!key || key->fingerprint() != fingerprint) continue;
    if (key->key().verify(signed_octets(rotation_label, agent, rdata_, signature_fields), *signature)) return {};
    return fail(Errc::Invalid, fmt::format("rotation {} of {}: {} does not verify", number_, agent.to_text(), field));
  }
  return fail(Errc::NotFound,
              fmt::format("rotation {} of {}: no KEY has the fingerprint {}", number_, agent.to_text(), fingerprint));
}

Result<void> Rotation::verify(NameView agent, std::span<const ByteView> keys) const {
  if (auto old = verify_one(agent, "sig-old", old_fingerprint(), keys); !old) return old;
  return verify_new(agent, keys);
}

Result<void> Rotation::verify_new(NameView agent, std::span<const ByteView> keys) const {
  return verify_one(agent, "sig-new", new_fingerprint(), keys);
}

Result<void> check_rotation_chain(std::span<const Rotation> rotations, std::string_view known,
                                  std::string_view present) {
  std::vector<const Rotation*> sorted;
  for (const Rotation& rotation : rotations) sorted.push_back(&rotation);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->number() < b->number(); });
  std::string_view at = known;
  for (const Rotation* rotation : sorted) {
    if (at == present) return {};
    if (rotation->old_fingerprint() == at) at = rotation->new_fingerprint();
  }
  if (at == present) return {};
  return fail(Errc::Refused, fmt::format("rotations lead from {} to {}, not to {}", known, at, present));
}

}  // namespace steward::agent
