#include "client/publish_message.hh"

#include <fmt/format.h>

#include "client/names.hh"
#include "dns/message.hh"
#include "dns/rdata.hh"

namespace steward::client {

namespace {

using dns::RrClass;
using dns::RrType;

constexpr uint16_t udp_size = 1232;  // octets; the call goes over TCP, where it means nothing

/// RFC 2136 §2.5.2: delete an RRset.
dns::Record without(const dns::Name& owner, RrType type) { return {owner, type, RrClass::ANY, 0, {}}; }

dns::Record add(const agent::PublishedRecord& record) {
  return {record.owner, record.type, RrClass::IN, record.ttl, record.rdata};
}

std::vector<dns::Record> prerequisites(const PublishUpdate& update) {
  std::vector<dns::Record> out;
  // RFC 2136 §2.4.3: the RRset does not exist.
  if (update.statement_as_read.empty()) out.push_back({update.agent, RrType::TXT, RrClass::NONE, 0, {}});
  // RFC 2136 §2.4.2: it exists with exactly these values.
  for (const Bytes& rdata : update.statement_as_read) out.push_back({update.agent, RrType::TXT, RrClass::IN, 0, rdata});
  return out;
}

uint32_t ttl_of(const PublishUpdate& update) {
  return update.records.empty() ? agent::agent_ttl : update.records.front().ttl;
}

std::vector<dns::Record> changes(const PublishUpdate& update) {
  std::vector<dns::Record> out;
  for (const RrType type : {RrType::TXT, RrType::SRV, RrType::SVCB}) out.push_back(without(update.agent, type));
  out.push_back(without(manifest_name(update.agent), RrType::TXT));
  for (const agent::PublishedRecord& record : update.records) out.push_back(add(record));
  if (update.rotation)
    out.push_back({rotations_name(update.agent), RrType::TXT, RrClass::IN, ttl_of(update), *update.rotation});
  return out;
}

dns::Record options_of(const PublishUpdate& update) {
  Bytes options;
  if (update.lease) {
    Bytes times;
    append_u32(times, update.lease->records);
    if (update.lease->key != 0) append_u32(times, update.lease->key);
    dns::append_edns_option(options, update_lease_option, times);
  }
  return dns::make_opt(udp_size, false, std::move(options));
}

std::optional<Lease> lease_from(ByteView data) {
  ByteReader in(data);
  Lease lease;
  lease.records = in.u32();
  if (data.size() == 8) lease.key = in.u32();
  return in.ok() && in.left() == 0 ? std::optional(lease) : std::nullopt;
}

}  // namespace

dns::Name manifest_name(const dns::Name& agent) { return below("_manifest", agent).value_or(agent); }
dns::Name rotations_name(const dns::Name& agent) { return below("_keys", agent).value_or(agent); }

Result<Bytes> build_publish(uint16_t id, const PublishUpdate& update) {
  dns::Message message;
  message.header.id = id;
  message.header.opcode = dns::Opcode::UPDATE;
  message.question.push_back({update.zone, RrType::SOA, RrClass::IN});  // RFC 2136 §2.3
  message.answer = prerequisites(update);
  message.authority = changes(update);
  message.additional.push_back(options_of(update));
  return message.build();
}

Result<Bytes> build_signed_publish(uint16_t id, const PublishUpdate& update, const auth::Sig0Key& key, UnixTime now) {
  auto message = build_publish(id, update);
  if (!message) return message;
  if (const auto done = auth::sign_with_sig0(*message, key, now); !done) return tl::unexpected(done.error());
  return message;
}

std::string nsupdate_script(const PublishUpdate& update, std::string_view server) {
  std::string out;
  if (update.lease) out += "; the lease is left out: nsupdate has no word for it (RFC 9664)\n";
  if (!server.empty()) out += fmt::format("server {}\n", server);
  out += fmt::format("zone {}\n", update.zone.to_text());
  for (const dns::Record& record : prerequisites(update)) {
    if (record.klass == RrClass::NONE) {
      out += fmt::format("prereq nxrrset {} {}\n", record.owner.to_text(), dns::to_text(record.type));
    } else {
      out += fmt::format("prereq yxrrset {} {} {}\n", record.owner.to_text(), dns::to_text(record.type),
                         dns::rdata_to_text(record.type, record.rdata));
    }
  }
  for (const dns::Record& record : changes(update)) {
    if (record.klass == RrClass::ANY) {
      out += fmt::format("update delete {} {}\n", record.owner.to_text(), dns::to_text(record.type));
    } else {
      out += fmt::format("update add {} {} {} {}\n", record.owner.to_text(), record.ttl, dns::to_text(record.type),
                         dns::rdata_to_text(record.type, record.rdata));
    }
  }
  return out + "send\n";
}

Result<PublishResponse> read_publish_response(ByteView message, uint16_t id) {
  const auto parsed = dns::Message::parse(message);
  if (!parsed) return fail("response to the UPDATE", parsed.error());
  if (parsed->header.id != id || !parsed->header.qr || parsed->header.opcode != dns::Opcode::UPDATE)
    return fail(Errc::Invalid, "what came is no response to the UPDATE (RFC 2136 §3.8)");
  PublishResponse response;
  response.rcode = parsed->rcode();
  const dns::Record* opt = parsed->opt();
  if (opt == nullptr) return response;
  ByteView rdata = opt->rdata;
  while (const auto option = dns::next_edns_option(rdata)) {
    if (option->code == update_lease_option) response.lease = lease_from(option->data);
    if (option->code != extended_error_option || option->data.size() < 2 || response.error) continue;
    response.error = load_u16(option->data.data());
    response.text = as_text(option->data.subspan(2));
  }
  return response;
}

}  // namespace steward::client
