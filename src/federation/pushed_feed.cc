#include "federation/pushed_feed.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "agent/text_fields.hh"
#include "change/update.hh"
#include "dns/serial.hh"

namespace steward::federation {
namespace {

using change::UpdateRecord;
using dns::RrClass;
using dns::RrType;

constexpr std::string_view mark_version = "steward-push1";
constexpr uint32_t mark_ttl = 0;
/// Octets of the agents' records in a message, uncompressed: SOA, mark, a nonce and an RSA signature have room beside them.
constexpr size_t most_record_octets = 60'000;
constexpr size_t record_head = 10;       // TYPE, CLASS, TTL, RDLENGTH
constexpr size_t soa_tail = 20;         // behind its two names
constexpr size_t most_removed = 4096;    // names that a walk finds to be no longer there, by one message
constexpr size_t most_looked_at = 16384;  // names, for one message
constexpr size_t looked_at_once = 512;

std::optional<uint32_t> number_from(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

uint32_t soa_serial(ByteView soa) { return soa.size() < soa_tail ? 0 : load_u32(soa.data() + soa.size() - soa_tail); }

Bytes with_next_serial(Bytes soa) {
  if (soa.size() >= soa_tail) store_u32(soa.data() + soa.size() - soa_tail, dns::Serial(soa_serial(soa)).next().value());
  return soa;
}

Bytes key_in(NameView agent, NameView zone) {
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(agent, zone, key.data()));
  return key;
}

/// Above the keys of all names below the one whose key this is, and below all others.
Bytes end_of(Bytes key) {
  key.back() = 1;
  return key;
}

bool may_stand(FeedPart part, RrType type) {
  return type == RrType::TXT || (part == FeedPart::Entry && (type == RrType::KEY || type == RrType::SRV || type == RrType::SVCB));
}

}  // namespace

Bytes mark_rdata(const PushMark& mark) {
  Bytes rdata;
  agent::append_field(rdata, "v", mark_version);
  if (mark.reached) agent::append_field(rdata, "reached", std::to_string(*mark.reached));
  if (mark.walking) agent::append_field(rdata, "walking", std::to_string(*mark.walking));
  if (mark.walking && mark.at) agent::append_field(rdata, "at", mark.at->to_text());
  return rdata;
}

Result<PushMark> mark_from_rdata(ByteView rdata) {
  const auto fields = agent::fields_from_txt(rdata);
  if (!fields) return tl::unexpected(fields.error());
  if (fields->empty() || fields->front() != agent::TextField{"v", std::string(mark_version)})
    return fail(Errc::Invalid, "a mark begins with v=steward-push1");
  PushMark mark;
  for (const auto& [key, to] : {std::pair(std::string_view("reached"), &mark.reached), {"walking", &mark.walking}}) {
    const auto text = agent::find_field(*fields, key);
    if (!text) continue;
    *to = number_from(*text);
    if (!*to) return fail(Errc::Invalid, fmt::format("{}= is no serial", key));
  }
  if (const auto text = agent::find_field(*fields, "at")) {
    auto at = dns::Name::from_text(*text);
    if (!at || !mark.walking) return fail(Errc::Invalid, "at= is no agent, or there is no walk");
    mark.at = at->folded();
  }
  return mark;
}

std::optional<PushState> push_state_of(const dns::Message& answer, NameView feed) {
  PushState state;
  for (const dns::Record& record : answer.additional) {
    if (!(record.owner == feed)) continue;
    if (record.type == RrType::SOA) state.soa = record.rdata;
    if (record.type == RrType::TXT) state.mark_txt = record.rdata;
  }
  if (state.soa.size() < soa_tail) return std::nullopt;
  // A text that is no mark says nothing: the walk begins anew, and replaces it.
  if (state.mark_txt) state.mark = mark_from_rdata(*state.mark_txt).value_or(PushMark{});
  return state;
}

dns::Message push_question(NameView feed) {
  dns::Message message;
  message.header.opcode = dns::Opcode::UPDATE;
  message.question.push_back({dns::Name(feed), RrType::SOA, RrClass::IN});  // RFC 2136 §2.3
  return message;
}

PushWriter::PushWriter(FeedNames names, PushState held, std::optional<uint32_t> walking)
    : names_(std::move(names)), state_(std::move(held)), walking_(walking) {
  if (walking_ && state_.mark.walking == walking_) at_ = state_.mark.at;
}

PushMark PushWriter::mark_between() const {
  return walking_ ? PushMark{state_.mark.reached, walking_, at_} : state_.mark;
}

void PushWriter::put(const dns::Name& agent, std::span<const PublishedRecord> records) {
  const auto owner = feed_owner(agent, names_.feed, names_.zone);
  if (!owner) return;  // no reader would take it as one either
  size_t whole = owner->size() + record_head;
  for (const PublishedRecord& record : records) whole += record.owner.size() + record_head + record.rdata.size();
  if (size_ > 0 && size_ + whole > most_record_octets) close(mark_between());
  open_.push_back({*owner, RrType::ANY, RrClass::ANY, 0, {}});
  size_ += owner->size() + record_head;
  for (const PublishedRecord& record : records) {
    const size_t size = record.owner.size() + record_head + record.rdata.size();
    if (size_ + size > most_record_octets) close(mark_between());
    open_.push_back({record.owner, record.type, RrClass::IN, record.ttl, record.rdata});
    size_ += size;
  }
  at_ = agent;
}

void PushWriter::finish(uint32_t reached) {
  // A walk is begun by a message of its own: what is behind its end is known from the mark before.
  if (walking_ && state_.mark.walking != walking_) close(mark_between());
  close({reached, std::nullopt, std::nullopt});
}

void PushWriter::close(const PushMark& mark) {
  dns::Message message = push_question(names_.feed);
  const dns::Name& feed = names_.feed;
  message.answer.push_back({feed, RrType::SOA, RrClass::IN, 0, state_.soa});  // RFC 2136 §2.4.2
  if (state_.mark_txt)
    message.answer.push_back({feed, RrType::TXT, RrClass::IN, 0, *state_.mark_txt});
  else
    message.answer.push_back({feed, RrType::TXT, RrClass::NONE, 0, {}});  // RFC 2136 §2.4.3
  state_.soa = with_next_serial(std::move(state_.soa));
  state_.mark = mark;
  message.authority.push_back({feed, RrType::SOA, RrClass::IN, 0, state_.soa});
  if (Bytes text = mark_rdata(mark); state_.mark_txt != text) {
    message.authority.push_back({feed, RrType::TXT, RrClass::ANY, 0, {}});
    message.authority.push_back({feed, RrType::TXT, RrClass::IN, mark_ttl, text});
    state_.mark_txt = std::move(text);
  }
  std::ranges::move(open_, std::back_inserter(message.authority));
  open_.clear();
  size_ = 0;
  full_.push_back(std::move(message));
}

std::vector<dns::Message> PushWriter::take(bool all) {
  if (all && size_ > 0) close(mark_between());
  return std::exchange(full_, {});
}

namespace {

/// One message and the zone that it is to change.
class Push {
 public:
  Push(const change::UpdateRequest& request, const FeedNames& names, change::ZoneEdit& edit)
      : request_(request), names_(names), edit_(edit) {}

