#pragma once
// The records of a transfer in their order, written to message after message. One job owns it; the worker's thread.

#include <functional>
#include <memory>
#include <optional>

#include "serve/transfer_message.hh"
#include "serve/transfer_source.hh"
#include "zone/difference.hh"

namespace steward::serve {

class TransferRecords {
 public:
  enum class Fill : uint8_t {
    More,    ///< the message is full
    End,     ///< the message holds the last record
    Broken,  ///< what is to be sent cannot be had, or fits into no message
  };
  virtual ~TransferRecords() = default;
  /// Writes what fits into a message that begin() started.
  [[nodiscard]] virtual Fill fill(TransferMessage& message) = 0;
};

/// A SOA of its own: where it stands in the message's last place.
struct SoaRecord {
  dns::Name owner;
  uint32_t ttl = 0;
  Bytes rdata;  ///< uncompressed

  /// Of the apex; nothing where it has none.
  static std::optional<SoaRecord> of(zone::NodeView apex);
  [[nodiscard]] uint32_t serial() const { return load_u32(&rdata[rdata.size() - 20]); }
};

/// A whole zone (RFC 5936 §2.2): the SOA, everything else that its nodes have, the SOA again.
class AxfrRecords final : public TransferRecords {
 public:
  /// `soa` is that of the first node.
  AxfrRecords(std::unique_ptr<ZoneContents> contents, SoaRecord soa)
      : contents_(std::move(contents)), soa_(std::move(soa)) {}
  [[nodiscard]] Fill fill(TransferMessage& message) override;

 private:
  enum class Put : uint8_t { Done, Full, Broken };
  [[nodiscard]] Put put_node(TransferMessage& message, zone::NodeView node);
  [[nodiscard]] Put put_rrset(TransferMessage& message, const zone::StoredRrset& rrset, dns::NameView owner);
  [[nodiscard]] Put put_records(TransferMessage& message, const zone::StoredRrset& rrset, dns::NameView owner);

  std::unique_ptr<ZoneContents> contents_;
  SoaRecord soa_;
  bool first_soa_done_ = false;
  size_t node_ = 0;
  size_t rrset_ = 0;   // of that node
  size_t octets_ = 0;  // of that RRset, where it goes out record by record
  Bytes rdata_;
};

/// Differences (RFC 1995 §4): the present SOA, the records of the differences, the present SOA again.
class IxfrRecords final : public TransferRecords {
 public:
  /// What comes next of the records, as zone::DifferenceReader reads them.
  struct Piece {
    enum class Kind : uint8_t { Records, End, Broken } kind = Kind::End;
    Bytes records;
  };
  using Feed = std::function<Piece()>;

  IxfrRecords(SoaRecord soa, Feed feed) : soa_(std::move(soa)), feed_(std::move(feed)) {}
  [[nodiscard]] Fill fill(TransferMessage& message) override;

 private:
  enum class Stage : uint8_t { FirstSoa, Records, LastSoa };
  [[nodiscard]] Fill full(TransferMessage& message) const;

  SoaRecord soa_;
  Feed feed_;
  Stage stage_ = Stage::FirstSoa;
  Bytes records_;
  zone::DifferenceReader reader_{ByteView{}};
  std::optional<zone::DifferenceRecord> next_;
};

}  // namespace steward::serve
