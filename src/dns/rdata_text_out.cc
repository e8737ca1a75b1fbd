// RDATA to text, in BIND's spelling.
#include "dns/mnemonics.hh"
#include "dns/rdata_fields.hh"
#include "dns/rdata_rare_text.hh"
#include "dns/svc_params.hh"
#include "dns/text_parts.hh"
#include "dns/time_text.hh"
#include "dns/type_bitmap.hh"

namespace steward::dns {
namespace {

using enum FieldKind;

void append_strings(std::string& out, ByteView field) {
  for (bool first = true; !field.empty(); first = false, field = field.subspan(field[0] + size_t{1})) {
    if (!first) out += ' ';
    append_quoted(out, field.subspan(1, field[0]));
  }
}

void append_bitmap(std::string& out, ByteView field) {
  bool first = true;
  for_each_type(field, [&](RrType type) {
    if (!first) out += ' ';
    first = false;
    out += to_text(type);
  });
}

void append_nxt_bitmap(std::string& out, ByteView field) {
  bool first = true;
  for (unsigned bit = 0; bit < field.size() * 8; ++bit) {
    if ((field[bit / 8] & 0x80U >> bit % 8) == 0) continue;
    if (!first) out += ' ';
    first = false;
    out += to_text(static_cast<RrType>(bit));
  }
}

void append_mnemonic(std::string& out, FieldKind kind, uint16_t number) {
  const std::string_view text = mnemonic_of(kind, number);
  if (text.empty())
    append_number(out, number);
  else
    out += text;
}

void append_dashed(std::string& out, const Alphabet& alphabet, ByteView bytes) {
  if (bytes.empty())
    out += '-';
  else
    append_encoded(out, alphabet, bytes);
}

void append_eui(std::string& out, ByteView address) {
  for (size_t i = 0; i < address.size(); ++i) {
    if (i > 0) out += '-';
    append_encoded(out, hex_lower, address.subspan(i, 1));
  }
}

void append_locator64(std::string& out, ByteView field) {
  for (size_t i = 0; i < 8; i += 2) {
    if (i > 0) out += ':';
    char digits[4];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, load_u16(&field[i]), 16).ptr);
  }
}

void append_gateway(std::string& out, unsigned type, ByteView field) {
  switch (type) {
    case 1: return append_ipv4(out, field);
    case 2: return append_ipv6(out, field);
    case 3: return append_name(out, NameView(field.data(), field.size()));
    default: out += '.';
  }
}

// `field` is exactly the field, and sound.
void append_field(std::string& out, FieldKind kind, ByteView rdata, ByteView field) {
  switch (kind) {
    case None: return;
    case U8:
    case Algorithm:
    case DigestType:
    case Protocol:
    case GatewayType: return append_number(out, field[0]);
    case CertAlgorithm:
    case Scheme: return append_mnemonic(out, kind, field[0]);
    case U16: return append_number(out, load_u16(field.data()));
    case CertType: return append_mnemonic(out, kind, load_u16(field.data()));
    case Type: out += to_text(static_cast<RrType>(load_u16(field.data()))); return;
    case U32:
    case Period: return append_number(out, load_u32(field.data()));
    case Time: return append_rrsig_time_text(out, load_u32(field.data()));
    case FieldKind::Name: return append_name(out, NameView(field.data(), field.size()));
    case Ipv4: return append_ipv4(out, field);
    case Ipv6: return append_ipv6(out, field);
    case String:
    case OptionalString:
    case DigitString:
    case DecimalString: return append_quoted(out, field.subspan(1));
    case Strings: return append_strings(out, field);
    case Text:
    case NonEmptyText: return append_quoted(out, field);
    case Tag: out += as_text(field.subspan(1)); return;
    case Base64:
    case OptionalBase64: return append_encoded(out, base64, field);
    case DashBase64: return append_dashed(out, base64, field);
    case Hex: return append_encoded(out, hex, field);
    case Salt: return append_dashed(out, hex, field.subspan(1));
    case Hash: return append_encoded(out, base32hex, field.subspan(1));
    case Bitmap:
    case OptionalBitmap: return append_bitmap(out, field);
    case NxtBitmap: return append_nxt_bitmap(out, field);
    case Locator64: return append_locator64(out, field);
    case Eui48:
    case Eui64: return append_eui(out, field);
    case SvcParams: return append_svc_params(out, field);
    case Gateway: return append_gateway(out, rdata[1], field);
    case RelayType:
      append_number(out, field[0] >> 7);
      out += ' ';
      return append_number(out, field[0] & 0x7f);
    case Relay: return append_gateway(out, rdata[1] & 0x7fU, field);
    case Loc: return append_loc(out, field);
    case Wks: return append_wks(out, field);
    case Nsap: out += "0x"; return append_encoded(out, hex_lower, field);
    case Atma: return append_atma(out, field);
    case A6: return append_a6(out, field);
    case Apl: return append_apl(out, field);
    case Hip: return append_hip(out, field);
  }
}

// Whether a field without octets is left out, and the space before it too.
bool vanishes_when_empty(FieldKind kind) {
  return kind == OptionalString || kind == OptionalBase64 || kind == OptionalBitmap || kind == SvcParams || kind == Apl;
}

void append_generic(std::string& out, ByteView rdata) {
  out += "\\# ";
  append_number(out, static_cast<uint32_t>(rdata.size()));
  if (rdata.empty()) return;
  out += ' ';
  append_encoded(out, hex, rdata);
}

}  // namespace

void append_rdata_text(std::string& out, RrType type, ByteView rdata) {
  const RdataLayout* layout = layout_of(type);
  if (layout == nullptr || !check_rdata(type, rdata) || !has_text_form(type, rdata)) return append_generic(out, rdata);
  size_t at = 0;
  bool first = true;
  for (const auto& [kind, label] : layout->fields) {
    if (kind == None) break;
    const size_t size = measure_field(kind, rdata, at).value_or(0);
    if (size > 0 || !vanishes_when_empty(kind)) {
      if (!first) out += ' ';
      first = false;
      append_field(out, kind, rdata, rdata.subspan(at, size));
    }
    at += size;
  }
}

std::string rdata_to_text(RrType type, ByteView rdata) {
  std::string text;
  append_rdata_text(text, type, rdata);
  return text;
}

std::string rdata_to_generic_text(ByteView rdata) {
  std::string text;
  append_generic(text, rdata);
  return text;
}

}  // namespace steward::dns
