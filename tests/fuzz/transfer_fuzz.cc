// Octets taken as the messages of a transfer: whatever comes, only a whole and ordered one is believed, and what the
// sink gets is sound.
//
// Input: one octet of settings (bit 0 IXFR, bit 1 over UDP, bit 2 our serial is near the end of the circle), then
// messages of the zone "example.", each behind two octets of length, as on TCP; the header's ID is 0.

#include <algorithm>

#include "dns/rdata.hh"
#include "dns/serial.hh"
#include "require.hh"
#include "transfer/incoming.hh"
#include "transfer/received_zone.hh"
#include "transfer/soa_query.hh"

using namespace steward;
using namespace steward::transfer;
using fuzz::require;
using Step = IncomingTransfer::Step;

namespace {

constexpr uint8_t apex_wire[] = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};

dns::NameView apex() { return {apex_wire, sizeof apex_wire}; }

// Holds IncomingTransfer to the order that TransferSink promises.
class StrictSink final : public TransferSink {
 public:
  explicit StrictSink(uint32_t ours) : at_(ours) {}

  Result<void> begin(const TransferBeginning& beginning) override {
    require(state_ == State::Before, "begin comes first, and once");
    state_ = beginning.kind == TransferKind::Axfr ? State::Whole : State::Between;
    to_ = beginning.to;
    require(beginning.soa != nullptr && soa_fields(beginning.soa->rdata).serial == to_, "the announced SOA");
    if (beginning.kind == TransferKind::Ixfr) require(dns::Serial(at_) < dns::Serial(to_), "differences lead onward");
    return {};
  }
  Result<void> record(const TransferRecord& record) override {
    require(state_ == State::Whole, "records of a whole zone");
    require((record.type == RrType::SOA) == (count_ == 0), "the SOA is the first record, and the only one");
    return check(record);
  }
  Result<void> removing(const TransferRecord& soa) override {
    require(state_ == State::Between, "a difference begins after the one before");
    require(soa_fields(soa.rdata).serial == at_, "a difference starts where we are");
    state_ = State::Removing;
    return check(soa);
  }
  Result<void> removed(const TransferRecord& record) override {
    require(state_ == State::Removing && record.type != RrType::SOA, "removals");
    return check(record);
  }
  Result<void> adding(const TransferRecord& soa) override {
    require(state_ == State::Removing, "additions come after removals");
    const uint32_t next = soa_fields(soa.rdata).serial;
    require(dns::Serial(at_) < dns::Serial(next), "serials advance");
    at_ = next;
    state_ = State::Between;
    return check(soa);
  }
  Result<void> added(const TransferRecord& record) override {
    require(state_ == State::Between && count_ > 0 && record.type != RrType::SOA, "additions");
    return check(record);
  }
  Result<void> end() override {
    require(state_ == State::Whole || (state_ == State::Between && at_ == to_), "the announced version is reached");
    state_ = State::Ended;
    return {};
  }
  [[nodiscard]] bool ended() const { return state_ == State::Ended; }

 private:
  enum class State : uint8_t { Before, Whole, Between, Removing, Ended };
  Result<void> check(const TransferRecord& record) {
    ++count_;
    const auto owner = dns::NameView::from_wire(record.owner.wire());
    require(owner && owner->size() == record.owner.size(), "the owner is a name");
    require(record.owner.is_at_or_below(apex()), "the owner is in the zone");
    require(record.ttl <= 0x7fffffff, "TTL of 31 bits");
    require(!dns::is_meta_type(record.type) && dns::value(record.type) != 0, "a type that zones hold");
    require(dns::check_rdata(record.type, record.rdata).has_value(), "sound RDATA");
    return {};
  }

  State state_ = State::Before;
  uint32_t at_;
  uint32_t to_ = 0;
  size_t count_ = 0;
};

template <class Take>
void each_message(ByteView octets, Take take) {
  while (octets.size() >= 2) {
    const size_t size = std::min<size_t>(load_u16(octets.data()), octets.size() - 2);
    if (!take(octets.subspan(2, size))) return;
    octets = octets.subspan(2 + size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const uint8_t settings = data[0];
  TransferQuery query;
  query.zone = apex();
  query.type = (settings & 1) != 0 ? RrType::IXFR : RrType::AXFR;
  query.datagram = (settings & 2) != 0 && query.type == RrType::IXFR;
  query.serial = (settings & 4) != 0 ? 0xfffffffe : 1;
  const ByteView messages(data + 1, size - 1);

  StrictSink strict(query.serial);
  IncomingTransfer transfer(query, strict);
  Step step = Step::More;
  each_message(messages, [&](ByteView message) { return (step = transfer.take(message)) == Step::More; });
  require(strict.ended() == (step == Step::Done), "Done is the end of the sink");
  if (step == Step::Refused || step == Step::FallBackToAxfr) require(!transfer.error().what.empty(), "a reason");
  const Step closed = transfer.closed();
  require(step == Step::More ? closed == Step::Refused || closed == Step::FallBackToAxfr : closed == step,
          "what is not whole is not believed");

  // The same into an image and changes, in little memory.
  ReceiveOptions options;
  options.max_octets = size_t{1} << 20;
  TransferReceiver receiver(apex(), options, 1 << 16);
  IncomingTransfer again(query, receiver);
  Step second = Step::More;
  each_message(messages, [&](ByteView message) { return (second = again.take(message)) == Step::More; });
  if (second != Step::Done) return 0;
  if (receiver.kind() == TransferKind::Axfr) {
    const ReceivedImage result = receiver.zone().finish();
    zone::ZoneImage::Node node;
    if (result.image)
      while (result.image->next(node)) require(!node.rrsets.empty(), "a node has records");
  } else {
    const IxfrChanges& changes = receiver.changes();
    size_t records = 0;
    for (size_t i = 0; i < changes.size(); ++i) {
      const IxfrDifference difference = changes[i];
      for (const ChangeRange& range : {difference.removed, difference.added})
        for (const TransferRecord record : range) {
          require(dns::check_rdata(record.type, record.rdata).has_value(), "sound RDATA is kept");
          ++records;
        }
    }
    require(records == changes.record_count(), "all records are there");
  }
  return 0;
}
