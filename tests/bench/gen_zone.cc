// gen-zone: writes a zone of made-up agents for the benchmarks, and lists of queries that go with it.
//
// The zone is an RFC 1035 master file:
//   <agent>.<org>             TXT  seven strings, about 220 octets;  SRV 0 10 443 agents.<org>
//   agents.<org>              A    the target
//   <capability>._index       PTR  the first 32 agents that have it;  p<n>.<capability>._index the pages after it
//   @, ns1, ns2               SOA, NS and glue
// Every agent is a pure function of the seed and its number, so the same arguments give the same octets, and a list of
// queries needs no zone. Numbers below --agents exist; those above have the same shape and do not.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace steward::bench {
namespace {

using namespace std::string_view_literals;

constexpr size_t kPage = 32;  ///< PTR records in one page of the index
constexpr unsigned kTtl = 300;

constexpr std::array kDeeds = {"plan"sv,   "audit"sv,  "draft"sv,   "check"sv,  "sort"sv,   "trace"sv, "map"sv,
                               "pack"sv,   "fetch"sv,  "weigh"sv,   "count"sv,  "watch"sv,  "mend"sv,  "tune"sv,
                               "sample"sv, "gather"sv, "compare"sv, "encode"sv, "decode"sv, "blend"sv, "grade"sv,
                               "guard"sv,  "book"sv,   "settle"sv,  "ship"sv,   "brief"sv,  "teach"sv, "answer"sv,
                               "file"sv,   "split"sv,  "join"sv,    "clean"sv,  "cache"sv,  "mirror"sv};
constexpr std::array kThings = {"letters"sv,    "parcels"sv,   "bridges"sv,  "gardens"sv,    "harbours"sv, "kitchens"sv,
                                "ledgers"sv,    "libraries"sv, "machines"sv, "markets"sv,    "meadows"sv,  "mines"sv,
                                "museums"sv,    "networks"sv,  "orchards"sv, "packets"sv,    "patents"sv,  "permits"sv,
                                "pipelines"sv,  "ports"sv,     "quarries"sv, "railways"sv,   "recipes"sv,  "reports"sv,
                                "rivers"sv,     "roads"sv,     "schools"sv,  "seasons"sv,    "signals"sv,  "stages"sv,
                                "stations"sv,   "stores"sv,    "streets"sv,  "tariffs"sv,    "theatres"sv, "tickets"sv,
                                "timetables"sv, "tools"sv,     "towers"sv,   "trails"sv,     "tunnels"sv,  "turbines"sv,
                                "valleys"sv,    "vessels"sv,   "villages"sv, "warehouses"sv, "weather"sv,  "wells"sv,
                                "workshops"sv,  "yards"sv,     "ballots"sv,  "budgets"sv,    "charters"sv, "coupons"sv,
                                "diaries"sv,    "estates"sv,   "forests"sv,  "glossaries"sv, "invoices"sv, "journals"sv,
                                "keyrings"sv,   "lessons"sv,   "menus"sv,    "novels"sv};
constexpr std::array kTrades = {"archivist"sv, "baker"sv,  "carter"sv, "drafter"sv, "envoy"sv,  "ferrier"sv,
                                "glazier"sv,   "herald"sv, "joiner"sv, "keeper"sv,  "lector"sv, "mason"sv,
                                "notary"sv,    "ostler"sv, "porter"sv, "ranger"sv};

struct Settings {
  uint64_t agents = 1000;
  uint64_t orgs = 0;          ///< 0: one for each thousand agents, at least ten
  uint64_t capabilities = 0;  ///< 0: one for each twenty agents, from 50 to 5000
  uint64_t seed = 1;
  uint64_t serial = 1;
  uint64_t queries = 500'000;
  std::string origin = "com.steward-registry.org";
  std::string out, names, miss, between;
};

/// SplitMix64, as a generator whose whole state is the number of the draw.
uint64_t scatter(uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// Text on its way to a file, in large pieces. Throws when the disk refuses it.
class Writer {
 public:
  explicit Writer(const std::string& path)
      : path_(path), file_(path == "-" ? stdout : std::fopen(path.c_str(), "we"), std::fclose) {
    if (!file_) throw std::runtime_error("cannot write " + path);
    text_.reserve(kRoom + 4096);
  }
  void operator()(std::string_view text) {
    text_ += text;
    if (text_.size() > kRoom) flush();
  }
  template <class... Parts>
  void line(const Parts&... parts) {
    ((text_ += parts), ...);
    (*this)("\n");
  }
  void close() {
    flush();
    if (std::fflush(file_.get()) != 0) throw std::runtime_error("cannot write " + path_);
  }

 private:
  static constexpr size_t kRoom = 1 << 20;
  void flush() {
    if (std::fwrite(text_.data(), 1, text_.size(), file_.get()) != text_.size()) {
      throw std::runtime_error("cannot write " + path_);
    }
    text_.clear();
  }
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::string text_;
};

std::string base36(uint64_t n, size_t width = 1) {
  std::array<char, 16> room{};
  const auto end = std::to_chars(room.data(), room.data() + room.size(), n, 36).ptr;
  const std::string digits(room.data(), end);
  return std::string(width > digits.size() ? width - digits.size() : 0, '0') + digits;
}

std::string two_digits(uint64_t n) { return {static_cast<char>('0' + n / 10 % 10), static_cast<char>('0' + n % 10)}; }

/// The agents of one zone, each computed from its number.
class Registry {
 public:
  explicit Registry(const Settings& settings) : set_(settings) {}

  std::string org(uint64_t number) const { return "org" + base36(number, 3); }
  /// Neighbours share an organisation; numbers past the end wrap round, so that misses fall into the same ones.
  std::string org_of(uint64_t agent) const { return org(agent % set_.agents * set_.orgs / set_.agents); }
  std::string label(uint64_t agent) const {
    return std::string(kTrades[draw(agent, 0) % kTrades.size()]) + "-" + base36(agent);
  }
  std::string owner(uint64_t agent) const { return label(agent) + "." + org_of(agent); }

  std::string capability(uint64_t number) const {
    const uint64_t pairs = kDeeds.size() * kThings.size();
    const uint64_t pair = number % pairs;
    std::string name(kDeeds[pair % kDeeds.size()]);
    name += "_";
    name += kThings[pair / kDeeds.size()];
    return number < pairs ? name : name + "_" + std::to_string(number / pairs + 1);
  }
  /// Two different ones (one if there is but one); low numbers are the popular ones.
  std::vector<uint64_t> capabilities_of(uint64_t agent) const {
    std::vector<uint64_t> chosen;
    for (uint64_t k = 0; k < std::min<uint64_t>(2, set_.capabilities); ++k) {
      const double part = static_cast<double>(draw(agent, 1 + k) >> 32) / 4294967296.0;
      auto number = static_cast<uint64_t>(part * part * static_cast<double>(set_.capabilities));
      if (!chosen.empty() && chosen.front() == number) number = (number + 1) % set_.capabilities;
      chosen.push_back(number);
    }
    return chosen;
  }
  /// The TXT record's strings, quoted.
  std::string statement(uint64_t agent) const {
    const uint64_t d = draw(agent, 3);
    std::string text = "\"v=steward1\" \"ver=" + std::to_string(1 + d % 3) + "." + std::to_string((d >> 8) % 10) + "." +
                       std::to_string((d >> 16) % 10) + "\" \"fp=sha256:" + fingerprint(agent) + "\" \"trust=0." +
                       two_digits(d >> 24) + "\" \"cap=";
    std::string_view comma;
    for (const uint64_t number : capabilities_of(agent)) {
      text += comma;
      text += capability(number);
      comma = ",";
    }
    text += "\" \"mod=2025-" + two_digits(1 + (d >> 32) % 12) + "-" + two_digits(1 + (d >> 36) % 28) + "T" +
            two_digits((d >> 42) % 24) + ":" + two_digits((d >> 48) % 60) + ":00Z\" \"manifest=https://agents." +
            org_of(agent) + "." + set_.origin + "/" + label(agent) + ".json\"";
    return text;
  }

 private:
  uint64_t draw(uint64_t agent, uint64_t which) const { return scatter(scatter(set_.seed) ^ (agent * 16 + which)); }
  /// 43 characters, as base64url gives for 32 octets.
  std::string fingerprint(uint64_t agent) const {
    static constexpr auto kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"sv;
    std::string out;
    for (uint64_t word = 0; out.size() < 43; ++word) {
      uint64_t octets = draw(agent, 4 + word);
      for (int i = 0; i < 10 && out.size() < 43; ++i, octets >>= 6) out += kAlphabet[octets & 63];
    }
    return out;
  }

  const Settings& set_;
};

void write_zone(const Settings& set, const Registry& registry) {
  Writer out(set.out);
  out.line("$ORIGIN ", set.origin, ".\n$TTL ", std::to_string(kTtl));
  out.line("@ SOA ns1 hostmaster ", std::to_string(set.serial), " 3600 600 1209600 60");
  out("@ NS ns1\n@ NS ns2\n");
  for (const auto* n : {"1", "2"}) out.line("ns", n, " A 192.0.2.", n, "\nns", n, " AAAA 2001:db8::", n);
  for (uint64_t n = 0; n < set.orgs; ++n) {
    out.line("agents.", registry.org(n), " A 198.51.100.", std::to_string(1 + n % 254));
  }
  std::vector<std::vector<uint32_t>> members(set.capabilities);
  for (uint64_t i = 0; i < set.agents; ++i) {
    for (const uint64_t number : registry.capabilities_of(i)) members[number].push_back(static_cast<uint32_t>(i));
    const std::string owner = registry.owner(i);
    out.line(owner, " TXT ", registry.statement(i));
    out.line(owner, " SRV 0 10 443 agents.", registry.org_of(i));
  }
  for (uint64_t number = 0; number < set.capabilities; ++number) {
    const std::string name = registry.capability(number) + "._index";
    for (size_t i = 0; i < members[number].size(); ++i) {
      const std::string page = i < kPage ? "" : "p" + std::to_string(i / kPage + 1) + ".";
      out.line(page, name, " PTR ", registry.owner(members[number][i]));
    }
  }
  out.close();
}

/// `NAME TXT` lines, the input of dnsperf and dns-flood, of agents drawn evenly from [first, first + agents).
void write_queries(const Settings& set, const Registry& registry, const std::string& path, uint64_t first,
                   std::string_view suffix) {
  Writer out(path);
  for (uint64_t i = 0; i < set.queries; ++i) {
    const uint64_t agent = first + scatter(scatter(set.seed + first) + i) % set.agents;
    out.line(registry.label(agent), suffix, ".", registry.org_of(agent), ".", set.origin, ". TXT");
  }
  out.close();
}

constexpr const char* kUsage =
    "usage: gen-zone [--agents N] [--orgs N] [--caps N] [--seed N] [--serial N] [--origin NAME] [--queries N]\n"
    "                [--out FILE|-] [--names FILE] [--miss FILE] [--between FILE]\n"
    "  --out      the zone                        --names    queries for names that exist\n"
    "  --miss     queries for names of the same shape that do not, which fall between few neighbours\n"
    "  --between  queries for names that do not exist, each right after one that does\n"
    "Example: gen-zone --agents 1000000 --out zone.db --names hit.txt --miss miss.txt\n";

bool parse_number(std::string_view text, uint64_t& into) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), into);
  return code == std::errc() && end == text.data() + text.size();
}

