#include "edge/protocol/entry.h"

#include <utility>

#include "edge/protocol/frame.h"
#include "edge/protocol/frames.h"

namespace seatlock::edge {

size_t Entry::bytes() const {
  size_t bytes = sizeof(Entry) + shared.capacity() + own.capacity() * sizeof(Own);
  for (const Own& mine : own) bytes += mine.session_id.capacity() + mine.wire.capacity();
  for (const Seat& seat : change.seats) {
    bytes += sizeof(Seat) + seat.seat_id.capacity() + seat.session_id.capacity();
  }
  return bytes;
}

EntryPtr MakeEntry(std::string_view showtime_id, Change change) {
  auto entry = std::make_shared<Entry>();
  for (size_t i = 0; i < change.seats.size(); ++i) {
    const std::string& session_id = change.seats[i].session_id;
    const size_t begin = entry->shared.size();
    AppendFrame(Opcode::kText, SeatStatusChangeText(showtime_id, change, i, false), &entry->shared);
    if (session_id.empty()) continue;
    // Seats of one session beside each other, as most changes have them, make one range.
    const bool joins = !entry->own.empty() && entry->own.back().session_id == session_id &&
                       entry->own.back().end == begin;
    if (!joins) entry->own.push_back({session_id, begin, begin, ""});
    Entry::Own& mine = entry->own.back();
    AppendFrame(Opcode::kText, SeatStatusChangeText(showtime_id, change, i, true), &mine.wire);
    mine.end = entry->shared.size();
  }
  entry->frames = static_cast<uint32_t>(change.seats.size());
  entry->change = std::move(change);
  return entry;
}

}  // namespace seatlock::edge
