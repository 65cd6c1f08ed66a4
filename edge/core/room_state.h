// What the edge knows of one showtime: every seat that is not available, at one position, and the
// last changes that led there, each encoded once. Strand-bound.
//
// Always holds: history() are the changes (base, position()], without holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "edge/core/events.h"
#include "edge/core/frames.h"
#include "edge/core/link.h"

namespace seatlock::edge {

class RoomState {
 public:
  // A change and its frames, one a seat, as everybody but the holder sees them.
  struct Entry {
    Change change;
    std::vector<Frame> frames;
    size_t bytes = 0;
  };

  explicit RoomState(std::string showtime_id) : showtime_id_(std::move(showtime_id)) {}

  // Whether anything was heard at all; position() means nothing before.
  bool known() const { return known_; }
  const Position& position() const { return position_; }
  const std::deque<Entry>& history() const { return history_; }

  // Applies the next change; it is history().back() then. False, and nothing done, where it is not
  // the next one of this history, or a snapshot is half there.
  bool Apply(Change change);

  // Takes one part of a snapshot; true once it is complete and stands in place of all before.
  bool AddSnapshotPart(SnapshotPart part);
  void ForgetSnapshotParts() { parts_.reset(); }

  // Whether the changes after `position` are all in history().
  bool Covers(const Position& position) const;
  // The index into history() of the first change after a position that is covered.
  size_t IndexAfter(const Position& position) const;

  // current_seat_status, encoded once a revision and kSnapshotFrameMsMax. `encoded` is told when it
  // had to be. `now_ms` is Unix time.
  Frame SnapshotFrame(int64_t now_ms, bool* encoded);
  // The seats that a session has locked, ordered by seat id.
  std::vector<Seat> LocksOf(const std::string& session_id) const;

 private:
  void SetSeat(const Seat& seat);
  void Remember(Change change);
  void Restart(const Position& position);

  const std::string showtime_id_;
  bool known_ = false;
  Position position_;
  Position base_;
  std::map<std::string, Seat> seats_;
  absl::flat_hash_map<std::string, std::set<std::string>> locked_by_session_;
  std::deque<Entry> history_;
  size_t history_bytes_ = 0;
  std::optional<SnapshotPart> parts_;
  Frame snapshot_frame_;
  int64_t snapshot_frame_ms_ = 0;
};

}  // namespace seatlock::edge
