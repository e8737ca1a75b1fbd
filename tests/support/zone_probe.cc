// What scripts ask of our rules about whole zones: its ZONEMD, what it says as a catalog, and a catalog of ours.
//
//   zone-probe digest APEX FILE sha384|sha512     the RDATA that we would make, and how long the digest took
//   zone-probe verify APEX FILE                   the verdict; status 0 if verified
//   zone-probe catalog APEX FILE                  a line each: zone, label, coo or -, groups; status 1 and the reason
//   if broken zone-probe produce APEX MEMBER[=GROUP]...     the zone file of a catalog

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <vector>

#include "catalog/catalog.hh"
#include "catalog/producer.hh"
#include "dns/rdata.hh"
#include "sign/zonemd.hh"
#include "zone/file_loader.hh"

using namespace steward;

namespace {

using Words = std::vector<std::string>;

int failed(std::string_view what) {
  fmt::print(stderr, "{}\n", what);
  return 1;
}

std::unique_ptr<zone::ZoneImage> load(const std::string& file, const dns::Name& apex) {
  zone::LoadOptions options;
  options.checks = false;
  auto loaded = zone::load_zone_file(file, apex, options);
  for (const auto& error : loaded.errors) failed(error.to_text());
  return std::move(loaded.image);
}

int digest(zone::RecordSource& records, std::string_view hash) {
  const auto since = std::chrono::steady_clock::now();
  const auto rdata = sign::make_zonemd(records, hash == "sha512" ? sign::ZonemdHash::Sha512 : sign::ZonemdHash::Sha384);
  if (!rdata) return failed(rdata.error().what);
  fmt::print("{}\n", dns::rdata_to_text(dns::RrType::ZONEMD, *rdata));
  fmt::print(stderr, "{:.3f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count());
  return 0;
}

int verify(zone::RecordSource& records) {
  const auto verification = sign::verify_zonemd(records);
  fmt::print("{}\n", verification.what);
  return verification.verdict == sign::ZonemdVerdict::Verified ? 0 : 1;
}

int read(zone::RecordSource& records) {
  const auto found = catalog::read_catalog(records);
  if (!found) return failed(found.error().what);
  for (const auto& member : found->members)
    fmt::print("{} {} {} {}\n", member.zone.to_text(), catalog::label_text(member.label),
               member.coo ? member.coo->to_text() : "-", fmt::join(member.groups, ","));
  for (const auto& warning : found->warnings) fmt::print(stderr, "{}\n", warning);
  return 0;
}

int produce(const dns::Name& apex, const Words& words) {
  auto producer = catalog::CatalogProducer::create(apex);
  if (!producer) return failed(producer.error().what);
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t at = words[i].find('=');
    const auto zone = dns::Name::from_text(words[i].substr(0, at));
    if (!zone) return failed(zone.error().what);
    catalog::ProducedMember member{*zone};
    if (at != std::string::npos) member.groups.push_back(words[i].substr(at + 1));
    if (auto added = producer->add(std::move(member)); !added) return failed(added.error().what);
  }
  fmt::print("{}", producer->zone_text(1));
  return 0;
}

int run(const Words& words) {
  const auto apex = dns::Name::from_text(words[1]);
  if (!apex) return failed(apex.error().what);
  if (words[0] == "produce") return produce(*apex, words);
  if (words.size() < 3) return failed("a file is missing");
  const auto image = load(words[2], *apex);
  if (image == nullptr) return 1;
  zone::ImageRecords records(*image);
  if (words[0] == "digest") return digest(records, words.size() > 3 ? words[3] : "sha384");
  if (words[0] == "verify") return verify(records);
  if (words[0] == "catalog") return read(records);
  return failed("digest, verify, catalog or produce");
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.size() < 2) return failed("usage: zone-probe digest|verify|catalog|produce APEX ...");
  return run(words);
}
