// Zones that are answered and signed as they are asked for: steward-records(7), "Discovery by resolution"; RFC 9824.

#include <doctest/doctest.h>

#include "ask.hh"
#include "dns/type_bitmap.hh"
#include "serve/discover.hh"
#include "serve/sign_budget.hh"
#include "sign/rrsig.hh"

using namespace steward;
using namespace steward::test;
using dns::Rcode;
using dns::RrType;

namespace {

constexpr std::string_view registry = "vibe-agency.com.s.";
constexpr std::string_view apex = "_discover._agents.vibe-agency.com.s.";
constexpr uint32_t noon = 1'800'000'000;

std::string at_zone(std::string_view labels) { return std::string(labels) + "." + std::string(apex); }

// A registry with two terms, and its parent.
struct Fixture : Server {
  Fixture() {
    snapshot.add_zone(registry, R"(
$TTL 300
@ SOA ns h 1 2 3 4 60
@ NS ns
ns A 192.0.2.1
plan._find._agents 60 TXT "v=steward-find1" "n=2"
plan._find._agents 60 PTR one
plan._find._agents 60 PTR two.vibe-agency.com.elsewhere.
_p1.plan._find._agents 60 TXT "v=steward-find1"
only-text._find._agents 300 TXT "v=steward-find1"
_p1.deep._find._agents 60 TXT "v=steward-find1"
_discover._agents NS ns
alias CNAME plan._discover._agents
)");
    snapshot.add_signed_zone(apex, R"(
@ 60 SOA ns.vibe-agency.com.s. h.vibe-agency.com.s. 7 3600 600 1209600 60
@ 3600 NS ns.vibe-agency.com.s.
@ 60 NSEC @ NS SOA RRSIG NSEC
)");
    snapshot.info(apex).online = true;
    snapshot.info(apex).denial = zone::Denial::Nsec;
    context.unix_seconds = noon;
    give(new_key());
  }

  static std::shared_ptr<const crypto::KeyPair> new_key() {
    auto made = crypto::KeyPair::generate(crypto::Algorithm::ECDSAP256SHA256);
    REQUIRE(made);
    return std::make_shared<const crypto::KeyPair>(std::move(*made));
  }
  void give(std::shared_ptr<const crypto::KeyPair> key, std::string_view parent = "com.s.") {
    auto made = std::make_shared<serve::DiscoverZone>();
    made->apex = *dns::Name::from_text(apex);
    if (!parent.empty()) made->parent = *dns::Name::from_text(parent);
    if (key) {
      dnskey = key->public_key().dnskey_rdata(257);
      made->tag = crypto::key_tag(dnskey);
    }
    made->key = std::move(key);
    settings.discover = made;
  }
  void be_root() { give(new_key(), ""); }

  // Those below the apex; what is stored has no real ones.
  void check_signed(const std::vector<Record>& section) {
    auto key = sign::ZoneKey::from_dnskey(dnskey);
    REQUIRE(key);
    for (const Record& sig : section) {
      if (sig.type != RrType::RRSIG || sig.owner == *dns::Name::from_text(apex)) continue;
      const auto view = sign::RrsigView::from_rdata(sig.rdata);
      REQUIRE(view);
      std::vector<ByteView> rdatas;
      uint32_t ttl = 0;
      for (const Record& record : section)
        if (record.owner == sig.owner && record.type == view->type_covered) {
          rdatas.push_back(record.rdata);
          ttl = record.ttl;
        }
      sign::SignScratch scratch;
      const auto verdict =
          sign::verify_rrset(*key, *dns::Name::from_text(apex), {sig.owner, view->type_covered, ttl, rdatas}, sig.rdata,
                             unix_time(context.unix_seconds), scratch);
      CHECK_MESSAGE(verdict == sign::Verdict::Valid, sign::to_text(verdict));
      CHECK(view->expiration > noon + 3000);
      CHECK(view->expiration < noon + 5000);
      CHECK(view->inception == noon - 3600);
    }
    CHECK(is_signed(section));
  }

