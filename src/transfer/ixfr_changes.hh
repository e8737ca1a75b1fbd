#pragma once
// IxfrChanges: the differences of an IXFR (RFC 1995 §4), gathered in memory until they are whole.
//
// All records lie in one run of octets, 9 octets beside owner and RDATA each; views are made while it is walked.
// Bounded: beyond `max_octets` the sink says Full, and IncomingTransfer falls back to AXFR. One thread.
//
// Whether the changes fit the zone is for the side that applies them: a removal of a record that is not there, or an
// addition of one that is, means that the two versions differ, and is answered by an AXFR (RFC 1995 §4 leaves it open;
// Knot DNS and BIND do the same). What differs by TTL only is the same record (RFC 2136 §1.1.1 has the same rule).

#include <cstdint>
#include <iterator>
#include <vector>

#include "base/bytes.hh"
#include "transfer/incoming.hh"

namespace steward::transfer {

/// A run of records in an IxfrChanges; a forward range of TransferRecord. Holds while its IxfrChanges is not changed.
class ChangeRange {
 public:
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = TransferRecord;
    using difference_type = std::ptrdiff_t;
    using pointer = const TransferRecord*;
    using reference = TransferRecord;

    Iterator() = default;
    explicit Iterator(const uint8_t* at) : at_(at) {}
    TransferRecord operator*() const;
    Iterator& operator++();
    Iterator operator++(int);
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const uint8_t* at_ = nullptr;
  };

  ChangeRange() = default;
  ChangeRange(ByteView octets, size_t count) : octets_(octets), count_(count) {}
  [[nodiscard]] Iterator begin() const { return Iterator(octets_.data()); }
  [[nodiscard]] Iterator end() const { return Iterator(octets_.data() + octets_.size()); }
  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }

 private:
  ByteView octets_;
  size_t count_ = 0;
};

/// One step from a version to the next. The SOAs stand here only, not among `removed` and `added`.
struct IxfrDifference {
  uint32_t from = 0;
  uint32_t to = 0;
  TransferRecord old_soa;
  TransferRecord new_soa;
  ChangeRange removed;
  ChangeRange added;
};

class IxfrChanges final : public TransferSink {
 public:
  static constexpr size_t default_octets = size_t{256} << 20;
  explicit IxfrChanges(size_t max_octets = default_octets) : max_octets_(max_octets) {}

  // After Step::Done.
  [[nodiscard]] uint32_t from() const { return from_; }
  [[nodiscard]] uint32_t to() const { return to_; }
  [[nodiscard]] size_t size() const { return differences_.size(); }
  [[nodiscard]] IxfrDifference operator[](size_t index) const;
  /// Records removed and added, without SOAs.
  [[nodiscard]] size_t record_count() const { return record_count_; }
  [[nodiscard]] size_t octets() const { return octets_.size(); }

  // TransferSink. begin() of an Axfr is Unsupported: TransferReceiver (transfer/received_zone.hh) takes both.
  Result<void> begin(const TransferBeginning& beginning) override;
  Result<void> record(const TransferRecord& record) override;
  Result<void> removing(const TransferRecord& old_soa) override;
  Result<void> removed(const TransferRecord& record) override;
  Result<void> adding(const TransferRecord& new_soa) override;
  Result<void> added(const TransferRecord& record) override;
  Result<void> end() override { return {}; }

 private:
  // Offsets into octets_: old SOA, removed, new SOA, added follow one another.
  struct Place {
    size_t old_soa = 0;
    size_t removed = 0;
    size_t new_soa = 0;
    size_t added = 0;
    size_t end = 0;
    size_t removed_count = 0;
    size_t added_count = 0;
  };
  Result<void> append_record(const TransferRecord& record);

  size_t max_octets_;
  uint32_t from_ = 0;
  uint32_t to_ = 0;
  size_t record_count_ = 0;
  Bytes octets_;
  std::vector<Place> differences_;
};

}  // namespace steward::transfer
