// One change (or one batch of changes) as it goes to browsers: its frames, headers included,
// encoded once; everybody's bytes are shared, and beside them stand the bytes that the session
// concerned gets in their place. Immutable once made, so entries cross threads as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edge/protocol/events.h"

namespace seatlock::edge {

struct Entry {
  // Stands in place of shared[begin, end) for connections of `session_id`.
  struct Own {
    std::string session_id;
    size_t begin = 0;
    size_t end = 0;
    std::string wire;
  };

  Change change;         // Of a batch: its last position and no seats.
  std::string shared;    // Whole frames, back to back. Empty where the change has no seats.
  std::vector<Own> own;  // By begin; of one session no two overlap.
  uint32_t frames = 0;

  uint64_t revision() const { return change.position.revision; }
  // What it takes in memory, roughly.
  size_t bytes() const;

  // Calls `piece(std::string_view)` for each piece of the bytes that a session gets, in order.
  // `session_id` empty: a viewer.
  template <typename Piece>
  void ForSession(std::string_view session_id, Piece piece) const {
    const std::string_view all = shared;
    size_t begin = 0;
    if (!session_id.empty()) {
      for (const Own& mine : own) {
        if (mine.session_id != session_id) continue;
        if (begin < mine.begin) piece(all.substr(begin, mine.begin - begin));
        piece(std::string_view(mine.wire));
        begin = mine.end;
      }
    }
    if (begin < all.size()) piece(all.substr(begin));
  }
};

using EntryPtr = std::shared_ptr<const Entry>;

// The frames of a change, one a seat (contract: seat_status_change), `own` for the sessions whose
// seats it concerns.
EntryPtr MakeEntry(std::string_view showtime_id, Change change);

// A range of a showtime's entries without holes, in order: what somebody missed who was away.
using Entries = std::vector<EntryPtr>;

}  // namespace seatlock::edge