  const Record& nsec_of(const std::vector<Record>& section) {
    for (const Record& record : section)
      if (record.type == RrType::NSEC) return record;
    throw std::runtime_error("no NSEC");
  }
  // The types of the section's one NSEC, which must stand at the name that was asked for and lead to the next.
  std::vector<RrType> proven(const std::vector<Record>& section, std::string_view name) {
    const Record& nsec = nsec_of(section);
    CHECK(nsec.owner == *dns::Name::from_text(name));
    CHECK(nsec.ttl == 60);
    const auto next = dns::NameView::from_wire(nsec.rdata);
    REQUIRE(next);
    CHECK(*next == *dns::Name::from_text("\\000." + std::string(name)));
    std::vector<RrType> types;
    dns::for_each_type(ByteView(nsec.rdata).subspan(next->size()), [&](RrType type) { types.push_back(type); });
    return types;
  }
  Response ask_compact(std::string_view name, RrType type) {
    QueryEdns edns{4096, true, 0, {}};
    edns.compact_answers_ok = true;
    return ask(name, type, edns, Transport::Tcp);
  }

  Bytes dnskey;
};

using Types = std::vector<RrType>;

}  // namespace

TEST_CASE("discover: a known term has the records of its first page under its own name, signed") {
  Fixture f;
  const Response ptr = f.ask_dnssec(at_zone("Plan"), RrType::PTR);
  CHECK(ptr.rcode == Rcode::NOERROR);
  CHECK(ptr.authoritative());
  CHECK(lines_without_sigs(ptr.answer) ==
        lines_of("plan 60 PTR one.vibe-agency.com.s.\nplan 60 PTR two.vibe-agency.com.elsewhere.", apex));
  CHECK(ptr.qname.to_text() == "Plan._discover._agents.vibe-agency.com.s.");
  CHECK(ptr.answer[0].owner.to_text() == ptr.qname.to_text());  // in the case of the question
  f.check_signed(ptr.answer);
  const Response txt = f.ask_dnssec(at_zone("plan"), RrType::TXT);
  CHECK(lines_without_sigs(txt.answer) == lines_of("plan 60 TXT \"v=steward-find1\" \"n=2\"", apex));
  f.check_signed(txt.answer);
}

TEST_CASE("discover: a TTL over 60 seconds is brought down") {
  Fixture f;
  const Response r = f.ask_dnssec(at_zone("only-text"), RrType::TXT);
  REQUIRE(r.answer.size() == 2);
  CHECK(r.answer[0].ttl == 60);
  f.check_signed(r.answer);
}

TEST_CASE("discover: without DO there is no signature and no NSEC") {
  Fixture f;
  const Response known = f.ask(at_zone("plan"), RrType::TXT);
  CHECK(known.answer.size() == 1);
  const Response none = f.ask(at_zone("plan"), RrType::A);
  CHECK(none.rcode == Rcode::NOERROR);
  CHECK(none.authority.size() == 1);
  CHECK(f.context.counters.online_signed.get() == 0);
}

TEST_CASE("discover: another type at a known term is denied by one NSEC [RFC 9824 §3.2]") {
  Fixture f;
  const Response r = f.ask_dnssec(at_zone("plan"), RrType::A);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.answer.empty());
  CHECK(f.proven(r.authority, at_zone("plan")) == Types{RrType::PTR, RrType::TXT, RrType::RRSIG, RrType::NSEC});
  f.check_signed(r.authority);
  CHECK(f.proven(f.ask_dnssec(at_zone("only-text"), RrType::PTR).authority, at_zone("only-text")) ==
        Types{RrType::TXT, RrType::RRSIG, RrType::NSEC});
}

