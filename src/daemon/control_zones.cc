#include "daemon/control_zones.hh"

#include <algorithm>
#include <set>
#include <utility>

#include "catalog/catalog.hh"
#include "change/draft.hh"
#include "dns/rdata.hh"
#include "sign/delegation.hh"
#include "sign/key_timeline.hh"
#include "store/walk.hh"
#include "store/zone_text.hh"

namespace steward::daemon {
namespace {

// A read on the export thread, in one snapshot; `work` returns an error text, or nothing.
void read(Server& server, const Json& request, const Reply& reply,
          std::function<Result<void>(const store::Reader&, const store::ZoneRecord&)> work) {
  const auto name = zone_argument(request);
  if (!name) return end(reply, name.error().what);
  server.post_export([name = *name, reply, work = std::move(work)](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    const store::ZoneRecord* record = reader.zone_record(name);
    Result<void> done = record != nullptr ? work(reader, *record) : fail(Errc::NotFound, name.to_text() + ": no such zone is served");
    reader.release();
    done ? end(reply) : end(reply, done.error().what);
  });
}

Result<void> show_name(const store::Reader& reader, const store::ZoneRecord& record, const Json& request, const Reply& reply) {
  const auto name = name_within(argument(request, "name"), record.info.apex);
  if (!name) return fail("name", name.error());
  std::optional<dns::RrType> only;
  if (const std::string type = argument(request, "type"); !type.empty()) {
    only = dns::rr_type_from_text(type);
    if (!only) return fail(Errc::Invalid, "'" + type + "' is no type");
  }
  Json records = Json::array();
  if (name->view().is_at_or_below(record.info.apex))
    if (const zone::NodeView node = reader.find(record.info, name->folded()))
      if (auto listed = store::for_each_record(node,
                                        [&](dns::NameView owner, dns::RrType type, uint32_t ttl, ByteView rdata) -> Result<void> {
                                          if (!only || *only == type)
                                            records.push_back({{"name", owner.to_text()}, {"ttl", ttl}, {"type", to_text(type)},
                                                               {"rdata", dns::rdata_to_text(type, rdata)}});
                                          return {};
                                        });
          !listed)
        return listed;
  send(reply, {{"records", records}});
  return {};
}

/// What updates made of a zone that has a file.
struct UpdatedRecords {
  size_t dynamic = 0;    ///< not from the file
  size_t withdrawn = 0;  ///< of the file, and not served
};

Result<UpdatedRecords> count_updated(const store::Reader& reader, const store::ZoneRecord& record) {
  UpdatedRecords counts;
  const auto count = [&](ByteView provenance) -> Result<void> {
    for (const change::ProvenanceEntry& entry : change::read_provenance(provenance)) {
      counts.dynamic += entry.origin == change::Origin::Dynamic ? size_t{1} : size_t{0};
      counts.withdrawn += entry.origin == change::Origin::Withdrawn ? size_t{1} : size_t{0};
    }
    return {};
  };
  Bytes key;
  while (const zone::NodeView node = reader.node_at_or_after(record.info, key)) {
    if (auto counted = count(node.provenance()); !counted) return tl::unexpected<Error>(counted.error());
    key.push_back(0);
  }
  const auto walked = store::walk_withdrawn(reader, record, [&](ByteView, ByteView provenance) { return count(provenance); });
  if (!walked) return tl::unexpected<Error>(walked.error());
  return counts;
}

// Work for the writer with one configured zone.
void change_zone(Server& server, const Json& request, const Reply& reply, std::function<void(ZoneKeeper&)> work) {
  const auto name = zone_argument(request);
  if (!name) return end(reply, name.error().what);
  const bool posted = server.writer().post([&server, name = *name, reply, work = std::move(work)] {
    ZoneKeeper* keeper = server.keeper(name);
    if (keeper == nullptr) return end(reply, name.to_text() + ": no such zone is configured");
    work(*keeper);
    server.after_change();
  });
  if (!posted) end(reply, "the server is stopping");
}

Json json_of(const LoadOutcome& outcome, const std::string& zone) {
  Json json = {{"zone", zone}, {"ok", outcome.ok}, {"warnings", outcome.warnings}, {"changed", outcome.changed},
               {"serial", outcome.serial}, {"written", outcome.written}, {"signatures", outcome.signatures}};
  if (!outcome.ok) json["error"] = outcome.error;
  return json;
}

Json steps_of(const std::vector<sign::TimelineEvent>& events) {
  Json steps = Json::array();
  for (const sign::TimelineEvent& event : events)
    steps.push_back({{"at", seconds_of(event.time)},
                     {"what", std::string(to_text(event.role)) + " " + event.key + ": " + event.text + (event.assumed ? " (assumed)" : "")}});
  return steps;
}

Json json_of(const crypto::StoredKey& key, const ZoneKeys& keys, UnixTime now) {
  const auto role = !key.is_sep() ? sign::KeyRole::Zsk : keys.policy().single ? sign::KeyRole::Csk : sign::KeyRole::Ksk;
  Json ds = Json::array();
  if (key.is_sep()) {
    Bytes rdata;
    sign::append_ds_rdata(key.zone, key.dnskey(), sign::DsDigest::SHA256, rdata);
    ds.push_back(key.zone.to_text() + " IN DS " + dns::rdata_to_text(dns::RrType::DS, rdata));
  }
  return {{"tag", key.tag()},
          {"role", to_text(role)},
          {"algorithm", to_text(key.key->algorithm())},
          {"size", key.key->public_key().bits()},
          {"state", to_text(sign::state_of(role, key.times, now))},
          {"created", time_or_null(key.times.created)},
          {"publish", time_or_null(key.times.publish)},
          {"active", time_or_null(key.times.activate)},
          {"retire", time_or_null(key.times.inactive)},
          {"remove", time_or_null(key.times.remove)},
          {"file", keys.directory() + "/" + crypto::key_file_stem(key.zone, key.key->algorithm(), key.tag())},
          {"ds", ds}};
}

// Of a catalog: the zones that it brought, or that it lists where it is made here.
Json members_of(const Server& server, const ZoneStatus& catalog, const config::ZoneConfig& zone) {
  Json members = Json::array();
  if (zone.catalog == config::CatalogRole::Produce) {
    for (const config::ZoneConfig& other : server.config().zones)
      if (other.catalog_entry.catalog && *other.catalog_entry.catalog == zone.name) members.push_back(other.name.to_text());
    return members;
  }
  for (const ZoneStatus& other : server.board().all())
    if (other.catalog.catalog == catalog.zone) members.push_back(other.zone);
  return members;
}

}  // namespace

void zone_list(Server& server, const Reply& reply) {
  Json rows = Json::array();
  for (const ZoneStatus& status : server.board().all()) rows.push_back(json_of(status));
  end_with(reply, {{"zones", rows}});
}

void zone_show(Server& server, const Json& request, const Reply& reply) {
  if (!argument(request, "name").empty())
    return read(server, request, reply, [request, reply](const store::Reader& reader, const store::ZoneRecord& record) {
      return show_name(reader, record, request, reply);
    });
  const auto name = zone_argument(request);
  if (!name) return end(reply, name.error().what);
  const auto status = server.board().find(name->to_text());
  if (!status) return end(reply, name->to_text() + ": no such zone is configured");
  Json json = json_of(*status);
  json["files"] = status->files;
  json["warnings"] = status->warnings;
  json["keys"] = status->keys;
  json["dynamic_records"] = json["withdrawn_records"] = 0;
  json["groups"] = Json::array();
  for (const std::string& group : status->catalog.groups) json["groups"].push_back(catalog::label_text(as_bytes(group)));
  if (const config::ZoneConfig* zone = server.config().find_zone(*name); zone != nullptr && zone->catalog != config::CatalogRole::None)
    json["members"] = members_of(server, *status, *zone);
  if (!status->catalog.error.empty()) json["warnings"].push_back(status->catalog.error);
  if (!status->has_data) return end_with(reply, json);
  read(server, request, reply, [json, reply](const store::Reader& reader, const store::ZoneRecord& record) mutable -> Result<void> {
    const auto updated = count_updated(reader, record);
    if (!updated) return tl::unexpected<Error>(updated.error());
    json["dynamic_records"] = updated->dynamic;
    json["withdrawn_records"] = updated->withdrawn;
    send(reply, json);
    return {};
  });
}

void zone_export(Server& server, const Json& request, const Reply& reply) {
  read(server, request, reply, [reply](const store::Reader& reader, const store::ZoneRecord& record) -> Result<void> {
    return store::write_zone_text(reader, record.info, [&](std::string_view text) -> Result<void> {
      if (!send(reply, {{"text", text}})) return fail(Errc::Io, "the client went away");
      return {};
    });
  });
}

// Outcomes come with the commit, which the zones share.
struct ReloadReply {
  Json list = Json::array();
  std::string failed;
  void take(const std::string& zone, const LoadOutcome& outcome) {
    list.push_back(json_of(outcome, zone));
    if (!outcome.ok) failed += (failed.empty() ? "" : ", ") + zone;
  }
};

void reload_zones(Server& server, std::vector<std::string> names, const Json& head, const Reply& reply) {
  const bool posted = server.writer().post([&server, names = std::move(names), head, reply] {
    ReloadReply told;
    const auto load = [&](ZoneKeeper& keeper) {
      keeper.load(true, [&told, zone = keeper.status().zone](const LoadOutcome& outcome) { told.take(zone, outcome); });
      if (server.group().is_due()) server.group().flush();
    };
    // What is made from the registry's zone follows it by itself.
    if (names.empty())
      server.for_each_keeper([&](ZoneKeeper& keeper) {
        const bool is_made = keeper.config().online || (keeper.config().transfer_only && keeper.config().primaries.empty());
        if (!is_made) load(keeper);
      });
    for (const std::string& text : names) {
      const auto name = dns::Name::from_text(text);
      if (ZoneKeeper* keeper = name ? server.keeper(*name) : nullptr) {
        load(*keeper);
      } else {
        LoadOutcome missing;
        missing.ok = false;
        missing.error = "no such zone is configured";
        told.take(text, missing);
      }
    }
    server.group().flush();
    server.after_change();
    Json result = head;
    result["zones"] = told.list;
    send(reply, result);
    told.failed.empty() ? end(reply) : end(reply, "not reloaded: " + told.failed);
  });
  if (!posted) end(reply, "the server is stopping");
}

void zone_reload(Server& server, const Json& request, const Reply& reply) {
  std::vector<std::string> names;
  if (const auto zones = request.find("zones"); zones != request.end() && zones->is_array())
    for (const Json& zone : *zones)
      if (zone.is_string()) names.push_back(zone.get<std::string>());
  reload_zones(server, std::move(names), Json::object(), reply);
}

void zone_sign(Server& server, const Json& request, const Reply& reply) {
  const bool all = request.value("all", false);
  change_zone(server, request, reply, [all, reply](ZoneKeeper& keeper) {
    LoadOutcome outcome;
    if (!keeper.sign_now(all, outcome)) return end(reply, outcome.error);
    end_with(reply, {{"zone", keeper.status().zone}, {"serial", outcome.serial}, {"signatures", outcome.signatures}});
  });
}

void zone_keys(Server& server, const Json& request, const Reply& reply) {
  change_zone(server, request, reply, [&server, reply](ZoneKeeper& keeper) {
    Json list = Json::array();
    const UnixTime now = server.clock().now();
    if (const ZoneKeys* keys = keeper.keys())
      for (const crypto::StoredKey& key : keys->keys()) list.push_back(json_of(key, *keys, now));
    end_with(reply, {{"zone", keeper.status().zone}, {"keys", list}, {"next_event", json_of(keeper.status().next_event)}});
  });
}

// What the plan says will follow for the keys of this kind, up to the next rollover; with `begin`, of one that begins now.
Result<Json> timeline_of(const ZoneKeys& keys, std::vector<sign::KeyInfo> infos, UnixTime now, bool ksk, bool begin) {
  sign::TimelineRequest ask;
  if (begin) ask.rollover_ksk = ksk;
  const auto events = sign::timeline(infos, keys.policy(), now, ask);
  if (!events) return tl::unexpected<Error>(events.error());
  bool begun = !begin;
  std::vector<sign::TimelineEvent> shown;
  for (const sign::TimelineEvent& event : *events) {
    if ((event.role != sign::KeyRole::Zsk) != ksk) continue;
    if (event.to == sign::KeyState::Generated && std::exchange(begun, true)) break;
    shown.push_back(event);
  }
  return steps_of(shown);
}

void zone_keys_rollover(Server& server, const Json& request, const Reply& reply) {
  const std::string role = argument(request, "role");
  if (role != "ksk" && role != "zsk" && role != "csk") return end(reply, "role '" + role + "': expected ksk, zsk or csk");
  const bool dry_run = request.value("dry_run", false);
  change_zone(server, request, reply, [&server, reply, ksk = role != "zsk", csk = role == "csk", dry_run](ZoneKeeper& keeper) {
    const std::string& zone = keeper.status().zone;
    ZoneKeys* keys = keeper.keys();
    if (keys == nullptr) return end(reply, zone + ": dnssec is off for this zone");
    if (keys->policy().single != csk)
      return end(reply, zone + ": its policy has " + (keys->policy().single ? "one CSK" : "a KSK and a ZSK"));
    const UnixTime now = server.clock().now();
    const auto steps = timeline_of(*keys, sign::key_infos(keys->keys()), now, ksk, true);
    if (!steps) return end(reply, steps.error().what);
    if (!dry_run)
      if (auto begun = keeper.rollover(ksk); !begun) return end(reply, begun.error().what);
    end_with(reply, {{"zone", zone}, {"applied", !dry_run}, {"steps", *steps}});
  });
}

void zone_keys_ds_seen(Server& server, const Json& request, const Reply& reply) {
  const bool dry_run = request.value("dry_run", false);
  const auto tag = static_cast<crypto::KeyTag>(request.value("tag", 0));
  change_zone(server, request, reply, [&server, reply, tag, dry_run](ZoneKeeper& keeper) {
    const std::string& zone = keeper.status().zone;
    ZoneKeys* keys = keeper.keys();
    if (keys == nullptr) return end(reply, zone + ": dnssec is off for this zone");
    const UnixTime now = server.clock().now();
    const auto change = keys->ds_seen_change(tag, now);
    if (!change) return end(reply, change.error().what);
    auto infos = sign::key_infos(keys->keys());
    for (sign::KeyInfo& key : infos)
      if (key.tag == change->tag) key.times = change->times;
    const auto steps = timeline_of(*keys, std::move(infos), now, true, false);
    if (!steps) return end(reply, steps.error().what);
    if (!dry_run)
      if (auto seen = keeper.ds_seen(change->tag); !seen) return end(reply, seen.error().what);
    end_with(reply, {{"zone", zone}, {"applied", !dry_run}, {"steps", *steps}});
  });
}

}  // namespace steward::daemon
