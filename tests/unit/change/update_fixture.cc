#include "update_fixture.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "dns/rdata.hh"

namespace steward::change::test {
namespace {

dns::Name owner_name(std::string_view text) { return *dns::Name::from_text(text, name("example.")); }

}  // namespace

dns::Record record(std::string_view owner, RrType type, RrClass klass, uint32_t ttl, Bytes rdata) {
  return {owner_name(owner), type, klass, ttl, std::move(rdata)};
}

Script::Script() {
  message.header.id = 4711;
  message.header.opcode = dns::Opcode::UPDATE;
  message.question.push_back({name("example."), RrType::SOA, RrClass::IN});
}

Script& Script::prerequisite(dns::Record record) {
  message.answer.push_back(std::move(record));
  return *this;
}
Script& Script::update(dns::Record record) {
  message.authority.push_back(std::move(record));
  return *this;
}
Script& Script::exists(std::string_view owner) { return exists(owner, RrType::ANY); }
Script& Script::exists(std::string_view owner, RrType type) { return prerequisite(record(owner, type, RrClass::ANY)); }
Script& Script::exists(std::string_view owner, RrType type, std::string_view rdata) {
  return prerequisite(record(owner, type, RrClass::IN, 0, rdata_of(type, rdata)));
}
Script& Script::absent(std::string_view owner) { return absent(owner, RrType::ANY); }
Script& Script::absent(std::string_view owner, RrType type) { return prerequisite(record(owner, type, RrClass::NONE)); }
Script& Script::add(std::string_view owner, RrType type, std::string_view rdata, uint32_t ttl) {
  return update(record(owner, type, RrClass::IN, ttl, rdata_of(type, rdata)));
}
Script& Script::remove(std::string_view owner, RrType type) { return update(record(owner, type, RrClass::ANY)); }
Script& Script::remove(std::string_view owner) { return remove(owner, RrType::ANY); }
Script& Script::remove(std::string_view owner, RrType type, std::string_view rdata) {
  return update(record(owner, type, RrClass::NONE, 0, rdata_of(type, rdata)));
}

Bytes Script::wire() const {
  auto wire = message.build();
  REQUIRE(wire);
  return *std::move(wire);
}

Trial::Trial(std::string_view rest, Mode with) : mode(with) {
  zone.load(text(7, rest), mode);
  rules.emplace_back().key = name("*.");
  sender.tsig_key = name("update.");
  limits = {100, 100, 1000, 4000};
}

UpdateOutcome Trial::run(const Script& script) { return run(script.wire()); }

UpdateOutcome Trial::run(ByteView wire) {
  const auto request = parse_update(wire);
  if (!request) return request.error();
  const UpdatePolicy policy(rules, mode != Mode::Unsigned);
  const auto before = shape(zone);
  const uint32_t serial = zone.serial;
  UpdateOutcome outcome;
  const EditResult result =
      zone.edit(mode, [&](ZoneEdit& edit) { outcome = evaluate_update(*request, policy, sender, limits, edit); });
  CHECK(result.changed == (outcome.changed && outcome.done()));
  CHECK(faults(zone, mode).empty());
  CHECK(outcome.done() != outcome.why.has_value());
  if (!outcome.done() || !outcome.changed) {
    CHECK(shape(zone) == before);
    CHECK(zone.serial == serial);
  }
  return outcome;
}

std::vector<std::string> Trial::at(std::string_view owner) {
  std::vector<std::string> lines;
  zone.edit(mode, [&](ZoneEdit& edit) {
    for (const EditedRrset& rrset : edit.rrsets(owner_name(owner)))
      for (const Bytes& rdata : rrset.rdatas)
        lines.push_back(
            fmt::format("{} {} {}", rrset.ttl, dns::to_text(rrset.type), dns::rdata_to_text(rrset.type, rdata)));
  });
  return lines;
}

}  // namespace steward::change::test
