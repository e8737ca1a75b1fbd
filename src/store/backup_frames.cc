#include "store/backup_frames.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace steward::store {
namespace {

constexpr size_t read_step = size_t{1} << 20;  // a size that is not true costs no more memory than this

bool is_kind(uint8_t octet) {
  switch (static_cast<FrameKind>(octet)) {
    case FrameKind::Zone:
    case FrameKind::Names:
    case FrameKind::Hashes:
    case FrameKind::Withdrawn:
    case FrameKind::Table:
    case FrameKind::State:
    case FrameKind::End: return true;
  }
  return false;
}

}  // namespace

Result<void> FrameWriter::begin() {
  const std::string line = fmt::format("{}{}\n", backup_magic, backup_version);
  checksum_ = crc32c(as_bytes(line));
  return sink_(as_bytes(line));
}

Result<void> FrameWriter::frame(FrameKind kind, ByteView body) {
  if (body.size() > frame_most)
    return fail(Errc::Full, fmt::format("{} octets in one frame of the backup", body.size()));
  out_.clear();
  append_u8(out_, static_cast<uint8_t>(kind));
  append_u32(out_, static_cast<uint32_t>(body.size()));
  append(out_, body);
  // Goes on from the frame before, so that none can be missing, doubled or moved.
  checksum_ = crc32c(out_, checksum_);
  append_u32(out_, checksum_);
  return sink_(out_);
}

tl::unexpected<Error> FrameReader::cut_off() const {
  return fail(Errc::Corrupt, fmt::format("octet {}: the backup is cut off", at_));
}

Result<void> FrameReader::exactly(size_t size, Bytes& into) {
  into.clear();
  while (into.size() < size) {
    const size_t start = into.size();
    into.resize(start + std::min(read_step, size - start));
    for (size_t filled = start; filled < into.size();) {
      const auto got = source_(MutableByteView(into).subspan(filled));
      if (!got) return tl::unexpected<Error>(got.error());
      at_ += *got;
      if (*got == 0) return cut_off();
      filled += *got;
    }
  }
  return {};
}

Result<void> FrameReader::begin() {
  Bytes line;
  const auto none = [] { return fail(Errc::Invalid, "not a backup of steward-registry"); };
  if (auto read = exactly(backup_magic.size(), line); !read)
    return read.error().code == Errc::Corrupt ? none() : tl::unexpected<Error>(read.error());
  if (as_text(line) != backup_magic) return none();
  checksum_ = crc32c(line);
  std::string version;
  for (Bytes octet; version.size() < 10;) {
    if (auto read = exactly(1, octet); !read) return read;
    checksum_ = crc32c(octet, checksum_);
    if (octet[0] == '\n') break;
    version.push_back(static_cast<char>(octet[0]));
  }
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
  if (error != std::errc() || end != version.data() + version.size() || version.size() >= 10 || version[0] == '0')
    return none();
  if (number != backup_version)
    return fail(Errc::Unsupported,
                fmt::format("a backup of format {}, this program reads format {}", number, backup_version));
  return {};
}

Result<Frame> FrameReader::frame() {
  const uint64_t begun = at_;
  Bytes head;
  if (auto read = exactly(frame_head, head); !read) return tl::unexpected<Error>(read.error());
  const size_t size = load_u32(&head[1]);
  if (size > frame_most) return fail(Errc::Corrupt, fmt::format("octet {}: a frame of {} octets", begun, size));
  checksum_ = crc32c(head, checksum_);
  if (auto read = exactly(size, body_); !read) return tl::unexpected<Error>(read.error());
  checksum_ = crc32c(body_, checksum_);
  Bytes sum;
  if (auto read = exactly(sizeof checksum_, sum); !read) return tl::unexpected<Error>(read.error());
  if (load_u32(sum.data()) != checksum_)
    return fail(Errc::Corrupt, fmt::format("octets {} to {}: the checksum does not match", begun, at_ - 1));
  if (!is_kind(head[0]))
    return fail(Errc::Unsupported, fmt::format("octet {}: a frame of kind {:02x}", begun, head[0]));
  if (progress_) progress_(at_, 0);
  return Frame{static_cast<FrameKind>(head[0]), begun, body_};
}

Result<void> FrameReader::end() {
  uint8_t octet = 0;
  const auto got = source_({&octet, 1});
  if (!got) return tl::unexpected<Error>(got.error());
  if (*got != 0) return fail(Errc::Corrupt, fmt::format("octet {}: something follows the end of the backup", at_));
  return {};
}

std::string end_text(const Census& census) {
  // Backups from before there were tables are as they would be written now.
  const std::string entries = census.entries > 0 ? fmt::format(R"("entries":{},)", census.entries) : std::string();
  return fmt::format(R"({{{}"hashes":{},"names":{},"records":{},"zones":{}}})", entries, census.hashes, census.names,
                     census.records, census.zones);
}

}  // namespace steward::store
