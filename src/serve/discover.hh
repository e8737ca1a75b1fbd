#pragma once
// Answers of a zone `_discover._agents.<registry's zone>`, made and signed as they are asked for (steward-records(7),
// "Discovery by resolution").
//
// A term that the registry knows has the records of its first page at `<term>._find._agents`, read from the same
// snapshot; any other term is an alias for the same term at the parent registry, so that a resolver climbs; at the root
// it does not exist. What does not exist is denied by one NSEC at the very name (RFC 9824). The zone's apex is stored
// and signed like any other's, and answered by serve/query.hh, but for its NSEC, which would deny all names below.

#include <vector>

#include "serve/online_signer.hh"
#include "serve/query.hh"

namespace steward::serve {

struct SignBudget;

/// Memory of one worker, used for one query after the other.
struct DiscoverRoom {
  OnlineSigner signer;
  NameBuffer name;  ///< of the page in the registry's zone
  Bytes octets;     ///< RDATA that is to be signed, one after the other
  std::vector<size_t> ends;
  std::vector<ByteView> rdatas;
};

/// What one query may draw on.
struct DiscoverCall {
  const std::shared_ptr<const DiscoverZone>& zone;  ///< null: none is known yet
  SignBudget* budget = nullptr;                     ///< null: no limit
  const SocketAddress& client;
  bool is_proven =
      false;  ///< the client's address is its own: it came over a stream, or with a cookie or a key of ours
  UnixTime now{};
  uint64_t monotonic_ns = 0;
  Counters& counters;
};

class DiscoverAnswer {
 public:
  DiscoverAnswer(const zone::Snapshot& snapshot, const Request& request, Response& response, DiscoverRoom& room,
                 const DiscoverCall& call)
      : snapshot_(snapshot), request_(request), response_(response), room_(room), call_(call) {}

  /// Whether what is stored answers it: the apex, asked for what it has.
  [[nodiscard]] static bool is_stored(const Step& step, zone::NodeView node, dns::RrType type);

  /// Fills the sections of the response to a question for `step`, whose zone is online.
  ResponseClass answer(const Step& step);
  /// What the rate limit counts under.
  [[nodiscard]] const void* source() const { return source_; }

 private:
  enum class State : uint8_t { Done, NoRoom, OverBudget, Failed };
  /// What there is of a term.
  struct Term {
    std::optional<zone::StoredRrset> txt;
    std::optional<zone::StoredRrset> ptr;
    [[nodiscard]] bool is_known() const { return txt || ptr; }
  };

  State answer_term();
  State answer_page(const Term& term);
  State answer_alias();
  State no_such_name();
  State no_data(std::initializer_list<dns::RrType> types);
  State prove(std::initializer_list<dns::RrType> types);
  State put_page_rrset(const zone::StoredRrset& rrset);
  bool put_named(dns::RrType type, uint32_t ttl, ByteView rdata);
  State put_nsec(Section section, uint32_t ttl, std::initializer_list<dns::RrType> types);
  State put_signature(Section section, dns::RrType type, uint32_t ttl);
  bool put_soa(const zone::StoredRrset& soa);
  [[nodiscard]] bool find_term(Term& term);
  [[nodiscard]] std::optional<zone::StoredRrset> negative_soa() const;
  [[nodiscard]] bool asks_for_proof() const;
  [[nodiscard]] bool is_apex() const { return step_.name.size() == step_.zone->apex.size(); }
  [[nodiscard]] ResponseClass fail(ExtendedError error);
  [[nodiscard]] ResponseClass limited();
  void begin_rdatas();
  void end_rdata() { room_.ends.push_back(room_.octets.size()); }
  sign::Rrset rrset_of(dns::RrType type, uint32_t ttl);

  const zone::Snapshot& snapshot_;
  const Request& request_;
  Response& response_;
  DiscoverRoom& room_;
  const DiscoverCall& call_;
  Step step_;
  zone::NodeView apex_;
  zone::NodeView page_;
  bool dnssec_ = false;  // DO, and the zone is signed
  const void* source_ = nullptr;
  ResponseClass kind_ = ResponseClass::Positive;
};

/// Whether `label` can be a term: `[a-z0-9_-]{1,62}`, folded (steward-records(7)).
[[nodiscard]] bool is_term(ByteView label);

/// The name that directly follows `name` in a zone `apex` that has no names between them (RFC 9824 §3.1, RFC 4471
/// §3.1.2): `\000.name`, or what comes after all names below it where that would be too long. Appended to `out`.
void append_next_name(dns::NameView name, dns::NameView apex, Bytes& out);

}  // namespace steward::serve