  PushOutcome run() {
    PushOutcome outcome;
    before_ = held();
    if (!before_) return refused(dns::Rcode::SERVFAIL, "the feed has no SOA");
    if (request_.updates.empty()) return ended({});
    if (const auto form = read(); !form.empty()) return refused(dns::Rcode::FORMERR, form);
    if (const auto unmet = change::check_prerequisites(request_, edit_)) return ended({unmet->rcode, unmet->why ? unmet->why->text : ""});
    if (const auto form = check_mark(); !form.empty()) return refused(dns::Rcode::FORMERR, form);
    edit_.set_savepoint();
    if (!gather()) return ended({dns::Rcode::REFUSED, "there are too many names where it changes something"});
    for (const dns::Name& name : removed_)
      if (!is_cut_ || !is_named(name)) edit_.remove_name(name);
    edit_.add(names_.feed, RrType::SOA, soa_ttl_, soa_);
    if (is_cut_) return ended({dns::Rcode::SERVFAIL, "more was to be removed than at once: the rest comes with the next message"});
    if (mark_) {
      edit_.remove_rrset(names_.feed, RrType::TXT);
      edit_.add(names_.feed, RrType::TXT, mark_ttl, mark_rdata(*mark_));
    }
    for (const UpdateRecord* record : added_) edit_.add(record->owner, record->type, record->ttl, record->rdata);
    outcome.agents = static_cast<uint32_t>(named_.size());
    return ended(std::move(outcome));
  }

