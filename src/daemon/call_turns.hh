#pragma once
// Turns at a primary: how many transfers we take from one address at a time, so that a catalog with a thousand new members, or a start, is
// within what the primary grants one client. Main loop's thread only.

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace steward::daemon {

class CallTurns {
 public:
  /// Held while a transfer is under way; the last copy that goes gives the turn to the next who waits. It may outlive the CallTurns.
  using Turn = std::shared_ptr<void>;

  /// `later` runs a task on the loop, not at once: who is next is not called from within the end of another.
  CallTurns(size_t most, std::function<void(std::function<void()>)> later);

  /// `go` is called with a turn: now, or when there is one. Who no longer wants it lets it go.
  void ask(const std::string& address, std::function<void(Turn)> go);
  /// Nobody answers there: all who wait may find out side by side, rather than one time limit after the other.
  void unreachable(const std::string& address);
  [[nodiscard]] size_t waiting(const std::string& address) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace steward::daemon
