// One connection following one showtime: who it is, and how far it was sent to. A room fills it in,
// its client owns it, and the client's outbox sends what lies between its revision and the room's.
// Strand-bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "edge/protocol/entry.h"
#include "edge/protocol/events.h"

namespace seatlock::edge {

class Client;
class Room;

struct Subscription {
  // What the room owes it; Room::MoveTo alone changes it. A position is *covered* if the room's
  // history holds all that came after it.
  //
  //            covered position      stream live             stream lost         answer to its ask
  //  kWaiting  `subscribed`, what    with a position: asks   `live:false`, and   -
  //            it missed: kActive    the feed: kAsked;       the snapshot if it
  //                                  else `subscribed`,      knows less than
  //                                  snapshot: kActive       that: kShown
  //  kAsked    as kWaiting, when     (waits)                 as kWaiting         `subscribed`, and
  //            the stream's state                                                what it missed or
  //            is next heard of                                                  the snapshot:
  //                                                                              kActive
  //  kShown    (waits)               `subscribed` at the     -                   -
  //                                  snapshot, what came
  //                                  since: kActive
  //  kActive   -                     `live:true`             `live:false`        -
  //
  // If what a kShown one was sent cannot be gone on from (the history is another one, or the socket
  // took nothing of it yet), it is as kWaiting without a position.
  enum class Stage : uint8_t { kWaiting, kAsked, kShown, kActive };

  // Whether it gets the snapshot next, as of the moment when that is gathered, and why.
  enum class SnapshotDue : uint8_t {
    kNo,
    kBought,    // Its subscribe asked for it: counts against what the connection may buy.
    kReplaced,  // Another history, or part of it, stands in place of what it was sent.
    kLagging,   // It stands for changes that it was too slow for.
  };

  Subscription(Client& c, Room& r) : client(c), room(r) {}

  bool active() const { return stage == Stage::kActive; }
  bool snapshot_due() const { return snapshot != SnapshotDue::kNo; }
  bool lagging() const { return snapshot == SnapshotDue::kLagging; }

  Client& client;
  Room& room;
  std::string session_id;  // Empty: a viewer.
  // The position that it came with, while it waits for what it missed.
  std::unique_ptr<const Position> resume;
  // Sent before the room's history, not empty; null: nothing.
  std::shared_ptr<const Entries> missed;
  uint64_t revision = 0;        // The cursor: sent up to here.
  uint64_t snapshot_order = 0;  // Where in the connection's order the snapshot stands.
  uint64_t order = 0;           // Nothing of the room comes before this place.
  uint64_t next_revision = 0;   // Used while bytes are gathered, see outbox.h.
  uint32_t index = 0;           // In the room's list.
  Stage stage = Stage::kWaiting;
  SnapshotDue snapshot = SnapshotDue::kNo;
  bool batch : 1 = false;
  bool opened : 1 = false;         // It was charged as a new showtime.
  bool told_away : 1 = false;      // Was told `live:false`, and not yet `live:true`.
  bool next_snapshot : 1 = false;  // As next_revision.
};

}  // namespace seatlock::edge