 private:
  [[nodiscard]] std::optional<PushState> held() {
    PushState state;
    const change::EditedRrset* soa = edit_.find(names_.feed, RrType::SOA);
    if (soa == nullptr || soa->rdatas.empty()) return std::nullopt;
    state.soa = soa->rdatas.front();
    soa_ttl_ = soa->ttl;
    if (const change::EditedRrset* txt = edit_.find(names_.feed, RrType::TXT); txt != nullptr && !txt->rdatas.empty()) {
      state.mark_txt = txt->rdatas.front();
      state.mark = mark_from_rdata(*state.mark_txt).value_or(PushMark{});
    }
    return state;
  }

  PushOutcome ended(PushOutcome outcome) {
    outcome.state = held();
    return outcome;
  }
  static PushOutcome refused(dns::Rcode rcode, std::string why) { return {rcode, std::move(why), true, 0, {}}; }

  /// Why it is no such message; empty: it is one.
  std::string read() {
    const bool has_soa = std::ranges::any_of(request_.prerequisites, [&](const UpdateRecord& record) {
      return record.type == RrType::SOA && record.klass == RrClass::IN && record.owner == names_.feed;
    });
    if (!has_soa) return "the SOA is a prerequisite";
    for (const UpdateRecord& record : request_.updates)
      if (auto why = read_one(record); !why.empty()) return why;
    return soa_.empty() ? "there is no new SOA" : "";
  }

  std::string read_one(const UpdateRecord& record) {
    const bool is_added = record.klass == RrClass::IN;
    if (record.owner == names_.feed) return read_apex(record);
    const auto place = feed_place(record.owner, names_.feed, names_.zone);
    if (!place) return place.error().what;
    const bool clears = record.klass == RrClass::ANY && record.type == RrType::ANY && place->part == FeedPart::Entry && place->write.empty();
    if (!clears && (!is_added || !may_stand(place->part, record.type)))
      return fmt::format("{} {}: is nothing of a feed", record.owner.to_text(), dns::to_text(record.type));
    named_.insert(key_in(place->agent, names_.zone));
    if (is_added) added_.push_back(&record);
    if (clears) cleared_.push_back(place->agent);
    return {};
  }

  std::string read_apex(const UpdateRecord& record) {
    const bool is_added = record.klass == RrClass::IN;
    if (record.type == RrType::TXT && record.klass == RrClass::ANY) return {};
    if (is_added && record.type == RrType::TXT && !mark_) {
      auto mark = mark_from_rdata(record.rdata);
      if (!mark) return mark.error().what;
      mark_ = *std::move(mark);
      return {};
    }
    if (!is_added || record.type != RrType::SOA || !soa_.empty()) return "at the apex are one SOA and one mark";
    if (dns::Serial(soa_serial(record.rdata)) != dns::Serial(soa_serial(before_->soa)).next() && is_current())
      return "the SOA's serial is not the next";
    soa_.assign(record.rdata.begin(), record.rdata.end());
    return {};
  }

  /// Whether the SOA that it asks for is the zone's: what comes late is told by its prerequisites, not by its serial.
  [[nodiscard]] bool is_current() const {
    return std::ranges::any_of(request_.prerequisites, [&](const UpdateRecord& record) {
      return record.type == RrType::SOA && record.klass == RrClass::IN && soa_serial(record.rdata) == soa_serial(before_->soa);
    });
  }

