// SvcParams from text (RFC 9460 §2.1 and App. A).
#include <algorithm>
#include <vector>

#include "dns/rdata_reader.hh"
#include "dns/svc_params.hh"
#include "dns/text_parts.hh"

namespace steward::dns {
namespace {

// Calls `each` for the words between the commas of a simple list, in which nothing is escaped.
template <class Each>
bool for_each_word(std::string_view list, Each each) {
  while (true) {
    const size_t comma = std::min(list.find(','), list.size());
    if (!each(list.substr(0, comma))) return false;
    if (comma == list.size()) return true;
    list.remove_prefix(comma + 1);
  }
}

bool read_mandatory(RdataReader& reader, std::string_view list) {
  const size_t start = reader.out().size();
  const bool sound = for_each_word(list, [&](std::string_view word) {
    const auto key = svc_key_from_text(word);
    if (key) append_u16(reader.out(), *key);
    return key.has_value();
  });
  if (!sound) return reader.fail("mandatory must list keys, with commas between them (RFC 9460 §8)");
  // RFC 9460 §8: in any order in text, ascending on the wire. A repeat is found by the check of the whole.
  Bytes& out = reader.out();
  for (size_t i = start + 2; i < out.size(); i += 2)
    for (size_t j = i; j > start && load_u16(&out[j - 2]) > load_u16(&out[j]); j -= 2)
      std::swap_ranges(&out[j - 2], &out[j], &out[j]);
  return true;
}

// RFC 9460 App. A.1: a comma separates, `\,` and `\\` are a comma and a backslash.
bool read_alpn(RdataReader& reader, std::string_view list) {
  constexpr std::string_view rule =
      "alpn must list protocols of 1 to 255 octets, with commas between them (RFC 9460 §7.1.1)";
  Bytes& out = reader.out();
  size_t length_at = out.size();
  out.push_back(0);
  for (size_t at = 0; at <= list.size(); ++at) {
    if (at == list.size() || list[at] == ',') {
      const size_t size = out.size() - length_at - 1;
      if (size == 0 || size > 255) return reader.fail(rule);
      out[length_at] = static_cast<uint8_t>(size);
      if (at == list.size()) return true;
      length_at = out.size();
      out.push_back(0);
      continue;
    }
    if (list[at] == '\\' && (++at == list.size() || (list[at] != ',' && list[at] != '\\')))
      return reader.fail("in a list, a backslash stands before a comma or a backslash only (RFC 9460 App. A.1)");
    out.push_back(static_cast<uint8_t>(list[at]));
  }
  return true;
}

bool read_port(RdataReader& reader, std::string_view text) {
  uint32_t port = 0;
  const bool digits =
      !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  for (const char c : digits ? text : "") port = port * 10 + static_cast<uint32_t>(c - '0');
  if (!digits || port > 65535) return reader.fail("port must be a number from 0 to 65535 (RFC 9460 §7.2)");
  append_u16(reader.out(), static_cast<uint16_t>(port));
  return true;
}

bool read_hints(RdataReader& reader, std::string_view list, bool (*parse)(std::string_view, uint8_t*), size_t size) {
  const bool sound = for_each_word(list, [&](std::string_view word) {
    std::array<uint8_t, 16> address;
    if (!parse(word, address.data())) return false;
    append(reader.out(), ByteView(address).first(size));
    return true;
  });
  return sound || reader.fail("addresses with commas between them are expected (RFC 9460 §7.3)");
}

bool read_value(RdataReader& reader, uint16_t key, std::string_view octets) {
  switch (static_cast<SvcKey>(key)) {
    case SvcKey::Mandatory: return read_mandatory(reader, octets);
    case SvcKey::Alpn: return read_alpn(reader, octets);
    case SvcKey::Port: return read_port(reader, octets);
    case SvcKey::Ipv4Hint: return read_hints(reader, octets, parse_ipv4, 4);
    case SvcKey::Ipv6Hint: return read_hints(reader, octets, parse_ipv6, 16);
    case SvcKey::Ech: {
      TextDecoder decoder(base64);
      return (decoder.feed(octets, reader.out()) && decoder.finish()) || reader.fail(decoder.error());
    }
    default: append(reader.out(), as_bytes(octets)); return true;
  }
}

// Takes the token of one parameter, and the quoted one behind it where the scanner cut at the quote.
bool take_param(RdataReader& reader, uint16_t& key, Token& value) {
  const Token& token = *reader.take();
  const size_t equals = std::min(token.text.find('='), token.text.size());
  const std::string_view word = token.text.substr(0, equals);
  const auto number = svc_key_from_text(word);
  if (!number) return reader.fail("is not a SvcParamKey, nor keyNNNNN (RFC 9460 §2.1)");
  key = *number;
  value = token;
  value.text = equals < token.text.size() ? token.text.substr(equals + 1) : std::string_view();
  if (value.text.size() >= 2 && value.text.front() == '"' && value.text.back() == '"' && !token.quoted)
    value.text = value.text.substr(1, value.text.size() - 2);
  const char* end = token.text.data() + token.text.size();
  if (equals + 1 == token.text.size() && reader.more() && reader.peek().quoted && reader.peek().text.data() == end + 1)
    value = *reader.take();
  return true;
}

bool read_param(RdataReader& reader, uint16_t& key) {
  Token value;
  if (!take_param(reader, key, value)) return false;
  Bytes& out = reader.out();
  append_u16(out, key);
  const size_t length_at = out.size();
  append_u16(out, 0);
  if (!value.escaped || key > static_cast<uint16_t>(SvcKey::Ohttp)) {
    const bool opaque = key > static_cast<uint16_t>(SvcKey::Ohttp);
    if (opaque ? !reader.append_octets(value, 65535, "value is longer than 65535 octets")
               : !read_value(reader, key, value.text))
      return false;
  } else {
    // The escapes of the character-string are undone first, behind what is there, and the value is read from a copy.
    if (!reader.append_octets(value, 65535, "value is longer than 65535 octets")) return false;
    const std::string octets(as_text(ByteView(out).subspan(length_at + 2)));
    out.resize(length_at + 2);
    if (!read_value(reader, key, octets)) return false;
  }
  const size_t size = out.size() - length_at - 2;
  if (size > 65535) return reader.fail("value is longer than 65535 octets");
  store_u16(&out[length_at], static_cast<uint16_t>(size));
  return true;
}

// RFC 9460 §2.2: ascending on the wire, whatever the order in text.
void sort_params(Bytes& out, size_t start) {
  const Bytes copy(out.begin() + static_cast<std::ptrdiff_t>(start), out.end());
  std::vector<SvcParam> params;
  ByteView rest = copy;
  while (const auto param = next_svc_param(rest)) params.push_back(*param);
  std::ranges::stable_sort(params, {}, &SvcParam::key);
  out.resize(start);
  for (const auto& [key, value] : params) {
    append_u16(out, key);
    append_u16(out, static_cast<uint16_t>(value.size()));
    append(out, value);
  }
}

}  // namespace

bool read_svc_params(RdataReader& reader) {
  reader.begin("SvcParam");
  const size_t start = reader.out().size();
  int last = -1;
  bool ascending = true;
  while (reader.more()) {
    uint16_t key = 0;
    if (!read_param(reader, key)) return false;
    if (key == last) return reader.fail("a key may stand there once only (RFC 9460 §2.1)");
    ascending = ascending && key > last;
    last = key;
  }
  if (!ascending) sort_params(reader.out(), start);
  return true;
}

}  // namespace steward::dns
