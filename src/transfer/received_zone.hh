#pragma once
// ReceivedZone: the records of an AXFR, gathered into the same image that a zone file makes.
//
// Names and RDATA lie in unlinked files of a folder that the caller gives, mapped shared: they are the page cache's,
// and the kernel may write them out. Anonymous memory is about 40 octets a name (half as much again while a table
// grows), none a record. So a transfer of any size takes bounded memory. All is gone when the image is. Used by one
// thread.
//
// The rules are those of zone files (zone/file_report.hh) with other severities, transfer_severities(): the primary has
// published the zone, and a secondary that refuses it serves an old one or none (RFC 5936 §3.1 wants it "as is").
// What can be served is taken, and logged as warnings, as NSD does; refused is what cannot be: no SOA or two, records
// out of the zone, an RRset that no message carries, an NSEC3 that is none. Others are stricter about what is a matter
// of its operator: BIND refuses a zone without NS, Knot DNS one with CNAME and other data.
//
// As in zone files, repeated records are merged, one RRset has one TTL, the least (RFC 2181 §5.2), and an RRSIG without
// its RRset is left out.

#include <memory>
#include <string>
#include <vector>

#include "base/result.hh"
#include "transfer/incoming.hh"
#include "transfer/ixfr_changes.hh"
#include "zone/file_report.hh"
#include "zone/image.hh"

namespace steward::transfer {

/// The severities of zone files with those errors as warnings with which a zone can be served.
zone::Severities transfer_severities();

struct ReceiveOptions {
  std::string folder;                    ///< where the records lie meanwhile; empty: in anonymous memory
  size_t max_octets = size_t{16} << 30;  ///< of names, and of records, each
  std::string source = "transfer";       ///< what messages call it: "transfer from 192.0.2.1@53"
  zone::Severities severities = transfer_severities();
};

/// What finish() made.
struct ReceivedImage {
  std::unique_ptr<zone::ZoneImage> image;   ///< null where there are errors; files() is empty
  std::vector<zone::FileError> errors;      ///< the first FileReport::max_messages; `line` is the record's number
  std::vector<zone::FileWarning> warnings;  ///< likewise
  size_t more_errors = 0;
  size_t more_warnings = 0;
};

class ReceivedZone final : public TransferSink {
 public:
  ReceivedZone(dns::NameView apex, ReceiveOptions options);
  ~ReceivedZone() override;

  /// After Step::Done, once: puts the records in canonical order and checks them.
  ReceivedImage finish();

  // TransferSink. begin() makes the files: Io with the folder's name. record(): Full where the disk or the limit is.
  // begin() of an Ixfr is Unsupported.
  Result<void> begin(const TransferBeginning& beginning) override;
  Result<void> record(const TransferRecord& record) override;
  Result<void> removing(const TransferRecord& old_soa) override;
  Result<void> removed(const TransferRecord& record) override;
  Result<void> adding(const TransferRecord& new_soa) override;
  Result<void> added(const TransferRecord& record) override;
  Result<void> end() override { return {}; }

 private:
  struct Making;
  dns::Name apex_;
  ReceiveOptions options_;
  std::unique_ptr<Making> making_;
};

/// Takes either: hands an Axfr to a ReceivedZone, an Ixfr to an IxfrChanges, as the response turns out.
class TransferReceiver final : public TransferSink {
 public:
  TransferReceiver(dns::NameView apex, ReceiveOptions options, size_t max_change_octets = IxfrChanges::default_octets)
      : zone_(apex, std::move(options)), changes_(max_change_octets) {}

  /// Which of the two holds what came; after Step::Done.
  [[nodiscard]] TransferKind kind() const { return kind_; }
  ReceivedZone& zone() { return zone_; }
  const IxfrChanges& changes() const { return changes_; }

  Result<void> begin(const TransferBeginning& beginning) override {
    kind_ = beginning.kind;
    return kind_ == TransferKind::Axfr ? zone_.begin(beginning) : changes_.begin(beginning);
  }
  Result<void> record(const TransferRecord& record) override { return zone_.record(record); }
  Result<void> removing(const TransferRecord& old_soa) override { return changes_.removing(old_soa); }
  Result<void> removed(const TransferRecord& record) override { return changes_.removed(record); }
  Result<void> adding(const TransferRecord& new_soa) override { return changes_.adding(new_soa); }
  Result<void> added(const TransferRecord& record) override { return changes_.added(record); }
  Result<void> end() override { return kind_ == TransferKind::Axfr ? zone_.end() : changes_.end(); }

 private:
  TransferKind kind_ = TransferKind::Axfr;
  ReceivedZone zone_;
  IxfrChanges changes_;
};

}  // namespace steward::transfer
