// Two octets of type, then RDATA: what is sound in wire form goes to text and back. The rest of the input is also taken
// as text.

#include <algorithm>
#include <array>

#include "dns/rdata.hh"
#include "require.hh"
#include "support/words.hh"

using namespace steward;
using namespace steward::dns;
using fuzz::require;

namespace {

tl::expected<Bytes, RdataError> read(RrType type, std::string_view text) {
  Bytes out;
  const auto words = test::words_of(text);
  const auto done = rdata_from_tokens(type, words, NameView(), out);
  if (!done) {
    require(out.empty(), "a failed parse leaves nothing behind");
    require(done.error().token <= words.size() && !done.error().what.empty(), "an error names a token");
    return tl::unexpected(done.error());
  }
  return out;
}

// Several wire forms may have one text: a WKS with trailing zeros, a LOC whose size is zero, times ten to some power.
bool text_is_unique(RrType type) { return type != RrType::WKS && type != RrType::LOC; }

void check_sound(RrType type, const Bytes& rdata) {
  const std::string text = rdata_to_text(type, rdata);
  const auto back = read(type, text);
  require(back.has_value(), "the text of sound RDATA is read");
  if (text_is_unique(type)) require(*back == rdata, "and gives the same octets");
  require(rdata_to_text(type, *back) == text, "and the same text");
  const auto generic = read(type, rdata_to_generic_text(rdata));
  require(generic && *generic == rdata, "so does the generic form");

  std::array<RdataName, 8> names;
  const size_t count = rdata_names(type, rdata, names);
  for (size_t i = 0; i < count; ++i)
    require(NameView::from_wire(ByteView(rdata).subspan(names[i].offset)).map([](NameView n) { return n.size(); }) ==
                names[i].size,
            "names stand where they are said to");
  Bytes canonical = rdata;
  canonicalize_rdata(type, canonical);
  require(check_rdata(type, canonical).has_value(), "canonical form is sound");
  Bytes taken;
  require(rdata_from_message(type, rdata, 0, rdata.size(), taken) && taken == rdata,
          "without compression a message has the same octets");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto type = static_cast<RrType>(load_u16(data));
  const Bytes rdata(data + 2, data + size);
  if (check_rdata(type, rdata))
    check_sound(type, rdata);
  else
    require(rdata_to_text(type, rdata).starts_with("\\# "), "RDATA that is not sound has no text of its own");
  Bytes taken;
  if (rdata_from_message(type, rdata, rdata.size() / 2, rdata.size() - rdata.size() / 2, taken))
    require(check_rdata(type, taken).has_value(), "RDATA from a message is sound");
  if (const auto read_back = read(type, as_text(rdata))) {
    require(check_rdata(type, *read_back).has_value(), "RDATA from text is sound");
    check_sound(type, *read_back);
  }
  return 0;
}
