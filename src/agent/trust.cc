#include "agent/trust.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "agent/text_fields.hh"

namespace steward::agent {
namespace {

constexpr std::string_view trust_record_version = "steward-trust1";
constexpr std::string_view new_agent_term = "new agent";
constexpr std::string_view new_agent_key = "new-agent";  // of the record: a key has no space
constexpr std::string_view look_alike_term = "look-alike";
constexpr std::string_view custody_term = "custody";

// What an operator configured, or a peer said: not a number counts as nothing.
double between_0_and_1(double value) { return value > 0 ? std::min(value, 1.0) : 0.0; }
double two_decimals(double value) { return static_cast<double>(std::lround(between_0_and_1(value) * 100)) / 100; }

struct Weight {
  std::string_view fact;
  double value;
};

std::array<Weight, 5> weights_of(const TrustPolicy& policy) {
  std::array<Weight, 5> weights{{{"tests", policy.tests},
                                 {"success", policy.success},
                                 {"uptime", policy.uptime},
                                 {"endorsements", policy.endorsements},
                                 {"attestation", policy.attestation}}};
  double sum = 0;
  for (Weight& weight : weights) {
    weight.value = std::isfinite(weight.value) ? std::max(weight.value, 0.0) : 0.0;
    sum += weight.value;
  }
  if (sum > 0)
    for (Weight& weight : weights) weight.value /= sum;
  return weights;
}

double days_between(UnixTime from, UnixTime to) {
  return std::max(0.0, static_cast<double>((to - from).count()) / (24.0 * 3600));
}

TrustTerm term_of(Weight weight, const AgentEntry& entry, const TrustPolicy& policy, UnixTime now) {
  TrustTerm term{std::string(weight.fact), weight.value, between_0_and_1(policy.unknown), 0, "nobody states it"};
  if (const auto at = entry.facts.find(term.name); at != entry.facts.end()) {
    const TrustFact& fact = at->second;
    term.value = between_0_and_1(fact.value);
    term.note.clear();
    // An attestation is worth what it is fresh; the others are figures that stand until a new one comes.
    if (term.name == "attestation" && policy.attestation_days > 0) {
      const double age = days_between(fact.at, now);
      term.value *= std::max(0.0, 1 - age / policy.attestation_days);
      term.note = fmt::format("{:.0f} days old", std::floor(age));
    }
    const double cap = between_0_and_1(policy.claimed_cap);
    if (fact.claimed && term.value > cap) {
      term.value = cap;
      term.note = fmt::format("claimed by the manifest, capped at {:.2f}", cap);
    } else if (fact.claimed) {
      term.note = "claimed by the manifest";
    }
  }
  term.result = term.weight * term.value;
  return term;
}

// From new_factor on the first day to 1 after new_days, evenly.
double new_agent_factor(const TrustPolicy& policy, double age_in_days) {
  const double least = between_0_and_1(policy.new_factor);
  if (age_in_days >= policy.new_days) return 1;
  return least + (1 - least) * age_in_days / policy.new_days;
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// "0.300", exactly so: from 0.000 to 1.000.
bool take_number(std::string_view& text, double& out) {
  constexpr size_t size = 5;
  const std::string_view number = text.substr(0, size);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), out, std::chars_format::fixed);
  if (error != std::errc() || end != number.data() + size || number[1] != '.' || out < 0 || out > 1) return false;
  text.remove_prefix(size);
  return true;
}

bool take_space(std::string_view& text) {
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(1);
  return true;
}

// What stands in the record for a term, and back.
std::string_view field_key_of(std::string_view term) { return term == new_agent_term ? new_agent_key : term; }
std::string_view term_of_key(std::string_view key) { return key == new_agent_key ? new_agent_term : key; }

Result<TrustTerm> term_from_field(const TextField& field) {
  TrustTerm term;
  term.name = term_of_key(field.key);
  std::string_view rest = field.value;
  const bool numbers = take_number(rest, term.weight) && take_space(rest) && take_number(rest, term.value) &&
                       take_space(rest) && take_number(rest, term.result);
  if (!numbers || (!rest.empty() && !take_space(rest)) || !is_plain(rest))
    return fail(Errc::Invalid,
                fmt::format("key {}: three numbers from 0.000 to 1.000 and a note in ASCII wanted", field.key));
  term.note = rest;
  return term;
}

}  // namespace

