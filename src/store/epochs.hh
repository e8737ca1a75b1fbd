#pragma once
// Epochs: when something that readers may still look at can be freed, without a lock on the readers' side.
//
// Each reader thread has a slot; it enters before it reads and leaves after. The writer retires what it has taken
// out of sight; collect() frees it once every reader that could have seen it has left.

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace steward::store {

class Epochs {
 public:
  static constexpr size_t max_readers = 126;  // as many as LMDB has by default

  struct alignas(64) Slot {
    std::atomic<uint64_t> entered{0};  // 0: outside
    std::atomic<bool> taken{false};
  };

  Epochs() = default;
  /// No reader is left by then.
  ~Epochs() {
    for (auto& [epoch, free] : retired_) free();
  }
  Epochs(const Epochs&) = delete;
  Epochs& operator=(const Epochs&) = delete;

  /// A slot for one more reader thread; null when all are taken.
  Slot* add_reader() {
    for (Slot& slot : slots_)
      if (!slot.taken.exchange(true)) return &slot;
    return nullptr;
  }
  static void remove_reader(Slot& slot) {
    leave(slot);
    slot.taken.store(false);
  }
  void enter(Slot& slot) const {
    // seq_cst, as are the reads of what the writer retires: the store must be seen before them.
    slot.entered.store(now_.load(std::memory_order_acquire), std::memory_order_seq_cst);
  }
  static void leave(Slot& slot) { slot.entered.store(0, std::memory_order_release); }

  /// Writer thread: `free` runs once nobody can see the thing any more.
  void retire(std::function<void()> free) {
    retired_.emplace_back(now_.fetch_add(1, std::memory_order_seq_cst), std::move(free));
  }
  void collect() {
    uint64_t oldest = UINT64_MAX;
    for (const Slot& slot : slots_)
      if (const uint64_t entered = slot.entered.load(std::memory_order_seq_cst); entered != 0 && entered < oldest) oldest = entered;
    while (!retired_.empty() && retired_.front().first < oldest) {
      retired_.front().second();
      retired_.pop_front();
    }
  }

 private:
  std::array<Slot, max_readers> slots_;
  std::atomic<uint64_t> now_{1};
  std::deque<std::pair<uint64_t, std::function<void()>>> retired_;
};

}  // namespace steward::store
