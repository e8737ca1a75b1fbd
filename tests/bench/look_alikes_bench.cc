// look-alikes-bench: what agent/look_alikes.hh costs among many names of one namespace, typical ones and those that are
// chosen to hurt.
//
//   look-alikes-bench [--names N] [--finds N] [--set NAME] [--cold]
//
// For each set: microseconds of CPU an add() and octets a name, then those of a find() of another publisher for names
// that nothing is like and for names next to one that is there, and of the set's own publisher. One thread.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "agent/look_alikes.hh"

namespace steward::bench {
namespace {

// Of the thread: a machine that has other work to do must not count.
double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

struct Settings {
  size_t names = 1'000'000;
  size_t finds = 5'000;
  std::string only;
  bool is_cold = false;
};

class Words {
 public:
  explicit Words(uint32_t seed) : random_(seed) {}
  std::string word() {
    static constexpr const char* words[] = {
        "agent", "build",   "code",  "chat",  "data",   "deploy", "doc",    "email",  "file", "finance",
        "git",   "health",  "image", "legal", "mail",   "map",    "media",  "music",  "news", "note",
        "order", "parse",   "plan",  "query", "review", "sales",  "scan",   "search", "shop", "sql",
        "stock", "support", "task",  "test",  "travel", "video",  "vision", "voice",  "web",  "write"};
    return words[random_() % std::size(words)];
  }
  std::string letters(size_t count) {
    std::string out;
    for (; count > 0; --count) out += "abcdefghijklmnopqrstuvwxyz0123456789"[random_() % 36];
    return out;
  }
  size_t below(size_t most) { return random_() % most; }

 private:
  std::mt19937 random_;
};

struct Set {
  const char* what;
  std::function<std::string(size_t, Words&)> name;  ///< the i-th
  std::function<std::string(Words&)> unlike;        ///< of the same make, that is likely to be like none
};

std::string around(Words& words, const std::string& centre) {
  std::string name = centre;
  for (int i = 0; i < 2; ++i) name[words.below(name.size())] = words.letters(1)[0];
  return name;
}

// Seen to be far at its end only, from wherever one begins to read.
std::string in_each_half(Words& words, const std::string& centre) {
  std::string name = centre;
  const size_t half = name.size() / 2;
  name[words.below(half)] = words.letters(1)[0];
  name[half + words.below(name.size() - half)] = words.letters(1)[0];
  return name;
}

const std::string longest_name = "the-longest-name-of-an-agent-that-the-dns-has-room-for-so-ab";
const std::string long_name = "the-long-name-of-an-agent-that-somebody-wants";

std::vector<Set> sets() {
  return {
      {"words and a tail", [](size_t, Words& w) { return w.word() + "-" + w.word() + "-" + w.letters(2 + w.below(6)); },
       [](Words& w) { return w.word() + "-" + w.word() + "-" + w.letters(10); }},
      {"letters at random", [](size_t, Words& w) { return w.letters(9 + w.below(12)); },
       [](Words& w) { return w.letters(9 + w.below(12)); }},
      {"agent-000001 and on", [](size_t i, Words&) { return fmt::format("agent-{:06}", i); },
       [](Words& w) { return "agent-" + w.letters(3) + "x" + w.letters(2); }},
      {"one start, random end", [](size_t, Words& w) { return "agent-of-acme-" + w.letters(8); },
       [](Words& w) { return "agent-of-acme-" + w.letters(8); }},
      {"random start, one end", [](size_t, Words& w) { return w.letters(8) + "-agent-of-acme"; },
       [](Words& w) { return w.letters(8) + "-agent-of-acme"; }},
      {"two edits around a name, other ends", [](size_t, Words& w) { return "abc" + around(w, long_name) + "xyz"; },
       [](Words&) { return "uvw" + long_name + "def"; }},
      {"one edit in each half, other ends", [](size_t, Words& w) { return in_each_half(w, longest_name) + "uvw"; },
       [](Words&) { return longest_name + "opq"; }},
  };
}

void print_times(const char* what, std::vector<double> us, size_t found) {
  std::sort(us.begin(), us.end());
  const auto at = [&](size_t part) { return us[(us.size() - 1) * part / 1000]; };
  fmt::print("  {:28} median {:8.1f}  99 % {:8.1f}  99.9 % {:8.1f}  most {:8.1f} us, {} of {} like one\n", what,
             at(500), at(990), at(999), at(1000), found, us.size());
}

// Nothing of the index is in the processor's caches any more.
void leave_caches() {
  static std::vector<uint8_t> other(size_t{64} << 20);
  for (size_t i = 0; i < other.size(); i += 64) ++other[i];
}

void time_finds(const char* what, const agent::LookAlikes& index, const Settings& settings, const char* publisher,
                const std::function<std::string()>& name) {
  std::vector<double> us;
  size_t found = 0;
  for (size_t i = 0; i < settings.finds; ++i) {
    const std::string asked = name();
    if (settings.is_cold) leave_caches();
    const double start = cpu_us();
    found += index.find(asked, publisher) ? 1U : 0U;
    us.push_back(cpu_us() - start);
  }
  print_times(what, std::move(us), found);
}

void run(const Set& set, const Settings& settings) {
  Words words(1);
  std::vector<std::string> names;
  for (size_t i = 0; i < settings.names; ++i) names.push_back(set.name(i, words));
  agent::LookAlikes index;
  const double start = cpu_us();
  for (const std::string& name : names) index.add(name, "one");
  const double add_us = (cpu_us() - start) / static_cast<double>(names.size());
  fmt::print("{}: {} names, {:.2f} us an add(), {} octets a name\n", set.what, index.size(), add_us,
             index.memory() / index.size());

  const auto near = [&] {
    std::string name = names[words.below(names.size())];
    name[words.below(name.size())] = 'q';
    return name;
  };
  time_finds("unlike", index, settings, "two", [&] { return set.unlike(words); });
  time_finds("next to one", index, settings, "two", near);
  time_finds("its own publisher's", index, settings, "one", near);
  // Half of them change hands, so that no branch is one publisher's.
  for (size_t i = 0; i < names.size(); i += 2) index.add(names[i], "two");
  time_finds("half of them its own", index, settings, "two", [&] { return set.unlike(words); });
}

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  steward::bench::Settings settings;
  CLI::App app{"What finding look-alikes costs among many names"};
  app.add_option("--names", settings.names, "names in the namespace")->check(CLI::PositiveNumber);
  app.add_option("--finds", settings.finds, "look-ups a row")->check(CLI::PositiveNumber);
  app.add_flag("--cold", settings.is_cold, "nothing is in the processor's caches before a look-up");
  app.add_option("--set", settings.only, "this set alone");
  CLI11_PARSE(app, argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  for (const auto& set : steward::bench::sets())
    if (settings.only.empty() || settings.only == set.what) steward::bench::run(set, settings);
}