TEST_CASE("discover: an unknown term is an alias for the same at the parent") {
  Fixture f;
  for (const RrType type : {RrType::PTR, RrType::A, RrType::CNAME, RrType::ANY, RrType::DS}) {
    const Response r = f.ask_dnssec(at_zone("nobody"), type);
    CHECK(r.rcode == Rcode::NOERROR);
    CHECK(r.authoritative());
    CHECK(lines_without_sigs(r.answer) == lines_of("nobody 60 CNAME nobody._discover._agents.com.s.", apex));
    f.check_signed(r.answer);
  }
  // A page that is not the first is no page of the term.
  CHECK(lines_without_sigs(f.ask_dnssec(at_zone("deep"), RrType::TXT).answer) ==
        lines_of("deep 60 CNAME deep._discover._agents.com.s.", apex));
}

TEST_CASE("discover: at the root an unknown term does not exist [RFC 9824 §3.1]") {
  Fixture f;
  f.be_root();
  const Response r = f.ask_dnssec(at_zone("nobody"), RrType::PTR);
  CHECK(r.rcode == Rcode::NOERROR);
  CHECK(r.answer.empty());
  CHECK(r.authority.size() == 4);
  CHECK(f.proven(r.authority, at_zone("nobody")) == Types{RrType::RRSIG, RrType::NSEC, RrType::NXNAME});
  f.check_signed(r.authority);
  // Who does not validate is told by the code.
  const Response plain = f.ask(at_zone("nobody"), RrType::PTR);
  CHECK(plain.rcode == Rcode::NXDOMAIN);
  CHECK(plain.authority.size() == 1);
}

TEST_CASE("discover: with CO the code is NXDOMAIN as well, and the flag comes back [RFC 9824 §5.1]") {
  Fixture f;
  f.be_root();
  const Response r = f.ask_compact(at_zone("nobody"), RrType::PTR);
  CHECK(r.rcode == Rcode::NXDOMAIN);
  REQUIRE(r.opt);
  CHECK(r.opt->flags == 0xc000);
  CHECK(f.proven(r.authority, at_zone("nobody")) == Types{RrType::RRSIG, RrType::NSEC, RrType::NXNAME});
  CHECK(f.ask_compact(at_zone("plan"), RrType::A).rcode == Rcode::NOERROR);
  // Elsewhere it means nothing.
  const Response other = f.ask_compact("nobody.vibe-agency.com.s.", RrType::PTR);
  REQUIRE(other.opt);
  CHECK(other.opt->flags == 0x8000);
}

TEST_CASE("discover: deeper names and labels that are no term do not exist, at no registry") {
  Fixture f;
  for (const std::string& name :
       {at_zone("x.plan"), at_zone("x.nobody"), at_zone("no!term"), at_zone("*"), at_zone(std::string(63, 'a'))}) {
    const Response r = f.ask_dnssec(name, RrType::PTR);
    CHECK(r.rcode == Rcode::NOERROR);
    CHECK(r.answer.empty());
    CHECK(f.proven(r.authority, name) == Types{RrType::RRSIG, RrType::NSEC, RrType::NXNAME});
    f.check_signed(r.authority);
    CHECK(f.ask(name, RrType::PTR).rcode == Rcode::NXDOMAIN);
  }
}

TEST_CASE("discover: NSEC and RRSIG can be asked for, as the bitmap says [RFC 4035 §2.3]") {
  Fixture f;
  for (const std::string& name : {at_zone("plan"), at_zone("nobody"), at_zone("x.plan")}) {
    const Response nsec = f.ask_dnssec(name, RrType::NSEC);
    CHECK(nsec.answer.size() == 2);
    f.proven(nsec.answer, name);
    f.check_signed(nsec.answer);
    const Response rrsig = f.ask_dnssec(name, RrType::RRSIG);
    REQUIRE(rrsig.answer.size() == 1);
    CHECK(rrsig.answer[0].type == RrType::RRSIG);
  }
  CHECK(f.proven(f.ask_dnssec(at_zone("nobody"), RrType::NSEC).answer, at_zone("nobody")) ==
        Types{RrType::CNAME, RrType::RRSIG, RrType::NSEC});
}