  std::string check_mark() const {
    if (!mark_) return {};
    if (mark_->at && !mark_->at->view().is_below(names_.zone)) return "at= does not lie below the registry's zone";
    const PushMark& before = before_->mark;
    if (!mark_->walking && before.walking && mark_->reached != before.walking) return "a walk ends at the serial at which it began";
    if (mark_->walking && mark_->walking == before.walking && place(*mark_) < place(before)) return "a walk does not go back";
    if (mark_->walking && mark_->reached != before.reached) return "a walk that is under way has reached nothing";
    return {};
  }

  /// Of an agent that comes with the message: where that is not applied, it stays as it is.
  [[nodiscard]] bool is_named(NameView owner) const {
    const auto place = feed_place(owner, names_.feed, names_.zone);
    return place && named_.contains(key_in(place->agent, names_.zone));
  }

  [[nodiscard]] Bytes place(const PushMark& mark) const { return mark.at ? key_in(*mark.at, names_.zone) : Bytes{}; }

  /// The names that go. False where there are more to look at than an honest feed has.
  bool gather() {
    for (const dns::Name& agent : cleared_) {
      if (const auto owner = feed_owner(agent, names_.feed, names_.zone)) removed_.push_back(*owner);
      // Its other records stand below labels that begin with `_`; below others may be thousands of agents.
      const Bytes key = key_in(agent, names_.zone);
      Bytes first = key;
      first.push_back('_');
      Bytes last = key;
      last.push_back('_' + 1);
      if (!take(std::move(first), last, [&](const Bytes& of) { return of == key; }, most_looked_at)) return false;
    }
    const PushMark& before = before_->mark;
    if (!mark_ || (!mark_->walking && !before.walking)) return true;
    // One that begins anew begins at the beginning.
    const Bytes from = !mark_->walking || mark_->walking == before.walking ? place(before) : Bytes{};
    const Bytes to = mark_->walking ? place(*mark_) : Bytes{};
    if (mark_->walking && to.empty()) return true;
    return take(from, to.empty() ? Bytes{} : end_of(to),
                [&](const Bytes& of) { return of > from && (to.empty() || of <= to) && !named_.contains(of); }, most_removed);
  }

  /// Those between two keys whose agent, by its key, is one to go; `most` of them.
  bool take(Bytes after, const Bytes& last, const auto& goes, size_t most) {
    size_t taken = 0;
    for (bool is_end = false; !is_end && !is_cut_;) {
      const auto names = edit_.stored_names(after, last, looked_at_once);
      is_end = names.size() < looked_at_once;
      looked_at_ += names.size();
      if (looked_at_ > most_looked_at) return false;
      for (const dns::Name& name : names) {
        const auto place = feed_place(name, names_.feed, names_.zone);
        if (!place || !goes(key_in(place->agent, names_.zone))) continue;
        is_cut_ = taken == most;
        if (is_cut_) break;
        removed_.push_back(name);
        ++taken;
      }
      if (!names.empty()) after = key_in(names.back(), names_.feed);
    }
    return true;
  }

  const change::UpdateRequest& request_;
  const FeedNames& names_;
  change::ZoneEdit& edit_;
  std::optional<PushState> before_;
  uint32_t soa_ttl_ = 0;
  Bytes soa_;
  std::optional<PushMark> mark_;
  std::set<Bytes> named_;  // agents by key
  std::vector<dns::Name> cleared_;
  std::vector<const UpdateRecord*> added_;
  std::vector<dns::Name> removed_;
  size_t looked_at_ = 0;
  bool is_cut_ = false;
};

}  // namespace

PushOutcome apply_push(const change::UpdateRequest& request, const FeedNames& names, change::ZoneEdit& edit) {
  return Push(request, names, edit).run();
}

std::string pushed_feed_text(uint32_t serial) { return feed_text(serial) + fmt::format("@ {} TXT \"v={}\"\n", mark_ttl, mark_version); }

bool is_begun(std::span<const Bytes> apex_txt) {
  return std::ranges::any_of(apex_txt, [](const Bytes& rdata) {
    const auto mark = mark_from_rdata(rdata);
    return mark && !mark->reached;
  });
}

}  // namespace steward::federation
