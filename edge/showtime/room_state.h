// What the edge knows of one showtime: every seat that is not available, at one position, and the
// last changes that led there. A source has one, and so has every thread's room of the showtime;
// the entries are shared. Strand-bound.
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
#include "edge/protocol/entry.h"
#include "edge/protocol/events.h"
#include "edge/protocol/frame.h"
#include "edge/showtime/feed.h"
#include "edge/showtime/snapshot_cache.h"

namespace seatlock::edge {

class RoomState {
 public:
  // Whether anything was heard at all; position() means nothing before.
  bool known() const { return known_; }
  const Position& position() const { return position_; }
  // Where history() begins.
  const Position& base() const { return base_; }
  const std::deque<EntryPtr>& history() const { return history_; }

  // Whether a change is the next one of this history, and no snapshot is half there.
  bool Follows(const Change& change) const;
  // Applies the next change; it is history().back() then. The oldest go if there are more than
  // kHistoryChangesMax of them, or more than `history_bytes_max`.
  void Apply(EntryPtr entry, size_t history_bytes_max);
  // Drops the oldest changes until at most `bytes_max` are left.
  void TrimHistory(size_t bytes_max);
  // Drops the changes up to a revision that is not after position().
  void DropHistory(uint64_t upto);
  // What history() takes in memory.
  size_t history_bytes() const { return history_bytes_; }

  // Takes one part of a snapshot; true once it is complete and stands in place of all before.
  bool AddSnapshotPart(SnapshotPart part);
  void ForgetSnapshotParts() { parts_.reset(); }

  RoomImage Image() const;
  void Load(const RoomImage& image);

  // Whether the changes after `position` are all in history().
  bool Covers(const Position& position) const;

  // current_seat_status at position(). `encoded` is told whether this call had to encode it.
  const Frame& SnapshotFrame(const std::string& showtime_id, int64_t now_ms, SnapshotCache& cache,
                             bool* encoded);
  // The seats that a session has locked, ordered by seat id.
  std::vector<Seat> LocksOf(const std::string& session_id) const;

 private:
  void SetSeat(const Seat& seat);
  void PushHistory(EntryPtr entry);
  void PopHistory();
  void Restart(const Position& position);

  bool known_ = false;
  Position position_;
  Position base_;
  std::map<std::string, Seat> seats_;
  absl::flat_hash_map<std::string, std::set<std::string>> locked_by_session_;
  std::deque<EntryPtr> history_;
  size_t history_bytes_ = 0;
  std::optional<SnapshotPart> parts_;
  Frame snapshot_frame_;  // At position(), or empty.
};

}  // namespace seatlock::edge
