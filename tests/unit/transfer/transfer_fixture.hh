#pragma once
// Transfers in text: messages made of records, a sink that writes down what it is given.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "dns/message.hh"
#include "dns/rdata.hh"
#include "support/words.hh"
#include "transfer/incoming.hh"
#include "transfer/soa_query.hh"

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string all;
    for (const auto& line : lines) all += "\n  | " + line;
    return all.c_str();
  }
};
}  // namespace doctest

namespace steward::transfer::test {

using Step = IncomingTransfer::Step;
using Lines = std::vector<std::string>;

constexpr uint16_t query_id = 4711;

inline dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }

/// "www.example. A 192.0.2.1"
inline dns::Record rr(std::string_view text, uint32_t ttl = 300) {
  const auto words = steward::test::words_of(text);
  REQUIRE(words.size() >= 2);
  dns::Record record;
  record.owner = name(words[0].text);
  record.type = *dns::rr_type_from_text(words[1].text);
  record.ttl = ttl;
  const auto read = dns::rdata_from_tokens(record.type, std::span(words).subspan(2), dns::NameView(), record.rdata);
  REQUIRE_MESSAGE(read, text);
  return record;
}

inline std::string soa_text(uint32_t serial, std::string_view rest = "3600 600 86400 300") {
  return fmt::format("ns.example. admin.example. {} {}", serial, rest);
}
inline dns::Record soa(uint32_t serial, std::string_view owner = "example.") {
  return rr(fmt::format("{} SOA {}", owner, soa_text(serial)));
}

inline TransferQuery axfr() { return {query_id, name("example."), RrType::AXFR, 0, false}; }
inline TransferQuery ixfr(uint32_t serial, bool datagram = false) {
  return {query_id, name("example."), RrType::IXFR, serial, datagram};
}

/// A response with these answers to `query`; the parts of it may be changed before it is built.
inline dns::Message response(const TransferQuery& query, std::vector<dns::Record> answers) {
  dns::Message message;
  message.header.id = query.id;
  message.header.qr = true;
  message.header.aa = true;
  message.question.push_back({query.zone, query.type, dns::RrClass::IN});
  message.answer = std::move(answers);
  return message;
}
inline Bytes wire(const dns::Message& message) {
  auto built = message.build();
  REQUIRE(built);
  return *built;
}
inline Bytes wire(const TransferQuery& query, std::vector<dns::Record> answers) {
  return wire(response(query, std::move(answers)));
}

inline std::string text_of(const TransferRecord& record) {
  const std::string rdata = record.type == RrType::SOA ? std::to_string(soa_fields(record.rdata).serial)
                                                       : dns::rdata_to_text(record.type, record.rdata);
  return fmt::format("{} {} {} {}", record.owner.to_text(), record.ttl, dns::to_text(record.type), rdata);
}

/// Writes a line for each call; fails with `error` at the line `fail_at`.
class Recorder final : public TransferSink {
 public:
  Lines lines;
  std::string fail_at;
  Errc error = Errc::NotFound;

  Result<void> begin(const TransferBeginning& b) override {
    const bool whole = b.kind == TransferKind::Axfr;
    return note(whole ? fmt::format("axfr {} {}", b.apex.to_text(), b.to)
                      : fmt::format("ixfr {} {} {}", b.apex.to_text(), b.from, b.to));
  }
  Result<void> record(const TransferRecord& record) override { return note(text_of(record)); }
  Result<void> removing(const TransferRecord& soa) override {
    return note(fmt::format("from {}", soa_fields(soa.rdata).serial));
  }
  Result<void> removed(const TransferRecord& record) override { return note("- " + text_of(record)); }
  Result<void> adding(const TransferRecord& soa) override {
    return note(fmt::format("to {}", soa_fields(soa.rdata).serial));
  }
  Result<void> added(const TransferRecord& record) override { return note("+ " + text_of(record)); }
  Result<void> end() override { return note("end"); }

 private:
  Result<void> note(std::string line) {
    lines.push_back(std::move(line));
    if (!fail_at.empty() && lines.back() == fail_at) return fail(error, "the sink says no");
    return {};
  }
};

struct Outcome {
  Step step = Step::More;
  std::string error;
  Errc code = Errc::Invalid;
  std::optional<dns::Rcode> rcode;
  std::optional<uint32_t> serial;
  Lines lines;
  size_t taken = 0;  ///< messages that were read
};

/// An AXFR of four records.
inline std::vector<dns::Record> small_zone() {
  return {soa(5), rr("example. NS ns.example."), rr("ns.example. A 192.0.2.1"), soa(5)};
}

/// Takes the messages until the transfer is over.
inline Outcome run(const TransferQuery& query, const std::vector<Bytes>& messages, const TransferLimits& limits = {}) {
  Recorder sink;
  IncomingTransfer transfer(query, sink, limits);
  Outcome outcome;
  for (const Bytes& message : messages) {
    outcome.step = transfer.take(message);
    ++outcome.taken;
    if (outcome.step != Step::More) break;
  }
  outcome.error = transfer.error().what;
  outcome.code = transfer.error().code;
  outcome.rcode = transfer.rcode();
  outcome.serial = transfer.serial();
  outcome.lines = std::move(sink.lines);
  return outcome;
}
inline Outcome run(const TransferQuery& query, std::vector<dns::Record> answers) {
  return run(query, std::vector<Bytes>{wire(query, std::move(answers))});
}

inline bool says(const Outcome& outcome, std::string_view words) {
  return outcome.error.find(words) != std::string::npos;
}

#define CHECK_REFUSED(outcome, words)      \
  do {                                     \
    const Outcome refused_ = (outcome);    \
    INFO(refused_.error);                  \
    CHECK(refused_.step == Step::Refused); \
    CHECK(says(refused_, words));          \
  } while (false)
#define CHECK_FALLS_BACK(outcome, words)         \
  do {                                           \
    const Outcome fallen_ = (outcome);           \
    INFO(fallen_.error);                         \
    CHECK(fallen_.step == Step::FallBackToAxfr); \
    CHECK(says(fallen_, words));                 \
  } while (false)

}  // namespace steward::transfer::test
