// RDATA of rare types from text.
#include <algorithm>

#include "dns/characters.hh"
#include "dns/rdata_rare_text.hh"
#include "dns/rdata_reader.hh"
#include "dns/text_parts.hh"

namespace steward::dns {
namespace {

// A decimal number in units of 10^-decimals: "1.5" is 1500 with three. At most nine digits before the dot.
std::optional<uint64_t> fixed_point(std::string_view text, size_t decimals) {
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, dot);
  const std::string_view part = dot < text.size() ? text.substr(dot + 1) : "";
  if (whole.empty() || whole.size() > 9 || part.size() > decimals || (dot < text.size() && part.empty())) return {};
  if (!std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(part, is_digit)) return {};
  uint64_t number = 0;
  for (const char c : whole) number = number * 10 + static_cast<uint64_t>(c - '0');
  for (size_t i = 0; i < decimals; ++i)
    number = number * 10 + (i < part.size() ? static_cast<uint64_t>(part[i] - '0') : 0);
  return number;
}

// RFC 1876 §3: d [m [s]] and a letter.
bool read_angle(RdataReader& reader, char positive, char negative, uint32_t most_degrees, uint32_t& angle) {
  constexpr std::array<uint64_t, 3> unit = {3600000, 60000, 1000};
  const std::array<uint64_t, 3> most = {most_degrees, 59, 59};
  uint64_t sum = 0;
  for (size_t part = 0; part < 4; ++part) {
    const Token* token = reader.take();
    if (token == nullptr) return false;
    const char letter = token->text.size() == 1 ? static_cast<char>(token->text[0] & ~0x20) : '\0';
    if (part > 0 && (letter == positive || letter == negative)) {
      if (sum > most_degrees * uint64_t{3600000})
        return reader.fail("is over " + std::to_string(most_degrees) + " degrees");
      angle = letter == positive ? static_cast<uint32_t>(0x80000000 + sum) : static_cast<uint32_t>(0x80000000 - sum);
      return true;
    }
    const auto number = part == 3 ? std::nullopt : fixed_point(token->text, part == 2 ? 3 : 0);
    if (!number || *number / (part == 2 ? 1000 : 1) > most[part]) break;
    sum += part == 2 ? *number : *number * unit[part];
  }
  return reader.fail("degrees, minutes, seconds with up to three decimals, then " + std::string(1, positive) + " or " +
                     std::string(1, negative) + " are expected (RFC 1876 §3)");
}

std::optional<uint64_t> centimetres(std::string_view text) {
  if (text.ends_with('m') || text.ends_with('M')) text.remove_suffix(1);
  return fixed_point(text, 2);
}

// A size or precision, rounded down to one digit and a power of ten.
bool read_loc_size(RdataReader& reader, uint8_t& size) {
  if (!reader.more()) return true;
  auto length = centimetres(reader.take()->text);
  if (!length || *length > 9000000000) return reader.fail("metres from 0.00 to 90000000.00 are expected (RFC 1876 §3)");
  uint8_t exponent = 0;
  for (; *length >= 10; *length /= 10) ++exponent;
  size = static_cast<uint8_t>(*length << 4 | exponent);
  return true;
}

std::optional<uint16_t> protocol_number(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, uint16_t>, 3> known = {{{"icmp", 1}, {"tcp", 6}, {"udp", 17}}};
  for (const auto& [name, number] : known)
    if (std::ranges::equal(word, name, {}, [](char c) { return static_cast<char>(c | 0x20); })) return number;
  return {};
}

// The services of RFC 1010 that master files of the time name.
std::optional<uint16_t> service_port(std::string_view word) {
  constexpr auto known = std::to_array<std::pair<std::string_view, uint16_t>>(
      {{"echo", 7},      {"discard", 9},     {"systat", 11}, {"daytime", 13},    {"netstat", 15},
       {"ftp-data", 20}, {"ftp", 21},        {"telnet", 23}, {"smtp", 25},       {"time", 37},
       {"name", 42},     {"nameserver", 42}, {"whois", 43},  {"domain", 53},     {"tftp", 69},
       {"gopher", 70},   {"finger", 79},     {"http", 80},   {"hostnames", 101}, {"pop3", 110},
       {"sunrpc", 111},  {"nntp", 119},      {"ntp", 123},   {"snmp", 161},      {"https", 443}});
  for (const auto& [name, port] : known)
    if (std::ranges::equal(word, name, {},
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }))
      return port;
  return {};
}

