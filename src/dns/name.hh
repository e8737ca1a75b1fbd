#pragma once
// Domain names (RFC 1034 §3.1, RFC 2181 §11): any octets in labels of 1 to 63, 255 octets in wire form at most.
//
// NameView borrows, Name owns; both hold the uncompressed wire form with its final zero octet, and are valid by
// construction: a function that takes one need not check it again. Case is kept; equality, order and ancestry
// ignore the case of ASCII letters (RFC 4343).

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::dns {

constexpr size_t max_name_size = 255;
constexpr size_t max_label_size = 63;
constexpr size_t max_labels = 127;

/// One octet in lower case: only A to Z change (RFC 4343 §3).
constexpr uint8_t fold(uint8_t octet) { return octet >= 'A' && octet <= 'Z' ? static_cast<uint8_t>(octet + 32) : octet; }

class Name;

class NameView {
 public:
  /// The root.
  NameView() : wire_(&root_octet), size_(1) {}
  /// Takes the wire form on trust: `wire` must point at a valid uncompressed name of `size` octets.
  NameView(const uint8_t* wire, size_t size) : wire_(wire), size_(static_cast<uint8_t>(size)) {}
  NameView(const Name& name);  // NOLINT(google-explicit-constructor): a Name is used as a view everywhere

  /// The name that starts at `bytes[0]`, uncompressed; Invalid where it runs out, is over 255 octets or
  /// has a label type other than 00.
  static Result<NameView> from_wire(ByteView bytes);

  [[nodiscard]] ByteView wire() const { return {wire_, size_}; }
  [[nodiscard]] const uint8_t* data() const { return wire_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool is_root() const { return size_ == 1; }
  [[nodiscard]] bool is_wildcard() const { return size_ > 2 && wire_[0] == 1 && wire_[1] == '*'; }
  /// Labels without the root's: 0 for the root.
  [[nodiscard]] size_t label_count() const;
  /// The leftmost label without its length octet; empty for the root.
  [[nodiscard]] ByteView first_label() const { return {wire_ + 1, wire_[0]}; }
  /// Without the leftmost label; the root's parent is the root.
  [[nodiscard]] NameView parent() const {
    return is_root() ? *this : NameView(wire_ + wire_[0] + 1, size_ - wire_[0] - size_t{1});
  }
  /// The last `labels` labels; the whole name where it has no more.
  [[nodiscard]] NameView suffix(size_t labels) const;
  /// True for the name itself too.
  [[nodiscard]] bool is_at_or_below(NameView ancestor) const;
  [[nodiscard]] bool is_below(NameView ancestor) const { return size_ > ancestor.size_ && is_at_or_below(ancestor); }

  /// Presentation form with a final dot, escaped as in RFC 1035 §5.1 and RFC 4343 §2.1; `.` for the root.
  [[nodiscard]] std::string to_text() const;
  /// Without the dot at the end, but for the root.
  [[nodiscard]] std::string to_plain_text() const;

 private:
  static constexpr uint8_t root_octet = 0;
  const uint8_t* wire_;
  uint8_t size_;
};

/// Same name, whatever the case.
bool operator==(NameView a, NameView b);
/// Canonical order (RFC 4034 §6.1).
std::weak_ordering canonical_compare(NameView a, NameView b);

class Name {
 public:
  /// The root.
  Name() : size_(1) { wire_[0] = 0; }
  Name(NameView view) : size_(static_cast<uint8_t>(view.size())) {  // NOLINT(google-explicit-constructor)
    std::memcpy(wire_.data(), view.data(), view.size());
  }

  /// Presentation form. A name without a final dot is completed with `origin`; `@` alone is `origin`.
  /// Escapes: `\DDD` (0 to 255) and `\X`. Errors say the rule: empty label, label over 63, name over 255, bad escape.
  static Result<Name> from_text(std::string_view text, NameView origin = {});

  [[nodiscard]] NameView view() const { return {wire_.data(), size_}; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] const uint8_t* data() const { return wire_.data(); }
  [[nodiscard]] std::string to_text() const { return view().to_text(); }
  [[nodiscard]] std::string to_plain_text() const { return view().to_plain_text(); }
  /// With the letters A to Z in lower case (RFC 4034 §6.2 (2)).
  [[nodiscard]] Name folded() const;
  /// `label` put in front; Invalid where the result is over 255 octets or the label over 63 or empty.
  [[nodiscard]] Result<Name> child(ByteView label) const;

 private:
  friend class NameView;
  std::array<uint8_t, max_name_size> wire_;  // only the first size_ octets are set
  uint8_t size_;
};

inline NameView::NameView(const Name& name) : wire_(name.wire_.data()), size_(name.size_) {}

inline bool operator==(const Name& a, const Name& b) { return a.view() == b.view(); }
inline bool operator==(const Name& a, NameView b) { return a.view() == b; }

/// `prefix` (without its root) followed by `suffix`; Invalid over 255 octets.
Result<Name> concatenate(NameView prefix, NameView suffix);

/// Writes the wire form in lower case to `out` (at least `name.size()` octets). The hot path's fold.
void fold_into(NameView name, uint8_t* out);

// Canonical keys: octet strings whose memcmp order is the canonical order of names. Labels from the root-most
// on; each octet folded, 0x00 written as 01 01 and 0x01 as 01 02, each label closed by 0x00. So a name's key is a
// prefix of the keys of all names below it, and theirs directly follow it. Labels of `origin` are left out.
constexpr size_t max_canonical_key_size = 2 * max_name_size;

/// Writes the key of `name` relative to its ancestor `origin` to `out` (max_canonical_key_size) and returns its size.
size_t canonical_key(NameView name, NameView origin, uint8_t* out);
/// The name (in lower case) whose key relative to `origin` this is; Corrupt where it is none.
Result<Name> name_of_canonical_key(ByteView key, NameView origin);

}  // namespace steward::dns
