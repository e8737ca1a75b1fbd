#include "dns/message.hh"

#include <string>
#include <unordered_map>

#include "dns/compressed_name.hh"
#include "dns/rdata.hh"

namespace steward::dns {
namespace {

Header parse_header(uint16_t id, uint16_t flags) {
  const auto bit = [flags](unsigned at) { return (flags >> at & 1) != 0; };
  Header header;
  header.id = id;
  header.qr = bit(15);
  header.opcode = static_cast<Opcode>(flags >> 11 & 0x0f);
  header.aa = bit(10);
  header.tc = bit(9);
  header.rd = bit(8);
  header.ra = bit(7);
  header.z = bit(6);
  header.ad = bit(5);
  header.cd = bit(4);
  header.rcode = flags & 0x0f;
  return header;
}

uint16_t flags_of(const Header& header) {
  const auto bit = [](bool set, unsigned at) { return static_cast<unsigned>(set) << at; };
  return static_cast<uint16_t>(bit(header.qr, 15) | (static_cast<unsigned>(header.opcode) & 0x0f) << 11 |
                               bit(header.aa, 10) | bit(header.tc, 9) | bit(header.rd, 8) | bit(header.ra, 7) |
                               bit(header.z, 6) | bit(header.ad, 5) | bit(header.cd, 4) | (header.rcode & 0x0fU));
}

class Parser {
 public:
  explicit Parser(ByteView wire) : wire_(wire), at_(header_size) {}

  Result<void> questions(size_t count, std::vector<Question>& into) {
    for (size_t i = 0; i < count; ++i) {
      const auto name = take_name();
      if (!name) return fail(place("question", i), name.error());
      if (wire_.size() - at_ < 4) return fail(Errc::Invalid, place("question", i) + ": is cut short");
      into.push_back(
          {*name, static_cast<RrType>(load_u16(&wire_[at_])), static_cast<RrClass>(load_u16(&wire_[at_ + 2]))});
      at_ += 4;
    }
    return {};
  }

  Result<void> records(const char* section, size_t count, std::vector<Record>& into) {
    for (size_t i = 0; i < count; ++i) {
      auto record = take_record();
      if (!record) return fail(place(section, i), record.error());
      into.push_back(std::move(*record));
    }
    return {};
  }

  [[nodiscard]] bool at_end() const { return at_ == wire_.size(); }

 private:
  static std::string place(const char* section, size_t index) {
    return std::string(section) + " record " + std::to_string(index + 1);
  }

  Result<Name> take_name() {
    size_t used = 0;
    auto name = name_from_message(wire_, at_, wire_.size(), used);
    if (name) at_ += used;
    return name;
  }

  Result<Record> take_record() {
    Record record;
    auto owner = take_name();
    if (!owner) return tl::unexpected(std::move(owner.error()));
    record.owner = *owner;
    if (wire_.size() - at_ < 10) return fail(Errc::Invalid, "is cut short");
    record.type = static_cast<RrType>(load_u16(&wire_[at_]));
    record.klass = static_cast<RrClass>(load_u16(&wire_[at_ + 2]));
    record.ttl = load_u32(&wire_[at_ + 4]);
    const size_t size = load_u16(&wire_[at_ + 8]);
    at_ += 10;
    if (wire_.size() - at_ < size) return fail(Errc::Invalid, "RDATA runs past the end of the message");
    // RFC 2136 §2.4, §2.5: without RDATA where the class is ANY, or NONE as a prerequisite.
    const bool absent = size == 0 && (record.klass == RrClass::ANY || record.klass == RrClass::NONE);
    if (!absent)
      if (const auto taken = rdata_from_message(record.type, wire_, at_, size, record.rdata); !taken)
        return tl::unexpected(taken.error());
    at_ += size;
    return record;
  }

  ByteView wire_;
  size_t at_;
};

bool has_type(const std::vector<Record>& records, RrType type) {
  for (const Record& record : records)
    if (record.type == type) return true;
  return false;
}

// Where the pseudo-records stand: RFC 6891 §6.1.1, RFC 8945 §5.1.
Result<void> check_pseudo_records(const Message& message) {
  for (const RrType type : {RrType::OPT, RrType::TSIG})
    if (has_type(message.answer, type) || has_type(message.authority, type))
      return fail(Errc::Invalid,
                  to_text(type) + " stands outside of the additional section (RFC 6891 §6.1.1, RFC 8945 §5.1)");
  size_t opts = 0;
  for (size_t i = 0; i < message.additional.size(); ++i) {
    const Record& record = message.additional[i];
    if (record.type == RrType::TSIG && i + 1 != message.additional.size())
      return fail(Errc::Invalid, "TSIG is not the last record (RFC 8945 §5.1)");
    if (record.type != RrType::OPT) continue;
    if (++opts > 1) return fail(Errc::Invalid, "OPT stands there twice (RFC 6891 §6.1.1)");
    if (!record.owner.view().is_root()) return fail(Errc::Invalid, "OPT is not at the root (RFC 6891 §6.1.2)");
    ByteView options = record.rdata;
    while (next_edns_option(options)) continue;
    if (!options.empty()) return fail(Errc::Invalid, "last EDNS option is cut short (RFC 6891 §6.1.2)");
  }
  return {};
}

// Writes a message, and remembers where each name and its ancestors stand.
class Builder {
 public:
  void name(NameView name) {
    while (!name.is_root()) {
      const std::string key(as_text(name.wire()));
      const auto known = places_.find(key);
      if (known != places_.end()) return append_u16(wire_, static_cast<uint16_t>(0xc000 | known->second));
      // RFC 1035 §4.1.4: a pointer reaches 14 bits far.
      if (wire_.size() < 0x4000) places_.try_emplace(key, static_cast<uint16_t>(wire_.size()));
      append(wire_, name.wire().first(name.data()[0] + size_t{1}));
      name = name.parent();
    }
    append_u8(wire_, 0);
  }

