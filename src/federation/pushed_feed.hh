#pragma once
// A feed that its registry sends, to a parent that cannot fetch it (steward-records(7), "A feed that is pushed"): UPDATEs (RFC 2136)
// of `<replica>._feed.<child>`, of which the parent is primary.
//
//   prerequisites  the SOA as the parent said it last; TXT at the apex likewise, or that there is none
//   updates        the SOA with the next serial; TXT at the apex: the mark;
//                  of each agent that is another: ANY ANY, which takes all that the feed has of it, then its records
//
// The mark says how far the parent has come in the child's own serials. While a walk over the whole feed is under way, a
// message also takes away what lies between the mark's last place and its next and is not named. So the parent holds in
// one transaction what it was told and how far that is: a message that is lost, repeated or late does no harm, and a child
// has nothing to remember. A message without updates is a question; each answer has SOA and mark in its additional section.
//
// Values, and an edit of the parent's zone; no I/O, no clock.

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "change/edit.hh"
#include "change/update_request.hh"
#include "dns/message.hh"
#include "federation/own_entry.hh"

namespace steward::federation {

/// How far a parent has come.
struct PushMark {
  std::optional<uint32_t> reached;  ///< serial of the child's feed, all of which is there; nothing: there never was one
  std::optional<uint32_t> walking;  ///< a walk over the whole feed is under way, which began at this serial
  std::optional<dns::Name> at;      ///< and is behind this agent; nothing: at its beginning
  friend bool operator==(const PushMark&, const PushMark&) = default;
};
/// TXT RDATA.
[[nodiscard]] Bytes mark_rdata(const PushMark& mark);
/// Invalid where it is none.
[[nodiscard]] Result<PushMark> mark_from_rdata(ByteView rdata);

/// What a parent holds.
struct PushState {
  Bytes soa;                      ///< RDATA
  std::optional<Bytes> mark_txt;  ///< RDATA; nothing: there is none
  PushMark mark;
  friend bool operator==(const PushState&, const PushState&) = default;
};
/// From the additional section of an answer; nothing where that does not say it.
[[nodiscard]] std::optional<PushState> push_state_of(const dns::Message& answer, NameView feed);

/// The message that asks for it.
[[nodiscard]] dns::Message push_question(NameView feed);

/// Fills messages, one after the other, none larger than a signature leaves room for; an agent is parted only where it fits none.
class PushWriter {
 public:
  /// `held`: before the first message. `walking`: serial at which the walk began that this is a part of; nothing: a difference.
  PushWriter(FeedNames names, PushState held, std::optional<uint32_t> walking);

  /// All that the feed has of an agent, none: it is gone. Within a walk in canonical order.
  void put(const dns::Name& agent, std::span<const PublishedRecord> records);
  /// What was put is all until `reached`. Once, last; without it the parent's mark stays, or says how far the walk is.
  void finish(uint32_t reached);
  /// Those that are full, or all that is begun after finish() and with `all`; IDs are left to the sender.
  [[nodiscard]] std::vector<dns::Message> take(bool all);
  /// Full messages that wait to be taken.
  [[nodiscard]] size_t full() const { return full_.size(); }

 private:
  void close(const PushMark& mark);
  [[nodiscard]] PushMark mark_between() const;

  FeedNames names_;
  PushState state_;  // after the last full message
  std::optional<uint32_t> walking_;
  std::optional<dns::Name> at_;  // the last agent that is whole in what was closed or is open
  std::vector<dns::Record> open_;
  size_t size_ = 0;
  std::vector<dns::Message> full_;
};

/// What became of a message.
struct PushOutcome {
  dns::Rcode rcode = dns::Rcode::NOERROR;
  std::string why;         ///< of others than NOERROR
  bool is_refusal = false;  ///< it is no message of this kind at all
  uint32_t agents = 0;     ///< that it named
  std::optional<PushState> state;  ///< afterwards
};

/// Applies a message of the child to the parent's zone: all of it or nothing, but where so much is to be removed that it is
/// done in turns: then SERVFAIL, the mark unmoved. `edit`: with exact_serial.
[[nodiscard]] PushOutcome apply_push(const change::UpdateRequest& request, const FeedNames& names, change::ZoneEdit& edit);

/// The text of such a zone before anything came: SOA, NS, and the mark that says so.
[[nodiscard]] std::string pushed_feed_text(uint32_t serial);
/// Whether a feed is one that is sent, and not all of it ever came: it is not to be followed yet. `apex_txt`: RDATA.
[[nodiscard]] bool is_begun(std::span<const Bytes> apex_txt);

}  // namespace steward::federation
