#include "dns/svc_params.hh"

#include <algorithm>
#include <array>
#include <charconv>

#include "dns/rdata_fields.hh"
#include "dns/text_parts.hh"

namespace steward::dns {
namespace {

constexpr std::array<std::string_view, 9> key_names = {"mandatory", "alpn",     "no-default-alpn", "port", "ipv4hint",
                                                       "ech",       "ipv6hint", "dohpath",         "ohttp"};

std::string key_text(uint16_t key) {
  std::string text;
  append_svc_key(text, key);
  return text;
}

bool has_key(ByteView params, uint16_t key) {
  while (const auto param = next_svc_param(params))
    if (param->key == key) return true;
  return false;
}

// RFC 9460 §8
Result<void> check_mandatory(ByteView value, ByteView params) {
  if (value.empty() || value.size() % 2 != 0) return fail(Errc::Invalid, "must list at least one key (RFC 9460 §8)");
  for (size_t at = 0; at < value.size(); at += 2) {
    const uint16_t key = load_u16(&value[at]);
    if (key == 0) return fail(Errc::Invalid, "must not list itself (RFC 9460 §8)");
    if (at > 0 && key <= load_u16(&value[at - 2]))
      return fail(Errc::Invalid, "keys must ascend, without repeats (RFC 9460 §8)");
    // Both lists ascend, so that one walk finds all.
    std::optional<SvcParam> param;
    do param = next_svc_param(params);
    while (param && param->key < key);
    if (!param || param->key != key)
      return fail(Errc::Invalid, key_text(key) + " is listed but not there (RFC 9460 §8)");
  }
  return {};
}

// RFC 9460 §7.1.1
Result<void> check_alpn(ByteView value) {
  if (value.empty()) return fail(Errc::Invalid, "must list at least one protocol (RFC 9460 §7.1.1)");
  for (size_t at = 0; at < value.size(); at += value[at] + size_t{1}) {
    if (value[at] == 0) return fail(Errc::Invalid, "a protocol must not be empty (RFC 9460 §7.1.1)");
    if (value.size() - at < value[at] + size_t{1}) return fail(Errc::Invalid, "last protocol is cut short");
  }
  return {};
}

bool is_utf8(ByteView text) {
  for (size_t at = 0; at < text.size();) {
    const uint8_t first = text[at++];
    if (first < 0x80) continue;
    const int more = first >= 0xf5 ? -1 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : -1;
    if (more < 0 || text.size() - at < static_cast<size_t>(more)) return false;
    const uint8_t second = text[at];
    // RFC 3629 §4: neither overlong forms nor surrogates nor beyond U+10FFFF.
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f))
      return false;
    for (int i = 0; i < more; ++i)
      if ((text[at++] & 0xc0) != 0x80) return false;
  }
  return true;
}

// RFC 9461 §5: a relative URI template (RFC 6570) with the variable `dns`.
Result<void> check_dohpath(ByteView value) {
  const std::string_view text = as_text(value);
  if (!is_utf8(value)) return fail(Errc::Invalid, "must be UTF-8 (RFC 9461 §5)");
  if (!text.starts_with('/')) return fail(Errc::Invalid, "must be a path, starting with / (RFC 9461 §5)");
  for (size_t open = text.find('{'); open != text.npos; open = text.find('{', open + 1)) {
    std::string_view variables = text.substr(open + 1, text.find('}', open) - open - 1);
    if (text.find('}', open) == text.npos) break;
    if (!variables.empty() && std::string_view("+#./;?&").find(variables[0]) != std::string_view::npos)
      variables.remove_prefix(1);
    while (true) {
      const size_t comma = variables.find(',');
      const std::string_view variable = variables.substr(0, comma);
      if (variable.substr(0, variable.find_first_of(":*")) == "dns") return {};
      if (comma == variables.npos) break;
      variables.remove_prefix(comma + 1);
    }
  }
  return fail(Errc::Invalid, "must have the variable dns, as in /dns-query{?dns} (RFC 9461 §5)");
}

