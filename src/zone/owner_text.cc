#include "zone/owner_text.hh"

namespace steward::zone {
namespace {

// Its wire form without the origin; 0 where the slow way must decide: something is wrong, or nearly so.
size_t plain_labels(std::string_view text, uint8_t* out) {
  // As text and wire form differ only in the dots, each of which becomes the length octet of the label behind it.
  if (text.size() > dns::max_name_size - 2) return 0;
  std::memcpy(out + 1, text.data(), text.size());
  size_t start = 0;  // of the open label's length octet
  for (size_t i = 1; i <= text.size(); ++i) {
    if (out[i] != '.') continue;
    const size_t length = i - start - 1;
    if (length == 0 || length > dns::max_label_size) return 0;
    out[start] = static_cast<uint8_t>(length);
    start = i;
  }
  const size_t length = text.size() - start;
  if (length > dns::max_label_size) return 0;
  out[start] = static_cast<uint8_t>(length);
  return text.size() + 1;  // where the last octet is a dot, its place holds the root now
}

}  // namespace

Result<NameView> owner_from_text(const dns::Token& token, NameView origin,
                                 std::array<uint8_t, dns::max_name_size>& wire) {
  const std::string_view text = token.text;
  if (!token.escaped && !text.empty() && text != "@" && text != ".") {
    if (const size_t size = plain_labels(text, wire.data()); size != 0) {
      if (text.back() == '.') return NameView(wire.data(), size);
      if (size + origin.size() <= wire.size()) {
        std::memcpy(wire.data() + size, origin.data(), origin.size());
        return NameView(wire.data(), size + origin.size());
      }
    }
  }
  const auto name = dns::Name::from_text(text, origin);
  if (!name) return tl::unexpected(name.error());
  std::memcpy(wire.data(), name->data(), name->size());
  return NameView(wire.data(), name->size());
}

}  // namespace steward::zone
