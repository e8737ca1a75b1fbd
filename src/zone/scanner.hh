#pragma once
// Master file text (RFC 1035 §5.1) cut into entries: the words between two line ends, where a line end inside
// parentheses does not count; comments are gone, quotes taken off, escapes left as they are.
//
// The scanner knows no types and no directives. It holds one block of the text at a time, whole entries only, so that a
// file of any size takes the memory of one block. Used by one thread; a Scanner borrows its TextSource.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/token.hh"

namespace steward::zone {

/// Where text comes from: a file, memory.
class TextSource {
 public:
  virtual ~TextSource() = default;
  /// Fills `into` as far as there is text; 0 at the end and ever after.
  virtual Result<size_t> read(MutableByteView into) = 0;
};

/// Text that somebody else holds in memory.
class MemorySource final : public TextSource {
 public:
  explicit MemorySource(std::string_view text) : left_(text) {}
  Result<size_t> read(MutableByteView into) override;

 private:
  std::string_view left_;
};

struct ScannedEntry {
  std::span<const dns::Token> tokens;  ///< at least one; valid until the next call
  bool blank_owner = false;            ///< the entry's line begins with a blank or tab: the last owner stands for it
};

/// What broke an entry, and where.
struct ScanProblem {
  uint32_t line = 0;
  uint32_t column = 0;
  std::string text;  ///< the offending text, cut to some 60 octets
  std::string what;  ///< with the rule
};

class Scanner {
 public:
  static constexpr size_t default_block = size_t{256} << 10;
  /// An entry's text, with the comments inside: more than any RDATA of 65,535 octets needs, each written `\DDD`.
  static constexpr size_t max_entry = size_t{4} << 20;

  explicit Scanner(TextSource& source, size_t block = default_block);

  enum class Step : uint8_t {
    Entry,   ///< `entry` is the next one
    Broken,  ///< the next one breaks a rule: problem(); the scan goes on behind it
    Failed,  ///< the source failed: problem(); nothing follows
    End,
  };
  Step next(ScannedEntry& entry);
  [[nodiscard]] const ScanProblem& problem() const { return problem_; }

 private:
  enum class Cut : uint8_t { Entry, Nothing, Broken, NeedMore, End };
  Cut cut_entry();
  Cut take_line_end();
  Cut take_carriage_return();
  Cut take_comment();
  Cut take_word();
  Cut take_quoted();
  Cut take_escape();
  Cut finish_at_end();
  Cut broken(const uint8_t* where, size_t size, std::string what);
  [[nodiscard]] uint32_t column(const uint8_t* where) const { return static_cast<uint32_t>(where - line_start_) + 1; }
  Step skip_header();
  Step refill();
  bool resynchronize();
  void restart();

  TextSource& source_;
  std::vector<uint8_t> buffer_;
  size_t room_;                 // octets of text that the buffer may hold; behind them the sentinel
  const uint8_t* entry_start_;  // where the entry being cut begins: a line start
  const uint8_t* end_;          // of the text in the buffer; *end_ is a line end that is not part of it
  const uint8_t* at_;           // the cut has come this far
  const uint8_t* line_start_;
  uint32_t line_ = 1;        // of line_start_
  uint32_t entry_line_ = 1;  // of entry_start_
  uint32_t depth_ = 0;       // of parentheses
  bool at_start_ = true;
  bool source_done_ = false;
  bool skipping_ = false;  // behind a broken entry, looking for the next
  bool skip_in_parentheses_ = false;
  const uint8_t* open_ = nullptr;  // the outermost parenthesis
  uint32_t open_line_ = 0;
  uint32_t open_column_ = 0;
  std::vector<dns::Token> tokens_;
  ScanProblem problem_;
};

}  // namespace steward::zone
