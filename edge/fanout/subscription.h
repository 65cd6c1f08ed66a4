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
  Subscription(Client& c, Room& r) : client(c), room(r) {}

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
  uint32_t index = 0;           // In the room's list.
  bool batch = false;
  bool active = false;        // Was told `subscribed` and gets changes; else it waits.
  bool asked = false;         // While waiting: the feed was asked to resume.
  bool told_away = false;     // Was told that the stream is away.
  bool snapshot_due = false;  // Gets the snapshot next, whatever it is by then.
  bool lagging = false;       // That snapshot stands for changes that it was too slow for.

  // Used while bytes are gathered, see outbox.h.
  uint64_t next_revision = 0;
  bool next_snapshot = false;
};

}  // namespace seatlock::edge
