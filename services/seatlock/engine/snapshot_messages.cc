#include "services/seatlock/engine/snapshot_messages.h"

#include <utility>

#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {

std::vector<MessagePtr> SnapshotMessages(const Context& context, const domain::ShowtimeId& showtime,
                                         const SeatSnapshot& snapshot, bool replaces) {
  std::vector<MessagePtr> messages;
  size_t next = 0;
  do {
    const size_t first = next;
    SnapshotPart part{snapshot.position, replaces};
    while (next < snapshot.seats.size() &&
           part.seat_bytes + snapshot.seats[next]->size() <= kSnapshotMessageBytesMax) {
      part.seat_bytes += snapshot.seats[next++]->size();
    }
    part.more = next < snapshot.seats.size();
    auto message = std::make_shared<Message>();
    message->Add(context.bytes->Make(context.encoder.EncodeSnapshotHead(showtime, part)));
    for (size_t i = first; i < next; ++i) message->Add(snapshot.seats[i]);
    messages.push_back(std::move(message));
  } while (next < snapshot.seats.size());
  return messages;
}

}  // namespace seatlock::engine
