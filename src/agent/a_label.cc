#include "agent/a_label.hh"

#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <memory>

#include "agent/shown_text.hh"
#include "dns/name.hh"

namespace steward::agent {

namespace {

struct Idn2Free {
  void operator()(char* text) const { idn2_free(text); }
};
struct Idn2FreeOctets {
  void operator()(uint8_t* text) const { idn2_free(text); }
};

std::string code_point_at(std::string_view text, size_t at) {
  return fmt::format("U+{:04X}", static_cast<uint32_t>(next_point(text, at)));
}

Result<void> check_form(std::string_view label) {
  if (label.empty()) return fail(Errc::Invalid, "a label must not be empty (RFC 1035 §3.1)");
  for (size_t at = 0; at < label.size(); ++at) {
    const char c = label[at];
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') continue;
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    return fail(Errc::Invalid,
                ascii ? fmt::format("label {}: {} at {}: a-z, 0-9 and - wanted", in_quotes(label),
                                    in_quotes(label.substr(at, 1)), at + 1)
                      : fmt::format("label {}: {} at {}: a-z, 0-9 and - wanted, other scripts as an A-label (RFC 5890)",
                                    in_quotes(label), code_point_at(label, at), at + 1));
  }
  if (label.size() > dns::max_label_size) {
    return fail(Errc::Invalid,
                fmt::format("label {}: {} octets, at most 63 (RFC 1035 §2.3.4)", in_quotes(label), label.size()));
  }
  if (label.front() == '-' || label.back() == '-') {
    return fail(Errc::Invalid, fmt::format("label {}: no - at either end (RFC 1123 §2.1)", in_quotes(label)));
  }
  return {};
}

}  // namespace

Result<void> check_ldh_label(std::string_view label) {
  if (auto sound = check_form(label); !sound) return sound;
  const auto decoded = u_label(label);
  if (!decoded) return tl::unexpected(decoded.error());
  return {};
}

Result<std::string> u_label(std::string_view label) {
  if (!label.starts_with("xn--")) return std::string(label);
  // The library reads up to a NUL: what stands behind it would go unseen.
  if (auto sound = check_form(label); !sound) return tl::unexpected(sound.error());
  const std::string text(label);
  const auto refused = [&](int code) {
    return fail(Errc::Invalid,
                fmt::format("label {}: no A-label: {} (RFC 5891 §5.4)", in_quotes(label), idn2_strerror(code)));
  };
  char* decoded = nullptr;
  if (const int code = idn2_to_unicode_8z8z(text.c_str(), &decoded, 0); code != IDN2_OK) return refused(code);
  const std::unique_ptr<char, Idn2Free> owned(decoded);
  // Both ways, so that two A-labels never stand for one U-label, and with the tables of IDNA2008.
  uint8_t* registered = nullptr;
  const int code = idn2_register_u8(reinterpret_cast<const uint8_t*>(decoded),
                                    reinterpret_cast<const uint8_t*>(text.c_str()), &registered, 0);
  const std::unique_ptr<uint8_t, Idn2FreeOctets> owned_too(registered);
  if (code != IDN2_OK) return refused(code);
  return std::string(decoded);
}

Result<std::string> a_label(std::string_view label) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(label.begin(), label.end(), is_ascii)) return std::string(label);
  // The library reads up to a NUL: what stands behind it would go unseen.
  if (label.find('\0') != std::string_view::npos)
    return fail(Errc::Invalid, fmt::format("label {}: no U-label: it has a NUL (RFC 5890 §2.3.2.1)", in_quotes(label)));
  std::string folded(label);
  for (char& c : folded) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  uint8_t* encoded = nullptr;
  const int code =
      idn2_register_u8(reinterpret_cast<const uint8_t*>(folded.c_str()), nullptr, &encoded, IDN2_NFC_INPUT);
  const std::unique_ptr<uint8_t, Idn2FreeOctets> owned(encoded);
  if (code != IDN2_OK)
    return fail(Errc::Invalid,
                fmt::format("label {}: no U-label: {} (RFC 5891 §4.2)", in_quotes(label), idn2_strerror(code)));
  std::string text(reinterpret_cast<const char*>(encoded));
  if (auto sound = check_ldh_label(text); !sound) return tl::unexpected(sound.error());
  return text;
}

}  // namespace steward::agent
