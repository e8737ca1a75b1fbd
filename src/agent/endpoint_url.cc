#include "agent/endpoint_url.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/a_label.hh"
#include "agent/shown_text.hh"
#include "dns/characters.hh"
#include "dns/name.hh"

namespace steward::agent {

using dns::is_digit;

namespace {

constexpr std::array<std::pair<std::string_view, uint16_t>, 4> schemes{
    {{"http", uint16_t{80}}, {"https", uint16_t{443}}, {"ws", uint16_t{80}}, {"wss", uint16_t{443}}}};

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  return out;
}

// RFC 3986 §2: what may stand in a URL at all. Others are percent-encoded by whoever writes it.
Result<void> check_characters(std::string_view text) {
  constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (is_alpha(c) || is_digit(c) || others.find(c) != others.npos) continue;
    return fail(Errc::Invalid,
                fmt::format("URL {}: octet {} may not stand in a URL (RFC 3986 §2)", in_quotes(text), at + 1));
  }
  return {};
}

// The forms that a resolver of URLs takes for an IPv4 address, also 127.1 and 0x7f.1: the last label is a number.
bool is_address(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
  if (last.starts_with("0x")) {
    return last.find_first_not_of("0123456789abcdef", 2) == last.npos;
  }
  return !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
}

// RFC 6761 §6.3 and §6.4, RFC 6762 §3, RFC 7686, RFC 8375; `internal` is kept by ICANN for private use.
bool is_local(std::string_view host) {
  constexpr std::array<std::string_view, 6> suffixes{".localhost", ".local", ".internal",
                                                     ".invalid",   ".onion", ".home.arpa"};
  return host.find('.') == host.npos ||
         std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) { return host.ends_with(suffix); });
}

Result<uint16_t> port_from_text(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535) {
    return fail(Errc::Invalid, fmt::format("port {}: 1 to 65535 wanted", in_quotes(text)));
  }
  return static_cast<uint16_t>(port);
}

Result<void> read_authority(std::string_view authority, EndpointUrl& url) {
  if (authority.find('@') != authority.npos) {
    return fail(Errc::Invalid, "a URL that is published must not hold a user or a password (RFC 3986 §7.5)");
  }
  const bool bracketed = authority.starts_with('[');
  const size_t end = bracketed ? authority.find(']') + 1 : std::min(authority.find(':'), authority.size());
  if (bracketed && end == 0) return fail(Errc::Invalid, "host: no closing ] (RFC 3986 §3.2.2)");
  const std::string_view host = authority.substr(0, end);
  const std::string_view rest = authority.substr(end);
  if (!rest.empty()) {
    if (rest[0] != ':') return fail(Errc::Invalid, "host: only a port may follow ] (RFC 3986 §3.2)");
    const auto port = port_from_text(rest.substr(1));
    if (!port) return tl::unexpected(port.error());
    url.port = *port;
  }
  if (bracketed || is_address(folded(host.substr(0, host.size() - host.ends_with('.'))))) {
    url.unusable = fmt::format("{} is an address: a client checks the certificate of a target host", in_quotes(host));
    return {};
  }
  auto name = host_name(host);
  if (!name) return fail("host", name.error());
  url.host = std::move(*name);
  if (is_local(url.host))
    url.unusable = fmt::format("{} is a name of the local machine or network", in_quotes(url.host));
  return {};
}

}  // namespace

bool has_scheme(std::string_view text) {
  const size_t end = text.find("://");
  return end != text.npos && end > 0 && is_alpha(text[0]) &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

Result<std::string> host_name(std::string_view text) {
  std::string host = folded(text);
  if (host.ends_with('.')) host.pop_back();
  if (host.empty()) return fail(Errc::Invalid, "a host name wanted");
  if (host.size() > dns::max_name_size - 2)
    return fail(Errc::Invalid, "a name has at most 255 octets (RFC 1035 §2.3.4)");
  for (size_t from = 0; from <= host.size();) {
    const size_t dot = std::min(host.find('.', from), host.size());
    const std::string_view label = std::string_view(host).substr(from, dot - from);
    from = dot + 1;
    if (label.empty())
      return fail(Errc::Invalid, fmt::format("{}: a label must not be empty (RFC 1035 §3.1)", in_quotes(text)));
    if (auto sound = check_ldh_label(label); !sound) return fail(in_quotes(text), sound.error());
  }
  return host;
}

Result<EndpointUrl> endpoint_url(std::string_view text) {
  if (!has_scheme(text))
    return fail(Errc::Invalid, fmt::format("{}: a URL such as https://agents.example.com/ wanted", in_quotes(text)));
  EndpointUrl url;
  if (text.find('{') != text.npos) {
    url.unusable = fmt::format("{} is a template that each client fills in", in_quotes(text));
    return url;
  }
  if (const auto sound = check_characters(text); !sound) return tl::unexpected(sound.error());
  const size_t colon = text.find(':');
  url.scheme = folded(text.substr(0, colon));
  const auto* known =
      std::find_if(schemes.begin(), schemes.end(), [&](const auto& scheme) { return scheme.first == url.scheme; });
  if (known == schemes.end()) {
    return fail(Errc::Invalid,
                fmt::format("URL {}: https or wss wanted, not {}", in_quotes(text), in_quotes(url.scheme)));
  }
  url.port = known->second;
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('#') != rest.npos) {
    return fail(Errc::Invalid, fmt::format("URL {}: a fragment is never sent (RFC 3986 §3.5)", in_quotes(text)));
  }
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  url.path = rest.substr(0, rest.find('?'));
  if (url.path.empty()) url.path = "/";
  if (auto read = read_authority(authority, url); !read)
    return fail(fmt::format("URL {}", in_quotes(text)), read.error());
  if (!url.unusable && (url.scheme == "http" || url.scheme == "ws")) {
    url.unusable =
        fmt::format("{} is not over TLS: a client checks the certificate of the target host", in_quotes(text));
  }
  return url;
}

}  // namespace steward::agent
