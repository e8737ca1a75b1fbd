#pragma once
// The pipeline: a batch of requests in, their responses out.
//
// A batch goes through in stages, so that the look-ups of all its queries wait for memory at the same time: every
// request is parsed and its probe begun, all probes are fetched, then each query is answered. Nothing here locks,
// allocates, calls the system or logs, but for requests that are more than a plain query: those with a TSIG, transfers,
// NOTIFY and UPDATE (pipeline_operations.cc), and questions whose answer is signed on the way (discover.hh).

#include <array>
#include <memory>
#include <span>

#include "auth/tsig.hh"
#include "base/exchange.hh"
#include "serve/access.hh"
#include "serve/context.hh"
#include "serve/cookie.hh"
#include "serve/discover.hh"
#include "serve/query.hh"
#include "zone/snapshot.hh"

namespace steward::serve {

/// One per worker thread, which alone calls it.
class Pipeline {
 public:
  Pipeline()
      : queries_(std::make_unique<std::array<Query, max_batch>>()),
        chain_(std::make_unique<Chain>()),
        discover_(std::make_unique<DiscoverRoom>()) {}

  /// Answers all of `batch`: sets response_size of each, to 0 where no response is sent. `client` of each must be set.
  /// Whatever is wrong with a request, or with what is stored, ends in a response or in none, never in an exception.
  void answer(std::span<Exchange> batch, const zone::Snapshot& snapshot, Context& context);

 private:
  static constexpr size_t max_batch = 32;

  /// What a request comes to before any zone is looked at.
  enum class Plan : uint8_t { Drop, Respond, Chaos, LookUp, Recurse, Transfer, Notify, Update };

  struct Query {
    Request request;
    NameBuffer folded;
    Step step;
    zone::Probe probe;
    zone::Probe parent;  // begun where nothing was found: most often the closest encloser
    ServerCookie server_cookie;
    CookieState cookie = CookieState::Absent;
    Plan plan = Plan::Drop;
    bool recursive = false;                   // what our zones do not answer to its end is resolved for this client
    std::unique_ptr<auth::TsigVerdict> tsig;  // null: the request has none
    dns::Rcode rcode{};                       // of Plan::Respond
    ExtendedError extended_error{};           // sent where it is not 0
  };

  void answer_some(std::span<Exchange> batch, const zone::Snapshot& snapshot, Context& context);
  static void receive(Query& query, const Exchange& exchange, Context& context);
  static void judge(Query& query, const Exchange& exchange, Context& context, Verdict verdict);
  static void judge_cookie(Query& query, const Exchange& exchange, Context& context);
  static void judge_question(Query& query, const Exchange& exchange);
  static void judge_zone_request(Query& query, const Context& context, Plan plan);
  static bool check_tsig(Query& query, const Exchange& exchange, Context& context);
  static void respond_with(Query& query, dns::Rcode rcode, ExtendedError error = {});
  static bool may_recurse(const Query& query, const Exchange& exchange, const Context& context);
  [[nodiscard]] static bool leads_elsewhere(const Query& query, const Settings& settings);
  static void begin_look_up(Query& query, const Exchange& exchange, const zone::Snapshot& snapshot,
                            const Context& context);
  [[nodiscard]] static bool may_transfer(const Query& query, const Exchange& exchange, const Context& context);
  static void fetch(Query& query, const zone::Snapshot& snapshot);
  static void fetch_denials(std::span<Query> queries, const zone::Snapshot& snapshot);

  void respond(Query& query, Exchange& exchange, const zone::Snapshot& snapshot, Context& context);
  ResponseClass compose(Query& query, const Exchange& exchange, const zone::Snapshot& snapshot, Context& context,
                        const void*& source);
  ResponseClass discover(Query& query, const Exchange& exchange, const zone::Snapshot& snapshot, Context& context,
                         const void*& source);
  // What is more than a query. True: respond; false: nothing is sent now.
  bool begin_transfer(Query& query, Exchange& exchange, const zone::Snapshot& snapshot, Context& context);
  void answer_soa(Query& query, const zone::Snapshot& snapshot, const zone::ZoneInfo& zone);
  void answer_differences(Query& query, const zone::Snapshot& snapshot, const zone::ZoneInfo& zone, ByteView records,
                          Context& context);
  void recurse(Query& query, Exchange& exchange, Context& context);
  bool begin_notify(Query& query, const Exchange& exchange, Context& context);
  bool begin_child_notify(dns::NameView child, Context& context);
  bool begin_update(Query& query, Exchange& exchange, const zone::Snapshot& snapshot, Context& context);
  void set_error(dns::Rcode rcode, ExtendedError error);
  static Asker asker_of(const Query& query, const Exchange& exchange);
  static void identify(Asker& asker, const AccessList& list, const Exchange& exchange, const Context& context);
  [[nodiscard]] static bool is_proven(const Query& query, const Exchange& exchange);

  void fail(Query& query, Exchange& exchange, Context& context);
  bool limit_rate(const Query& query, const Exchange& exchange, ResponseClass kind, const void* source,
                  Context& context);
  void send(Query& query, Exchange& exchange, Context& context);

  std::unique_ptr<std::array<Query, max_batch>> queries_;
  std::unique_ptr<Chain> chain_;
  std::unique_ptr<DiscoverRoom> discover_;
  Response response_;
};

}  // namespace steward::serve
