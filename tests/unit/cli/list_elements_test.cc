#include "cli/list_elements.hh"

#include <doctest/doctest.h>

#include <fstream>
#include <vector>

#include "folder.hh"

namespace steward::cli {
namespace {

std::string write(const TestFolder& folder, std::string_view text) {
  const std::string path = (folder.path / "list.json").string();
  std::ofstream(path) << text;
  return path;
}

/// The texts of the elements; the last one is the error, if there was one.
std::vector<std::string> elements_of(const TestFolder& folder, std::string_view text, size_t most = 100) {
  auto list = ListElements::open(write(folder, text), most);
  if (!list) return {"error: " + list.error().what};
  std::vector<std::string> texts;
  while (true) {
    auto element = list->next();
    if (!element) texts.push_back("error: " + element.error().what);
    if (!element || !*element) return texts;
    CHECK((*element)->number == texts.size());
    texts.push_back(std::move((*element)->text));
  }
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("list elements: each is given with its exact octets, and white space around it is not") {
  const TestFolder folder;
  CHECK(elements_of(folder, " [ {\"a\": [1, 2]} ,\n\"x\",3 , null,[]] ") ==
        Texts{"{\"a\": [1, 2]}", "\"x\"", "3", "null", "[]"});
  CHECK(elements_of(folder, "[]").empty());
}

TEST_CASE("list elements: brackets and quotes within strings end nothing") {
  const TestFolder folder;
  CHECK(elements_of(folder, R"([{"a":"]}\"],["},{"b\\":"\\"}])") == Texts{R"({"a":"]}\"],["})", R"({"b\\":"\\"})"});
}

TEST_CASE("list elements: the list may be the member servers, whatever stands before it") {
  const TestFolder folder;
  const std::string path = write(
      folder, R"({"servers2":[1],"text":"\"servers\":[","nested":{"servers":[9]},"servers":[{"n":1}],"more":[2]})");
  auto list = ListElements::open(path, 100);
  REQUIRE(list);
  CHECK(list->pointer() == "/servers");
  CHECK((*list->next())->text == R"({"n":1})");
  CHECK(!*list->next());
}

TEST_CASE("list elements: one that is too long has no text, and the next one comes all the same") {
  const TestFolder folder;
  auto list = ListElements::open(write(folder, "[\"" + std::string(50, 'x') + "\",1]"), 20);
  REQUIRE(list);
  const auto first = list->next();
  REQUIRE((first && *first));
  CHECK((*first)->text.empty());
  CHECK((*first)->octets == 52);
  CHECK((*list->next())->text == "1");
}

TEST_CASE("list elements: an element across blocks of the file is whole") {
  const TestFolder folder;
  const std::string longest(600'000, 'y');
  CHECK(elements_of(folder, "[1,\"" + longest + "\",2]", 1 << 20) == Texts{"1", "\"" + longest + "\"", "2"});
}

TEST_CASE("list elements: what is no list is refused, and where a list breaks off is said") {
  const TestFolder folder;
  CHECK(elements_of(folder, "{\"name\": \"x\"}").front().find("no list") != std::string::npos);
  CHECK(elements_of(folder, "12").front() == "error: octet 0: an object or a list wanted");
  CHECK(elements_of(folder, "").front() == "error: octet 0: an object or a list wanted");
  CHECK(elements_of(folder, "[1,2").back() == "error: octet 4: the list has no end");
  CHECK(elements_of(folder, "[1,{\"a\":").back() == "error: octet 8: the file ends within a value");
  CHECK(elements_of(folder, "[1 2]").back() == "error: octet 3: , or ] wanted");
  CHECK(elements_of(folder, "[1,,2]").back() == "error: octet 3: a value wanted");
  CHECK(elements_of(folder, "[\"x").back() == "error: octet 3: a string without an end");
}

}  // namespace steward::cli