TEST_CASE("discover: the apex is answered from what is stored, and its NSEC denies no name below") {
  Fixture f;
  CHECK(f.ask_dnssec(apex, RrType::SOA).answer.size() == 2);
  CHECK(f.ask_dnssec(apex, RrType::NS).answer.size() == 2);
  for (const RrType type : {RrType::NSEC, RrType::A}) {
    const Response r = f.ask_dnssec(apex, type);
    const auto& section = type == RrType::NSEC ? r.answer : r.authority;
    CHECK(f.proven(section, apex) == Types{RrType::NS, RrType::SOA, RrType::RRSIG, RrType::NSEC});
  }
}

TEST_CASE("discover: names that leave no room for another label are denied too [RFC 4471 §3.1.2]") {
  const dns::Name top = *dns::Name::from_text("z.");
  const std::string filler = std::string(63, 'b') + "." + std::string(63, 'b') + "." + std::string(63, 'b') + ".";
  const auto next = [&](const std::string& labels) {
    Bytes out;
    serve::append_next_name(*dns::Name::from_text(labels + "z."), top, out);
    return dns::NameView::from_wire(out)->to_text();
  };
  CHECK(next("a.") == "\\000.a.z.");
  CHECK(next(std::string(58, 'a') + "." + filler) == std::string(58, 'a') + "\\000." + filler + "z.");
  CHECK(next(std::string(59, 'a') + "." + filler) == std::string(58, 'a') + "b." + filler + "z.");
  CHECK(next(std::string(58, 'a') + "\\064." + filler) == std::string(58, 'a') + "[." + filler + "z.");
  CHECK(next(std::string(57, 'a') + "\\255\\255." + filler) == std::string(56, 'a') + "b." + filler + "z.");
  std::string last;
  for (int i = 0; i < 124; ++i) last += "\\255.";
  CHECK(next("\\255.\\255." + last) == "\\255\\000." + last + "z.");
}

TEST_CASE("discover: a name of 255 octets is answered") {
  Fixture f;
  std::string name;
  while (name.size() + 2 + apex.size() + 2 <= 255) name += "a.";
  const Response r = f.ask_dnssec(name + std::string(apex), RrType::PTR);
  CHECK(r.rcode == Rcode::NOERROR);
  f.check_signed(r.authority);
}

TEST_CASE("discover: an unsigned zone answers without proofs, whatever is asked") {
  Fixture f;
  f.be_root();
  f.snapshot.info(apex).denial = zone::Denial::None;
  CHECK(f.ask_dnssec(at_zone("nobody"), RrType::PTR).rcode == Rcode::NXDOMAIN);
  const Response none = f.ask_dnssec(at_zone("plan"), RrType::NSEC);
  CHECK(none.rcode == Rcode::NOERROR);
  CHECK(none.answer.empty());
  CHECK(f.ask_dnssec(at_zone("plan"), RrType::TXT).answer.size() == 1);
}

TEST_CASE("discover: without its key a signed zone says that it is not ready") {
  Fixture f;
  f.give(nullptr);
  const Response r = f.ask_dnssec(at_zone("plan"), RrType::TXT);
  CHECK(r.rcode == Rcode::SERVFAIL);
  CHECK(r.extended_error() == 14);
  CHECK(f.ask(at_zone("plan"), RrType::TXT).rcode == Rcode::NOERROR);
  f.settings.discover.reset();
  CHECK(f.ask(at_zone("plan"), RrType::TXT).rcode == Rcode::SERVFAIL);
}

