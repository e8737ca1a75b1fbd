// RDATA from text: the fields of the layout table, and the generic form of RFC 3597.
#include "dns/mnemonics.hh"
#include "dns/rdata_fields.hh"
#include "dns/rdata_rare_text.hh"
#include "dns/rdata_reader.hh"
#include "dns/text_parts.hh"
#include "dns/time_text.hh"
#include "dns/ttl.hh"
#include "dns/type_bitmap.hh"

namespace steward::dns {

using enum FieldKind;

bool RdataReader::read_integer(FieldKind kind) {
  const bool is_wide = kind == U16 || kind == CertType;
  const uint32_t most = kind == U32 ? UINT32_MAX : is_wide ? 65535 : 255;
  std::optional<uint32_t> number;
  // A mnemonic starts with a letter, a number never does.
  if (kind != U8 && kind != U16 && kind != U32 && more() && !peek().text.empty() && !looks_like_ttl(peek().text)) {
    number = number_of_mnemonic(kind, take()->text);
    if (!number) return fail("neither a number nor a known mnemonic");
  } else {
    number = read_number(kind == GatewayType ? 3 : most);
  }
  if (!number) return false;
  if (most == UINT32_MAX)
    append_u32(out_, *number);
  else if (is_wide)
    append_u16(out_, static_cast<uint16_t>(*number));
  else
    append_u8(out_, static_cast<uint8_t>(*number));
  return true;
}

bool RdataReader::read_period() {
  const Token* token = take();
  if (token == nullptr) return false;
  const auto seconds = period_from_text(token->text);
  if (!seconds) return fail(seconds.error().what);
  append_u32(out_, *seconds);
  return true;
}

bool RdataReader::read_time() {
  const Token* token = take();
  if (token == nullptr) return false;
  const auto seconds = rrsig_time_from_text(token->text);
  if (!seconds) return fail(seconds.error().what);
  append_u32(out_, *seconds);
  return true;
}

bool RdataReader::read_type() {
  const Token* token = take();
  if (token == nullptr) return false;
  const auto type = rr_type_from_text(token->text);
  if (!type) return fail("is not the mnemonic of an RR type, nor TYPEnnn (RFC 3597 §5)");
  append_u16(out_, value(*type));
  return true;
}

bool RdataReader::read_strings() {
  do {
    if (!read_string()) return false;
  } while (more());
  return true;
}

bool RdataReader::read_tag() {
  if (!more()) return take() != nullptr;
  if (peek().text.empty() || peek().text.size() > 255) {
    skip();
    return fail("must be 1 to 255 letters and digits (RFC 8659 §4.1)");
  }
  const Token& token = *take();
  append_u8(out_, static_cast<uint8_t>(token.text.size()));
  append(out_, as_bytes(token.text));
  return true;
}

bool RdataReader::read_salt() {
  if (more() && peek().text == "-") {
    skip();
    append_u8(out_, 0);
    return true;
  }
  const size_t length_at = out_.size();
  append_u8(out_, 0);
  if (!read_encoded_word(hex)) return false;
  const size_t size = out_.size() - length_at - 1;
  if (size == 0 || size > 255) return fail("a salt is `-` or 1 to 255 octets in hex (RFC 5155 §3.3)");
  out_[length_at] = static_cast<uint8_t>(size);
  return true;
}

bool RdataReader::read_hash() {
  const size_t length_at = out_.size();
  append_u8(out_, 0);
  if (!read_encoded_word(base32hex)) return false;
  const size_t size = out_.size() - length_at - 1;
  if (size == 0 || size > 255) return fail("a hash is 1 to 255 octets in base32hex (RFC 5155 §3.3)");
  out_[length_at] = static_cast<uint8_t>(size);
  return true;
}

bool RdataReader::read_bitmap(bool may_be_empty) {
  if (!more() && !may_be_empty) return take() != nullptr;
  if (!more()) return true;
  TypeBitmap types;
  while (more()) {
    const auto type = rr_type_from_text(take()->text);
    if (!type) return fail("is not the mnemonic of an RR type, nor TYPEnnn (RFC 3597 §5)");
    types.add(*type);
  }
  types.append_to(out_);
  return true;
}

bool RdataReader::read_nxt_bitmap() {
  std::array<uint8_t, 16> bits{};
  size_t size = 0;
  if (!more()) return take() != nullptr;
  while (more()) {
    const auto type = rr_type_from_text(take()->text);
    if (!type || value(*type) == 0 || value(*type) > 127) return fail("must be a type below 128 (RFC 2535 §5.2)");
    const size_t octet = value(*type) / 8;
    bits[octet] |= static_cast<uint8_t>(0x80 >> value(*type) % 8);
    size = std::max(size, octet + 1);
  }
  append(out_, ByteView(bits.data(), size));
  return true;
}

bool RdataReader::read_locator64() {
  constexpr std::string_view rule = "four groups of one to four hex digits are expected (RFC 6742 §2.1)";
  const Token* token = take();
  if (token == nullptr) return false;
  std::string_view text = token->text;
  for (int group = 0; group < 4; ++group) {
    const size_t size = std::min(text.find(':'), text.size());
    if (size == 0 || size > 4 || (group < 3) != (size < text.size())) return fail(rule);
    unsigned number = 0;
    for (const char c : text.substr(0, size)) {
      const uint8_t digit = hex.value[static_cast<uint8_t>(c)];
      if (digit == 0xff) return fail(rule);
      number = number << 4 | digit;
    }
    append_u16(out_, static_cast<uint16_t>(number));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return true;
}

bool RdataReader::read_eui(size_t size) {
  const Token* token = take();
  if (token == nullptr) return false;
  const std::string_view text = token->text;
  bool sound = text.size() == size * 3 - 1;
  for (size_t i = 0; sound && i < size; ++i) {
    const uint8_t high = hex.value[static_cast<uint8_t>(text[i * 3])];
    const uint8_t low = hex.value[static_cast<uint8_t>(text[i * 3 + 1])];
    sound = high != 0xff && low != 0xff && (i + 1 == size || text[i * 3 + 2] == '-');
    append_u8(out_, static_cast<uint8_t>(high << 4 | (low & 0x0f)));
  }
  return sound || fail(std::to_string(size) + " pairs of hex digits with - between them are expected (RFC 7043)");
}

bool RdataReader::read_gateway(unsigned type) {
  switch (type) {
    case 0:
      if (const Token* token = take(); token == nullptr || token->text != ".")
        return token != nullptr && fail("must be `.` for type 0 (RFC 4025 §3.1, RFC 8777 §4.3.1)");
      return true;
    case 1: return read_ipv4();
    case 2: return read_ipv6();
    case 3: return read_name();
    default: skip(); return fail("the type before it is not 0 to 3");
  }
}

bool RdataReader::read_relay_type() {
  const auto discovery = read_number(1);
  const auto type = discovery ? read_number(127) : std::nullopt;
  if (!type) return false;
  append_u8(out_, static_cast<uint8_t>(*discovery << 7 | *type));
  return true;
}

bool RdataReader::read_field(FieldKind kind, RrType type) {
  switch (kind) {
    case None: return true;
    case U8:
    case U16:
    case U32:
    case Algorithm:
    case CertAlgorithm:
    case DigestType:
    case CertType:
    case Protocol:
    case Scheme:
    case GatewayType: return read_integer(kind);
    case Period: return read_period();
    case Time: return read_time();
    case Type: return read_type();
    case FieldKind::Name: return read_name();
    case Ipv4: return read_ipv4();
    case Ipv6: return read_ipv6();
    case String:
    case DigitString:
    case DecimalString: return read_string();
    case OptionalString: return !more() || read_string();
    case Strings: return read_strings();
    default: return read_special(kind, type);
  }
}

bool RdataReader::read_special(FieldKind kind, RrType type) {
  switch (kind) {
    case Text:
    case NonEmptyText: {
      const Token* token = take();
      return token != nullptr && append_octets(*token, max_rdata_size, "RDATA is longer than 65535 octets");
    }
    case Tag: return read_tag();
    case Base64: return read_encoded_rest(base64, false);
    case OptionalBase64: return read_encoded_rest(base64, true);
    case DashBase64:
      if (!more() || peek().text != "-") return read_encoded_rest(base64, false);
      skip();
      return true;
    case Hex: return read_encoded_rest(hex, false);
    case Salt: return read_salt();
    case Hash: return read_hash();
    case Bitmap: return read_bitmap(false);
    case OptionalBitmap: return read_bitmap(true);
    case NxtBitmap: return read_nxt_bitmap();
    case Locator64: return read_locator64();
    case Eui48: return read_eui(6);
    case Eui64: return read_eui(8);
    case SvcParams: return read_svc_params(*this);
    case Gateway: return read_gateway(out_[start_ + 1]);
    case RelayType: return read_relay_type();
    case Relay: return read_gateway(out_[start_ + 1] & 0x7fU);
    case Loc: return read_loc(*this);
    case Wks: return read_wks(*this);
    case Nsap: return read_nsap(*this);
    case Atma: return read_atma(*this);
    case A6: return read_a6(*this);
    case Apl: return read_apl(*this);
    case Hip: return read_hip(*this);
    default: return fail("no text form for " + to_text(type));
  }
}

namespace {

// RFC 3597 §5: `\#`, the length in octets, the octets in hex in any number of words.
bool read_generic(RdataReader& reader) {
  reader.skip();
  reader.begin("RDATA length");
  const auto size = reader.read_number(max_rdata_size);
  if (!size) return false;
  const size_t before = reader.out().size();
  reader.begin("RDATA in hex");
  if (!reader.read_encoded_rest(hex, *size == 0)) return false;
  if (reader.out().size() - before == *size) return true;
  return reader.fail("the length given is " + std::to_string(*size) + ", but there are " +
                     std::to_string(reader.out().size() - before) + " octets (RFC 3597 §5)");
}

// These kinds are sound as they are read; RDATA with any other is checked as a whole afterwards.
constexpr bool sound_as_read(FieldKind kind) {
  switch (kind) {
    case None:
    case U8:
    case U16:
    case U32:
    case Algorithm:
    case Period:
    case Time:
    case Type:
    case FieldKind::Name:
    case Ipv4:
    case Ipv6:
    case String:
    case Strings:
    case Base64: return true;
    default: return false;
  }
}

bool read_layout(RdataReader& reader, const RdataLayout& layout, bool& check) {
  for (const auto& [kind, label] : layout.fields) {
    if (kind == None) break;
    check |= !sound_as_read(kind);
    reader.begin(label);
    if (!reader.read_field(kind, layout.type)) return false;
  }
  if (!reader.more()) return true;
  reader.skip();
  reader.begin("word");
  return reader.fail("nothing may follow the RDATA of " + to_text(layout.type));
}

}  // namespace

tl::expected<void, RdataError> rdata_from_tokens(RrType type, std::span<const Token> tokens, NameView origin,
                                                 Bytes& out) {
  const size_t before = out.size();
  const auto failed = [&](RdataError error) {
    out.resize(before);
    return tl::unexpected(std::move(error));
  };
  RdataReader reader(tokens, origin, out);
  const RdataLayout* layout = layout_of(type);
  bool check = false;
  if (!tokens.empty() && tokens[0].text == "\\#" && !tokens[0].quoted) {
    check = true;
    if (!read_generic(reader)) return failed(std::move(reader.error()));
  } else if (layout == nullptr) {
    return failed({0, to_text(type) + " has no text form but \\# (RFC 3597 §5)"});
  } else if (!read_layout(reader, *layout, check)) {
    return failed(std::move(reader.error()));
  }
  const size_t last = tokens.empty() ? 0 : tokens.size() - 1;
  if (out.size() - before > max_rdata_size) return failed({last, "RDATA is longer than 65535 octets"});
  if (check)
    if (const auto sound = check_rdata(type, ByteView(out).subspan(before)); !sound)
      return failed({last, sound.error().what});
  return {};
}

}  // namespace steward::dns
