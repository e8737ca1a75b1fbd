#include "config/loader.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/checks.hh"
#include "config/syntax.hh"
#include "config/walker.hh"

namespace steward::config {
namespace {

constexpr size_t max_shown = 100;  // problems of one file

class OpenFile {
 public:
  explicit OpenFile(const Path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

struct FileText {
  std::string text;
  bool world_readable = false;
};

Result<FileText> read_file(const Path& path) {
  const auto io = [&](std::string_view what) { return fail(Errc::Io, fmt::format("{}: {}", path.string(), what)); };
  const OpenFile file(path);
  struct stat status {};
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) return io(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return io("not a regular file");
  FileText out{{}, (status.st_mode & S_IROTH) != 0};
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.fd(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io(std::strerror(errno));
    if (got == 0) return out;
    out.text.append(buffer, static_cast<size_t>(got));
    if (out.text.size() > max_text_size) return io(fmt::format("over {} MiB", max_text_size >> 20));
  }
}

tl::unexpected<Error> all_problems(const Path& file, std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  // Errors of other rooms repeat the text that they were given, so what a terminal would act on is taken out here.
  for (Problem& problem : problems)
    std::replace_if(
        problem.what.begin(), problem.what.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; },
        '?');
  std::string what;
  for (size_t i = 0; i < std::min(problems.size(), max_shown); ++i)
    what += fmt::format("{}{}: {}", i == 0 ? "" : "\n", at_text(file, problems[i].at), problems[i].what);
  if (problems.size() > max_shown) what += fmt::format("\n{}: and {} more", file.string(), problems.size() - max_shown);
  return fail(Errc::Invalid, std::move(what));
}

}  // namespace

Result<Config> load_text(std::string_view text, const Path& file) {
  Config config;
  config.file = file;
  auto tree = parse_yaml(text);
  if (!tree) return all_problems(file, tree.error());
  Walker walker(config, file.parent_path());
  walker.walk(*tree);
  // A value that is wrong by itself would only lead to a second complaint from the checks across keys.
  if (walker.problems().empty()) complete_and_check(config, walker.problems());
  if (!walker.problems().empty()) return all_problems(file, walker.problems());
  return config;
}

Result<Config> load_file(const Path& file) {
  auto read = read_file(file);
  if (!read) return tl::unexpected(read.error());
  auto config = load_text(read->text, file);
  if (config && read->world_readable && !config->keys.empty())
    config->warnings.push_back(
        fmt::format("{}: holds TSIG secrets and is readable by all; expected mode 0640 or less", file.string()));
  return config;
}

}  // namespace steward::config
