// How the engine gets the bytes that readers are sent without knowing their format: rpc hands an
// encoder in. Thread-safe, pure.
#pragma once

#include <cstddef>
#include <string>

#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/types.h"
#include "services/seatlock/engine/position.h"

namespace seatlock::engine {

// One of the messages that a snapshot comes in; its seats are encoded apart (AppendSeat).
struct SnapshotPart {
  Position position;
  bool replaces = false;
  bool more = false;      // others follow
  size_t seat_bytes = 0;  // how many bytes of seats follow the head
};

class WatchEncoder {
 public:
  virtual ~WatchEncoder() = default;

  virtual std::string EncodeChange(const domain::ShowtimeId& showtime, const domain::Epoch& epoch,
                                   const domain::Change& change) const = 0;
  virtual std::string EncodeProgress(const Position& position) const = 0;

  // Appends `seat` as a snapshot lists it. The bytes of seats that follow each other are a valid
  // list, however they are divided.
  virtual void AppendSeat(const domain::SeatView& seat, std::string& bytes) const = 0;
  // What stands before the seats of a watch's snapshot message.
  virtual std::string EncodeSnapshotHead(const domain::ShowtimeId& showtime,
                                         const SnapshotPart& part) const = 0;
};

}  // namespace seatlock::engine
