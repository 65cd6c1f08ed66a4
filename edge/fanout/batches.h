// Changes of a room gathered for the subprotocol seatlock.v1.batch: the last state of each seat
// since the batch before, one frame for all who chose it, kept for those who are behind like a
// room's history is. Strand-bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "edge/protocol/entry.h"
#include "edge/protocol/events.h"

namespace seatlock::edge {

// The last state of each seat of some changes.
class SeatChanges {
 public:
  void Add(const Change& change);
  bool empty() const { return seats_.empty(); }
  size_t size() const { return seats_.size(); }
  // The last change that was added.
  const Position& position() const { return position_; }
  // Those for whom the frame holds something of their own: who has a seat locked.
  absl::flat_hash_set<std::string> Holders() const;
  // The frame's text as `session_id` sees it; empty: a viewer.
  std::string Text(std::string_view showtime_id, std::string_view session_id) const;
  void Clear() { seats_.clear(); }

 private:
  Position position_;
  std::map<std::string, Seat> seats_;
};

class Batches {
 public:
  struct Sent {
    EntryPtr entry;
    uint64_t order = 0;
  };

  // Forgets everything: batches go on from `revision`.
  void Restart(uint64_t revision);
  void Add(const Change& change) { gathered_.Add(change); }
  bool gathered() const { return !gathered_.empty(); }
  // Makes a batch of what was gathered. `follows(session_id)` says for whom it is worth encoding a
  // variant.
  void Close(std::string_view showtime_id, uint64_t order, int64_t now_ms,
             const std::function<bool(const std::string&)>& follows);

  // Monotonic; long ago where there was none.
  int64_t last_ms() const { return last_ms_; }
  // What was changed after this revision is in the batches that are kept, or gathered.
  uint64_t base() const { return base_; }
  // The first batch after a revision; null where there is none yet.
  const Sent* After(uint64_t revision) const;

 private:
  SeatChanges gathered_;
  std::deque<Sent> kept_;
  size_t kept_bytes_ = 0;
  uint64_t base_ = 0;
  int64_t last_ms_ = -(int64_t{1} << 40);
};

}  // namespace seatlock::edge
