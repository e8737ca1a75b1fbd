#include <algorithm>

#include "dns/characters.hh"
#include "dns/rdata_fields.hh"

namespace steward::dns {
namespace {

using enum FieldKind;

Result<size_t> measure_string(ByteView field) {
  if (field.empty() || field.size() < field[0] + size_t{1}) return fail(Errc::Invalid, "is cut short");
  return field[0] + size_t{1};
}

bool is_decimal(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  size_t digits = 0;
  size_t dots = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9')
      ++digits;
    else if (c == '.')
      ++dots;
    else
      return false;
  }
  return digits > 0 && dots <= 1;
}

bool is_letter_or_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Result<size_t> measure_some_string(FieldKind kind, ByteView field) {
  const auto size = measure_string(field);
  if (!size) return size;
  const std::string_view text = as_text(field.subspan(1, *size - 1));
  if (kind == DigitString && (text.size() < 4 || !std::ranges::all_of(text, is_digit)))
    return fail(Errc::Invalid, "must be at least four digits (RFC 1183 §3.1)");
  if (kind == DecimalString && !is_decimal(text)) return fail(Errc::Invalid, "must be a decimal number (RFC 1712 §3)");
  if (kind == Tag && (text.empty() || !std::ranges::all_of(text, is_letter_or_digit)))
    return fail(Errc::Invalid, "must be letters and digits, at least one (RFC 8659 §4.1)");
  if (kind == Hash && text.empty()) return fail(Errc::Invalid, "must not be empty (RFC 5155 §3.1.7)");
  return size;
}

Result<size_t> measure_strings(ByteView field) {
  if (field.empty()) return fail(Errc::Invalid, "at least one character-string is required (RFC 1035 §3.3.14)");
  for (size_t at = 0; at < field.size(); at += field[at] + size_t{1})
    if (field.size() - at < field[at] + size_t{1}) return fail(Errc::Invalid, "last character-string is cut short");
  return field.size();
}

Result<size_t> measure_fixed(size_t size, ByteView field) {
  if (field.size() < size) return fail(Errc::Invalid, "is cut short");
  return size;
}

Result<size_t> measure_nxt_bitmap(ByteView field) {
  if (field.empty() || field.size() > 16 || (field[0] & 0x80) != 0 || field.back() == 0)
    return fail(Errc::Invalid, "must be a bitmap of types below 128 without trailing zeros (RFC 2535 §5.2)");
  return field.size();
}

Result<size_t> whole_if(Result<void> checked, ByteView field) {
  if (!checked) return tl::unexpected(std::move(checked.error()));
  return field.size();
}

// Rules that no single field can keep.
Result<void> check_rules(RrType type, ByteView rdata) {
  switch (type) {
    case RrType::DS:
    case RrType::CDS:
    case RrType::DLV:
    case RrType::TA: {
      // RFC 3658 §2.4, RFC 4509 §2.2, RFC 5933 §2.1, RFC 6605 §2
      constexpr std::array<uint8_t, 5> sizes = {0, 20, 32, 32, 48};
      if (rdata[3] < sizes.size() && rdata[3] > 0 && rdata.size() - 4 != sizes[rdata[3]])
        return fail(Errc::Invalid,
                    "digest: must be of " + std::to_string(sizes[rdata[3]]) + " octets for its digest type");
      return {};
    }
    case RrType::ZONEMD: {
      const size_t size = rdata.size() - 6;
      if (size < 12) return fail(Errc::Invalid, "digest: must be of at least 12 octets (RFC 8976 §2.2.4)");
      if (rdata[4] == 1 && ((rdata[5] == 1 && size != 48) || (rdata[5] == 2 && size != 64)))
        return fail(Errc::Invalid, "digest: SHA-384 has 48 octets, SHA-512 has 64 (RFC 8976 §2.2.3)");
      return {};
    }
    case RrType::IPSECKEY:
      // RFC 4025 §2.4: algorithm 0 says that no key is present.
      if (rdata[2] != 0 && measure_gateway(rdata[1], rdata.subspan(3)).value_or(0) + 3 == rdata.size())
        return fail(Errc::Invalid, "public key: is missing (RFC 4025 §2.6)");
      return {};
    case RrType::KEY:
      // RFC 2535 §3.1.2: both bits set say that no key is present.
      if (rdata.size() == 4 && (rdata[0] & 0xc0) != 0xc0)
        return fail(Errc::Invalid, "public key: is missing (RFC 2535 §3.1.2)");
      return {};
    default: return {};
  }
}

}  // namespace

Result<size_t> measure_gateway(unsigned type, ByteView field) {
  switch (type) {
    case 0: return 0;
    case 1: return measure_fixed(4, field);
    case 2: return measure_fixed(16, field);
    case 3: return NameView::from_wire(field).map([](NameView name) { return name.size(); });
    default: return fail(Errc::Invalid, "is of an unknown type");
  }
}

