// The showtimes that the edge follows, one source each. A source is made for its first listener and
// lingers kRoomLingerMs after its last, because pages are reloaded. There are at most kRoomsMax; a
// lingering one makes place. Strand-bound to the home strand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "edge/showtime/backfill_turns.h"
#include "edge/showtime/followed.h"
#include "edge/showtime/source.h"
#include "edge/showtime/source_env.h"
#include "edge/showtime/source_listener.h"

namespace seatlock::edge {

class Sources {
 public:
  explicit Sources(const SourceEnv& env) : env_(env) {}

  // `listener` hears the showtime from now on; FeedRefused where there are too many of them.
  void Open(const std::string& showtime_id, std::shared_ptr<SourceListener> listener);
  // It hears nothing more. Does nothing for one that was refused.
  void Close(const SourceListener* listener);
  // feed.h: Feed::Resume.
  void Resume(const SourceListener* listener, const Position& position);

  // What is followed now; outlives this if need be.
  std::shared_ptr<const Followed> followed() const { return followed_; }
  // Empty once this is gone: for tasks on their way to the home strand.
  std::weak_ptr<Sources*> handle() const { return self_; }

 private:
  struct Slot {
    std::shared_ptr<Source> source;
    uint64_t uses = 0;
  };
  struct Listening {
    std::shared_ptr<SourceListener> listener;
    std::string showtime_id;
  };

  Source* Get(const std::string& showtime_id);
  void Linger(const std::string& showtime_id);
  void DropIfUnused(const std::string& showtime_id, uint64_t uses);

  const SourceEnv env_;
  BackfillTurns turns_;
  absl::flat_hash_map<const SourceListener*, Listening> listening_;
  absl::flat_hash_map<std::string, Slot> slots_;
  absl::flat_hash_set<std::string> lingering_;
  const std::shared_ptr<Followed> followed_ = std::make_shared<Followed>();  // As slots_.
  // Timers look whether this is still there.
  const std::shared_ptr<Sources*> self_ = std::make_shared<Sources*>(this);
};

}  // namespace seatlock::edge
