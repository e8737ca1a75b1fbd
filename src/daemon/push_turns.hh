#pragma once
// When a registry that sends its feed asks its parent what it holds, and when it sends. Values; the clock is the caller's.
//
//            told: it moved, or was asked
//   Ask ──────────────► Send ──► told ──► Send … ──► nothing lacks: waits for a change
//    ▲                   │
//    └── no answer ◄─────┘   again after 1 s, 2 s, … 5 min; and every 5 min in any case, for a parent may be restored
//
// What the parent holds is in each of its answers: nothing is kept here that a restart could lose.

#include <algorithm>
#include <optional>

#include "base/clock.hh"
#include "federation/pushed_feed.hh"

namespace steward::daemon {

class PushTurns {
 public:
  enum class Next : uint8_t { Nothing, Ask, Send };

  static constexpr Seconds between_questions{300};
  static constexpr Seconds longest_wait{300};

  [[nodiscard]] Next next(UnixTime now) const {
    if (under_way_ || now < not_before_) return Next::Nothing;
    if (!held_ || now - told_at_ >= between_questions) return Next::Ask;
    return lacks_ ? Next::Send : Next::Nothing;
  }
  /// Of the last answer; there where next() says Send.
  [[nodiscard]] const std::optional<federation::PushState>& held() const { return held_; }
  [[nodiscard]] uint32_t failures() const { return failures_; }
  [[nodiscard]] UnixTime not_before() const { return not_before_; }
  /// Whether all that the feed has is at the parent, as far as anybody knows.
  [[nodiscard]] bool is_current() const { return held_ && !lacks_; }

  /// A question or messages are on their way.
  void began() { under_way_ = true; }
  /// The parent holds this, after a question or after messages were sent to it.
  void told(federation::PushState state, bool was_sent, UnixTime now) {
    under_way_ = false;
    lacks_ = true;
    // One that says the same again, whatever it answers, took nothing: it is not sent to in a loop.
    const bool has_moved = held_ != state;
    held_ = std::move(state);
    told_at_ = now;
    if (has_moved)
      forgive();
    else if (was_sent)
      wait(now);
  }
  /// There was no answer, or none that says what it holds.
  void failed(UnixTime now) {
    under_way_ = false;
    held_.reset();
    wait(now);
  }
  void found_current() {
    under_way_ = false;
    lacks_ = false;
  }
  /// The feed has changed.
  void changed() { lacks_ = true; }
  /// The parent, or what we are known by, is another: at once.
  void turned() {
    held_.reset();
    forgive();
  }

 private:
  void forgive() {
    failures_ = 0;
    not_before_ = {};
  }
  void wait(UnixTime now) {
    not_before_ = now + std::min(longest_wait, Seconds(int64_t{1} << std::min<uint32_t>(failures_, 16)));
    ++failures_;
  }

  std::optional<federation::PushState> held_;
  UnixTime told_at_{};
  UnixTime not_before_{};
  uint32_t failures_ = 0;
  bool under_way_ = false;
  bool lacks_ = true;
};

}  // namespace steward::daemon