std::optional<uint32_t> read_number_or(RdataReader& reader, uint32_t most,
                                       std::optional<uint16_t> (*named)(std::string_view)) {
  if (reader.more())
    if (const auto number = named(reader.peek().text)) {
      reader.skip();
      return *number;
    }
  return reader.read_number(most);
}

// `[!]family:address/prefix`
bool read_apl_item(RdataReader& reader) {
  constexpr std::string_view rule = "[!]1:IPv4/prefix or [!]2:IPv6/prefix is expected (RFC 3123 §5)";
  std::string_view text = reader.take()->text;
  const bool negated = text.starts_with('!');
  if (negated) text.remove_prefix(1);
  const size_t slash = text.rfind('/');
  if (text.size() < 4 || text[1] != ':' || slash == text.npos || slash < 2) return reader.fail(rule);
  const std::string_view address = text.substr(2, slash - 2);
  const auto prefix = fixed_point(text.substr(slash + 1), 0);
  std::array<uint8_t, 16> octets{};
  const bool sound = text[0] == '1'   ? parse_ipv4(address, octets.data()) && prefix && *prefix <= 32
                     : text[0] == '2' ? parse_ipv6(address, octets.data()) && prefix && *prefix <= 128
                                      : false;
  if (!sound) return reader.fail(rule);
  size_t size = octets.size();
  while (size > 0 && octets[size - 1] == 0) --size;
  append_u16(reader.out(), static_cast<uint16_t>(text[0] - '0'));
  append_u8(reader.out(), static_cast<uint8_t>(*prefix));
  append_u8(reader.out(), static_cast<uint8_t>(size | (negated ? 0x80U : 0U)));
  append(reader.out(), ByteView(octets.data(), size));
  return true;
}

}  // namespace

bool read_loc(RdataReader& reader) {
  uint32_t latitude = 0;
  uint32_t longitude = 0;
  reader.begin("latitude");
  if (!read_angle(reader, 'N', 'S', 90, latitude)) return false;
  reader.begin("longitude");
  if (!read_angle(reader, 'E', 'W', 180, longitude)) return false;
  reader.begin("altitude");
  const Token* token = reader.take();
  if (token == nullptr) return false;
  std::string_view text = token->text;
  const bool below = text.starts_with('-');
  if (below || text.starts_with('+')) text.remove_prefix(1);
  const auto altitude = centimetres(text);
  constexpr uint64_t reference = 10000000;  // 100,000 m below the spheroid (RFC 1876 §2)
  if (!altitude || (below ? *altitude > reference : *altitude > UINT32_MAX - reference))
    return reader.fail("metres from -100000.00 to 42849672.95 are expected (RFC 1876 §3)");
  std::array<uint8_t, 3> sizes = {0x12, 0x16, 0x13};  // 1 m, 10,000 m, 10 m
  constexpr std::array<const char*, 3> labels = {"size", "horizontal precision", "vertical precision"};
  for (size_t i = 0; i < sizes.size(); ++i) {
    reader.begin(labels[i]);
    if (!read_loc_size(reader, sizes[i])) return false;
  }
  append_u8(reader.out(), 0);
  append(reader.out(), sizes);
  append_u32(reader.out(), latitude);
  append_u32(reader.out(), longitude);
  append_u32(reader.out(), static_cast<uint32_t>(below ? reference - *altitude : reference + *altitude));
  return true;
}

