#include "client/page_walk.hh"

#include <fmt/format.h>

#include "client/names.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::RrType;

constexpr size_t told_strangers = 4;

/// RFC 2308 §3: the zone that says so is the one whose SOA comes along.
bool is_denied_by(const Answer& answer, const Name& zone) {
  for (const dns::Record& record : answer.message.authority)
    if (record.type == RrType::SOA) return record.owner == zone;
  return true;
}

}  // namespace

PageWalk::PageWalk(const Name& zone, std::string_view term, size_t enough)
    : zone_(zone.folded()), term_(term), enough_(enough) {
  advance();
}

std::vector<Inquiry> PageWalk::take_inquiries() { return std::exchange(inquiries_, {}); }
std::vector<Name> PageWalk::take_agents() { return std::exchange(agents_, {}); }

void PageWalk::give_up(std::string problem) {
  problems_.push_back(std::move(problem));
  inquiries_.clear();
  done_ = true;
}

void PageWalk::ask(const std::string& id, RrType type) {
  if (type == RrType::TXT && !asked_.insert(id).second) return;
  const auto name = find_page_name(zone_, term_, id);
  if (!name) return give_up(name.error().what);
  inquiries_.push_back({{*name, type}, round_, id});
  ++open_;
}

void PageWalk::take(const Inquiry& inquiry, const Answer& answer) {
  if (done_) return;
  --open_;
  if (inquiry.question.type == RrType::TXT)
    take_text(inquiry.page, answer);
  else
    take_list(inquiry.page, answer);
  if (!done_) advance();
}

void PageWalk::take_text(const std::string& id, const Answer& answer) {
  std::optional<FindPage>& place = read_[id];
  auto page = read_find_page(answer.rdatas);
  if (page)
    place = std::move(*page);
  else if (!answer.rdatas.empty())
    return give_up(fmt::format("{}: {}", plain_text(answer.question.name), page.error().what));
  if (!id.empty()) return;
  if (place)
    about_ = place->about;
  else
    is_registry_ = is_denied_by(answer, zone_);
}

void PageWalk::take_list(const std::string& id, const Answer& answer) {
  pages_[id].is_listed = true;
  for (const Bytes& rdata : answer.rdatas) {
    const auto target = dns::NameView::from_wire(rdata);
    if (!target) continue;
    const Name agent = Name(*target).folded();
    if (!agent.view().is_below(zone_)) {
      if (++strangers_ <= told_strangers)
        problems_.push_back(fmt::format("it lists {}, which is not below it", plain_text(agent)));
    } else if (known_.insert(agent.to_text()).second) {
      agents_.push_back(agent);
    }
  }
}

void PageWalk::reread(const std::string& id) {
  is_sound_ = false;
  pages_[id] = {};
}

/// Brings the page to what was read in this round; false where that has not come yet, or the page is gone.
bool PageWalk::read(const std::string& id, Page& page) {
  if (page.is_confirmed) return true;
  const auto found = read_.find(id);
  if (found == read_.end()) {
    ask(id, RrType::TXT);
    return false;
  }
  const std::optional<FindPage>& text = found->second;
  if (!text) {
    // It was joined to the one before it, whose range is a greater one by now.
    if (id.empty())
      is_unknown_ = true;
    else
      reread(before_);
    at_end_ = true;
    return false;
  }
  if (page.text && page.text->is_same_as(*text)) {
    page.is_confirmed = page.is_listed && page.round < round_;
  } else {
    page = {*text, round_, false, false};
    ask(id, RrType::PTR);
  }
  return true;
}

/// From one page to the one behind it; false where it waits, or the chain ends.
bool PageWalk::step(const std::string& id, const FindPage& text) {
  if (enough_ != 0 && !pages_[id].is_listed) return false;
  is_sound_ = is_sound_ && pages_[id].is_confirmed;
  if (text.from != expected_) {
    if (id != before_) reread(before_);
    reread(id);
  }
  before_ = id;
  if (text.next.empty()) {
    if (!text.to.empty()) reread(id);
    at_end_ = true;
    return false;
  }
  if (!passed_.insert(text.next).second) {
    give_up("its pages go in a circle");
    return false;
  }
  const size_t found = known_.size();
  if (passed_.size() > max_pages || passed_.size() > max_fruitless + found || found > max_agents) {
    give_up(fmt::format("it has more pages than anybody reads: given up after {} of them", passed_.size()));
    return false;
  }
  is_cut_ = enough_ != 0 && found >= enough_ && !pages_.contains(text.next);
  if (is_cut_) {
    at_end_ = true;
    return false;
  }
  expected_ = text.to;
  at_ = text.next;
  return true;
}

void PageWalk::advance() {
  while (!at_end_ && !done_) {
    const std::string id = at_;
    if (!read(id, pages_[id])) break;
    const FindPage text = *pages_[id].text;
    if (!step(id, text)) break;
  }
  if (!done_ && at_end_ && open_ == 0) end_round();
}

void PageWalk::end_round() {
  if (is_unknown_ || is_sound_) {
    done_ = true;
  } else if (round_ + 1 == max_rounds) {
    give_up(fmt::format("its pages do not fit together, read {} times: agents may be missing", max_rounds));
  } else {
    begin_round();
  }
}

void PageWalk::begin_round() {
  ++round_;
  read_.clear();
  asked_.clear();
  const std::set<std::string> last = std::exchange(passed_, {});
  at_.clear();
  before_.clear();
  expected_.clear();
  at_end_ = false;
  is_sound_ = true;
  is_cut_ = false;
  // All at once, those that the chain will come to anyway.
  for (const std::string& id : last)
    if (const auto page = pages_.find(id); page != pages_.end() && page->second.text && !page->second.is_confirmed)
      ask(id, RrType::TXT);
  advance();
}

}  // namespace steward::client
