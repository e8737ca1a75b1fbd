#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "dns/name.hh"

using namespace steward;
using namespace steward::dns;

namespace {
Name name(std::string_view text) {
  auto parsed = Name::from_text(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}
Bytes key(const Name& n, const Name& origin) {
  Bytes out(max_canonical_key_size);
  out.resize(canonical_key(n, origin, out.data()));
  return out;
}
}  // namespace

TEST_CASE("name: text round trip keeps case and escapes [RFC 1035 §5.1, RFC 4343 §2.1]") {
  for (const auto* text : {".", "a.", "Example.COM.", "a\\.b.c.", "\\000\\001\\255.x.", "user/kimeisele.github.",
                           "*.x.", "\\@.x.", "\\\"q\\;.x."}) {
    CAPTURE(text);
    CHECK(name(text).to_text() == text);
  }
  CHECK(Name::from_text("x", name("b.c."))->to_text() == "x.b.c.");
  CHECK(Name::from_text("@", name("b.c."))->to_text() == "b.c.");
}

TEST_CASE("name: limits of labels and names are kept [RFC 1035 §3.1]") {
  const std::string l63(63, 'a');
  CHECK(Name::from_text(l63 + "."));
  CHECK_FALSE(Name::from_text(l63 + "a."));
  const std::string n255 = l63 + "." + l63 + "." + l63 + "." + std::string(61, 'b') + ".";
  CHECK(Name::from_text(n255)->size() == 255);
  CHECK_FALSE(Name::from_text(l63 + "." + l63 + "." + l63 + "." + std::string(62, 'b') + "."));
  for (const auto* bad : {"", "..", "a..b.", ".a.", "\\", "\\1", "\\12x", "\\256"}) {
    CAPTURE(bad);
    CHECK_FALSE(Name::from_text(bad));
  }
}

TEST_CASE("name: canonical order is that of the RFC's example, and of the keys [RFC 4034 §6.1]") {
  const std::vector<std::string> sorted = {"example.",         "a.example.",      "yljkjljk.a.example.",
                                           "Z.a.example.",     "zABC.a.EXAMPLE.", "z.example.",
                                           "\\001.z.example.", "*.z.example.",    "\\200.z.example."};
  const Name origin = name("example.");
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = 0; j < sorted.size(); ++j) {
      CAPTURE(sorted[i]);
      CAPTURE(sorted[j]);
      CHECK((canonical_compare(name(sorted[i]), name(sorted[j])) < 0) == (i < j));
      CHECK((key(name(sorted[i]), origin) < key(name(sorted[j]), origin)) == (i < j));
    }
  for (const auto& text : sorted) {
    const auto back = name_of_canonical_key(key(name(text), origin), origin);
    REQUIRE(back);
    CHECK(*back == name(text));
  }
}

TEST_CASE("name: ancestry ends at label borders and ignores case [RFC 4343]") {
  CHECK(name("a.B.c.").view().is_at_or_below(name("b.C.")));
  CHECK(name("b.c.").view().is_at_or_below(name("b.c.")));
  CHECK_FALSE(name("b.c.").view().is_below(name("b.c.")));
  CHECK_FALSE(name("ab.c.").view().is_at_or_below(name("b.c.")));
  // "\001b" inside a label looks like the label "b" to a comparison of tails.
  CHECK_FALSE(name("a\\001b.c.").view().is_at_or_below(name("b.c.")));
}
