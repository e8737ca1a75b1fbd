#include "daemon/registrar.hh"

#include <fmt/format.h>

#include <algorithm>

#include "auth/registry_request.hh"
#include "crypto/digest.hh"
#include "crypto/secret_file.hh"
#include "daemon/discovery.hh"
#include "dns/encoding.hh"
#include "federation/own_records.hh"
#include "serve/request.hh"

namespace steward::daemon {
namespace {

using dns::RrType;

constexpr std::chrono::milliseconds parents_patience{20'000};
constexpr size_t srv_fixed_size = 6;

/// What a zone says of its own servers and keys.
Result<federation::Registration> registration_of(const dns::Name& zone, const dns::Name& apex, config::FeedPush push, change::ZoneEdit& edit, const ZoneKeys* keys) {
  federation::Registration registration;
  registration.zone = zone;
  registration.space = zone.to_text();
  registration.space.resize(registration.space.size() - apex.to_text().size() - 1);
  registration.pushes = push != config::FeedPush::None;
  if (push == config::FeedPush::Hosted) return registration;
  const change::EditedRrset* ns = edit.find(zone, RrType::NS);
  if (ns == nullptr) return fail(Errc::Invalid, zone.to_text() + ": has no NS");
  for (const Bytes& rdata : ns->rdatas)
    if (const auto server = dns::NameView::from_wire(rdata)) registration.servers.push_back(dns::Name(*server).folded());
  for (const dns::Name& server : registration.servers) {
    if (!server.view().is_at_or_below(zone)) continue;
    for (const RrType type : {RrType::A, RrType::AAAA})
      if (const change::EditedRrset* rrset = edit.find(server, type))
        for (const Bytes& octets : rrset->rdatas) registration.addresses.push_back({server, octets});
  }
  registration.ds = wanted_delegation(DiscoverHome{}, zone, keys).ds;
  return registration;
}

/// In lines: its endpoint, and what it was told. Both empty where nothing is there.
struct ParentNote {
  std::optional<SocketAddress> at;
  std::string told;
};

std::string note_file(const OwnIdentity& own) { return own.path() + ".parent"; }

ParentNote note_of(const OwnIdentity& own) {
  const auto text = crypto::read_small_file(note_file(own));
  if (!text) return {};
  const size_t end = std::min(text->find('\n'), text->size());
  ParentNote note;
  if (const auto at = SocketAddress::from_text(text->substr(0, end))) note.at = *at;
  note.told = text->substr(std::min(end + 1, text->size()));
  while (!note.told.empty() && note.told.back() == '\n') note.told.pop_back();
  return note;
}

/// What only a request changes at the parent: DS are left out, which follow CDS.
std::string digest_of(const federation::Registration& registration) {
  std::string text = registration.space + ' ' + registration.replica;
  for (const dns::Name& server : registration.servers) text += ' ' + server.to_text();
  for (const auto& [server, octets] : registration.addresses) text += ' ' + server.to_text() + '=' + dns::encode(dns::hex_lower, octets);
  for (const SocketAddress& endpoint : registration.feeds) text += ' ' + endpoint.to_text();
  if (registration.pushes) text += " push";
  return dns::encode(dns::hex_lower, crypto::sha256(as_bytes(text)));
}

/// Where the feed is to be had: where we listen, for a wildcard at the addresses of the zone's servers.
void add_feed(federation::Registration& registration, const std::string& replica, const std::vector<SocketAddress>& listen) {
  if (registration.pushes) {
    registration.replica = replica;
    return;
  }
  const auto add = [&](const SocketAddress& endpoint) {
    if (registration.feeds.size() < federation::max_feed_endpoints &&
        std::find(registration.feeds.begin(), registration.feeds.end(), endpoint) == registration.feeds.end())
      registration.feeds.push_back(endpoint);
  };
  for (const SocketAddress& address : listen) {
    if (!address.is_wildcard()) {
      add(address);
      continue;
    }
    for (const auto& [server, octets] : registration.addresses) {
      const auto at = SocketAddress::from_octets(octets, address.port());
      if (at && at->family() == address.family()) add(*at);
    }
  }
  if (!registration.feeds.empty()) registration.replica = replica;
}

struct Explanation {
  bool is_pending = false;
  std::string text;
};

Explanation explanation_of(const dns::Message& answer) {
  Explanation found{false, std::string(to_text(answer.rcode()))};
  const dns::Record* opt = answer.opt();
  if (opt == nullptr) return found;
  ByteView left = opt->rdata;
  while (const auto option = dns::next_edns_option(left)) {
    if (option->code != static_cast<uint16_t>(serve::EdnsOption::ExtendedError) || option->data.size() < 2) continue;
    found.is_pending = load_u16(option->data.data()) == static_cast<uint16_t>(serve::ExtendedError::NotReady);
    if (option->data.size() > 2) found.text = std::string(as_text(option->data.subspan(2)));
  }
  return found;
}

std::string joined(ByteView txt) {
  std::string text;
  ByteReader in(txt);
  while (in.ok() && in.left() > 0) text += as_text(in.bytes(in.u8()));
  return text;
}

}  // namespace

std::optional<SocketAddress> endpoint_of_parent(const OwnIdentity& own) { return note_of(own).at; }

std::string_view to_text(Registrar::State state) {
  switch (state) {
    case Registrar::State::Pending: return "pending";
    case Registrar::State::Reserved: return "reserved";
    case Registrar::State::Delegated: return "delegated";
    case Registrar::State::Hosted: return "hosted";
    case Registrar::State::Left: return "left";
  }
  return "";
}

struct Registrar::Run {
  Order order;
  Step step;
  Done done;
  std::shared_ptr<const OwnIdentity> own;
  ParentProof proof;
  SocketAddress at;
  federation::Registration registration;
  Outcome outcome;

