#pragma once
// The elements of a JSON list in a file of any size, one after the other: the list is the file, or the member `servers`
// of its object, as a registry of MCP servers writes it. Only where elements begin and end is looked at; whether one is
// sound JSON is for its reader.

#include <optional>
#include <string>

#include "base/bytes.hh"
#include "base/file.hh"
#include "base/result.hh"

namespace steward::cli {

class ListElements {
 public:
  struct Element {
    size_t number = 0;  ///< from 0
    uint64_t octets = 0;
    std::string text;  ///< empty where it is over `most` octets
  };

  /// `most`: octets of the longest element. Invalid where the file holds no list.
  static Result<ListElements> open(const std::string& path, size_t most);

  /// The next one; nothing at the end of the list. Invalid, with the octet, where the text is no list any more.
  Result<std::optional<Element>> next();
  /// The JSON pointer of the list itself: "" or "/servers".
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  /// Octets that were read of the file.
  [[nodiscard]] uint64_t at() const { return block_start_ + at_; }

 private:
  ListElements(FileReader file, std::string path, size_t most)
      : file_(std::move(file)), path_(std::move(path)), most_(most) {}

  Result<void> find_list();
  /// The octet that is next, after white space where `skip` says so; -1 at the end of the file.
  Result<int> peek(bool skip);
  void take() { ++at_; }
  /// One value; its text where `into` is given and it has room.
  Result<void> value(std::string* into, uint64_t& octets);
  Result<void> string(std::string* into, uint64_t& octets);
  void keep(std::string* into, char octet, uint64_t& octets) const;
  [[nodiscard]] tl::unexpected<Error> wrong(std::string_view what) const;

  FileReader file_;
  std::string path_;
  size_t most_;
  std::string pointer_;
  Bytes block_;
  size_t at_ = 0;
  uint64_t block_start_ = 0;
  size_t count_ = 0;
};

}  // namespace steward::cli
