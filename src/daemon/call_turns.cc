#include "daemon/call_turns.hh"

#include <utility>

namespace steward::daemon {

struct CallTurns::State : std::enable_shared_from_this<State> {
  struct Place {
    size_t taken = 0;
    std::deque<std::function<void(Turn)>> waiting;
  };

  [[nodiscard]] Turn turn(const std::string& address) {
    ++places[address].taken;
    // Not null: a turn that is held is told from none by its pointer.
    return {this, [state = weak_from_this(), address](void*) {
              if (const auto still = state.lock()) still->give_back(address);
            }};
  }

  void give_back(const std::string& address) {
    Place& place = places[address];
    --place.taken;
    // After unreachable() there are more under way than `most`.
    if (!place.waiting.empty() && place.taken < most) return let_in(address, 1);
    if (place.taken == 0) places.erase(address);
  }

  void let_in(const std::string& address, size_t count) {
    Place& place = places[address];
    for (; count > 0 && !place.waiting.empty(); --count) {
      later([go = std::move(place.waiting.front()), mine = turn(address)]() mutable { go(std::move(mine)); });
      place.waiting.pop_front();
    }
  }

  size_t most = 0;
  std::function<void(std::function<void()>)> later;
  std::map<std::string, Place> places;
};

CallTurns::CallTurns(size_t most, std::function<void(std::function<void()>)> later) : state_(std::make_shared<State>()) {
  state_->most = most;
  state_->later = std::move(later);
}

void CallTurns::ask(const std::string& address, std::function<void(Turn)> go) {
  State::Place& place = state_->places[address];
  if (place.taken < state_->most && place.waiting.empty()) return go(state_->turn(address));
  place.waiting.push_back(std::move(go));
}

void CallTurns::unreachable(const std::string& address) {
  if (const auto at = state_->places.find(address); at != state_->places.end()) state_->let_in(address, at->second.waiting.size());
}

size_t CallTurns::waiting(const std::string& address) const {
  const auto at = state_->places.find(address);
  return at != state_->places.end() ? at->second.waiting.size() : 0;
}

}  // namespace steward::daemon
