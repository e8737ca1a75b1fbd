// Octets taken as a message: parsing is safe, and what was parsed and built again is the same message.

#include <algorithm>

#include "dns/message.hh"
#include "dns/record_text.hh"
#include "require.hh"

using namespace steward;
using namespace steward::dns;
using fuzz::require;

namespace {

bool same(const Record& a, const Record& b) {
  return std::ranges::equal(a.owner.view().wire(), b.owner.view().wire()) && a.type == b.type && a.klass == b.klass &&
         a.ttl == b.ttl && a.rdata == b.rdata;
}

bool same_question(const Question& a, const Question& b) {
  return std::ranges::equal(a.name.view().wire(), b.name.view().wire()) && a.type == b.type && a.klass == b.klass;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = Message::parse({data, size});
  if (!message) return 0;
  for (const auto* section : {&message->answer, &message->authority, &message->additional})
    for (const Record& record : *section) {
      std::string text;
      append_record_text(text, record.owner, record.ttl, record.type, record.rdata);
      require(text.ends_with('\n') && text.find('\n') + 1 == text.size(), "a record is one line");
    }
  const auto wire = message->build();
  if (!wire) {
    // Other servers may compress where we may not.
    require(wire.error().code == Errc::Full, "only the size can keep a parsed message from being built");
    return 0;
  }
  const auto again = Message::parse(*wire);
  require(again.has_value(), "what was built is parsed");
  require(again->header == message->header, "same header");
  require(std::ranges::equal(again->question, message->question, same_question), "same question");
  require(std::ranges::equal(again->answer, message->answer, same), "same answer");
  require(std::ranges::equal(again->authority, message->authority, same), "same authority");
  require(std::ranges::equal(again->additional, message->additional, same), "same additional");
  return 0;
}
