#include "agent/book.hh"

#include <doctest/doctest.h>

#include "agent/text_fields.hh"
#include "crypto/digest.hh"
#include "memory_octets.hh"

using namespace steward;
using namespace steward::agent;

namespace {

dns::Name name(std::string_view text) { return dns::Name::from_text(text, *dns::Name::from_text("s.")).value(); }

std::string print(char digit) { return "sha256:" + std::string(64, digit); }

struct Tables {
  steward::test::MemoryOctets agents;
  steward::test::MemoryOctets history;
  steward::test::MemoryOctets publishers;
  Book book{name("com"), agents, history, publishers};
};

AgentEntry full_entry() {
  AgentEntry entry;
  entry.version = "1.4.2-rc.1+build";
  entry.modified = unix_time(1'800'000'000);
  entry.fingerprint = print('a');
  entry.revoked = {print('b'), print('c')};
  entry.rotations = 3;
  entry.first_published = unix_time(1'700'000'000);
  entry.presence = Presence::Tombstone;
  entry.status = AgentStatus::Revoked;
  entry.custodial = true;
  entry.suspended = "spam, \xc3\xa9";
  entry.lease_until = unix_time(5'000'000'000);
  entry.key_lease_until = unix_time(-1);
  entry.capabilities = {"plan", "orchestrate_sdlc"};
  entry.protocols = {"a2a", "mcp"};
  entry.facts = {{"tests", {0.25, true, unix_time(7)}}, {"uptime", {1.0 / 3, false, unix_time(8)}}};
  entry.trust = 0.94;
  entry.looks_alike = true;
  entry.history = 12;
  entry.history_head = Bytes(32, 9);
  entry.write = {{{"eu-4f2a", 5}, {"us-91c0", uint64_t{1} << 40}}, 77, "eu-4f2a"};
  entry.kept_rotations = {Bytes(300, 1), Bytes(2, 2)};
  entry.kept_keys = {Bytes(36, 3)};
  return entry;
}

HistoryEntry change(std::string_view action) {
  HistoryEntry entry;
  entry.at = unix_time(1'800'000'000);
  entry.action = action;
  entry.by = print('a');
  entry.version = "1.0.0";
  return entry;
}

}  // namespace

TEST_CASE("book: an agent's entry comes back as it was put, each field of it") {
  Tables t;
  const AgentEntry entry = full_entry();
  REQUIRE(t.book.put(name("Agent.acme.com"), entry));
  const auto back = t.book.find(name("agent.ACME.com"));
  REQUIRE(back);
  REQUIRE(*back);
  const AgentEntry& b = **back;
  CHECK(b.version == entry.version);
  CHECK(b.modified == entry.modified);
  CHECK(b.fingerprint == entry.fingerprint);
  CHECK(b.revoked == entry.revoked);
  CHECK(b.rotations == entry.rotations);
  CHECK(b.first_published == entry.first_published);
  CHECK(b.presence == entry.presence);
  CHECK(b.status == entry.status);
  CHECK(b.custodial == entry.custodial);
  CHECK(b.suspended == entry.suspended);
  CHECK(b.lease_until == entry.lease_until);
  CHECK(b.key_lease_until == entry.key_lease_until);
  CHECK(b.capabilities == entry.capabilities);
  CHECK(b.protocols == entry.protocols);
  REQUIRE(b.facts.size() == 2);
  CHECK(b.facts.at("uptime").value == 1.0 / 3);
  CHECK_FALSE(b.facts.at("uptime").claimed);
  CHECK(b.facts.at("tests").claimed);
  CHECK(b.facts.at("tests").at == unix_time(7));
  CHECK(b.trust == entry.trust);
  CHECK(b.looks_alike == entry.looks_alike);
  CHECK(b.history == entry.history);
  CHECK(b.history_head == entry.history_head);
  CHECK(b.write.clock == entry.write.clock);
  CHECK(b.write.stamp == entry.write.stamp);
  CHECK(b.write.replica == entry.write.replica);
  CHECK(b.kept_rotations == entry.kept_rotations);
  CHECK(b.kept_keys == entry.kept_keys);
  CHECK(b.to_octets() == entry.to_octets());
  CHECK_FALSE(*t.book.find(name("other.acme.com")));
}

TEST_CASE("book: what is not set stays so") {
  const auto back = AgentEntry::from_octets(AgentEntry{}.to_octets());
  REQUIRE(back);
  CHECK_FALSE(back->suspended);
  CHECK_FALSE(back->lease_until);
  CHECK(back->revoked.empty());
  CHECK(back->history_head.empty());
  CHECK(back->presence == Presence::Live);
}

TEST_CASE("book: a field of a later release is left out, the others are read") {
  Bytes octets = full_entry().to_octets();
  append(octets, Bytes{200, 0, 0, 0, 3, 1, 2, 3});
  const auto back = AgentEntry::from_octets(octets);
  REQUIRE(back);
  CHECK(back->to_octets() == full_entry().to_octets());
}

TEST_CASE("book: garbage is Corrupt, at whatever octet it begins, and never more than that") {
  const auto is_corrupt = [](ByteView octets) {
    const auto entry = AgentEntry::from_octets(octets);
    return !entry && entry.error().code == Errc::Corrupt;
  };
  const Bytes good = full_entry().to_octets();
  CHECK(is_corrupt({}));
  for (size_t size = 0; size < good.size(); ++size) {
    const auto entry = AgentEntry::from_octets(ByteView(good).first(size));
    CHECK((!entry || entry->version == full_entry().version));
  }
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    for (const int bit : {0x01, 0x80, 0xff}) {
      bad[i] = static_cast<uint8_t>(good[i] ^ bit);
      const auto entry = AgentEntry::from_octets(bad);
      if (!entry) CHECK(entry.error().code == Errc::Corrupt);
    }
  }
  Bytes other_format = good;
  other_format[0] = 9;
  CHECK(is_corrupt(other_format));
  CHECK(is_corrupt(Bytes{1}));  // nothing of what is kept for ever
  steward::test::MemoryOctets none;
  Tables t;
  REQUIRE(t.book.put(name("a.com"), full_entry()));
  t.agents.kept.begin()->second = {1, 2, 3};
  CHECK(t.book.find(name("a.com")).error().code == Errc::Corrupt);
  CHECK(t.book.agents({}, 10).error().code == Errc::Corrupt);
}

TEST_CASE("book: agents come in canonical order, page by page, also those that stand below another") {
  Tables t;
  for (const char* agent : {"b.acme.com", "a.acme.com", "user/x.com", "z.a.acme.com", "a.zeta.com", "a-b.acme.com"}) {
    REQUIRE(t.book.put(name(agent), full_entry()));
  }
  std::vector<std::string> seen;
  std::optional<dns::Name> after;
  while (true) {
    const auto page = t.book.agents(after, 2);
    REQUIRE(page);
    if (page->empty()) break;
    CHECK(page->size() <= 2);
    for (const auto& [agent, entry] : *page) seen.push_back(agent.to_text());
    after = page->back().first;
  }
  CHECK(seen == std::vector<std::string>{"a.acme.com.s.", "z.a.acme.com.s.", "a-b.acme.com.s.", "b.acme.com.s.",
                                         "user/x.com.s.", "a.zeta.com.s."});
  CHECK(t.book.agents({}, 100)->size() == 6);
  CHECK(t.book.agents({}, 0)->empty());
}

TEST_CASE("book: history is numbered from 1 and linked by hash, the entry keeps its head") {
  Tables t;
  const dns::Name agent = name("a.acme.com");
  AgentEntry entry = full_entry();
  entry.history = 0;
  entry.history_head.clear();
  for (const char* action : {"publish", "update", "withdraw"}) {
    REQUIRE(t.book.append_history(agent, entry, change(action)));
  }
  REQUIRE(t.book.put(agent, entry));
  const auto history = t.book.history(agent);
  REQUIRE(history);
  REQUIRE(history->size() == 3);
  CHECK(entry.history == 3);
  CHECK((*history)[0].previous.empty());
  for (size_t i = 0; i < 3; ++i) {
    CHECK((*history)[i].number == i + 1);
    if (i > 0) CHECK((*history)[i].previous == (*history)[i - 1].hash());
  }
  CHECK((*history)[2].hash() == entry.history_head);
  CHECK((*history)[2].action == "withdraw");
  CHECK((*history)[2].at == unix_time(1'800'000'000));
  CHECK((*history)[2].by == print('a'));
  CHECK((*history)[2].reason.empty());
  // Whoever has the octets alone can walk the chain: each is TXT RDATA and names the SHA-256 of the one before.
  const Bytes first = (*history)[0].to_octets();
  const auto fields = fields_from_txt((*history)[1].to_octets());
  REQUIRE(fields);
  CHECK(find_field(*fields, "previous") == sha256_text(first));
  CHECK(t.book.history(name("b.acme.com"))->empty());
  t.history.kept.erase(t.history.kept.begin());
  CHECK(t.book.history(agent).error().code == Errc::Corrupt);
}

TEST_CASE("book: a history entry keeps a reason of any length and octets, and garbage is Corrupt") {
  HistoryEntry entry = change("suspend");
  entry.number = 7;
  entry.by = "registry";
  entry.reason = std::string(600, 'x') + "\x01\xff=";
  entry.digest = print('d');
  entry.previous = Bytes(32, 3);
  const Bytes octets = entry.to_octets();
  const auto back = HistoryEntry::from_octets(octets);
  REQUIRE(back);
  CHECK(back->to_octets() == octets);
  CHECK(back->reason == entry.reason);
  CHECK(back->digest == entry.digest);
  CHECK(back->previous == entry.previous);
  CHECK(back->number == 7);
  for (size_t size = 0; size < octets.size(); ++size) {
    const auto cut = HistoryEntry::from_octets(ByteView(octets).first(size));
    if (!cut) CHECK(cut.error().code == Errc::Corrupt);
  }
  for (size_t i = 0; i < octets.size(); ++i) {
    Bytes bad = octets;
    bad[i] ^= 0x11;
    const auto read = HistoryEntry::from_octets(bad);
    if (!read) CHECK(read.error().code == Errc::Corrupt);
    if (read) CHECK(read->hash() != entry.hash());
  }
}

TEST_CASE("book: publishers are allowed by namespace and fingerprint") {
  Tables t;
  CHECK_FALSE(t.book.is_allowed(name("acme.com"), print('a')));
  REQUIRE(t.book.allow({name("ACME.com"), print('a'), "the owner", unix_time(1'700'000'000)}));
  REQUIRE(t.book.allow({name("com"), print('b'), "", unix_time(4)}));
  REQUIRE(t.book.allow({name("user/x.com"), print('a'), "", unix_time(5)}));
  CHECK(t.book.is_allowed(name("acme.com"), print('a')));
  CHECK(t.book.is_allowed(name("com"), print('b')));
  CHECK_FALSE(t.book.is_allowed(name("acme.com"), print('b')));
  CHECK_FALSE(t.book.is_allowed(name("a.acme.com"), print('a')));
  CHECK_FALSE(t.book.is_allowed(name("acme.com"), ""));
  const auto all = t.book.publishers();
  REQUIRE(all.size() == 3);
  CHECK(all[0].space.to_text() == "acme.com.s.");
  CHECK(all[0].note == "the owner");
  CHECK(all[0].since == unix_time(1'700'000'000));
  CHECK(all[1].space.to_text() == "com.s.");
  CHECK(all[1].fingerprint == print('b'));
  CHECK(*t.book.disallow(name("acme.com"), print('a')));
  CHECK_FALSE(*t.book.disallow(name("acme.com"), print('a')));
  CHECK_FALSE(t.book.is_allowed(name("acme.com"), print('a')));
  CHECK_FALSE(t.book.allow({name("acme.com"), "sha256:xyz", "", {}}));
}

TEST_CASE("book: a name of another zone, and one that no key holds, is refused and not mangled") {
  Tables t;
  CHECK(t.book.find(name("a.org")).error().code == Errc::Invalid);
  CHECK_FALSE(t.book.put(name("a.org"), full_entry()));
  CHECK_FALSE(t.book.is_allowed(name("org"), print('a')));
  // Each zero octet of a label takes two in a key: 12 labels of 19 are 240 octets of name and 468 of key.
  std::string zeros;
  for (int i = 0; i < 12; ++i)
    zeros += std::string(i == 0 ? "" : ".") +
             "\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000";
  CHECK(t.book.find(name(zeros + ".com")).error().code == Errc::Invalid);
}
