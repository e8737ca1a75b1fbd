// What every type needs: numbers, names, strings, addresses, encoded data.
#include "dns/rdata_reader.hh"

#include <algorithm>

#include "dns/characters.hh"
#include "dns/text_parts.hh"

namespace steward::dns {
namespace {

// One octet of `text` from `at` on, escapes undone (RFC 1035 §5.1); negative where the escape is none.
int unescape(std::string_view text, size_t& at) {
  const char c = text[at++];
  if (c != '\\') return static_cast<uint8_t>(c);
  if (at >= text.size()) return -1;
  if (!is_digit(text[at])) return static_cast<uint8_t>(text[at++]);
  if (text.size() - at < 3 || !is_digit(text[at + 1]) || !is_digit(text[at + 2])) return -1;
  const int octet = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  at += 3;
  return octet <= 255 ? octet : -1;
}

constexpr const char* bad_escape = "an escape is \\DDD, at most \\255, or a backslash and a character (RFC 1035 §5.1)";

// What an error quotes of a token: enough to find it, nothing that breaks a terminal.
std::string shown(std::string_view text) {
  std::string result;
  append_quoted(result, as_bytes(text.substr(0, 60)));
  if (text.size() > 60) result += "…";
  return result;
}

}  // namespace

bool RdataReader::fail(std::string_view rule) {
  error_.token = next_ > 0 ? next_ - 1 : 0;
  error_.what = label_;
  if (error_.token < tokens_.size()) error_.what += " " + shown(tokens_[error_.token].text);
  error_.what += ": ";
  error_.what += rule;
  return false;
}

void RdataReader::missing() {
  error_.token = tokens_.size();
  error_.what = std::string(label_) + " is missing";
}

std::optional<uint32_t> RdataReader::read_number(uint32_t most) {
  const Token* token = take();
  if (token == nullptr) return {};
  uint64_t number = 0;
  bool sound = !token->text.empty() && token->text.size() <= 20;
  for (const char c : token->text) {
    if (!is_digit(c) || number > most) sound = false;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  if (!sound || number > most) {
    fail("a number from 0 to " + std::to_string(most) + " is expected");
    return {};
  }
  return static_cast<uint32_t>(number);
}

bool RdataReader::append_name(const Token& token) {
  const std::string_view text = token.text;
  if (text == "@" || text == ".") {
    if (text == "@")
      append(out_, origin_.wire());
    else
      out_.push_back(0);
    return true;
  }
  std::array<uint8_t, max_name_size> wire;
  size_t size = 1;  // octets written, with the open label's length octet
  size_t label_start = 0;
  bool absolute = false;
  constexpr const char* too_long = "name is longer than 255 octets (RFC 1035 §3.1)";
  for (size_t at = 0; at < text.size();) {
    // Most labels are runs of plain characters, and the ends of the buffer and of the label are far.
    const size_t room = std::min({text.size() - at, max_name_size - size, label_start + max_label_size + 1 - size});
    const char* from = text.data() + at;
    uint8_t* to = &wire[size - 1] + 1;
    size_t run = 0;
    for (; run < room && from[run] != '.' && from[run] != '\\'; ++run) to[run] = static_cast<uint8_t>(from[run]);
    at += run;
    size += run;
    if (at == text.size()) break;
    int octet = static_cast<uint8_t>(text[at]);
    if (octet == '.') {
      if (size == label_start + 1) return fail("empty label (RFC 1035 §3.1)");
      wire[label_start] = static_cast<uint8_t>(size - label_start - 1);
      label_start = size;
      if (++at == text.size()) {
        absolute = true;
        break;
      }
      if (++size > max_name_size) return fail(too_long);
      continue;
    }
    if (octet == '\\') {
      octet = unescape(text, at);
      if (octet < 0) return fail(bad_escape);
    } else {
      ++at;
    }
    if (size - label_start > max_label_size) return fail("label is longer than 63 octets (RFC 1035 §3.1)");
    if (size >= max_name_size) return fail(too_long);
    wire[size++] = static_cast<uint8_t>(octet);
  }
  if (text.empty()) return fail("empty name");
  if (!absolute) wire[label_start] = static_cast<uint8_t>(size - label_start - 1);
  const ByteView tail = absolute ? NameView().wire() : origin_.wire();
  if (size + tail.size() > max_name_size) return fail(too_long);
  append(out_, ByteView(wire.data(), size));
  append(out_, tail);
  return true;
}

bool RdataReader::read_name() {
  const Token* token = take();
  return token != nullptr && append_name(*token);
}

bool RdataReader::append_octets(const Token& token, size_t most, const char* rule) {
  if (!token.escaped) {
    if (token.text.size() > most) return fail(rule);
    append(out_, as_bytes(token.text));
    return true;
  }
  const size_t before = out_.size();
  for (size_t at = 0; at < token.text.size();) {
    const int octet = unescape(token.text, at);
    if (octet < 0) return fail(bad_escape);
    if (out_.size() - before == most) return fail(rule);
    out_.push_back(static_cast<uint8_t>(octet));
  }
  return true;
}

bool RdataReader::read_string() {
  const Token* token = take();
  if (token == nullptr) return false;
  const size_t length_at = out_.size();
  out_.push_back(static_cast<uint8_t>(token->text.size()));
  if (!append_octets(*token, 255, "a character-string has at most 255 octets (RFC 1035 §3.3)")) return false;
  if (token->escaped) out_[length_at] = static_cast<uint8_t>(out_.size() - length_at - 1);
  return true;
}

bool RdataReader::read_ipv4() {
  const Token* token = take();
  if (token == nullptr) return false;
  std::array<uint8_t, 4> address;
  if (!parse_ipv4(token->text, address.data())) return fail("an IPv4 address is expected (RFC 1035 §3.4.1)");
  append(out_, address);
  return true;
}

bool RdataReader::read_ipv6() {
  const Token* token = take();
  if (token == nullptr) return false;
  std::array<uint8_t, 16> address;
  if (!parse_ipv6(token->text, address.data())) return fail("an IPv6 address is expected (RFC 4291 §2.2)");
  append(out_, address);
  return true;
}

bool RdataReader::read_encoded_rest(const Alphabet& alphabet, bool may_be_empty) {
  const size_t before = out_.size();
  TextDecoder decoder(alphabet);
  while (more()) {
    const Token& token = *take();
    if (!decoder.feed(token.text, out_)) return fail(decoder.error());
  }
  if (!decoder.finish()) return fail(decoder.error());
  if (out_.size() == before && !may_be_empty) {
    missing();
    return false;
  }
  return true;
}

bool RdataReader::read_encoded_word(const Alphabet& alphabet) {
  const Token* token = take();
  if (token == nullptr) return false;
  TextDecoder decoder(alphabet);
  if (!decoder.feed(token->text, out_) || !decoder.finish()) return fail(decoder.error());
  return true;
}

}  // namespace steward::dns
