#include "daemon/child_check.hh"

#include <fmt/format.h>

#include <algorithm>

#include "client/chain.hh"
#include "daemon/dialogues.hh"
#include "sign/delegation.hh"

namespace steward::daemon {
namespace {

using dns::RrType;

constexpr uint8_t sha1 = 1;

std::vector<Bytes> sorted(std::vector<Bytes> rdatas) {
  std::sort(rdatas.begin(), rdatas.end());
  return rdatas;
}

std::vector<dns::Record> anchors_of(const dns::Name& zone, std::span<const Bytes> ds) {
  std::vector<dns::Record> anchors;
  for (const Bytes& rdata : ds) anchors.push_back({.owner = zone, .type = RrType::DS, .rdata = rdata});
  return anchors;
}

Result<void> check_signed(const dns::Name& zone, std::span<const Bytes> ds, const ServerAnswers& server, UnixTime now) {
  std::vector<dns::Record> records;
  for (const dns::Message& answer : server.answers)
    records.insert(records.end(), answer.answer.begin(), answer.answer.end());
  const auto rrsets = client::collect_rrsets(records);
  const auto anchors = anchors_of(zone, ds);
  auto chain = client::Chain::build(anchors, rrsets, now, client::Need::One);
  if (!chain) return fail(server.server, chain.error());
  for (const RrType type : {RrType::SOA, RrType::CDS}) {
    const client::SignedRrset* rrset = client::find_rrset(rrsets, zone, type);
    if (rrset == nullptr) continue;
    const auto checked = chain->check(*rrset);
    if (!checked) return fail(server.server, checked.error());
  }
  return {};
}

Result<void> check_answers(const dns::Name& zone, const ServerAnswers& server) {
  if (server.answers.size() != std::size(child_questions)) return fail(Errc::Invalid, server.server + ": answers are missing");
  for (size_t i = 0; i < server.answers.size(); ++i) {
    const dns::Message& answer = server.answers[i];
    if (answer.rcode() != dns::Rcode::NOERROR || !answer.header.aa)
      return fail(Errc::Refused, fmt::format("{}: {} {}: {}{}", server.server, zone.to_text(), to_text(child_questions[i]),
                                             to_text(answer.rcode()), answer.header.aa ? "" : ", without authority"));
  }
  const auto is_soa = [&](const dns::Record& record) { return record.type == RrType::SOA && record.owner == zone; };
  if (std::none_of(server.answers[0].answer.begin(), server.answers[0].answer.end(), is_soa))
    return fail(Errc::Refused, fmt::format("{}: has no SOA of {}", server.server, zone.to_text()));
  return {};
}

}  // namespace

Result<ChildFindings> check_servers(const dns::Name& zone, std::span<const Bytes> ds,
                                    std::span<const ServerAnswers> servers, UnixTime now) {
  if (servers.empty()) return fail(Errc::Refused, zone.to_text() + ": no address of a name server is known");
  std::optional<ChildFindings> first;
  for (const ServerAnswers& server : servers) {
    if (auto sound = check_answers(zone, server); !sound) return tl::unexpected<Error>(sound.error());
    if (!ds.empty())
      if (auto valid = check_signed(zone, ds, server, now); !valid) return tl::unexpected<Error>(valid.error());
    ChildFindings found{sorted(rdatas_of(server.answers[1], RrType::DNSKEY)), sorted(rdatas_of(server.answers[2], RrType::CDS))};
    if (!first) {
      first = std::move(found);
      continue;
    }
    if (found.dnskeys != first->dnskeys || found.cds != first->cds)
      return fail(Errc::Refused, fmt::format("{}: DNSKEY or CDS are not those of {}", server.server, servers.front().server));
  }
  return *std::move(first);
}

Result<std::optional<std::vector<Bytes>>> ds_wanted(const dns::Name& zone, std::span<const Bytes> ds,
                                                    const ChildFindings& findings,
                                                    std::span<const ServerAnswers> servers, UnixTime now) {
  using Wanted = std::optional<std::vector<Bytes>>;
  // RFC 8078 §3: the first DS of a zone that was never validated is not taken from it by itself.
  if (ds.empty() || findings.cds.empty()) return Wanted();
  if (findings.cds.size() == 1 && findings.cds.front() == sign::cds_delete_rdata()) return Wanted(std::vector<Bytes>{});
  for (const Bytes& rdata : findings.cds)
    if (rdata.size() < 4 || rdata[3] == sha1)
      return fail(Errc::Refused, fmt::format("{}: CDS with a digest that is not taken (RFC 8624 §3.3)", zone.to_text()));
  if (sorted({ds.begin(), ds.end()}) == findings.cds) return Wanted();
  // RFC 7344 §4.1: it must not break the chain.
  if (const auto valid = check_servers(zone, findings.cds, servers, now); !valid) return tl::unexpected<Error>(valid.error());
  return Wanted(findings.cds);
}

}  // namespace steward::daemon
