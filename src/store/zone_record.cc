#include "store/zone_record.hh"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dns/encoding.hh"

namespace steward::store {
namespace {

std::string_view text_of(zone::Denial denial) {
  switch (denial) {
    case zone::Denial::None: return "none";
    case zone::Denial::Nsec: return "nsec";
    case zone::Denial::Nsec3: return "nsec3";
  }
  return "none";
}

std::string_view text_of(zone::Availability availability) {
  switch (availability) {
    case zone::Availability::Serving: return "serving";
    case zone::Availability::NotLoaded: return "not-loaded";
    case zone::Availability::Expired: return "expired";
  }
  return "serving";
}

// Labels and groups are octets, which JSON has no way to write.
nlohmann::json json_of(const CatalogOrigin& origin) {
  nlohmann::json groups = nlohmann::json::array();
  for (const std::string& group : origin.groups) groups.push_back(dns::encode(dns::hex_lower, as_bytes(group)));
  return {{"name", origin.catalog.to_text()}, {"label", dns::encode(dns::hex_lower, origin.label)}, {"groups", groups}};
}

Result<CatalogOrigin> origin_of(const nlohmann::json& json) {
  CatalogOrigin origin;
  const auto name = dns::Name::from_text(json.at("name").get<std::string>());
  if (!name) return tl::unexpected<Error>(name.error());
  origin.catalog = name->folded();
  const auto label = dns::decode(dns::hex_lower, json.at("label").get<std::string>());
  if (!label) return fail(Errc::Corrupt, "catalog: label");
  origin.label = *label;
  for (const auto& text : json.at("groups")) {
    const auto group = dns::decode(dns::hex_lower, text.get<std::string>());
    if (!group) return fail(Errc::Corrupt, "catalog: group");
    origin.groups.emplace_back(as_text(*group));
  }
  return origin;
}

}  // namespace

std::string ZoneRecord::to_json() const {
  nlohmann::json json = {{"name", info.apex.to_text()},
                         {"denial", text_of(info.denial)},
                         {"iterations", info.nsec3_iterations},
                         {"salt", Bytes(info.salt().begin(), info.salt().end())},
                         {"serial", serial},
                         {"file-serial", file_serial},
                         {"nodes", nodes},
                         {"records", records},
                         {"max-ttl", max_ttl},
                         {"served", served},
                         {"signed-here", signed_here},
                         {"signing", signing_digest},
                         {"loaded", seconds_of(loaded_at)},
                         {"availability", text_of(info.availability)},
                         {"journal", {journal_first, journal_next, journal_octets}},
                         {"files", nlohmann::json::array()}};
  for (const FileStamp& file : files)
    json["files"].push_back({{"path", file.path}, {"modified", file.modified_ns}, {"size", file.size}, {"inode", file.inode}});
  if (origin) json["catalog"] = json_of(*origin);
  if (info.online) json["online"] = true;
  if (info.transfer_only) json["transfer-only"] = true;
  return json.dump();
}

Result<ZoneRecord> ZoneRecord::from_json(uint32_t id, std::string_view text) {
  const auto corrupt = [&](const std::string& what) {
    return fail(Errc::Corrupt, "zone record " + std::to_string(id) + ": " + what);
  };
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return corrupt("not a JSON object");
  try {
    ZoneRecord record;
    record.info.id = id;
    const auto apex = dns::Name::from_text(json.at("name").get<std::string>());
    if (!apex) return corrupt(apex.error().what);
    record.info.apex = *apex;
    const auto denial = json.at("denial").get<std::string>();
    record.info.denial = denial == "nsec3" ? zone::Denial::Nsec3 : denial == "nsec" ? zone::Denial::Nsec : zone::Denial::None;
    record.info.nsec3_iterations = json.at("iterations").get<uint16_t>();
    const auto salt = json.at("salt").get<Bytes>();
    if (salt.size() > record.info.nsec3_salt.size()) return corrupt("salt over 255 octets");
    std::copy(salt.begin(), salt.end(), record.info.nsec3_salt.begin());
    record.info.nsec3_salt_size = static_cast<uint8_t>(salt.size());
    record.serial = json.at("serial").get<uint32_t>();
    record.file_serial = json.at("file-serial").get<uint32_t>();
    record.nodes = json.at("nodes").get<uint64_t>();
    record.records = json.at("records").get<uint64_t>();
    record.info.online = json.value("online", false);
    record.info.transfer_only = json.value("transfer-only", false);
    record.max_ttl = json.value("max-ttl", uint32_t{0});
    record.served = json.at("served").get<bool>();
    record.signed_here = json.at("signed-here").get<bool>();
    record.signing_digest = json.at("signing").get<std::string>();
    record.loaded_at = unix_time(json.at("loaded").get<int64_t>());
    const auto availability = json.value("availability", std::string("serving"));
    record.info.availability = availability == "expired"      ? zone::Availability::Expired
                               : availability == "not-loaded" ? zone::Availability::NotLoaded
                                                              : zone::Availability::Serving;
    if (const auto journal = json.find("journal"); journal != json.end()) {
      record.journal_first = journal->at(0).get<uint64_t>();
      record.journal_next = journal->at(1).get<uint64_t>();
      record.journal_octets = journal->at(2).get<uint64_t>();
    }
    if (const auto catalog = json.find("catalog"); catalog != json.end()) {
      auto origin = origin_of(*catalog);
      if (!origin) return corrupt(origin.error().what);
      record.origin = std::move(*origin);
    }
    for (const auto& file : json.at("files"))
      record.files.push_back({file.at("path").get<std::string>(), file.at("modified").get<int64_t>(),
                              file.at("size").get<uint64_t>(), file.at("inode").get<uint64_t>()});
    return record;
  } catch (const nlohmann::json::exception& error) {
    return corrupt(error.what());
  }
}

}  // namespace steward::store
