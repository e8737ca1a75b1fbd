#pragma once
// A store in a folder of its own, and nodes to put there.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>

#include "store/store.hh"
#include "zone/node.hh"

namespace steward::store::test {

inline dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-store-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] StoreOptions options() const { return {path_, uint64_t{1} << 30, uint64_t{1} << 34}; }

 private:
  std::string path_;
};

inline std::unique_ptr<Store> open_store(const StoreOptions& options) {
  auto store = Store::open(options);
  if (!store) FAIL(store.error().what);
  return std::move(*store);
}
inline std::unique_ptr<WriteTransaction> begin(Store& store) {
  auto write = store.begin_write();
  if (!write) FAIL(write.error().what);
  return std::move(*write);
}
template <class T>
void good(const Result<T>& result) {
  if (!result) FAIL(result.error().what);
}

inline Bytes key_of(const dns::Name& owner, const dns::Name& apex) {
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(owner, apex, key.data()));
  return key;
}

/// A node with one TXT, in strings of 255, that says `content`; `nsec` where it is to have one.
inline Bytes node_of(uint32_t zone, const dns::Name& owner, std::string_view content, uint16_t flags = 0,
                     bool nsec = false) {
  Bytes txt;
  do {
    const auto part = content.substr(0, 255);
    append_u8(txt, static_cast<uint8_t>(part.size()));
    append(txt, as_bytes(part));
    content.remove_prefix(part.size());
  } while (!content.empty());
  const ByteView one[] = {txt};
  Bytes next{0, 0, 1, 0x40};
  const ByteView two[] = {next};
  const zone::RrsetInput rrsets[] = {{dns::RrType::TXT, 300, one, {}}, {dns::RrType::NSEC, 60, two, {}}};
  Bytes blob;
  good(zone::build_node({zone, owner, flags, std::span(rrsets).first(nsec ? 2 : 1), 1, {}}, blob));
  return blob;
}
inline std::string content_of(zone::NodeView node) {
  if (!node) return "-";
  const auto txt = node.find(dns::RrType::TXT);
  if (!txt) return "no TXT";
  const ByteView rdata = zone::StoredRrReader(txt->rrs).next().rdata;
  std::string content;
  for (size_t at = 0; at < rdata.size(); at += rdata[at] + size_t{1})
    content += as_text(rdata.subspan(at + 1, rdata[at]));
  return content;
}

/// One committed zone with its apex.
inline uint32_t add_zone(Store& store, std::string_view apex) {
  auto write = begin(store);
  const dns::Name owner = name(apex);
  const uint32_t id = write->add_zone(owner).info.id;
  good(write->nodes(id).put({}, node_of(id, owner, "apex", zone::node_apex)));
  good(write->commit());
  return id;
}
inline void put(WriteTransaction& write, uint32_t zone, std::string_view apex, std::string_view owner,
                std::string_view content, uint16_t flags = 0, bool nsec = false) {
  const dns::Name full = *dns::Name::from_text(owner, name(apex));
  good(write.nodes(zone).put(key_of(full, name(apex)), node_of(zone, full, content, flags, nsec)));
}

}  // namespace steward::store::test
