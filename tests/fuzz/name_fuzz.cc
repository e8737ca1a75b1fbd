// Octets taken as a name in text, in wire form and as a canonical key: all forms agree.

#include <algorithm>

#include "dns/name.hh"
#include "dns/rdata.hh"
#include "require.hh"

using namespace steward;
using namespace steward::dns;
using fuzz::require;

namespace {

bool identical(NameView a, NameView b) { return std::ranges::equal(a.wire(), b.wire()); }

Bytes key_of(NameView name, NameView origin) {
  Bytes key(max_canonical_key_size);
  key.resize(canonical_key(name, origin, key.data()));
  return key;
}

void check_name(NameView name) {
  const auto back = Name::from_text(name.to_text());
  require(back && identical(*back, name), "a name's text is read as that name");
  const Bytes key = key_of(name, Name());
  const auto from_key = name_of_canonical_key(key, Name());
  require(from_key && identical(*from_key, Name(name).folded()), "a canonical key gives the name in lower case");
  const NameView parent = name.parent();
  require(name.is_at_or_below(parent), "a name is at or below its parent");
  const Bytes parent_key = key_of(parent, Name());
  require(key.size() >= parent_key.size() && std::equal(parent_key.begin(), parent_key.end(), key.begin()),
          "the parent's key is a prefix");
  const Bytes below = key_of(name, parent);
  require(std::ranges::equal(ByteView(key).subspan(parent_key.size()), below),
          "a key relative to the parent is the rest");
}

void check_order(NameView a, NameView b) {
  const Bytes key_a = key_of(a, Name());
  const Bytes key_b = key_of(b, Name());
  const int by_key = compare_rdata(key_a, key_b);
  const auto by_name = canonical_compare(a, b);
  require((by_key < 0) == (by_name < 0) && (by_key == 0) == (by_name == 0), "keys are in the order of names");
  require((by_name == 0) == (a == b), "names in the same place are equal");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const Name origin = *Name::from_text("Ex.Ample.");
  const auto from_text = Name::from_text(as_text(input), origin);
  // The RDATA parser has a fast path of its own, which must agree.
  Bytes rdata;
  const Token token{as_text(input), 1, 1, false, as_text(input).find('\\') != std::string_view::npos};
  const bool generic = as_text(input) == "\\#";
  const auto read = rdata_from_tokens(RrType::PTR, {&token, 1}, origin, rdata);
  require(generic || from_text.has_value() == read.has_value(), "both parsers of names accept the same");
  if (from_text) {
    if (!generic) require(std::ranges::equal(from_text->view().wire(), rdata), "both parsers of names give the same");
    check_name(*from_text);
    check_order(*from_text, origin);
  }
  if (const auto key = name_of_canonical_key(input, origin)) check_name(*key);
  const auto first = NameView::from_wire(input);
  if (!first) return 0;
  check_name(*first);
  if (const auto second = NameView::from_wire(input.subspan(first->size()))) {
    check_order(*first, *second);
    if (const auto both = concatenate(*first, *second))
      require(both->view().is_at_or_below(*second), "a name is below its suffix");
  }
  return 0;
}
