// Encodes what watchers are sent as seatlock.v1.WatchShowtimeResponse. Immutable, thread-safe.
#pragma once

#include <vector>

#include "services/seatlock/engine/watch_encoder.h"

namespace seatlock::rpc {

class ProtoEncoder final : public engine::WatchEncoder {
 public:
  engine::Bytes EncodeChange(const domain::ShowtimeId& showtime, const domain::Epoch& epoch,
                             const domain::Change& change) const override;
  // Messages of at most kSnapshotMessageBytesMax.
  std::vector<engine::Bytes> EncodeSnapshot(const domain::ShowtimeId& showtime,
                                            const domain::Epoch& epoch,
                                            const domain::Showtime& state,
                                            bool replaces) const override;
  engine::Bytes EncodeProgress(const engine::Position& position) const override;
};

}  // namespace seatlock::rpc
