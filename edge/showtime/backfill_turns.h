// What the backfills of all sources share: at most kBackfillsMax run at a time, the others wait for
// their turn, and what they leave behind for others takes at most kBackfillKeepBytesMax. A turn is
// held as long as its Turn object. Strand-bound.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

class BackfillTurns {
 public:
  class Turn {
   public:
    explicit Turn(BackfillTurns& turns) : turns_(turns) { ++turns_.running_; }
    ~Turn() {
      --turns_.running_;
      turns_.CallNext();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    BackfillTurns& turns_;
  };

  // Null where all turns are taken: `call` is called once when one is free, unless `alive` is gone
  // by then. Turns do not outlive this.
  std::unique_ptr<Turn> Take(std::weak_ptr<const void> alive, std::function<void()> call) {
    if (running_ < kBackfillsMax) return std::make_unique<Turn>(*this);
    if (waiting_.size() >= kRoomsMax) {
      // Those that are alive are fewer: a source waits once, and there are kRoomsMax at most.
      std::erase_if(waiting_, [](const auto& one) { return one.first.expired(); });
    }
    waiting_.emplace_back(std::move(alive), std::move(call));
    return nullptr;
  }

  // False where too much is kept already; else Unkeep() follows.
  bool Keep(size_t bytes) {
    if (kept_bytes_ + bytes > kBackfillKeepBytesMax) return false;
    kept_bytes_ += bytes;
    return true;
  }
  void Unkeep(size_t bytes) { kept_bytes_ -= bytes; }

 private:
  // Whoever is called may need none any more: then the next one is called.
  void CallNext() {
    while (running_ < kBackfillsMax && !waiting_.empty()) {
      const auto [alive, call] = std::move(waiting_.front());
      waiting_.pop_front();
      if (alive.lock()) call();
    }
  }

  size_t running_ = 0;
  size_t kept_bytes_ = 0;
  std::deque<std::pair<std::weak_ptr<const void>, std::function<void()>>> waiting_;
};

}  // namespace seatlock::edge
