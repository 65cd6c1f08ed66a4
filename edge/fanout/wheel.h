// Who has to be looked at when: a timer wheel of one slot a tick, so that an idle connection costs
// a place in a vector and no timer of its own. Strand-bound.
//
// T has a field `WheelPlace wheel_place`, which belongs to the wheel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "edge/limits.h"

namespace seatlock::edge {

struct WheelPlace {
  static constexpr uint32_t kNone = ~uint32_t{0};
  uint32_t slot = kNone;
  uint32_t index = 0;
};

template <typename T>
class Wheel {
 public:
  explicit Wheel(int64_t now_ms) : now_tick_(now_ms / kTickMs) {}

  // Has `item` looked at in the first tick at or after `due_ms`, at the next tick at the earliest,
  // and at the latest after a turn of the wheel. Moves it where it has a place.
  void Put(T& item, int64_t due_ms) {
    Remove(item);
    int64_t ticks = (due_ms + kTickMs - 1) / kTickMs - now_tick_;
    if (ticks < 1) ticks = 1;
    if (ticks >= kSlots) ticks = kSlots - 1;
    const auto slot = static_cast<uint32_t>((now_tick_ + ticks) % kSlots);
    item.wheel_place = {slot, static_cast<uint32_t>(slots_[slot].size())};
    slots_[slot].push_back(&item);
  }

  void Remove(T& item) {
    const WheelPlace place = std::exchange(item.wheel_place, {});
    if (place.slot == WheelPlace::kNone) return;
    std::vector<T*>& slot = slots_[place.slot];
    slot[place.index] = slot.back();
    slot[place.index]->wheel_place.index = place.index;
    slot.pop_back();
    // `item` was the last one itself: the line above gave it an index back, which means nothing
    // without a slot.
  }

  // Takes out everybody whose tick has come, each just before `look(item)`, which may put it and
  // others in again, and may remove others.
  template <typename Look>
  void Advance(int64_t now_ms, Look look) {
    for (const int64_t end = now_ms / kTickMs; now_tick_ < end;) {
      ++now_tick_;
      std::vector<T*>& slot = slots_[static_cast<size_t>(now_tick_ % kSlots)];
      while (!slot.empty()) {
        T& item = *slot.back();
        Remove(item);
        look(item);
      }
      slot.shrink_to_fit();
    }
  }

 private:
  static constexpr int64_t kSlots = 64;

  int64_t now_tick_;
  std::array<std::vector<T*>, kSlots> slots_;
};

}  // namespace seatlock::edge
