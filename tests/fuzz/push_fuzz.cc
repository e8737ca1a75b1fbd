// Octets taken as an UPDATE of a feed that a child sends (federation/pushed_feed.hh), at a parent that holds some of it: what is refused
// leaves no trace, and whatever is done leaves a feed: one SOA, one mark, and names of the child's agents alone.

#include "federation/pushed_feed.hh"

#include "change/rewrite.hh"
#include "change/update.hh"
#include "memory_table.hh"
#include "require.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::change;
using fuzz::require;
using steward::dns::RrType;

namespace {

const federation::FeedNames names{*dns::Name::from_text("acme.com.s."), *dns::Name::from_text("eu-4f2a._feed.acme.com.s.")};

constexpr uint32_t serial = 7;
constexpr std::string_view zone_text = R"($TTL 300
@              SOA  ns h 7 1 1 1 60
@              NS   ns.invalid.
@              TXT  "v=steward-push1" "reached=5"
bot            TXT  "v=steward1"
_registry.bot  TXT  "v=steward1"
low.bot        TXT  "v=steward1"
fox            TXT  "v=steward1"
fox            KEY  512 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=
_keys.fox      TXT  "v=steward1"
)";

void check_apex(ZoneEdit& edit) {
  const EditedRrset* soa = edit.find(names.feed, RrType::SOA);
  require(soa != nullptr && soa->rdatas.size() == 1, "the feed keeps its SOA");
  const uint32_t after = load_u32(&soa->rdatas.front()[soa->rdatas.front().size() - 20]);
  require(after == serial || after == serial + 1, "its serial is this one or the next");
  const EditedRrset* mark = edit.find(names.feed, RrType::TXT);
  require(mark != nullptr && mark->rdatas.size() == 1, "it keeps one mark");
  require(federation::mark_from_rdata(mark->rdatas.front()).has_value(), "which is one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request = parse_update({data, size});
  if (!request || !(request->zone == names.feed)) return 0;
  steward::test::MemoryTable nodes;
  steward::test::MemoryTable nsec3;
  Parallel parallel{1};
  zone::LoadOptions options;
  options.checks = false;
  auto loaded = zone::load_zone_text(zone_text, "feed.zone", names.feed, options);
  RewriteRequest rewrite;
  rewrite.apex = names.feed;
  rewrite.image = loaded.image.get();
  require(rewrite_zone(rewrite, nodes, nsec3, parallel).has_value(), "the feed is made");

  EditRequest wanted;
  wanted.apex = names.feed;
  wanted.stored_serial = serial;
  wanted.exact_serial = true;
  ZoneEdit edit(wanted, nodes, nsec3, nullptr);
  const federation::PushOutcome outcome = federation::apply_push(*request, names, edit);
  require(!outcome.is_refusal || (outcome.rcode != dns::Rcode::NOERROR && !outcome.why.empty()), "a refusal says why");
  if (outcome.is_refusal || request->updates.empty()) require(!edit.has_changes(), "what is refused, or asks, leaves nothing");
  check_apex(edit);
  for (const UpdateRecord& record : request->updates) {
    if (!record.owner.is_at_or_below(names.feed) || record.owner == names.feed.view() || edit.rrsets(record.owner).empty()) continue;
    require(federation::feed_place(record.owner, names.feed, names.zone).has_value(), "what stands there belongs to an agent");
  }
  const auto finished = edit.finish(parallel);
  require(finished.has_value(), finished ? "" : finished.error().what.c_str());
  return 0;
}
