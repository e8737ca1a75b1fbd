#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "zone/scanner.hh"

using namespace steward;
using namespace steward::zone;

namespace {

// Entries as "line:column word|line:column "quoted"", a blank owner as "_ " in front, what is broken as "!line:column
// what".
std::vector<std::string> scan(std::string_view text, size_t block = Scanner::default_block) {
  MemorySource source(text);
  Scanner scanner(source, block);
  std::vector<std::string> out;
  ScannedEntry entry;
  while (true) {
    switch (scanner.next(entry)) {
      case Scanner::Step::End: return out;
      case Scanner::Step::Failed:
      case Scanner::Step::Broken: {
        const auto& problem = scanner.problem();
        out.push_back(fmt::format("!{}:{} {}", problem.line, problem.column, problem.what.substr(0, 30)));
        break;
      }
      case Scanner::Step::Entry: {
        std::string line = entry.blank_owner ? "_ " : "";
        for (const auto& token : entry.tokens)
          line += fmt::format("{}:{} {}{}{}{}|", token.line, token.column, token.quoted ? "\"" : "", token.text,
                              token.quoted ? "\"" : "", token.escaped ? " e" : "");
        out.push_back(line);
        break;
      }
    }
  }
}
using Lines = std::vector<std::string>;

class FailingSource final : public TextSource {
 public:
  Result<size_t> read(MutableByteView into) override {
    if (std::exchange(first_, false)) {
      into[0] = 'a';
      into[1] = '\n';
      return 2;
    }
    return fail(Errc::Io, "disk gone");
  }

 private:
  bool first_ = true;
};

}  // namespace

TEST_CASE("scanner: words, comments, blanks and line ends are told apart [RFC 1035 §5.1]") {
  CHECK(scan("") == Lines{});
  CHECK(scan("\n \t\n; only a comment\n  ; and another") == Lines{});
  CHECK(scan("a b\tc ; d\ne") == Lines{"1:1 a|1:3 b|1:5 c|", "2:1 e|"});
  CHECK(scan(" b;c\r\nd\r\n\r\n") == Lines{"_ 1:2 b|", "2:1 d|"});
  CHECK(scan("\tb") == Lines{"_ 1:2 b|"});
  CHECK(scan("a\x01\x7f\xffz") == Lines{"1:1 a\x01\x7f\xffz|"});
}

TEST_CASE("scanner: parentheses join lines, may nest and touch words [RFC 1035 §5.1]") {
  CHECK(scan("a ( b ; c )\n  d )e\nf") == Lines{"1:1 a|1:5 b|2:3 d|2:6 e|", "3:1 f|"});
  CHECK(scan("a((b\n)c\n)d") == Lines{"1:1 a|1:4 b|2:2 c|3:2 d|"});
  CHECK(scan("( a b )") == Lines{"1:3 a|1:5 b|"});
  CHECK(scan(" ( a b )") == Lines{"_ 1:4 a|1:6 b|"});
  CHECK(scan("()\na") == Lines{"2:1 a|"});
  CHECK(scan("a\\(b \\)\\;") == Lines{"1:1 a\\(b e|1:6 \\)\\; e|"});
  CHECK(scan("a \"(;)\" b") == Lines{"1:1 a|1:3 \"(;)\"|1:9 b|"});
}

TEST_CASE("scanner: quoted strings keep blanks and escapes, and end a word [RFC 1035 §5.1]") {
  CHECK(scan("a \"b c\"\"\" d\"e\"f") == Lines{"1:1 a|1:3 \"b c\"|1:8 \"\"|1:11 d|1:12 \"e\"|1:15 f|"});
  CHECK(scan("\"a\\\"b\\\\\" c") == Lines{"1:1 \"a\\\"b\\\\\" e|1:10 c|"});
  CHECK(scan("alpn=\"h2\"") == Lines{"1:1 alpn=|1:6 \"h2\"|"});
}

TEST_CASE("scanner: what is broken is said with its place, and the scan goes on behind it") {
  CHECK(scan("a b)\nc") == Lines{"!1:4 closing parenthesis without an", "2:1 c|"});
  CHECK(scan("a \"b\nc d") == Lines{"!1:3 quote is not closed on its lin", "2:1 c|2:3 d|"});
  CHECK(scan("a \"b") == Lines{"!1:3 quote is not closed on its lin"});
  CHECK(scan("a b\\\nc") == Lines{"!1:4 escape at the end of a line (R", "2:1 c|"});
  CHECK(scan("a b\\\r\nc") == Lines{"!1:4 escape at the end of a line (R", "2:1 c|"});
  CHECK(scan("a b\\") == Lines{"!1:4 escape at the end of a line (R"});
  CHECK(scan("a\rb\nc") == Lines{"!1:2 carriage return without a line", "2:1 c|"});
  CHECK(scan(std::string_view("a b\0c\nd", 7)) == Lines{"!1:4 zero octet: this is not a text", "2:1 d|"});
  CHECK(scan(std::string_view("a \"b\0\"\nd", 8)) == Lines{"!1:5 zero octet: this is not a text", "2:1 d|"});
  CHECK(scan(std::string_view("a \\\0\nd", 6)) == Lines{"!1:4 zero octet: this is not a text", "2:1 d|"});
  CHECK(scan("\xef\xbb\xbf"
             "a b\nc") == Lines{"!1:1 byte order mark in front of th", "1:1 a|1:3 b|", "2:1 c|"});
}

TEST_CASE("scanner: an open parenthesis is reported where it stands, and only its continuation is lost") {
  CHECK(scan("a ( b\n  c\nd e\n") == Lines{"!1:3 parenthesis is never closed (R", "3:1 d|3:3 e|"});
  CHECK(scan("a ( b \"\n  c\n)\nd e\n") == Lines{"!1:7 quote is not closed on its lin", "4:1 d|4:3 e|"});
  std::string endless = "a (\n";
  for (size_t i = 0; i < Scanner::max_entry / 4 + 10; ++i) endless += " xy\n";
  const auto lines = scan(endless + "c d\n");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "!1:3 parenthesis is not closed with");
  const size_t last = Scanner::max_entry / 4 + 12;
  CHECK(lines[1] == fmt::format("{}:1 c|{}:3 d|", last, last));
}

TEST_CASE("scanner: where its block ends makes no difference") {
  const std::string text =
      "first ( a ; comment\r\n \"q\\\"u\" ) b\n\n; c\n\tsecond x\\.y \\\\ z\nbad )\n third \"open\nfourth ( x\n  y "
      "\"\n )\nlast \\000";
  const auto whole = scan(text);
  REQUIRE(whole.size() == 6);
  for (size_t block = 1; block <= text.size() + 1; ++block) {
    CAPTURE(block);
    CHECK(scan(text, block) == whole);
  }
}

TEST_CASE("scanner: a source that fails ends the scan with its reason") {
  FailingSource source;
  Scanner scanner(source);
  ScannedEntry entry;
  CHECK(scanner.next(entry) == Scanner::Step::Failed);
  CHECK(scanner.problem().what == "disk gone");
  CHECK(scanner.next(entry) == Scanner::Step::End);
}