  void question(const Question& question) {
    name(question.name);
    append_u16(wire_, value(question.type));
    append_u16(wire_, value(question.klass));
  }

  void record(const Record& record) {
    name(record.owner);
    append_u16(wire_, value(record.type));
    append_u16(wire_, value(record.klass));
    append_u32(wire_, record.ttl);
    const size_t size_at = wire_.size();
    append_u16(wire_, 0);
    std::array<RdataName, 8> names;
    const size_t count = rdata_names(record.type, record.rdata, names);
    size_t done = 0;
    for (const auto& [offset, size, compressible] : std::span(names).first(count)) {
      if (!compressible) continue;
      append(wire_, ByteView(record.rdata).subspan(done, offset - done));
      name(NameView(&record.rdata[offset], size));
      done = offset + size_t{size};
    }
    append(wire_, ByteView(record.rdata).subspan(done));
    store_u16(&wire_[size_at], static_cast<uint16_t>(wire_.size() - size_at - 2));
  }

  [[nodiscard]] Bytes& wire() { return wire_; }

 private:
  Bytes wire_;
  std::unordered_map<std::string, uint16_t> places_;
};

}  // namespace

Result<Message> Message::parse(ByteView wire) {
  if (wire.size() < header_size) return fail(Errc::Invalid, "message is shorter than its header (RFC 1035 §4.1.1)");
  if (wire.size() > max_message_size) return fail(Errc::Invalid, "message is longer than 65535 octets");
  Message message;
  message.header = parse_header(load_u16(wire.data()), load_u16(&wire[2]));
  Parser parser(wire);
  auto done = parser.questions(load_u16(&wire[4]), message.question);
  if (done) done = parser.records("answer", load_u16(&wire[6]), message.answer);
  if (done) done = parser.records("authority", load_u16(&wire[8]), message.authority);
  if (done) done = parser.records("additional", load_u16(&wire[10]), message.additional);
  if (done && !parser.at_end()) done = fail(Errc::Invalid, "octets are left over after the last record");
  if (done) done = check_pseudo_records(message);
  if (!done) return tl::unexpected(std::move(done.error()));
  return message;
}

Result<Bytes> Message::build(size_t limit) const {
  Builder builder;
  Bytes& wire = builder.wire();
  append_u16(wire, header.id);
  append_u16(wire, flags_of(header));
  const auto too_large = [&] {
    return fail(Errc::Full, "message is over " + std::to_string(limit) + " octets or 65535 records a section");
  };
  for (const size_t count : {question.size(), answer.size(), authority.size(), additional.size()}) {
    if (count > 65535) return too_large();
    append_u16(wire, static_cast<uint16_t>(count));
  }
  for (const Question& entry : question) {
    builder.question(entry);
    if (wire.size() > limit) return too_large();
  }
  for (const auto* section : {&answer, &authority, &additional})
    for (const Record& record : *section) {
      if (record.rdata.size() > max_rdata_size) return too_large();
      builder.record(record);
      if (wire.size() > limit) return too_large();
    }
  return std::move(wire);
}

const Record* Message::opt() const {
  for (const Record& record : additional)
    if (record.type == RrType::OPT) return &record;
  return nullptr;
}

Rcode Message::rcode() const {
  const Record* edns = opt();
  const unsigned upper = edns == nullptr ? 0 : edns->ttl >> 24;
  return static_cast<Rcode>(upper << 4 | (header.rcode & 0x0fU));
}

std::optional<EdnsOption> next_edns_option(ByteView& rdata) {
  if (rdata.size() < 4 || rdata.size() - 4 < load_u16(&rdata[2])) return {};
  const EdnsOption option{load_u16(rdata.data()), rdata.subspan(4, load_u16(&rdata[2]))};
  rdata = rdata.subspan(4 + option.data.size());
  return option;
}

void append_edns_option(Bytes& rdata, uint16_t code, ByteView data) {
  append_u16(rdata, code);
  append_u16(rdata, static_cast<uint16_t>(data.size()));
  append(rdata, data);
}

Record make_opt(uint16_t udp_size, bool dnssec_ok, Bytes options) {
  return {Name(), RrType::OPT, static_cast<RrClass>(udp_size), dnssec_ok ? 0x8000U : 0U, std::move(options)};
}

}  // namespace steward::dns
