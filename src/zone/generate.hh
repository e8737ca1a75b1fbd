#pragma once
// $GENERATE, BIND's directive for many records alike: `$GENERATE start-stop[/step] owner [ttl] [class] type rdata`.
//
// `$` stands for the number, `${offset[,width[,base]]}` for the number moved by an offset, filled up with zeros to a
// width, in base d, o, x, X, or n, N for nibbles from the last to the first with dots between; `$$` and `\$` for a
// dollar sign.

#include <span>
#include <string>
#include <vector>

#include "dns/token.hh"
#include "zone/scanner.hh"

namespace steward::zone {

/// What a directive breaks: which of its words (0 is `$GENERATE`) and the rule.
struct GenerateProblem {
  size_t word = 0;
  std::string what;
};

/// The entries that a $GENERATE stands for, as text, one a line, made while it is read.
class GenerateSource final : public TextSource {
 public:
  /// `words`: the directive's, whose text must outlive the source; `most`: how many entries it may make.
  static tl::expected<GenerateSource, GenerateProblem> make(std::span<const dns::Token> words, uint64_t most);

  Result<size_t> read(MutableByteView into) override;

 private:
  struct Part {
    enum class Kind : uint8_t { Text, Number } kind = Kind::Text;
    std::string text;  // Kind::Text
    int64_t offset = 0;
    uint32_t width = 0;
    char base = 'd';
  };
  tl::expected<void, std::string> add_range(std::string_view word, uint64_t most);
  tl::expected<void, std::string> add_template(std::string_view word);
  tl::expected<void, std::string> check_part(const Part& part) const;
  static tl::expected<size_t, std::string> read_braces(std::string_view word, size_t at, Part& part);
  void add_text(std::string_view text);
  void make_line();

  uint64_t next_ = 0;
  uint64_t stop_ = 0;
  uint64_t step_ = 1;
  std::vector<Part> parts_;
  std::string line_;
  size_t line_at_ = 0;
};

}  // namespace steward::zone
