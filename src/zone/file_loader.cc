#include "zone/file_loader.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hh"
#include "dns/ttl.hh"
#include "zone/file_checks.hh"
#include "zone/generate.hh"
#include "zone/record_reader.hh"

namespace steward::zone {
namespace {

using dns::Token;

class FileSource final : public TextSource {
 public:
  explicit FileSource(FileReader reader) : reader_(std::move(reader)) {}
  Result<size_t> read(MutableByteView into) override { return reader_.read(into); }

 private:
  FileReader reader_;
};

Result<OpenedText> open_file(const std::string& path) {
  auto reader = FileReader::open(path);
  if (!reader) return tl::unexpected(reader.error());
  std::error_code error;
  auto real = std::filesystem::canonical(path, error);
  return OpenedText{std::make_unique<FileSource>(std::move(*reader)), error ? path : real.string()};
}

Result<OpenedText> open_nothing(const std::string& name) {
  return fail(Errc::NotFound, name + ": there are no other files here");
}

// Directives match whatever their case, as in BIND.
bool is_word(const Token& token, std::string_view directive) {
  return std::equal(token.text.begin(), token.text.end(), directive.begin(), directive.end(), [](char a, char b) {
    return dns::fold(static_cast<uint8_t>(a)) == dns::fold(static_cast<uint8_t>(b));
  });
}

// A file name: `\X` is X. RFC 1035 says nothing of it; names with blanks stand in quotes.
std::string file_name(const Token& token) {
  std::string name;
  for (size_t i = 0; i < token.text.size(); ++i) {
    if (token.text[i] == '\\' && i + 1 < token.text.size()) ++i;
    name += token.text[i];
  }
  return name;
}

class Loader {
 public:
  Loader(NameView apex, const LoadOptions& options, TextOpener open)
      : options_(options),
        open_(std::move(open)),
        report_(options.severities),
        image_(std::make_unique<FileImage>(apex, std::min(options.max_octets, Arena::most_octets))),
        records_(*image_, report_) {}

  LoadResult load(const std::string& name, OpenedText text);
  LoadResult unreadable(const std::string& name, std::string what);

 private:
  void read_text(TextSource& source, Scope& scope, size_t block);
  void read_directive(Scope& scope, std::span<const Token> words);
  void read_origin(Scope& scope, std::span<const Token> words);
  void read_ttl(const Scope& scope, std::span<const Token> words);
  void include(const Scope& scope, std::span<const Token> words);
  void generate(const Scope& scope, std::span<const Token> words);
  bool counts(const Scope& scope, std::span<const Token> words, size_t least, size_t most, std::string_view form);
  LoadResult finish();

