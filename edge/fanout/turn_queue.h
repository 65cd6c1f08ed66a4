// First in, first out, for items that may be taken out before their turn, each in constant time: a
// crowd that leaves at once must not look for each of its places. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace seatlock::edge {

// P: a pointer type with a null.
template <typename P>
class TurnQueue {
 public:
  bool empty() const { return items_.empty(); }

  // Returns the item's number, good for Remove() until its turn has come. Numbers begin anew after
  // 2^32 of them, which is more than ever wait.
  uint32_t Push(P item) {
    items_.push_back(std::move(item));
    return first_ + static_cast<uint32_t>(items_.size() - 1);
  }
  // Leaves a null in its place.
  void Remove(uint32_t number) { items_[static_cast<size_t>(number - first_)] = nullptr; }

  // The next one; null if it was removed. Not of an empty queue.
  P Pop() {
    P item = std::move(items_.front());
    items_.pop_front();
    ++first_;
    return item;
  }

 private:
  std::deque<P> items_;
  uint32_t first_ = 0;  // The number of the item in front.
};

}  // namespace seatlock::edge
