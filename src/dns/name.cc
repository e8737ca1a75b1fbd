#include "dns/name.hh"

#include <algorithm>

namespace steward::dns {
namespace {

// Starts of the labels of `name`, leftmost first; the root's own is not among them.
size_t label_starts(NameView name, std::array<uint8_t, max_labels>& starts) {
  size_t count = 0;
  for (size_t at = 0; name.data()[at] != 0; at += name.data()[at] + size_t{1})
    starts[count++] = static_cast<uint8_t>(at);
  return count;
}

bool equal_folded(const uint8_t* a, const uint8_t* b, size_t size) {
  // Mostly they are the same octets.
  if (std::memcmp(a, b, size) == 0) return true;
  // Length octets are at most 63, below 'A', so that folding them too changes nothing.
  for (size_t i = 0; i < size; ++i)
    if (a[i] != b[i] && fold(a[i]) != fold(b[i])) return false;
  return true;
}

}  // namespace

Result<NameView> NameView::from_wire(ByteView bytes) {
  size_t at = 0;
  while (true) {
    if (at >= bytes.size()) return fail(Errc::Invalid, "name runs past the end of its data");
    const uint8_t length = bytes[at];
    if (length > max_label_size)
      return fail(Errc::Invalid,
                  length >= 0xc0 ? "compressed name where none may be" : "label type is not 00 (RFC 6891 §5)");
    at += length + size_t{1};
    if (at > max_name_size) return fail(Errc::Invalid, "name is longer than 255 octets (RFC 1035 §3.1)");
    if (length == 0) return NameView(bytes.data(), at);
  }
}

size_t NameView::label_count() const {
  size_t count = 0;
  for (const uint8_t* p = wire_; *p != 0; p += *p + 1) ++count;
  return count;
}

NameView NameView::suffix(size_t labels) const {
  NameView name = *this;
  for (size_t count = label_count(); count > labels; --count) name = name.parent();
  return name;
}

bool NameView::is_at_or_below(NameView ancestor) const {
  if (size_ < ancestor.size_) return false;
  // The octets could agree in the middle of a label: walk to the label border first.
  const uint8_t* tail = wire_ + (size_ - ancestor.size_);
  const uint8_t* p = wire_;
  while (p < tail) p += *p + 1;
  return p == tail && equal_folded(p, ancestor.wire_, ancestor.size_);
}

std::string NameView::to_plain_text() const {
  std::string text = to_text();
  if (text.size() > 1) text.pop_back();
  return text;
}

std::string NameView::to_text() const {
  if (is_root()) return ".";
  std::string text;
  text.reserve(size_);
  for (const uint8_t* p = wire_; *p != 0; p += *p + 1) {
    for (const uint8_t octet : ByteView(p + 1, *p)) {
      if (octet <= ' ' || octet >= 0x7f) {
        const char digits[] = {'\\', static_cast<char>('0' + octet / 100), static_cast<char>('0' + octet / 10 % 10),
                               static_cast<char>('0' + octet % 10)};
        text.append(digits, sizeof digits);
        continue;
      }
      // What the master file format reads as something else (RFC 1035 §5.1).
      if (std::string_view(".\\\"();@$").find(static_cast<char>(octet)) != std::string_view::npos) text += '\\';
      text += static_cast<char>(octet);
    }
    text += '.';
  }
  return text;
}

bool operator==(NameView a, NameView b) { return a.size() == b.size() && equal_folded(a.data(), b.data(), a.size()); }

std::weak_ordering canonical_compare(NameView a, NameView b) {
  std::array<uint8_t, max_labels> starts_a;
  std::array<uint8_t, max_labels> starts_b;
  size_t left_a = label_starts(a, starts_a);
  size_t left_b = label_starts(b, starts_b);
  while (left_a > 0 && left_b > 0) {
    const uint8_t* label_a = a.data() + starts_a[--left_a];
    const uint8_t* label_b = b.data() + starts_b[--left_b];
    const size_t common = std::min(*label_a, *label_b);
    for (size_t i = 1; i <= common; ++i)
      if (const auto order = fold(label_a[i]) <=> fold(label_b[i]); order != 0) return order;
    if (*label_a != *label_b) return *label_a <=> *label_b;
  }
  return left_a <=> left_b;
}

Result<Name> Name::from_text(std::string_view text, NameView origin) {
  if (text == "@") return Name(origin);
  if (text == ".") return Name();
  if (text.empty()) return fail(Errc::Invalid, "empty name");

  Name name;
  size_t size = 0;         // octets written, closed labels only plus the open one
  size_t label_start = 0;  // where the open label's length octet stands
  size_t label_size = 0;
  bool absolute = false;
  const auto too_long = [] { return fail(Errc::Invalid, "name is longer than 255 octets (RFC 1035 §3.1)"); };

  size = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    auto octet = static_cast<uint8_t>(text[i]);
    if (octet == '.') {
      if (label_size == 0) return fail(Errc::Invalid, "empty label (RFC 1035 §3.1)");
      name.wire_[label_start] = static_cast<uint8_t>(label_size);
      label_start = size;
      label_size = 0;
      if (i + 1 == text.size()) {
        absolute = true;
        break;
      }
      if (++size > max_name_size) return too_long();
      continue;
    }
    if (octet == '\\') {
      const auto is_digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
      if (i + 1 >= text.size()) return fail(Errc::Invalid, "escape at the end of the name (RFC 1035 §5.1)");
      if (is_digit(i + 1)) {
        if (!is_digit(i + 2) || !is_digit(i + 3))
          return fail(Errc::Invalid, "an escape takes three digits, \\DDD (RFC 1035 §5.1)");
        const int value = (text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + (text[i + 3] - '0');
        if (value > 255) return fail(Errc::Invalid, "escape \\DDD is over 255 (RFC 1035 §5.1)");
        octet = static_cast<uint8_t>(value);
        i += 3;
      } else {
        octet = static_cast<uint8_t>(text[++i]);
      }
    }
    if (++label_size > max_label_size) return fail(Errc::Invalid, "label is longer than 63 octets (RFC 1035 §3.1)");
    if (size >= max_name_size) return too_long();
    name.wire_[size++] = octet;
  }
  if (absolute) {
    if (size >= max_name_size) return too_long();
    name.wire_[size++] = 0;
  } else {
    name.wire_[label_start] = static_cast<uint8_t>(label_size);
    if (size + origin.size() > max_name_size) return too_long();
    std::memcpy(name.wire_.data() + size, origin.data(), origin.size());
    size += origin.size();
  }
  name.size_ = static_cast<uint8_t>(size);
  return name;
}

Name Name::folded() const {
  Name result;
  result.size_ = size_;
  fold_into(*this, result.wire_.data());
  return result;
}

Result<Name> Name::child(ByteView label) const {
  if (label.empty()) return fail(Errc::Invalid, "empty label (RFC 1035 §3.1)");
  if (label.size() > max_label_size) return fail(Errc::Invalid, "label is longer than 63 octets (RFC 1035 §3.1)");
  if (size_ + label.size() + 1 > max_name_size)
    return fail(Errc::Invalid, "name is longer than 255 octets (RFC 1035 §3.1)");
  Name result;
  result.wire_[0] = static_cast<uint8_t>(label.size());
  std::memcpy(&result.wire_[1], label.data(), label.size());
  std::memcpy(&result.wire_[1 + label.size()], wire_.data(), size_);
  result.size_ = static_cast<uint8_t>(size_ + label.size() + 1);
  return result;
}

Result<Name> concatenate(NameView prefix, NameView suffix) {
  const size_t head = prefix.size() - 1;
  if (head + suffix.size() > max_name_size)
    return fail(Errc::Invalid, "name is longer than 255 octets (RFC 1035 §3.1)");
  std::array<uint8_t, max_name_size> wire;
  std::memcpy(wire.data(), prefix.data(), head);
  std::memcpy(wire.data() + head, suffix.data(), suffix.size());
  return Name(NameView(wire.data(), head + suffix.size()));
}

void fold_into(NameView name, uint8_t* out) {
  // Eight octets at a time. In each, the highest bit of `from_a` says >= 'A' and that of `past_z` > 'Z'; 0x80 to 0xff
  // are no letters.
  const uint8_t* in = name.data();
  constexpr uint64_t ones = 0x0101010101010101U;
  size_t left = name.size();
  for (; left >= 8; in += 8, out += 8, left -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, in, 8);
    const uint64_t low = word & (ones * 0x7f);
    const uint64_t from_a = low + ones * (0x80 - 'A');
    const uint64_t past_z = low + ones * (0x7f - 'Z');
    word |= ((from_a ^ past_z) & ~word & (ones * 0x80)) >> 2;
    std::memcpy(out, &word, 8);
  }
  for (; left > 0; --left) *out++ = fold(*in++);
}

