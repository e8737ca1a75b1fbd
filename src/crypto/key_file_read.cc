// Key files: reading what BIND, ldns or we have written.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "crypto/digest.hh"
#include "crypto/key_file.hh"
#include "crypto/secret_file.hh"
#include "dns/encoding.hh"
#include "dns/time_text.hh"

namespace steward::crypto {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(blanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

/// The next line without its end, cut off the front of `text`.
std::string_view next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  line = line.substr(0, line.find(';'));
  while (!(line = trimmed(line)).empty()) {
    const size_t end = std::min(line.find_first_of(blanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

template <class Number>
bool number_from(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

/// The DNSKEY or KEY record of a .key file.
struct PublicPart {
  dns::Name zone;
  uint16_t flags = 0;
  uint8_t algorithm = 0;
  Bytes octets;
};

/// `<zone> [ttl] [IN] DNSKEY <flags> 3 <algorithm> <base64 in one or more words>`; KEY where it signs requests.
Result<PublicPart> public_part_from(const std::vector<std::string_view>& words) {
  const auto type =
      std::find_if(words.begin(), words.end(), [](auto word) { return word == "DNSKEY" || word == "KEY"; });
  if (type == words.end() || type == words.begin() || words.end() - type < 5) {
    return fail(Errc::Invalid, "a DNSKEY or KEY record wanted");
  }
  PublicPart part;
  uint8_t protocol = 0;
  auto zone = dns::Name::from_text(words[0]);
  if (!zone) return tl::unexpected(zone.error());
  part.zone = *zone;
  if (!number_from(type[1], part.flags) || !number_from(type[2], protocol) || !number_from(type[3], part.algorithm)) {
    return fail(Errc::Invalid,
                fmt::format("{}: three numbers wanted: flags, protocol, algorithm (RFC 4034 §2.2)", *type));
  }
  const bool zone_key = (part.flags & dnskey_flag_zone) != 0;
  if (*type == "DNSKEY" && (protocol != dnskey_protocol || !zone_key)) {
    return fail(Errc::Invalid, "DNSKEY: not a zone key with protocol 3 (RFC 4034 §2.1)");
  }
  // RFC 3445 §4 leaves protocol 3 alone; a zone's KEY is a DNSKEY since RFC 3755.
  if (*type == "KEY" && (protocol != dnskey_protocol || zone_key)) {
    return fail(Errc::Invalid, "KEY: not one of a user or host with protocol 3 (RFC 2535 §3.1.2, RFC 3445 §4)");
  }
  std::string text;
  for (auto word = type + 4; word != words.end(); ++word) text += *word;
  auto octets = dns::decode(dns::base64, text);
  if (!octets) return tl::unexpected(octets.error());
  part.octets = std::move(*octets);
  return part;
}

Result<PublicPart> read_public(const std::string& path) {
  const auto text = read_small_file(path);
  if (!text) return tl::unexpected(text.error());
  std::string_view rest = *text;
  for (size_t line = 1; !rest.empty(); ++line) {
    const auto words = words_of(next_line(rest));
    if (words.empty()) continue;
    auto part = public_part_from(words);
    if (!part) return fail(fmt::format("{}:{}", path, line), part.error());
    return part;
  }
  return fail(Errc::Invalid, path + ": holds no DNSKEY or KEY record");
}

/// What a .private file says.
struct PrivatePart {
  std::optional<Algorithm> algorithm;
  PrivateFields fields;
  KeyTimes times;
};

bool is_secret_field(std::string_view name) {
  constexpr std::array<std::string_view, 9> names{"Modulus",   "PublicExponent", "PrivateExponent",
                                                  "Prime1",    "Prime2",         "Exponent1",
                                                  "Exponent2", "Coefficient",    "PrivateKey"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<void> take_version(std::string_view text) {
  // v1.2 has no times, v1.3 has; a later minor version may add fields, a later major one change them.
  if (!text.starts_with("v1.")) return fail(Errc::Unsupported, "Private-key-format: v1.2 or v1.3 wanted");
  return {};
}

Result<void> take_algorithm(std::string_view text, PrivatePart& part) {
  uint8_t number = 0;
  if (!number_from(text.substr(0, text.find(' ')), number)) return fail(Errc::Invalid, "Algorithm: a number wanted");
  part.algorithm = algorithm_from_number(number);
  if (!part.algorithm) return fail(Errc::Unsupported, fmt::format("Algorithm: {} is not known", number));
  return {};
}

Result<void> take_field(std::string_view name, std::string_view text, PrivatePart& part) {
  if (name == "Private-key-format") return take_version(text);
  if (name == "Algorithm") return take_algorithm(text, part);
  if (is_secret_field(name)) {
    if (!part.fields.find(name).empty()) return fail(Errc::Invalid, std::string(name) + ": given twice");
    auto octets = dns::decode(dns::base64, text);
    if (!octets) return fail(name, octets.error());
    part.fields.add(name, std::move(*octets));
    return {};
  }
  for (const KeyTimeField& field : key_time_fields()) {
    if (field.name != name) continue;
    const auto time = dns::time_from_text(text);
    if (!time) return fail(name, time.error());
    part.times.*field.member = *time;
  }
  return {};  // other fields are of no concern here (an engine's label, say)
}

Result<PrivatePart> read_private(const std::string& path) {
  auto text = read_small_file(path);
  if (!text) return tl::unexpected(text.error());
  PrivatePart part;
  std::string_view rest = *text;
  Result<void> taken;
  for (size_t line = 1; taken && !rest.empty(); ++line) {
    const std::string_view entry = trimmed(next_line(rest));
    if (entry.empty() || entry[0] == ';') continue;
    const size_t colon = entry.find(':');
    taken = colon == std::string_view::npos
                ? fail(Errc::Invalid, "\"name: value\" wanted")
                : take_field(entry.substr(0, colon), trimmed(entry.substr(colon + 1)), part);
    if (!taken) taken = fail(fmt::format("{}:{}", path, line), taken.error());
  }
  wipe({reinterpret_cast<uint8_t*>(text->data()), text->size()});
  if (!taken) return tl::unexpected(taken.error());
  if (!part.algorithm) return fail(Errc::Invalid, path + ": no field Algorithm");
  return part;
}

}  // namespace

Result<StoredKey> read_key_files(const std::string& stem) {
  const auto open = read_public(stem + ".key");
  if (!open) return tl::unexpected(open.error());
  const std::string path = stem + ".private";
  const auto secret = read_private(path);
  if (!secret) return tl::unexpected(secret.error());
  if (value(*secret->algorithm) != open->algorithm) {
    return fail(Errc::Invalid, path + ": Algorithm differs from that of the .key file");
  }
  auto pair = KeyPair::from_private_fields(*secret->algorithm, secret->fields);
  if (!pair) return fail(path, pair.error());
  if (!std::ranges::equal(pair->public_key().octets(), open->octets)) {
    return fail(Errc::Invalid, path + ": is not the private half of the .key file");
  }
  StoredKey key{open->zone, open->flags, std::make_shared<const KeyPair>(std::move(*pair)), secret->times};
  const std::string name = key_file_stem(key.zone, key.key->algorithm(), key.tag());
  if (std::filesystem::path(stem).filename() != name) {
    return fail(Errc::Invalid, fmt::format("{}: named as another key: {} wanted", stem, name));
  }
  return key;
}

}  // namespace steward::crypto
