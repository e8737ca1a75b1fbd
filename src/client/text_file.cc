#include "client/text_file.hh"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.hh"
#include "base/new_file.hh"

namespace steward::client {

Result<std::string> read_text_file(const std::string& path, size_t most) {
  auto file = FileReader::open(path);
  if (!file) return tl::unexpected(file.error());
  std::string text;
  Bytes block(size_t{16} << 10);
  while (true) {
    const auto read = file->read(block);
    if (!read) return tl::unexpected(read.error());
    if (*read == 0) return text;
    text.append(as_text(ByteView(block).first(*read)));
    if (text.size() > most) return fail(Errc::Invalid, fmt::format("{}: over {} octets", path, most));
  }
}

Result<void> replace_text_file(const std::string& path, std::string_view text) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return fail(Errc::Io, fmt::format("{}: {}", folder.string(), error.message()));
  NewFile file(path);
  if (auto opened = file.open(); !opened) return opened;
  if (auto written = file.write(as_bytes(text)); !written) return written;
  return file.commit();
}

}  // namespace steward::client