bool parse(int argc, char** argv, Settings& set) {
  struct Option {
    std::string_view name;
    uint64_t* number;
    std::string* text;
  };
  const Option options[] = {
      {"--agents", &set.agents, nullptr}, {"--orgs", &set.orgs, nullptr},      {"--caps", &set.capabilities, nullptr},
      {"--seed", &set.seed, nullptr},     {"--serial", &set.serial, nullptr},  {"--queries", &set.queries, nullptr},
      {"--origin", nullptr, &set.origin}, {"--out", nullptr, &set.out},        {"--names", nullptr, &set.names},
      {"--miss", nullptr, &set.miss},     {"--between", nullptr, &set.between}};
  for (int i = 1; i < argc; i += 2) {
    const auto* option =
        std::find_if(std::begin(options), std::end(options), [&](const Option& o) { return o.name == argv[i]; });
    if (option == std::end(options) || i + 1 == argc) return false;
    if (option->text != nullptr) *option->text = argv[i + 1];
    if (option->number != nullptr && !parse_number(argv[i + 1], *option->number)) return false;
  }
  if (set.orgs == 0) set.orgs = std::clamp<uint64_t>(set.agents / 1000, std::min<uint64_t>(10, set.agents), 46656);
  if (set.capabilities == 0) set.capabilities = std::clamp<uint64_t>(set.agents / 20, 50, 5000);
  return set.agents >= 1 && set.agents <= 50'000'000 && set.orgs <= set.agents && set.capabilities <= 1'000'000;
}

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  using namespace steward::bench;
  Settings set;
  if (!parse(argc, argv, set)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    const Registry registry(set);
    if (!set.out.empty()) write_zone(set, registry);
    if (!set.names.empty()) write_queries(set, registry, set.names, 0, "");
    if (!set.miss.empty()) write_queries(set, registry, set.miss, set.agents, "");
    if (!set.between.empty()) write_queries(set, registry, set.between, 0, "-x");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gen-zone: %s\n", error.what());
    return 1;
  }
}