TrustSum trust_of(const AgentEntry& entry, const TrustPolicy& policy, UnixTime now) {
  TrustSum sum;
  double trust = 0;
  for (const Weight& weight : weights_of(policy)) {
    sum.terms.push_back(term_of(weight, entry, policy, now));
    trust += sum.terms.back().result;
  }
  const auto reduce = [&](std::string_view name, double factor, std::string note) {
    sum.terms.push_back({std::string(name), factor, trust, trust * factor, std::move(note)});
    trust *= factor;
  };
  const double age = days_between(entry.first_published, now);
  if (const double factor = new_agent_factor(policy, age); factor < 1)
    reduce(new_agent_term, factor, fmt::format("day {:.0f} of {}", std::floor(age) + 1, policy.new_days));
  if (entry.looks_alike)
    reduce(look_alike_term, between_0_and_1(policy.look_alike_factor), "its name could be taken for another's");
  if (entry.custodial) {
    const double cap = between_0_and_1(policy.custody_cap);
    sum.terms.push_back(
        {std::string(custody_term), cap, trust, std::min(trust, cap), "signed by the registry's key, capped"});
    trust = std::min(trust, cap);
  }
  sum.trust = two_decimals(trust);
  return sum;
}

bool is_trust_outdated(const AgentEntry& entry, const TrustPolicy& policy, UnixTime now) {
  return entry.presence == Presence::Live && trust_of(entry, policy, now).trust != two_decimals(entry.trust);
}

std::string trust_text(double trust) { return fmt::format("{:.2f}", two_decimals(trust)); }

Bytes registry_statement(std::string_view registry_id, const AgentEntry& entry) {
  std::string clock;
  for (const auto& [replica, count] : entry.write.clock)
    clock += fmt::format("{}{}:{}", clock.empty() ? "" : ",", replica, count);
  Bytes out;
  append_field(out, "v", "steward-registry1");
  append_field(out, "registry", registry_id);
  append_field(out, "trust", trust_text(entry.trust));
  append_field(out, "vc", clock);
  append_field(out, "status", entry.suspended ? "suspended" : to_text(entry.status));
  return out;
}

Bytes trust_record(const TrustSum& sum) {
  Bytes out;
  append_field(out, "v", trust_record_version);
  append_field(out, "trust", trust_text(sum.trust));
  for (const TrustTerm& term : sum.terms) {
    const std::string note = term.note.empty() ? "" : " " + term.note;
    append_field(out, field_key_of(term.name),
                 fmt::format("{:.3f} {:.3f} {:.3f}{}", term.weight, term.value, term.result, note));
  }
  return out;
}

Result<TrustSum> trust_from_record(ByteView txt_rdata) {
  const auto fields = fields_from_txt(txt_rdata);
  if (!fields) return tl::unexpected<Error>(fields.error());
  if (fields->front() != TextField{"v", std::string(trust_record_version)})
    return fail(Errc::Invalid, fmt::format("string 1: v={} wanted", trust_record_version));
  if (fields->size() < 2 || (*fields)[1].key != "trust") return fail(Errc::Invalid, "trust= must be the second key");
  TrustSum sum;
  const std::string padded = (*fields)[1].value + "0";  // three decimals, as the terms have them
  std::string_view rest = padded;
  if (!take_number(rest, sum.trust) || !rest.empty())
    return fail(Errc::Invalid, "key trust: a number from 0.00 to 1.00 wanted");
  for (const TextField& field : std::span(*fields).subspan(2)) {
    auto term = term_from_field(field);
    if (!term) return tl::unexpected<Error>(term.error());
    sum.terms.push_back(std::move(*term));
  }
  return sum;
}

}  // namespace steward::agent
