#include "transfer_world.hh"

#include <algorithm>
#include <stdexcept>

#include "auth/tsig_key.hh"
#include "dns/rdata.hh"

namespace steward::test {
namespace {

class StreamReply final : public Reply {
 public:
  StreamReply(std::shared_ptr<Stream> stream, const SocketAddress& client)
      : stream_(std::move(stream)), client_(client) {}
  ~StreamReply() override { stream_->finished = true; }
  Written write(ByteView message) override {
    if (stream_->closed) return Written::Closed;
    stream_->messages.emplace_back(message.begin(), message.end());
    return stream_->messages.size() >= stream_->reads ? Written::Full : Written::Queued;
  }
  void when_writable(std::function<void()> resume) override { stream_->waiting.push_back(std::move(resume)); }
  void post(std::function<void()> task) override { stream_->posted.push_back(std::move(task)); }
  [[nodiscard]] const SocketAddress& client() const override { return client_; }

 private:
  std::shared_ptr<Stream> stream_;
  SocketAddress client_;
};

class StreamSource final : public ReplySource {
 public:
  explicit StreamSource(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
  std::unique_ptr<Reply> defer(const Exchange& exchange) override {
    return std::make_unique<StreamReply>(stream_, *exchange.client);
  }

 private:
  std::shared_ptr<Stream> stream_;
};

class Contents final : public serve::ZoneContents {
 public:
  Contents(std::vector<zone::NodeView> nodes, size_t& alive) : nodes_(std::move(nodes)), alive_(alive) { ++alive_; }
  ~Contents() override { --alive_; }
  [[nodiscard]] size_t size() const override { return nodes_.size(); }
  [[nodiscard]] zone::NodeView node(size_t index) const override { return nodes_.at(index); }