  const LoadOptions& options_;
  TextOpener open_;
  FileReport report_;
  std::unique_ptr<FileImage> image_;
  RecordReader records_;
  std::vector<std::string> open_files_;  // identities, the outermost first
  uint32_t includes_ = 0;
};

LoadResult Loader::load(const std::string& name, OpenedText text) {
  Scope scope;
  scope.file = name;
  scope.origin = image_->apex();
  image_->add_file(name);
  image_->set_file(name);
  open_files_.push_back(std::move(text.identity));
  read_text(*text.source, scope, options_.block);
  text.source.reset();
  if (!report_.failed()) {
    image_->arrange(report_);
    if (options_.checks && !report_.failed()) check_zone_file(*image_, report_);
    image_->owners().forget_index();
  }
  return finish();
}

LoadResult Loader::unreadable(const std::string& name, std::string what) {
  image_->add_file(name);
  report_.error({name, 0, 0, {}, std::move(what)});
  return finish();
}

LoadResult Loader::finish() {
  LoadResult result;
  result.files = image_->files();
  result.more_errors = report_.more_errors();
  result.more_warnings = report_.more_warnings();
  if (!report_.failed()) result.image = std::move(image_);
  result.errors = report_.take_errors();
  result.warnings = report_.take_warnings();
  return result;
}

void Loader::read_text(TextSource& source, Scope& scope, size_t block) {
  Scanner scanner(source, block);
  ScannedEntry entry;
  while (!report_.full()) {
    switch (scanner.next(entry)) {
      case Scanner::Step::End: return;
      case Scanner::Step::Broken:
      case Scanner::Step::Failed: {
        const ScanProblem& problem = scanner.problem();
        const Token place{problem.text, problem.line, problem.column, false, false};
        records_.error(scope, place, problem.what);
        break;
      }
      case Scanner::Step::Entry: {
        const Token& first = entry.tokens[0];
        if (!entry.blank_owner && !first.quoted && first.text.starts_with('$'))
          read_directive(scope, entry.tokens);
        else
          records_.read(scope, entry);
        break;
      }
    }
  }
}

void Loader::read_directive(Scope& scope, std::span<const Token> words) {
  if (scope.generated_at != 0) return records_.error(scope, words[0], "$GENERATE makes records, not directives");
  if (is_word(words[0], "$ORIGIN")) return read_origin(scope, words);
  if (is_word(words[0], "$TTL")) return read_ttl(scope, words);
  if (is_word(words[0], "$INCLUDE")) return include(scope, words);
  if (is_word(words[0], "$GENERATE")) return generate(scope, words);
  records_.error(scope, words[0],
                 "unknown directive: there are $ORIGIN, $TTL, $INCLUDE and $GENERATE; an owner is written \\$");
}

bool Loader::counts(const Scope& scope, std::span<const Token> words, size_t least, size_t most,
                    std::string_view form) {
  if (words.size() - 1 >= least && words.size() - 1 <= most) return true;
  const Token& place = words.size() - 1 < least ? words.back() : words[most + 1];
  records_.error(scope, place, fmt::format("the directive is {}", form));
  return false;
}

void Loader::read_origin(Scope& scope, std::span<const Token> words) {
  if (!counts(scope, words, 1, 1, "$ORIGIN name (RFC 1035 §5.1)")) return;
  const auto origin = dns::Name::from_text(words[1].text, scope.origin);
  if (!origin) return records_.error(scope, words[1], "$ORIGIN: " + origin.error().what);
  scope.origin = *origin;
  scope.owner_text.clear();  // the same text names another owner now
}

void Loader::read_ttl(const Scope& scope, std::span<const Token> words) {
  if (!counts(scope, words, 1, 1, "$TTL seconds (RFC 2308 §4)")) return;
  const auto ttl = dns::ttl_from_text(words[1].text);
  if (!ttl) return records_.error(scope, words[1], "$TTL: " + ttl.error().what);
  records_.set_default_ttl(*ttl);
}

// RFC 1035 §5.1: the included file has an origin and a last owner of its own; those of the parent are as before after
// it. At its start the last owner is the parent's, as in BIND.
void Loader::include(const Scope& scope, std::span<const Token> words) {
  if (!counts(scope, words, 1, 2, "$INCLUDE file [origin] (RFC 1035 §5.1)")) return;
  Scope inner = scope;
  inner.owner_text.clear();
  if (words.size() > 2) {
    const auto origin = dns::Name::from_text(words[2].text, scope.origin);
    if (!origin) return records_.error(scope, words[2], "$INCLUDE: origin: " + origin.error().what);
    inner.origin = *origin;
  }
  if (open_files_.size() > options_.max_include_depth)
    return records_.error(scope, words[1],
                          fmt::format("$INCLUDE: files are nested more than {} deep", options_.max_include_depth));
  if (++includes_ > options_.max_includes)
    return records_.error(scope, words[1], fmt::format("$INCLUDE: more than {} in one zone", options_.max_includes));

  // operator/ takes the right side alone where that is absolute.
  inner.file = (std::filesystem::path(scope.file).parent_path() / file_name(words[1])).lexically_normal().string();
  image_->add_file(inner.file);
  auto text = open_(inner.file);
  if (!text) return records_.error(scope, words[1], "$INCLUDE: " + text.error().what);
  if (std::find(open_files_.begin(), open_files_.end(), text->identity) != open_files_.end())
    return records_.error(scope, words[1], "$INCLUDE: the file includes itself");
  open_files_.push_back(std::move(text->identity));
  image_->set_file(inner.file);
  read_text(*text->source, inner, options_.block);
  image_->set_file(scope.file);
  open_files_.pop_back();
}

void Loader::generate(const Scope& scope, std::span<const Token> words) {
  auto source = GenerateSource::make(words, options_.max_generate);
  if (!source) return records_.error(scope, words[source.error().word], "$GENERATE: " + source.error().what);
  Scope inner;
  inner.file = scope.file;
  inner.origin = scope.origin;
  inner.generated_at = words[0].line;
  constexpr size_t block = 4096;
  read_text(*source, inner, block);
}

}  // namespace

LoadResult load_zone_file(const std::string& path, NameView apex, const LoadOptions& options) {
  Loader loader(apex, options, open_file);
  auto text = open_file(path);
  return text ? loader.load(path, std::move(*text)) : loader.unreadable(path, text.error().what);
}

LoadResult load_zone_text(std::string_view text, const std::string& name, NameView apex, const LoadOptions& options,
                          const TextOpener& open) {
  Loader loader(apex, options, open ? open : TextOpener(open_nothing));
  return loader.load(name, {std::make_unique<MemorySource>(text), name});
}

}  // namespace steward::zone