size_t canonical_key(NameView name, NameView origin, uint8_t* out) {
  std::array<uint8_t, max_labels> starts;
  size_t left = label_starts(name, starts) - origin.label_count();
  uint8_t* p = out;
  while (left > 0) {
    const uint8_t* label = name.data() + starts[--left];
    for (size_t i = 1; i <= *label; ++i) {
      const uint8_t octet = fold(label[i]);
      if (octet <= 1) {
        *p++ = 1;
        *p++ = static_cast<uint8_t>(octet + 1);
      } else {
        *p++ = octet;
      }
    }
    *p++ = 0;
  }
  return static_cast<size_t>(p - out);
}

Result<Name> name_of_canonical_key(ByteView key, NameView origin) {
  Name name = origin;
  std::array<uint8_t, max_label_size> label;
  size_t size = 0;
  for (size_t i = 0; i < key.size(); ++i) {
    uint8_t octet = key[i];
    if (octet == 0) {
      auto longer = name.child(ByteView(label.data(), size));
      if (!longer) return fail(Errc::Corrupt, "canonical key: " + longer.error().what);
      name = *longer;
      size = 0;
      continue;
    }
    if (octet == 1) {
      if (++i >= key.size() || key[i] < 1 || key[i] > 2) return fail(Errc::Corrupt, "canonical key: bad escape");
      octet = static_cast<uint8_t>(key[i] - 1);
    }
    if (size == label.size()) return fail(Errc::Corrupt, "canonical key: label longer than 63 octets");
    label[size++] = octet;
  }
  if (size != 0) return fail(Errc::Corrupt, "canonical key: last label not closed");
  return name;
}

}  // namespace steward::dns
