#include "find_fixture.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"

namespace steward::change::test {
namespace {

std::vector<Bytes> rdatas_of(Zone& zone, const std::string& owner, RrType type) {
  std::vector<Bytes> rdatas;
  const zone::NodeView node = zone.node(owner);
  const auto rrset = node ? node.find(type) : std::nullopt;
  if (!rrset) return rdatas;
  CHECK(rrset->ttl() == find_ttl);
  for (zone::StoredRrReader reader(rrset->rrs); !reader.done();)
    zone::expand_rdata(type, reader.next().rdata, node.owner(), rdatas.emplace_back());
  return rdatas;
}

}  // namespace

void Finder::change(ZoneEdit& edit, const std::string& label, std::optional<double> trust,
                    const std::vector<std::string>& terms) {
  const auto held = agents.find(label);
  const std::optional<FoundAgent> before = held == agents.end() ? std::nullopt : std::optional(held->second);
  std::optional<FoundAgent> after;
  if (trust) after = FoundAgent{name(label + ".example."), *trust, terms};
  const auto done = update_found(edit, table, name("example."), before, after);
  REQUIRE_MESSAGE(done, done.error().what);
  if (after)
    agents[label] = *after;
  else
    agents.erase(label);
}

EditResult Finder::set(const std::string& label, std::optional<double> trust, std::vector<std::string> terms) {
  return zone.edit(mode, [&](ZoneEdit& edit) { change(edit, label, trust, terms); });
}

void Finder::set_all(const std::vector<std::pair<std::string, double>>& all, const std::vector<std::string>& terms) {
  zone.edit(mode, [&](ZoneEdit& edit) {
    for (const auto& [label, trust] : all) change(edit, label, trust, terms);
  });
}

std::string Finder::owner(const std::string& term, const std::string& id) {
  return (id.empty() ? "" : "_p" + id + ".") + term + "._find._agents";
}

std::vector<std::string> Finder::ptr(const std::string& page) {
  std::vector<std::string> labels;
  for (const Bytes& rdata : rdatas_of(zone, page, RrType::PTR)) {
    const std::string target = NameView::from_wire(rdata)->to_text();
    CHECK(target.ends_with(".example."));
    labels.push_back(target.substr(0, target.size() - std::string_view(".example.").size()));
  }
  return labels;
}

std::optional<PageText> Finder::txt(const std::string& page) {
  const auto rdatas = rdatas_of(zone, page, RrType::TXT);
  if (rdatas.empty()) return std::nullopt;
  REQUIRE(rdatas.size() == 1);
  const auto fields = agent::fields_from_txt(rdatas.front());
  REQUIRE(fields);
  PageText text;
  std::string keys;
  for (const auto& field : *fields) {
    text.values[field.key] = field.value;
    keys += field.key + " ";
  }
  CHECK(keys == "v n from to next serial ");
  CHECK(text.at("v") == "steward-find1");
  return text;
}

std::vector<std::string> Finder::pages(const std::string& term) {
  std::vector<std::string> owners;
  std::string reached;
  for (std::string id;;) {
    const std::string at = owner(term, id);
    const auto text = txt(at);
    if (!text) break;
    owners.push_back(at);
    CHECK(text->at("from") == reached);
    reached = text->at("to");
    const zone::NodeView node = zone.node(at);
    for (const RrType type : {RrType::PTR, RrType::TXT}) {
      const auto rrset = node.find(type);
      REQUIRE(rrset);
      // Header, question, OPT with a cookie.
      CHECK(12 + node.owner().size() + 4 + 11 + 28 + rrset->rrs.size() + rrset->sigs().size() <= 1232);
    }
    id = text->at("next");
    if (id.empty()) break;
  }
  CHECK(reached.empty());
  const dns::Name first = name(term + "._find._agents.example.");
  size_t below = 0;
  for (const auto& [key, blob] : zone.nodes.nodes()) {
    const zone::NodeView node(blob->data());
    if (node.owner().is_at_or_below(first)) ++below;
  }
  CHECK(below == owners.size());
  return owners;
}

void Finder::check_complete(const std::string& term) {
  std::vector<std::string> listed;
  const auto owners = pages(term);
  for (const std::string& at : owners)
    for (std::string& label : ptr(at)) listed.push_back(std::move(label));
  std::sort(listed.begin(), listed.end());
  std::vector<std::string> wanted;
  for (const auto& [label, found] : agents)
    if (std::ranges::find(found.terms, term) != found.terms.end()) wanted.push_back(label);
  std::sort(wanted.begin(), wanted.end());
  CHECK(listed == wanted);
  if (wanted.empty()) return;
  const auto said = std::stoul(txt(owner(term, ""))->at("n"));
  CHECK(std::max(said, wanted.size()) - std::min(said, wanted.size()) <= wanted.size() / 8);
}

bool Walk::step() {
  if (trail_.empty()) return false;
  const std::string at = Finder::owner(term_, trail_.back());
  ++questions;
  if (first_ && !has_listed_) {
    listed_ = finder_.ptr(at);
    has_listed_ = true;
    return true;
  }
  auto text = finder_.txt(at);
  if (!text) {  // it was joined to the page before it
    first_.reset();
    has_listed_ = false;
    trail_.pop_back();
    reached_.pop_back();
    return !trail_.empty();
  }
  CHECK(text->at("from") == reached_.back());
  const bool is_same = first_ && text->values == first_->values;
  if (!is_same) {
    first_ = std::move(text);
    has_listed_ = false;
    return true;
  }
  found.insert(listed_.begin(), listed_.end());
  ++pages;
  first_.reset();
  has_listed_ = false;
  if (text->at("next").empty()) return false;
  trail_.push_back(text->at("next"));
  reached_.push_back(text->at("to"));
  return true;
}

}  // namespace steward::change::test
