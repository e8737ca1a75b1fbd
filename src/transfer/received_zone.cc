#include "transfer/received_zone.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "zone/file_checks.hh"
#include "zone/file_image.hh"

namespace steward::transfer {
namespace {

// A file that has no name: it is gone with its last descriptor, whatever happens to us.
Result<int> open_nameless(const std::string& folder) {
  int file = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // Not every file system can: then one that has a name for a moment.
  std::string path = folder + "/transfer.XXXXXX";
  file = mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) return fail(Errc::Io, fmt::format("{}: cannot make a file: {}", folder, std::strerror(errno)));
  if (unlink(path.c_str()) == 0) return file;
  const int error = errno;
  close(file);
  return fail(Errc::Io, fmt::format("{}: cannot be removed: {}", path, std::strerror(error)));
}

Result<zone::FileImage::Files> open_files(const std::string& folder) {
  if (folder.empty()) return zone::FileImage::Files();
  const auto names = open_nameless(folder);
  if (!names) return tl::unexpected(names.error());
  const auto records = open_nameless(folder);
  if (!records) {
    close(*names);
    return tl::unexpected(records.error());
  }
  return zone::FileImage::Files{*names, *records};
}

template <class Message>
std::vector<Message> named(std::vector<Message> messages, const std::string& source) {
  for (Message& message : messages)
    if (message.file.empty()) message.file = source;
  return messages;
}

}  // namespace

zone::Severities transfer_severities() {
  zone::Severities severities = zone::default_severities();
  const auto unservable = [](zone::ZoneRule rule) {
    using enum zone::ZoneRule;
    return rule == OutOfZone || rule == NoSoa || rule == SecondSoa || rule == SoaNotAtApex || rule == RrsetTooLarge ||
           // An NSEC3 is kept by the hash that its owner spells (RFC 5155 §3), and there is one way to hash.
           rule == Nsec3Owner || rule == Nsec3Algorithm;
  };
  for (const zone::ZoneRuleRow& row : zone::zone_rules()) {
    zone::Severity& severity = severities[static_cast<size_t>(row.rule)];
    if (severity == zone::Severity::Error && !unservable(row.rule)) severity = zone::Severity::Warning;
  }
  return severities;
}

struct ReceivedZone::Making {
  Making(NameView apex, const ReceiveOptions& options, zone::FileImage::Files files)
      : report(options.severities),
        image(std::make_unique<zone::FileImage>(apex, std::min(options.max_octets, zone::Arena::most_octets), files)) {
    image->set_file(options.source);
  }

  zone::FileReport report;
  std::unique_ptr<zone::FileImage> image;
  uint32_t count = 0;
  // Records of one owner mostly follow one another.
  dns::Name owner;
  std::optional<zone::NodeIndex> node;
};

ReceivedZone::ReceivedZone(dns::NameView apex, ReceiveOptions options) : apex_(apex), options_(std::move(options)) {}
ReceivedZone::~ReceivedZone() = default;

Result<void> ReceivedZone::begin(const TransferBeginning& beginning) {
  if (beginning.kind != TransferKind::Axfr) return fail(Errc::Unsupported, "differences came where a whole zone goes");
  const auto files = open_files(options_.folder);
  if (!files) return tl::unexpected(files.error());
  making_ = std::make_unique<Making>(apex_, options_, *files);
  return {};
}

Result<void> ReceivedZone::record(const TransferRecord& record) {
  Making& making = *making_;
  const auto full = [&] {
    return fail(Errc::Full, fmt::format("no room for the zone's records: over {} octets, or {} is full",
                                        options_.max_octets, options_.folder.empty() ? "memory" : options_.folder));
  };
  if (!making.node || !std::ranges::equal(making.owner.view().wire(), record.owner.wire())) {
    making.node = making.image->owners().find_or_add(record.owner);
    if (!making.node) return full();
    making.owner = record.owner;
  }
  if (making.count < UINT32_MAX) ++making.count;
  if (!making.image->add(*making.node, record.type, record.ttl, making.count, record.rdata)) return full();
  return {};
}

ReceivedImage ReceivedZone::finish() {
  ReceivedImage result;
  if (!making_) return result;
  const std::unique_ptr<Making> making = std::move(making_);
  zone::FileReport& report = making->report;
  making->image->arrange(report);
  if (!report.failed()) zone::check_zone_file(*making->image, report);
  making->image->owners().forget_index();
  result.more_errors = report.more_errors();
  result.more_warnings = report.more_warnings();
  if (!report.failed()) result.image = std::move(making->image);
  result.errors = named(report.take_errors(), options_.source);
  result.warnings = named(report.take_warnings(), options_.source);
  return result;
}

Result<void> ReceivedZone::removing(const TransferRecord& /*old_soa*/) {
  return fail(Errc::Unsupported, "a difference came where a whole zone goes");
}
Result<void> ReceivedZone::removed(const TransferRecord& record) { return removing(record); }
Result<void> ReceivedZone::adding(const TransferRecord& record) { return removing(record); }
Result<void> ReceivedZone::added(const TransferRecord& record) { return removing(record); }

}  // namespace steward::transfer