Result<void> check_value(const SvcParam& param, ByteView params) {
  const ByteView value = param.value;
  switch (static_cast<SvcKey>(param.key)) {
    case SvcKey::Mandatory: return check_mandatory(value, params);
    case SvcKey::Alpn: return check_alpn(value);
    case SvcKey::NoDefaultAlpn:
      if (!value.empty()) return fail(Errc::Invalid, "takes no value (RFC 9460 §7.1.1)");
      if (!has_key(params, static_cast<uint16_t>(SvcKey::Alpn)))
        return fail(Errc::Invalid, "stands only beside alpn (RFC 9460 §7.1.1)");
      return {};
    case SvcKey::Port:
      if (value.size() != 2) return fail(Errc::Invalid, "must be a port (RFC 9460 §7.2)");
      return {};
    case SvcKey::Ipv4Hint:
      if (value.empty() || value.size() % 4 != 0) return fail(Errc::Invalid, "must be IPv4 addresses (RFC 9460 §7.3)");
      return {};
    case SvcKey::Ech:
      if (value.empty()) return fail(Errc::Invalid, "must not be empty (RFC 9848 §3)");
      return {};
    case SvcKey::Ipv6Hint:
      if (value.empty() || value.size() % 16 != 0) return fail(Errc::Invalid, "must be IPv6 addresses (RFC 9460 §7.3)");
      return {};
    case SvcKey::DohPath: return check_dohpath(value);
    case SvcKey::Ohttp:
      if (!value.empty()) return fail(Errc::Invalid, "takes no value (RFC 9540 §4)");
      return {};
  }
  return {};  // any other key: opaque (RFC 9460 §2.1)
}

void append_value(std::string& out, const SvcParam& param) {
  ByteView value = param.value;
  const auto list = [&](size_t step, auto append_item) {
    out += '=';
    for (size_t at = 0; at < value.size(); at += step) {
      if (at > 0) out += ',';
      append_item(value.subspan(at, step));
    }
  };
  switch (static_cast<SvcKey>(param.key)) {
    case SvcKey::Mandatory: return list(2, [&](ByteView key) { append_svc_key(out, load_u16(key.data())); });
    case SvcKey::Alpn:
      // RFC 9460 App. A.1: first `,` and `\` are escaped inside the list, then the whole as a character-string.
      out += "=\"";
      for (bool first = true; !value.empty(); first = false, value = value.subspan(value[0] + size_t{1})) {
        if (!first) out += ',';
        for (const uint8_t octet : value.subspan(1, value[0])) {
          if (octet == ',' || octet == '\\') append_quoted_octet(out, '\\');
          append_quoted_octet(out, octet);
        }
      }
      out += '"';
      return;
    case SvcKey::Port: return list(2, [&](ByteView port) { append_number(out, load_u16(port.data())); });
    case SvcKey::Ipv4Hint: return list(4, [&](ByteView address) { append_ipv4(out, address); });
    case SvcKey::Ipv6Hint: return list(16, [&](ByteView address) { append_ipv6(out, address); });
    case SvcKey::Ech: out += '='; return append_encoded(out, base64, value);
    default:
      if (value.empty()) return;
      out += '=';
      return append_quoted(out, value);
  }
}

}  // namespace

void append_svc_key(std::string& out, uint16_t key) {
  if (key < key_names.size()) {
    out += key_names[key];
  } else {
    out += "key";
    append_number(out, key);
  }
}

std::optional<uint16_t> svc_key_from_text(std::string_view word) {
  for (size_t key = 0; key < key_names.size(); ++key)
    if (word == key_names[key]) return static_cast<uint16_t>(key);
  if (!word.starts_with("key")) return {};
  word.remove_prefix(3);
  if (word.empty() || (word[0] == '0' && word.size() > 1)) return {};
  uint16_t key = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), key);
  if (error != std::errc{} || end != word.data() + word.size()) return {};
  return key;
}

std::optional<SvcParam> next_svc_param(ByteView& params) {
  if (params.size() < 4 || params.size() - 4 < load_u16(&params[2])) return {};
  const SvcParam param{load_u16(params.data()), params.subspan(4, load_u16(&params[2]))};
  params = params.subspan(4 + param.value.size());
  return param;
}

Result<void> check_svc_params(ByteView params) {
  int last = -1;
  ByteView rest = params;
  while (const auto param = next_svc_param(rest)) {
    if (param->key == last) return fail(Errc::Invalid, key_text(param->key) + " stands there twice (RFC 9460 §2.2)");
    if (param->key < last) return fail(Errc::Invalid, "keys must ascend (RFC 9460 §2.2)");
    last = param->key;
    if (const auto sound = check_value(*param, params); !sound) return fail(key_text(param->key), sound.error());
  }
  if (!rest.empty()) return fail(Errc::Invalid, "last parameter is cut short");
  return {};
}

void append_svc_params(std::string& out, ByteView params) {
  bool first = true;
  while (const auto param = next_svc_param(params)) {
    if (!first) out += ' ';
    first = false;
    append_svc_key(out, param->key);
    append_value(out, *param);
  }
}

}  // namespace steward::dns