 private:
  std::vector<zone::NodeView> nodes_;
  size_t& alive_;
};

}  // namespace

void Stream::run() {
  while (!posted.empty()) {
    const auto task = std::move(posted.front());
    posted.pop_front();
    task();
  }
}

void Stream::read(size_t more) {
  reads = messages.size() + more;
  std::vector<std::function<void()>> resumed;
  resumed.swap(waiting);
  for (const auto& resume : resumed) resume();
  run();
}

void FakeTransferSource::copy_zone(const zone::ZoneInfo& zone,
                                   std::function<void(std::unique_ptr<serve::ZoneContents>)> take) {
  if (full) return take(nullptr);
  auto deliver = [this, take, apex = zone.apex] {
    take(std::make_unique<Contents>(snapshot.nodes(apex.to_text()), copies));
  };
  if (late)
    held = std::move(deliver);
  else
    deliver();
}

std::optional<serve::JournalExtent> FakeTransferSource::journal_extent(const zone::ZoneInfo& /*zone*/,
                                                                       uint32_t serial) {
  serve::JournalExtent extent;
  for (const zone::Difference& difference : journal)
    if (difference.from == serial || extent.differences > 0) {
      extent.octets += difference.records.size();
      ++extent.differences;
    }
  if (extent.differences == 0) return std::nullopt;
  return extent;
}

std::optional<serve::JournalPart> FakeTransferSource::read_journal(const zone::ZoneInfo& /*zone*/,
                                                                   serve::JournalPlace& place) {
  for (const zone::Difference& difference : journal) {
    if (difference.from != place.serial) continue;
    serve::JournalPart part{difference.from, difference.to, place.part == 0, false, {}};
    zone::DifferenceReader reader(difference.records);
    for (size_t i = 0; i < place.part * part_records; ++i) reader.next();
    for (size_t i = 0; i < part_records; ++i)
      if (const auto record = reader.next()) append_difference_record(part.records, *record);
    part.last = !reader.next();
    place = part.last ? serve::JournalPlace{difference.to, 0} : serve::JournalPlace{place.serial, place.part + 1};
    return part;
  }
  return std::nullopt;
}

uint64_t FakeTransferSource::zone_octets(const zone::ZoneInfo& /*zone*/) { return octets; }

TransferWorld::TransferWorld(serve::TransferLimits limits)
    : slots(std::make_shared<serve::TransferSlots>(limits)), desk(source, operations, slots, clock) {
  key = *auth::TsigKey::from_text("transfer.key.", "hmac-sha256", "c2VjcmV0IG9mIHRoZSB0ZXN0");
  settings.keys = std::make_shared<auth::Keyring>(*auth::Keyring::create({key}));
  context.operations = &operations;
  context.transfers = &desk;
  context.unix_seconds = static_cast<uint32_t>(seconds_of(clock.now()));
}

TransferWorld::~TransferWorld() {
  for (const auto& known : streams_)
    if (const auto stream = known.lock()) {
      // What they hold holds the stream.
      const auto posted = std::move(stream->posted);
      const auto waiting = std::move(stream->waiting);
    }
}

std::shared_ptr<Stream> TransferWorld::send(ByteView request, Transport transport, size_t reads) {
  auto stream = std::make_shared<Stream>();
  stream->reads = reads;
  std::erase_if(streams_, [](const auto& known) { return known.expired(); });
  streams_.push_back(stream);
  StreamSource reply_source(stream);
  const Bytes copy(request.begin(), request.end());
  Bytes room(transport == Transport::Udp ? 4096 : 65535);
  Exchange exchange;
  exchange.request = copy;
  exchange.room = room;
  exchange.transport = transport;
  exchange.client = &client;
  exchange.local = &local;
  exchange.source = &reply_source;
  if (!peer.spki_sha256.empty() && transport == Transport::Tls) exchange.peer = &peer;
  pipeline.answer(std::span<Exchange>(&exchange, 1), snapshot, context);
  if (exchange.response_size > 0)
    stream->messages.emplace_back(room.begin(), room.begin() + static_cast<long>(exchange.response_size));
  return stream;
}

std::vector<dns::Message> TransferWorld::fetch(ByteView request, Transport transport) {
  const auto stream = send(request, transport);
  stream->run();
  std::vector<dns::Message> messages;
  for (const Bytes& message : stream->messages) {
    auto parsed = dns::Message::parse(message);
    if (!parsed) throw std::runtime_error(parsed.error().what);
    messages.push_back(std::move(*parsed));
  }
  return messages;
}

std::string line_of(dns::NameView owner, dns::RrType type, uint32_t ttl, ByteView rdata) {
  return owner.to_text() + " " + std::to_string(ttl) + " " + to_text(type) + " " + dns::rdata_to_text(type, rdata);
}

std::vector<std::string> answer_of(const std::vector<dns::Message>& messages) {
  std::vector<std::string> lines;
  for (const dns::Message& message : messages)
    for (const dns::Record& record : message.answer)
      lines.push_back(line_of(record.owner, record.type, record.ttl, record.rdata));
  return lines;
}

std::vector<std::string> records_of(const std::vector<zone::NodeView>& nodes) {
  std::vector<std::string> lines;
  for (const zone::NodeView node : nodes)
    for (size_t i = 0; i < node.rrset_count(); ++i) {
      const zone::StoredRrset rrset = node.rrset(i);
      for (const auto& [type, rrs] : {std::pair{rrset.type, rrset.rrs}, {dns::RrType::RRSIG, rrset.sigs()}})
        for (zone::StoredRrReader reader(rrs); !reader.done();) {
          const zone::StoredRr rr = reader.next();
          Bytes rdata;
          zone::expand_rdata(type, rr.rdata, node.owner(), rdata);
          lines.push_back(line_of(node.owner(), type, rr.ttl, rdata));
        }
    }
  std::sort(lines.begin(), lines.end());
  return lines;
}

dns::Message make_request(std::string_view name, dns::RrType type, dns::Opcode opcode) {
  dns::Message message;
  message.header.id = 0x1234;
  message.header.opcode = opcode;
  message.question.push_back({*dns::Name::from_text(name), type, dns::RrClass::IN});
  return message;
}

Bytes make_ixfr(std::string_view zone, uint32_t serial) {
  dns::Message message = make_request(zone, dns::RrType::IXFR);
  Bytes rdata = {0, 0};
  append_u32(rdata, serial);
  rdata.resize(rdata.size() + 16);
  message.authority.push_back({message.question[0].name, dns::RrType::SOA, dns::RrClass::IN, 0, rdata});
  return *message.build();
}

zone::Difference make_difference(std::string_view removed, std::string_view added, std::string_view origin) {
  zone::Difference difference;
  const dns::Name apex = *dns::Name::from_text(origin);
  for (const bool adds : {false, true})
    for (const Record& record : parse_zone_text(adds ? added : removed, apex)) {
      if (record.type == dns::RrType::SOA)
        (adds ? difference.to : difference.from) = load_u32(&record.rdata[record.rdata.size() - 20]);
      zone::append_difference_record(difference.records, {adds, record.owner, record.type, record.ttl, record.rdata});
      ++(adds ? difference.added : difference.removed);
    }
  return difference;
}

}  // namespace steward::test
