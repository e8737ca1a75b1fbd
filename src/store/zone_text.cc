#include "store/zone_text.hh"

#include "zone/zone_writer.hh"

namespace steward::store {
namespace {

constexpr uint32_t usual_ttl = 300;  // seconds; records with it are written without one

Result<void> write_soa(zone::ZoneWriter& writer, zone::NodeView apex) {
  const auto soa = apex.find(dns::RrType::SOA);
  if (!soa) return {};
  Bytes rdata;
  zone::expand_rdata(dns::RrType::SOA, zone::StoredRrReader(soa->rrs).next().rdata, apex.owner(), rdata);
  return writer.write(apex.owner(), soa->ttl(), dns::RrType::SOA, rdata);
}

}  // namespace

Result<void> write_zone_text(const Reader& reader, const zone::ZoneInfo& info,
                             std::function<Result<void>(std::string_view)> sink) {
  zone::ZoneWriter writer(info.apex, usual_ttl, std::move(sink));
  const auto write = [&](dns::NameView owner, dns::RrType type, uint32_t ttl, ByteView rdata) -> Result<void> {
    return type == dns::RrType::SOA ? Result<void>{} : writer.write(owner, ttl, type, rdata);
  };
  Bytes key;
  while (const zone::NodeView node = reader.node_at_or_after(info, key)) {
    if (node.is(zone::node_apex))
      if (auto written = write_soa(writer, node); !written) return written;
    if (auto written = for_each_record(node, write); !written) return written;
    key.push_back(0);
  }
  Bytes hash;
  while (const zone::NodeView node = reader.nsec3_at_or_after(info, hash)) {
    if (auto written = for_each_record(node, write); !written) return written;
    hash.push_back(0);
  }
  return writer.finish();
}

}  // namespace steward::store
