#include "config/syntax.hh"

#include <doctest/doctest.h>

#include "text.hh"

using namespace steward::config;

TEST_CASE("yaml: an unknown, a duplicate and a wrong value name line and column") {
  CHECK(problems("data: d\ndata: e\n") == "2:1: duplicate key 'data', given before in line 1; expected once");
  CHECK(problems("tcp: {idle-timeout: 5s, idle-timeout: 6s}\n").starts_with("1:25: duplicate key 'idle-timeout'"));
  CHECK(problems("data: d\nzone: []\n") == "2:1: unknown key 'zone'; did you mean 'zones'?");
  CHECK(problems("workers: many\n") ==
        "1:10: workers: expected a whole number from 1 to 256, found 'many' (not a whole number)");
}

TEST_CASE("yaml: all problems of a file are told at once, in its order") {
  const std::string what = problems("workers: 0\nlog: {level: loud, colour: red}\nudp-max-size: 1\n");
  CHECK(what.find("1:10: workers") == 0);
  CHECK(what.find("\n2:14: log.level: expected one of: debug info notice warning error") != std::string::npos);
  CHECK(what.find("\n2:20: unknown key 'colour' in log; expected one of: level, format") != std::string::npos);
  CHECK(what.find("\n3:15: udp-max-size") != std::string::npos);
}

TEST_CASE("yaml: a tab in the indentation, control characters and text that is not UTF-8 are refused") {
  CHECK(problems("tcp:\n\tidle-timeout: 5s\n") == "2:1: a tab in the indentation; expected spaces");
  CHECK(problems(std::string_view("data: \0x", 8)) == "1:7: control character 0x00; expected text");
  CHECK(problems("data: \xC0\xAF\n") == "1:7: not UTF-8 text");
  CHECK(problems("data: \xED\xA0\x80\n") == "1:7: not UTF-8 text");
  CHECK(problems("\xFF\xFE"
                 "d\0") == "1:1: not UTF-8 text");
  CHECK(problems("server: {identity: \"a\\x07b\"}\n").find("control characters") != std::string::npos);
  CHECK(problems("server: {identity: \"grüße\"}\r\n").empty());
}

TEST_CASE("yaml: anchors, aliases, merge keys, tags and a second document are refused") {
  CHECK(problems("data: &a x\n").find("anchor '&a'") != std::string::npos);
  CHECK(problems("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n").find("1:") == 0);
  CHECK(problems("<<: {data: x}\n").find("unknown key '<<'") != std::string::npos);
  CHECK(problems("data: !!str x\n").find("tag ") != std::string::npos);
  CHECK(problems("data: x\n---\ndata: y\n").find("second document") != std::string::npos);
}

TEST_CASE("yaml: deep nesting, lists as keys and broken text end in an error, never in a crash") {
  CHECK(problems("data: " + std::string(100000, '[') + std::string(100000, ']')).find("nested deeper") !=
        std::string::npos);
  CHECK(problems(std::string(100000, '[')).size() > 5);
  CHECK(problems(std::string(100000, '{')).size() > 5);
  CHECK(problems("? [a]\n: b\n").find("expected a word") != std::string::npos);
  CHECK(problems("data: \"x\n").find("a quoted text that does not end") != std::string::npos);
  CHECK(problems("}\n") != "");
  CHECK(problems("just text\n") == "1:1: expected a map of keys, found a single value");
  CHECK(problems("- a\n") == "1:1: expected a map of keys, found a list");
}

TEST_CASE("yaml: messages hold nothing that a terminal would act on") {
  for (const char* text : {"\"a\\x1b\": 1\n\"a\\x1b\": 2\n", "\"a\\x1b\": 1\n",
                           "zones: [{name: \"a..\\x1b\", file: z}]\n", "data: \"a\\x1b\"\n", "listen: \"a\\x1b\"\n"}) {
    CHECK(!problems(text).empty());
    CHECK(problems(text).find('\x1b') == std::string::npos);
  }
}

TEST_CASE("yaml: an empty file is the defaults") {
  CHECK(problems("").empty());
  CHECK(problems("# nothing\n").empty());
  CHECK(problems("---\n").empty());
}
