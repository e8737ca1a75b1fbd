// Octets taken as the zone file of a catalog: what is read of it keeps the rules, and a plan made of it is what it
// says.

#include <string>

#include "catalog/catalog.hh"
#include "catalog/membership.hh"
#include "catalog/producer.hh"
#include "require.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::catalog;
using fuzz::require;

namespace {

Result<Catalog> read(std::string_view text) {
  zone::LoadOptions options;
  options.checks = false;
  options.max_octets = size_t{8} << 20;
  options.max_generate = 20;
  const auto loaded = zone::load_zone_text(text, "c", *dns::Name::from_text("c."), options);
  if (loaded.image == nullptr) return fail(Errc::Invalid, "no zone");
  zone::ImageRecords records(*loaded.image);
  return read_catalog(records);
}

void check_plan(const Catalog& catalog) {
  const Catalog* const all[] = {&catalog};
  const auto none = [](const dns::Name&) { return false; };
  Memberships memberships;
  apply_plan(plan_update(catalog, all, memberships, none), memberships);
  for (const auto& [zone, membership] : memberships) {
    const Member* member = catalog.find(zone);
    require(member != nullptr && member->label == membership.label, "every membership is a member");
    require(!(zone == catalog.name), "a catalog does not bring itself");
  }
  require(plan_update(catalog, all, memberships, none).changes.empty(), "nothing is left to do");
  Catalog empty;
  empty.name = catalog.name;
  const Catalog* const emptied[] = {&empty};
  apply_plan(plan_update(empty, emptied, memberships, none), memberships);
  require(memberships.empty(), "all go with their catalog");
}

// The same members again, produced by us.
void check_produced(const Catalog& catalog) {
  auto producer = CatalogProducer::create(catalog.name);
  require(producer.has_value(), "a short name is a catalog's");
  size_t added = 0;
  for (const Member& member : catalog.members)
    added += producer->add({member.zone, member.groups, member.coo}) ? size_t{1} : size_t{0};
  const auto again = read(producer->zone_text(1));
  require(again && again->members.size() == added, "what we produce is a catalog of these members");
  for (const Member& member : again->members) {
    const Member* before = catalog.find(member.zone);
    require(before != nullptr && before->coo == member.coo, "with their coo");
    require(member.groups.size() <= before->groups.size(), "and their groups");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto catalog = read({reinterpret_cast<const char*>(data), size});
  if (!catalog) return 0;
  for (size_t i = 1; i < catalog->members.size(); ++i)
    require(dns::canonical_compare(catalog->members[i - 1].zone, catalog->members[i].zone) < 0,
            "members are in order, each once");
  for (const Member& member : catalog->members)
    require(!member.label.empty() && member.label.size() <= 63, "a label has its size");
  check_plan(*catalog);
  check_produced(*catalog);
  return 0;
}
