// Encodes what readers of seats are sent: seatlock.v1.WatchShowtimeResponse, and the snapshot of
// GetShowtimeResponse. Thread-safe, pure.
#pragma once

#include <string>

#include "services/seatlock/engine/watch_encoder.h"

namespace seatlock::rpc {

class ProtoEncoder final : public engine::WatchEncoder {
 public:
  std::string EncodeChange(const domain::ShowtimeId& showtime, const domain::Epoch& epoch,
                           const domain::Change& change) const override;
  std::string EncodeProgress(const engine::Position& position) const override;

  // An entry of ShowtimeSnapshot.seats, tag and length included.
  void AppendSeat(const domain::SeatView& seat, std::string& bytes) const override;
  // The field `snapshot` but for its seats. It is the first field of GetShowtimeResponse too.
  std::string EncodeSnapshotHead(const domain::ShowtimeId& showtime,
                                 const engine::SnapshotPart& part) const override;
};

}  // namespace seatlock::rpc