  void fail_with(const Error& error) const { done(tl::unexpected<Error>(error)); }
};

void Registrar::go(Order order, Step step, Done done) {
  const auto run = std::make_shared<Run>();
  run->order = std::move(order);
  run->step = std::move(step);
  run->done = std::move(done);
  run->own = room_.identity();
  if (!run->own) return run->fail_with({Errc::NotFound, "registry.identity: there is none; steward-registry keygen makes one"});
  room_.find_proof([this, run](Result<ParentProof> proof) {
    if (!proof) return run->fail_with(proof.error());
    run->proof = *std::move(proof);
    find_parent(run);
  });
}

// Where it was found before, or where it says it is: TLS then tells whether it is who it says.
void Registrar::find_parent(const RunPtr& run) {
  if (!run->order.at) run->order.at = note_of(*run->own).at;
  if (run->order.at) return found_parent(run, *run->order.at);
  const auto owner = dns::Name::from_text("_registry._agents", room_.parent);
  if (!owner) return run->fail_with(owner.error());
  room_.lookup.ask(*owner, RrType::SRV, [this, run, owner = *owner](Result<std::vector<Bytes>> found) {
    if (!found || found->empty() || found->front().size() <= srv_fixed_size)
      return run->fail_with({Errc::NotFound, fmt::format("{} SRV: {}; give the parent's endpoint: --at ADDRESS@PORT", owner.to_text(),
                                                         found ? "there is none" : found.error().what)});
    const Bytes srv = found->front();
    const auto target = dns::NameView::from_wire(ByteView(srv).subspan(srv_fixed_size));
    if (!target) return run->fail_with({Errc::Invalid, owner.to_text() + " SRV: malformed"});
    room_.lookup.ask(dns::Name(*target), RrType::A, [this, run, name = dns::Name(*target), port = load_u16(&srv[4])](Result<std::vector<Bytes>> addresses) {
      if (!addresses || addresses->empty() || addresses->front().size() != 4)
        return run->fail_with({Errc::NotFound, name.to_text() + ": no address; give the parent's endpoint: --at ADDRESS@PORT"});
      found_parent(run, *SocketAddress::from_octets(addresses->front(), port));
    });
  });
}

void Registrar::found_parent(const RunPtr& run, const SocketAddress& at) {
  run->at = at;
  run->step(fmt::format("parent {} at {}", room_.parent.to_text(), at.to_text()));
  gather(run);
}

void Registrar::gather(const RunPtr& run) {
  room_.post(
      [this, run](RegistryZone& registry, ZoneKeeper& keeper) {
        const auto made = std::make_shared<Result<federation::Registration>>(federation::Registration{});
        keeper.edit(
            [this, made, &keeper, zone = registry.zone()](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
              *made = registration_of(zone, room_.apex, room_.push, edit, keeper.keys());
              return {};
            },
            false, [this, run, made](const LoadOutcome&) {
              room_.loop.post([this, run, made] {
                if (!*made) return run->fail_with(made->error());
                run->registration = **made;
                run->registration.key = run->own->key().public_key().dnskey_rdata(federation::identity_key_flags);
                run->registration.invitation = run->order.token;
                if (run->order.leaves) {
                  run->registration = {.zone = run->registration.zone, .space = run->registration.space, .key = run->registration.key, .leaves = true};
                  return ask(run);
                }
                add_feed(run->registration, room_.replica, room_.listen);
                const bool is_told = note_of(*run->own).told == digest_of(run->registration);
                run->order.asks || !is_told ? ask(run) : fetch(run);
              });
            });
      },
      [this, run](const std::string& why) { room_.loop.post([run, why] { run->fail_with({Errc::NotFound, why}); }); });
}

Result<net::StreamCall::Options> Registrar::options(const Run& run) const {
  crypto::TlsClientOptions tls;
  tls.verify = crypto::TlsClientOptions::Verify::Registry;
  tls.name = room_.parent.to_text();
  tls.root = run.proof.root;
  if (run.proof.is_anchored && run.proof.spkis.empty())
    return fail(Errc::Refused, room_.parent.to_text() + ": has no KEY in its own parent's zone: it is no registry, or revoked");
  for (const Bytes& spki : run.proof.spkis) tls.pins.push_back(crypto::spki_pin(spki));
  tls.now = room_.clock.now();
  tls.certificate = run.own->path() + ".crt";
  tls.key = run.own->path();
  auto context = crypto::TlsClientContext::open(std::move(tls));
  if (!context) return tl::unexpected<Error>(context.error());
  net::StreamCall::Options options;
  options.peer = run.at;
  options.tls = *std::move(context);
  options.whole = parents_patience;
  return options;
}

void Registrar::ask(const RunPtr& run) {
  auto message = federation::registration_message(run->registration, room_.parent, room_.apex, net::random_message_id());
  if (!message) return run->fail_with(message.error());
  auth::Nonce nonce{};
  crypto::random_octets(nonce);
  const auth::Sig0Key key{run->own->name(), {run->own, &run->own->key()}};
  auto octets = auth::sign_registry_request(*std::move(message), key, room_.clock.now(), nonce);
  auto call = options(*run);
  if (!octets || !call) return run->fail_with(!octets ? octets.error() : call.error());
  if (run->order.leaves)
    run->step(fmt::format("leaving, as {} with key {}", run->registration.space, run->own->fingerprint()));
  else
    run->step(fmt::format("asking for {} with {} servers, {} DS, key {}", run->registration.space, run->registration.servers.size(),
                        run->registration.ds.size(), run->own->fingerprint()));
  room_.dialogues.start(*std::move(call), {*std::move(octets)}, [this, run](Result<std::vector<dns::Message>> answers) {
    answers ? answered(run, answers->front()) : run->fail_with(answers.error());
  });
}

void Registrar::answered(const RunPtr& run, const dns::Message& answer) {
  if (answer.rcode() == dns::Rcode::NOERROR && run->order.leaves) {
    if (auto forgotten = run->own->forget_parent(); !forgotten) return run->fail_with(forgotten.error());
    run->step("the parent has removed our delegation, KEY and certificates");
    room_.left();
    run->outcome.state = State::Left;
    return run->done(run->outcome);
  }
  if (answer.rcode() == dns::Rcode::NOERROR) {
    run->step("the namespace is reserved");
    return fetch(run);
  }
  const Explanation why = explanation_of(answer);
  if (!why.is_pending) return run->fail_with({Errc::Refused, fmt::format("{}: {}", room_.parent.to_text(), why.text)});
  run->outcome.state = State::Pending;
  run->outcome.reason = why.text;
  for (const dns::Record& record : answer.additional)
    if (record.type == RrType::TXT) {
      run->outcome.challenge_name = record.owner.to_text();
      run->outcome.challenge = joined(record.rdata);
    }
  run->done(run->outcome);
}

void Registrar::fetch(const RunPtr& run) {
  const auto parents = dns::Name::from_text("_registry._agents", room_.parent);
  if (!parents) return run->fail_with(parents.error());
  std::vector<Bytes> questions;
  for (const auto& [name, type] : {std::pair(run->own->name(), RrType::CERT), {*parents, RrType::CERT}, {run->own->zone(), RrType::NS}, {run->own->zone(), RrType::DS}}) {
    auto question = Dialogues::question(name, type, false);
    if (!question) return run->fail_with(question.error());
    questions.push_back(*std::move(question));
  }
  auto call = options(*run);
  if (!call) return run->fail_with(call.error());
  room_.dialogues.start(*std::move(call), std::move(questions), [this, run](Result<std::vector<dns::Message>> answers) {
    answers ? fetched(run, *answers) : run->fail_with(answers.error());
  });
}

void Registrar::fetched(const RunPtr& run, const std::vector<dns::Message>& answers) {
  if (auto taken = take_certificates(*run, answers[0], answers[1]); !taken) return run->fail_with(taken.error());
  const auto is_ours = [&](const dns::Record& record) { return record.type == RrType::NS && record.owner == run->own->zone(); };
  // A referral, or what the parent holds as its own where it serves the child too.
  const std::string note = run->at.to_text() + "\n" + digest_of(run->registration) + "\n";
  if (auto kept = crypto::write_file_atomically(note_file(*run->own), note, 0644); !kept) run->step(kept.error().what);
  const bool delegated = std::any_of(answers[2].authority.begin(), answers[2].authority.end(), is_ours) ||
                         std::any_of(answers[2].answer.begin(), answers[2].answer.end(), is_ours);
  const bool is_hosted = run->registration.is_hosted() && !delegated;
  run->outcome.state = delegated ? State::Delegated : is_hosted ? State::Hosted : State::Reserved;
  run->outcome.until = run->own->until();
  if (delegated) run->step("the parent delegates to our servers");
  if (is_hosted) run->step("the parent answers for our namespace, from what we send it");
  if (delegated) room_.delegated(rdatas_of(answers[3], RrType::DS));
  run->done(run->outcome);
}

Result<void> Registrar::take_certificates(Run& run, const dns::Message& own, const dns::Message& parents) {
  const auto spki = run.own->key().public_key().spki();
  if (!spki) return tl::unexpected<Error>(spki.error());
  std::vector<Bytes> end_entity;
  std::vector<Bytes> authorities;
  for (const Bytes& rdata : rdatas_of(own, RrType::CERT)) {
    auto certificate = federation::certificate_from_rdata(rdata);
    const auto facts = certificate ? crypto::read_certificate(*certificate) : Result<crypto::CertificateFacts>(fail(Errc::Invalid, ""));
    if (facts && facts->spki == *spki) (facts->authority ? authorities : end_entity).push_back(*std::move(certificate));
  }
  if (end_entity.size() != 1 || authorities.size() != 1)
    return fail(Errc::NotFound, fmt::format("{}: the parent has not one certificate and one authority for our key", run.own->name().to_text()));
  for (Bytes& authority : federation::authorities_above(run.own->zone(), rdatas_of(parents, RrType::CERT)))
    if (authority != run.proof.root) {
      end_entity.push_back(authority);
      authorities.push_back(std::move(authority));
    }
  const crypto::ChainRules rules{run.proof.root, run.own->zone(), *spki, room_.clock.now()};
  if (auto good = crypto::verify_certificates(end_entity, rules); !good) return fail("certificates from the parent", good.error());
  const auto is_same = [](std::span<const Bytes> a, const std::vector<Bytes>& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  if (is_same(run.own->certificates(), end_entity) && is_same(run.own->authorities(), authorities)) return {};
  auto issued = run.own->with(std::move(end_entity), std::move(authorities));
  if (!issued) return tl::unexpected<Error>(issued.error());
  run.own = *std::move(issued);
  const int64_t days = (seconds_of(run.own->until()) - seconds_of(room_.clock.now())) / 86400;
  run.step(fmt::format("certificates issued, good for {} days", days));
  room_.issued(run.own);
  return {};
}

}  // namespace steward::daemon