Result<size_t> measure_field(FieldKind kind, ByteView rdata, size_t at) {
  const ByteView field = rdata.subspan(at);
  switch (kind) {
    case None: return 0;
    case U8:
    case Algorithm:
    case CertAlgorithm:
    case DigestType:
    case Protocol:
    case Scheme:
    case RelayType: return measure_fixed(1, field);
    case GatewayType:
      if (!field.empty() && field[0] > 3) return fail(Errc::Invalid, "must be 0 to 3 (RFC 4025 §2.3)");
      return measure_fixed(1, field);
    case U16:
    case Type:
    case CertType: return measure_fixed(2, field);
    case U32:
    case Period:
    case Time:
    case Ipv4: return measure_fixed(4, field);
    case Eui48: return measure_fixed(6, field);
    case Eui64:
    case Locator64: return measure_fixed(8, field);
    case Ipv6: return measure_fixed(16, field);
    case FieldKind::Name: return NameView::from_wire(field).map([](NameView name) { return name.size(); });
    case OptionalString: return field.empty() ? Result<size_t>(0) : measure_string(field);
    case String:
    case Salt: return measure_string(field);
    case DigitString:
    case DecimalString:
    case Tag:
    case Hash: return measure_some_string(kind, field);
    case Strings: return measure_strings(field);
    case Text:
    case OptionalBase64:
    case DashBase64: return field.size();
    case NonEmptyText:
    case Base64:
    case Hex:
      if (field.empty()) return fail(Errc::Invalid, "must not be empty");
      return field.size();
    case Bitmap:
      if (field.empty()) return fail(Errc::Invalid, "at least one type is required (RFC 4034 §4.1.2)");
      return whole_if(check_bitmap(field), field);
    case OptionalBitmap: return whole_if(check_bitmap(field), field);
    case NxtBitmap: return measure_nxt_bitmap(field);
    case SvcParams: return whole_if(check_svc_params(field), field);
    case Gateway: return measure_gateway(rdata[1], field);
    // RFC 8777 §4.2.3: other types are opaque to us.
    case Relay: return (rdata[1] & 0x7f) > 3 ? Result<size_t>(field.size()) : measure_gateway(rdata[1] & 0x7fU, field);
    case Loc:
    case Wks:
    case Nsap:
    case Atma:
    case A6:
    case Apl:
    case Hip: return measure_rare_field(kind, field);
  }
  return fail(Errc::Invalid, "unknown kind of field");
}

Result<void> check_rdata(RrType type, ByteView rdata) {
  if (rdata.size() > max_rdata_size) return fail(Errc::Invalid, "RDATA is longer than 65535 octets");
  const RdataLayout* layout = layout_of(type);
  if (layout == nullptr) return {};
  size_t at = 0;
  for (const auto& [kind, label] : layout->fields) {
    if (kind == None) break;
    const auto size = measure_field(kind, rdata, at);
    if (!size) return fail(Errc::Invalid, to_text(type) + " RDATA: " + label + ": " + size.error().what);
    at += *size;
  }
  if (at != rdata.size())
    return fail(Errc::Invalid, to_text(type) + " RDATA: " + std::to_string(rdata.size() - at) + " octets too many");
  if (const auto kept = check_rules(type, rdata); !kept) return fail(to_text(type) + " RDATA", kept.error());
  return {};
}

size_t rdata_names(RrType type, ByteView rdata, std::span<RdataName> into) {
  const RdataLayout* layout = layout_of(type);
  if (layout == nullptr || layout->names == NameRule::None) return 0;
  const bool compressible = layout->names == NameRule::Compress;
  size_t count = 0;
  const auto add_names = [&](size_t at, size_t end) {
    while (at < end && count < into.size()) {
      const auto name = NameView::from_wire(rdata.subspan(at, end - at));
      if (!name) return;
      into[count++] = {static_cast<uint16_t>(at), static_cast<uint16_t>(name->size()), compressible};
      at += name->size();
    }
  };
  size_t at = 0;
  for (const auto& [kind, label] : layout->fields) {
    if (kind == None || count == into.size()) break;
    const auto size = measure_field(kind, rdata, at);
    if (!size) break;
    if (kind == FieldKind::Name) add_names(at, at + *size);
    if ((kind == Gateway && rdata[1] == 3) || (kind == Relay && (rdata[1] & 0x7f) == 3)) add_names(at, at + *size);
    if (kind == A6 && rdata[0] > 0) add_names(1 + (135U - rdata[0]) / 8, rdata.size());
    if (kind == Hip) add_names(size_t{4} + rdata[0] + load_u16(&rdata[2]), rdata.size());
    at += *size;
  }
  return count;
}

void canonicalize_rdata(RrType type, MutableByteView rdata) {
  const RdataLayout* layout = layout_of(type);
  if (layout == nullptr || !lowers_names(layout->names)) return;
  std::array<RdataName, 8> names;
  const size_t count = rdata_names(type, rdata, names);
  for (const RdataName& name : std::span(names).first(count))
    for (uint8_t& octet : rdata.subspan(name.offset, name.size)) octet = fold(octet);
}

int compare_rdata(ByteView a, ByteView b) {
  const size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order;
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

}  // namespace steward::dns
