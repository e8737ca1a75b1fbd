#include "zone/scanner.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "zone/scan_octets.hh"

namespace steward::zone {
namespace {

// Octets behind the text: the sentinel, and what the sixteen-octet loads may touch.
constexpr size_t padding = 32;
constexpr size_t most_quoted_back = 60;

std::string_view text_between(const uint8_t* from, const uint8_t* to) {
  return {reinterpret_cast<const char*>(from), static_cast<size_t>(to - from)};
}

}  // namespace

Result<size_t> MemorySource::read(MutableByteView into) {
  const size_t size = std::min(into.size(), left_.size());
  if (size != 0) std::memcpy(into.data(), left_.data(), size);
  left_.remove_prefix(size);
  return size;
}

Scanner::Scanner(TextSource& source, size_t block)
    : source_(source), buffer_(std::max<size_t>(block, 1) + padding), room_(std::max<size_t>(block, 1)) {
  buffer_[0] = '\n';
  entry_start_ = end_ = at_ = line_start_ = buffer_.data();
  tokens_.reserve(64);
}

Scanner::Step Scanner::next(ScannedEntry& entry) {
  if (at_start_)
    if (const Step step = skip_header(); step != Step::Entry) return step;
  while (true) {
    if (skipping_ && !resynchronize()) {
      if (source_done_) return Step::End;
      if (const Step step = refill(); step != Step::Entry) return step;
      continue;
    }
    restart();
    switch (cut_entry()) {
      case Cut::Entry: {
        entry.tokens = tokens_;
        entry.blank_owner = *entry_start_ == ' ' || *entry_start_ == '\t';
        entry_start_ = at_;
        entry_line_ = line_;
        return Step::Entry;
      }
      case Cut::NeedMore:
        if (const Step step = refill(); step != Step::Entry) return step;
        break;
      case Cut::Broken: return Step::Broken;
      case Cut::End: return Step::End;
      case Cut::Nothing: break;
    }
  }
}

// A byte order mark is no part of the master file format; other servers take it for the first octets of a name.
Scanner::Step Scanner::skip_header() {
  while (end_ - at_ < 3 && !source_done_) {
    if (const Step step = refill(); step != Step::Entry) return step;
    at_ = entry_start_;
  }
  at_start_ = false;
  if (end_ - at_ < 3 || std::memcmp(at_, "\xef\xbb\xbf", 3) != 0) return Step::Entry;
  problem_ = {1, 1, "\xef\xbb\xbf", "byte order mark in front of the text: save the file without it"};
  entry_start_ = at_ + 3;
  return Step::Broken;
}

void Scanner::restart() {
  at_ = line_start_ = entry_start_;
  line_ = entry_line_;
  depth_ = 0;
  tokens_.clear();
}

// Moves the text from entry_start_ on to the front of the buffer and reads on behind it.
Scanner::Step Scanner::refill() {
  const auto kept = static_cast<size_t>(end_ - entry_start_);
  if (kept == room_) {
    if (room_ >= max_entry) {
      if (depth_ > 0)
        problem_ = {open_line_, open_column_, "(", "parenthesis is not closed within 4 MiB of text (RFC 1035 §5.1)"};
      else
        problem_ = {entry_line_, 1, "", "entry is longer than 4 MiB of text"};
      skip_in_parentheses_ = depth_ > 0;
      // On with the line behind the parenthesis, not behind all that it swallowed.
      at_ = depth_ > 0 ? open_ : entry_start_;
      line_ = depth_ > 0 ? open_line_ : entry_line_;
      skipping_ = true;
      return Step::Broken;
    }
    const auto start = static_cast<size_t>(entry_start_ - buffer_.data());
    room_ = std::min(room_ * 2, max_entry);
    buffer_.resize(room_ + padding);
    entry_start_ = buffer_.data() + start;
  }
  std::memmove(buffer_.data(), entry_start_, kept);
  entry_start_ = line_start_ = at_ = buffer_.data();
  end_ = buffer_.data() + kept;
  auto got = source_.read(MutableByteView(buffer_.data() + kept, room_ - kept));
  if (!got) {
    problem_ = {entry_line_, 1, "", got.error().what};
    source_done_ = skipping_ = true;
    entry_start_ = at_ = end_;
    return Step::Failed;
  }
  source_done_ = *got == 0;
  end_ += *got;
  buffer_[kept + *got] = '\n';
  return Step::Entry;
}

// Behind a broken entry: to the start of the next line, or, where the entry broke inside parentheses, of the next line
// that does not look like a continuation. False where the text in the buffer is used up.
bool Scanner::resynchronize() {
  while (true) {
    const auto* end = static_cast<const uint8_t*>(std::memchr(at_, '\n', static_cast<size_t>(end_ - at_)));
    if (end == nullptr) {
      entry_start_ = at_ = end_;
      entry_line_ = line_;
      return false;
    }
    if (end + 1 == end_ && !source_done_ && skip_in_parentheses_) {
      entry_start_ = at_ = end;  // what the next line begins with is not known yet
      entry_line_ = line_;
      return false;
    }
    at_ = end + 1;
    ++line_;
    if (skip_in_parentheses_ && at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == ')')) continue;
    entry_start_ = at_;
    entry_line_ = line_;
    skipping_ = false;
    return true;
  }
}

