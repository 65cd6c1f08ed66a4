// How the engine gets the bytes that watchers are sent without knowing their format: rpc hands an
// encoder in. Each change is encoded once, however many watch. Thread-safe, pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::engine {

// One message, shared by all who are sent it.
using Bytes = std::shared_ptr<const std::string>;

struct Position {
  domain::Epoch epoch;
  domain::Revision revision;

  friend bool operator==(const Position&, const Position&) = default;
};

class WatchEncoder {
 public:
  virtual ~WatchEncoder() = default;

  virtual Bytes EncodeChange(const domain::ShowtimeId& showtime, const domain::Epoch& epoch,
                             const domain::Change& change) const = 0;
  // The messages of one snapshot, in order; at least one.
  virtual std::vector<Bytes> EncodeSnapshot(const domain::ShowtimeId& showtime,
                                            const domain::Epoch& epoch,
                                            const domain::Showtime& state, bool replaces) const = 0;
  virtual Bytes EncodeProgress(const Position& position) const = 0;
};

}  // namespace seatlock::engine