bool read_wks(RdataReader& reader) {
  reader.begin("address");
  if (!reader.read_ipv4()) return false;
  reader.begin("protocol");
  const auto protocol = read_number_or(reader, 255, protocol_number);
  if (!protocol) return false;
  append_u8(reader.out(), static_cast<uint8_t>(*protocol));
  reader.begin("port");
  const size_t start = reader.out().size();
  while (reader.more()) {
    const auto port = read_number_or(reader, 65535, service_port);
    if (!port) return false;
    if (reader.out().size() < start + *port / 8 + 1) reader.out().resize(start + *port / 8 + 1);
    reader.out()[start + *port / 8] |= static_cast<uint8_t>(0x80 >> *port % 8);
  }
  return true;
}

bool read_nsap(RdataReader& reader) {
  const Token* token = reader.take();
  if (token == nullptr) return false;
  std::string_view text = token->text;
  if (!text.starts_with("0x") && !text.starts_with("0X")) return reader.fail("must start with 0x (RFC 1706 §7)");
  text.remove_prefix(2);
  TextDecoder decoder(hex);
  while (!text.empty()) {
    const size_t dot = std::min(text.find('.'), text.size());
    if (!decoder.feed(text.substr(0, dot), reader.out())) return reader.fail(decoder.error());
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return decoder.finish() || reader.fail(decoder.error());
}

bool read_atma(RdataReader& reader) {
  const Token* token = reader.take();
  if (token == nullptr) return false;
  const bool e164 = token->text.starts_with('+');
  append_u8(reader.out(), e164 ? 1 : 0);
  TextDecoder decoder(hex);
  if (token->text.size() < 2) return reader.fail("+digits or hex is expected");
  if (e164)
    append(reader.out(), as_bytes(token->text.substr(1)));
  else if (!decoder.feed(token->text, reader.out()) || !decoder.finish())
    return reader.fail(decoder.error());
  return true;
}

bool read_a6(RdataReader& reader) {
  reader.begin("prefix length");
  const auto prefix = reader.read_number(128);
  if (!prefix) return false;
  append_u8(reader.out(), static_cast<uint8_t>(*prefix));
  if (*prefix < 128) {
    reader.begin("address suffix");
    const Token* token = reader.take();
    std::array<uint8_t, 16> address;
    if (token == nullptr) return false;
    if (!parse_ipv6(token->text, address.data())) return reader.fail("an IPv6 address is expected (RFC 2874 §3.2)");
    const size_t first = *prefix / 8;
    address[first] &= static_cast<uint8_t>(0xff >> *prefix % 8);
    append(reader.out(), ByteView(address).subspan(first));
  }
  if (*prefix == 0) return true;
  reader.begin("prefix name");
  return reader.read_name();
}

bool read_apl(RdataReader& reader) {
  while (reader.more())
    if (!read_apl_item(reader)) return false;
  return true;
}

bool read_hip(RdataReader& reader) {
  Bytes& out = reader.out();
  const size_t start = out.size();
  reader.begin("public key algorithm");
  const auto algorithm = reader.read_number(255);
  if (!algorithm) return false;
  out.insert(out.end(), 4, 0);
  reader.begin("host identity tag");
  if (!reader.read_encoded_word(hex)) return false;
  const size_t hit = out.size() - start - 4;
  if (hit == 0 || hit > 255) return reader.fail("must be 1 to 255 octets (RFC 8005 §5)");
  reader.begin("public key");
  if (!reader.read_encoded_word(base64)) return false;
  const size_t key = out.size() - start - 4 - hit;
  if (key == 0 || key > 65535) return reader.fail("must be 1 to 65535 octets (RFC 8005 §5)");
  out[start] = static_cast<uint8_t>(hit);
  out[start + 1] = static_cast<uint8_t>(*algorithm);
  store_u16(&out[start + 2], static_cast<uint16_t>(key));
  reader.begin("rendezvous server");
  while (reader.more())
    if (!reader.read_name()) return false;
  return true;
}

}  // namespace steward::dns