Scanner::Cut Scanner::cut_entry() {
  while (true) {
    while (*at_ == ' ' || *at_ == '\t') ++at_;
    Cut cut = Cut::Nothing;
    switch (*at_) {
      case '\n': cut = take_line_end(); break;
      case '\r': cut = take_carriage_return(); break;
      case ';': cut = take_comment(); break;
      case '"': cut = take_quoted(); break;
      case '(':
        if (depth_++ == 0) {
          open_ = at_;
          open_line_ = line_;
          open_column_ = column(at_);
        }
        ++at_;
        break;
      case ')':
        if (depth_ == 0) return broken(at_, 1, "closing parenthesis without an opening one (RFC 1035 §5.1)");
        --depth_;
        ++at_;
        break;
      default: cut = take_word(); break;
    }
    if (cut != Cut::Nothing) return cut;
  }
}

Scanner::Cut Scanner::take_line_end() {
  if (at_ == end_) return source_done_ ? finish_at_end() : Cut::NeedMore;
  ++at_;
  ++line_;
  line_start_ = at_;
  if (depth_ > 0) return Cut::Nothing;
  if (!tokens_.empty()) return Cut::Entry;
  entry_start_ = at_;
  entry_line_ = line_;
  return Cut::Nothing;
}

Scanner::Cut Scanner::finish_at_end() {
  if (depth_ > 0) {
    problem_ = {open_line_, open_column_, "(", "parenthesis is never closed (RFC 1035 §5.1)"};
    at_ = open_;
    line_ = open_line_;
    skipping_ = skip_in_parentheses_ = true;
    return Cut::Broken;
  }
  return tokens_.empty() ? Cut::End : Cut::Entry;
}

Scanner::Cut Scanner::take_carriage_return() {
  if (at_ + 1 == end_ && !source_done_) return Cut::NeedMore;
  if (at_[1] != '\n') return broken(at_, 1, "carriage return without a line feed after it");
  ++at_;
  return Cut::Nothing;
}

Scanner::Cut Scanner::take_comment() {
  // The sentinel is found at the latest.
  at_ = static_cast<const uint8_t*>(std::memchr(at_, '\n', static_cast<size_t>(end_ - at_) + 1));
  return Cut::Nothing;
}

Scanner::Cut Scanner::take_word() {
  const uint8_t* const start = at_;
  bool escaped = false;
  while (true) {
    at_ = find_word_end(at_);
    if (*at_ == '\\') {
      escaped = true;
      if (const Cut cut = take_escape(); cut != Cut::Nothing) return cut;
    } else if (*at_ > ' ' || *at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r') {
      break;
    } else if (*at_ == 0) {
      return broken(at_, 1, "zero octet: this is not a text file; write \\000 (RFC 1035 §5.1)");
    } else {
      ++at_;  // any other control character is an octet like others
    }
  }
  if (at_ == end_ && !source_done_) return Cut::NeedMore;
  tokens_.push_back({text_between(start, at_), line_, column(start), false, escaped});
  return Cut::Nothing;
}

Scanner::Cut Scanner::take_quoted() {
  const uint8_t* const quote = at_++;
  bool escaped = false;
  while (true) {
    at_ = find_quoted_end(at_);
    if (*at_ == '\\') {
      escaped = true;
      if (const Cut cut = take_escape(); cut != Cut::Nothing) return cut;
    } else if (*at_ == '"') {
      break;
    } else if (*at_ == 0) {
      return broken(at_, 1, "zero octet: this is not a text file; write \\000 (RFC 1035 §5.1)");
    } else {
      if (at_ == end_ && !source_done_) return Cut::NeedMore;
      // RFC 1035 §5.1 lets a string span lines. deviates: as BIND does, so that a forgotten quote is found where it is
      // missing.
      const auto size = static_cast<size_t>(at_ - quote);
      return broken(quote, size, "quote is not closed on its line; a line feed in a string is written \\010");
    }
  }
  tokens_.push_back({text_between(quote + 1, at_), line_, column(quote), true, escaped});
  ++at_;
  return Cut::Nothing;
}

// A backslash and what it escapes; whether three digits follow is for the parser of the field to check.
Scanner::Cut Scanner::take_escape() {
  if (!source_done_ && (at_ + 1 >= end_ || (at_[1] == '\r' && at_ + 2 >= end_))) return Cut::NeedMore;
  if (at_ + 1 >= end_ || at_[1] == '\n' || (at_[1] == '\r' && at_[2] == '\n'))
    return broken(at_, 1, "escape at the end of a line (RFC 1035 §5.1)");
  if (at_[1] == 0) return broken(at_ + 1, 1, "zero octet: this is not a text file; write \\000 (RFC 1035 §5.1)");
  at_ += 2;
  return Cut::Nothing;
}

Scanner::Cut Scanner::broken(const uint8_t* where, size_t size, std::string what) {
  const auto* octets = reinterpret_cast<const char*>(where);
  problem_ = {line_, column(where), std::string(octets, std::min(size, most_quoted_back)), std::move(what)};
  skipping_ = true;
  skip_in_parentheses_ = depth_ > 0;
  return Cut::Broken;
}

}  // namespace steward::zone