TEST_CASE("discover: a signature is made once for the same data and key") {
  Fixture f;
  const auto signed_now = [&] { return f.context.counters.online_signed.get(); };
  f.ask_dnssec(at_zone("nobody"), RrType::PTR);
  f.ask_dnssec(at_zone("NOBODY"), RrType::A);
  CHECK(signed_now() == 1);
  CHECK(f.context.counters.online_reused.get() == 1);
  // After half an hour, or where the clock was set back, it is made anew.
  f.context.unix_seconds = noon + 1799;
  f.ask_dnssec(at_zone("nobody"), RrType::PTR);
  CHECK(signed_now() == 1);
  f.context.unix_seconds = noon + 1800;
  f.ask_dnssec(at_zone("nobody"), RrType::PTR);
  CHECK(signed_now() == 2);
  f.context.unix_seconds = noon;
  f.check_signed(f.ask_dnssec(at_zone("nobody"), RrType::PTR).answer);
  CHECK(signed_now() == 3);
  f.give(Fixture::new_key());
  f.check_signed(f.ask_dnssec(at_zone("nobody"), RrType::PTR).answer);
  CHECK(signed_now() == 4);
}

TEST_CASE("discover: over the budget an unproven client is sent to TCP, a proven one refused") {
  Fixture f;
  serve::SignBudget budget({.per_second = 100, .per_client_second = 2}, {});
  f.context.signatures = &budget;
  f.context.monotonic_ms = 5000;
  const auto udp = [&](const std::string& term) {
    return f.ask(at_zone(term), RrType::PTR, QueryEdns{1232, true, 0, {}});
  };
  CHECK(udp("a").answer.size() == 2);
  CHECK(udp("b").answer.size() == 2);
  const Response limited = udp("c");
  CHECK(limited.truncated());
  CHECK(limited.answer.empty());
  CHECK(limited.rcode == Rcode::NOERROR);
  CHECK(udp("a").answer.size() == 2);  // costs nothing
  CHECK(f.ask(at_zone("c"), RrType::PTR).answer.size() == 1);
  // The others have a budget of their own.
  CHECK(f.ask_dnssec(at_zone("d"), RrType::PTR).answer.size() == 2);
  CHECK(f.ask_dnssec(at_zone("e"), RrType::PTR).answer.size() == 2);
  const Response refused = f.ask_dnssec(at_zone("f"), RrType::PTR);
  CHECK(refused.rcode == Rcode::SERVFAIL);
  CHECK(refused.extended_error() == 0);
  CHECK(f.context.counters.online_refused.get() == 2);
  f.context.monotonic_ms += 1000;
  CHECK(udp("c").answer.size() == 2);
}

TEST_CASE("discover: an alias from another zone of ours leads there, and no further") {
  Fixture f;
  const Response r = f.ask_dnssec("alias.vibe-agency.com.s.", RrType::PTR);
  CHECK(lines_without_sigs(r.answer) ==
        lines_of("alias.vibe-agency.com.s. 300 CNAME plan._discover._agents.vibe-agency.com.s.", "."));
}

TEST_CASE("discover: what does not fit over UDP is asked for again") {
  Fixture f;
  const Response r = f.ask(at_zone("plan"), RrType::PTR, QueryEdns{512, true, 0, {}});
  CHECK_FALSE(r.truncated());
  std::string text = "$TTL 60\n@ SOA ns h 1 2 3 4 60\n@ NS ns\n";
  for (int i = 0; i < 200; ++i) text += "many._find._agents PTR agent-" + std::to_string(i) + "\n";
  Server big;
  big.snapshot.add_zone(registry, text);
  big.snapshot.add_zone(apex, "@ 60 SOA ns.s. h.s. 7 3600 600 1209600 60\n@ NS ns.s.");
  big.snapshot.info(apex).online = true;
  big.settings = f.settings;
  const Response cut = big.ask(at_zone("many"), RrType::PTR, QueryEdns{});
  CHECK(cut.truncated());
  CHECK(cut.answer.empty());
  CHECK(big.ask(at_zone("many"), RrType::PTR, QueryEdns{}, Transport::Tcp).answer.size() == 200);
}
