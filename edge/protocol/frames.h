// Encoders of every frame that the edge sends: origin.md's fields first and under its names, then
// what the contract adds. Pure; times are Unix milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/protocol/commands.h"
#include "edge/protocol/events.h"
#include "edge/protocol/frame.h"

namespace seatlock::edge {

// The service's own page calls it "unlocked"; a batch's status words are the same.
std::string_view StatusWord(SeatStatus status);

Frame ConnectionEstablishedFrame(std::string_view connection_id, int64_t now_ms);

// `your_seats`: the session's locks as of now, which may be after `position` where `recovered`.
// `live` stands in the frame only if it is false.
Frame SubscribedFrame(std::string_view showtime_id, const Position& position, bool recovered,
                      bool live, const std::vector<Seat>& your_seats, int64_t now_ms);

// `seats` lists what is not available, in the order it is sent in.
Frame CurrentSeatStatusFrame(std::string_view showtime_id, const Position& position,
                             const std::vector<const Seat*>& seats, int64_t now_ms);

// Seat `index` of `change`. `for_holder`: with sessionId and expiresAt. Revision 1 carries the
// epoch.
std::string SeatStatusChangeText(std::string_view showtime_id, const Change& change, size_t index,
                                 bool for_holder);

// The batch of changes up to `position`. Seats locked by `session_id` (unless empty) carry their
// expiry.
std::string SeatChangesText(std::string_view showtime_id, const Position& position,
                            const std::vector<const Seat*>& seats, std::string_view session_id);

// No showtime: an unsubscribe of all while there was nothing.
Frame UnsubscribedFrame(const std::optional<std::string>& showtime_id, int64_t now_ms);
Frame PongFrame(int64_t now_ms);
Frame HeartbeatFrame(int64_t now_ms);
Frame StreamStatusFrame(std::string_view showtime_id, bool live, int64_t now_ms);
Frame ErrorFrame(const CommandError& error);

}  // namespace seatlock::edge
