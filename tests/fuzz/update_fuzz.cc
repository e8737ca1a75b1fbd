// Octets taken as an UPDATE of a small zone: parsing is safe, what is not NOERROR leaves no trace, what is leaves a
// zone that keeps its rules and can be written.
//
// Bits of the message's ID choose rights and limits.

#include "change/rewrite.hh"
#include "change/update.hh"
#include "memory_table.hh"
#include "require.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::change;
using fuzz::require;

namespace {

dns::Name name(std::string_view text) { return *dns::Name::from_text(text, *dns::Name::from_text("example.")); }

constexpr std::string_view zone_text = R"($TTL 300
@      SOA   ns h 7 1 1 1 60
@      NS    ns
@      TXT   x
ns     A     192.0.2.1
a      A     192.0.2.1
a      A     192.0.2.2
a      MX    1 M
alias  CNAME a
d      DNAME o.
cut    NS    ns
x.ent  WKS   192.0.2.1 6 25
*      TXT   w
)";

struct Fixture {
  steward::test::MemoryTable nodes;
  steward::test::MemoryTable nsec3;
  Parallel parallel{1};

  ZoneEdit edit() {
    EditRequest request;
    request.apex = name("@");
    request.stored_serial = 7;
    return {request, nodes, nsec3, nullptr};
  }
  void begin() {
    zone::LoadOptions options;
    options.checks = false;
    auto loaded = zone::load_zone_text(zone_text, "example.zone", name("@"), options);
    RewriteRequest request;
    request.apex = name("@");
    request.image = loaded.image.get();
    require(rewrite_zone(request, nodes, nsec3, parallel).has_value(), "the zone is made");
  }
};

config::UpdateRule rule(std::vector<RrType> types) {
  config::UpdateRule rule;
  rule.key = name("*.");
  rule.types = std::move(types);
  return rule;
}

void check_rules(ZoneEdit& edit, const UpdateRequest& request) {
  const auto one = [&](NameView owner, RrType type) {
    const EditedRrset* rrset = find_rrset(edit, owner, type);
    require(rrset == nullptr || rrset->rdatas.size() == 1, "SOA, CNAME and DNAME stand alone in their RRset");
    return rrset != nullptr;
  };
  require(one(request.zone, RrType::SOA), "the zone keeps its SOA");
  require(find_rrset(edit, request.zone, RrType::NS) != nullptr, "the zone keeps an NS");
  for (const UpdateRecord& record : request.updates) {
    if (!record.owner.is_at_or_below(request.zone)) continue;
    one(record.owner, RrType::DNAME);
    if (one(record.owner, RrType::CNAME))
      for (const EditedRrset& rrset : edit.rrsets(record.owner))
        require(rrset.type == RrType::CNAME || rrset.type == RrType::KEY || rrset.type == RrType::SIG ||
                    rrset.type == RrType::NXT,
                "nothing stands beside a CNAME");
    require(record.owner == request.zone.view() || !one(record.owner, RrType::SOA), "there is no other SOA");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request = parse_update({data, size});
  if (!request) {
    require(request.error().rcode == Rcode::FORMERR && request.error().why.has_value(), "a refusal says why");
    return 0;
  }
  if (!(request->zone == name("@"))) return 0;
  Fixture fixture;
  fixture.begin();
  const bool is_narrow = (request->id & 1) != 0;
  const UpdatePolicy policy({is_narrow ? rule({RrType::A, RrType::TXT}) : rule({})}, (request->id & 2) != 0);
  const UpdateLimits limits = (request->id & 4) != 0 ? UpdateLimits{2, 3, 4, 8} : UpdateLimits{};
  UpdateSender sender;
  sender.tsig_key = name("k.");
  ZoneEdit edit = fixture.edit();
  const UpdateOutcome outcome = evaluate_update(*request, policy, sender, limits, edit);
  require(outcome.done() != outcome.why.has_value(), "what is not done says why");
  require(!outcome.why || outcome.why->text.size() <= 240, "and briefly");
  require(edit.has_changes() || !outcome.changed, "a change is one");
  if (!outcome.done()) require(!edit.has_changes() && !outcome.changed, "what is refused leaves nothing");
  check_rules(edit, *request);
  const auto finished = edit.finish(fixture.parallel);
  require(finished.has_value(), finished ? "" : finished.error().what.c_str());
  return 0;
}
