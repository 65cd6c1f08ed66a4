// The showtimes that the edge follows, one source each. A source is made for its first listener and
// lingers kRoomLingerMs after its last, because pages are reloaded; one of a showtime without a
// change goes with its last listener, because anybody can make up an id. There are at most
// kRoomsMax; a lingering one makes place. One that the service refuses tells its listeners and goes
// at once. Strand-bound to the home strand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "edge/showtime/backfill_turns.h"
#include "edge/showtime/followed.h"
#include "edge/showtime/refusals.h"
#include "edge/showtime/source.h"
#include "edge/showtime/source_env.h"
#include "edge/showtime/source_listener.h"

namespace seatlock::edge {

class Sources {
 public:
  explicit Sources(const SourceEnv& env) : env_(env) {}

  // `listener` hears the showtime from now on. FeedRefused and nothing else if there are too many
  // of them, or the service refused this one a moment ago.
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
  static constexpr uint64_t kInUse = 0;

  struct Slot {
    std::shared_ptr<Source> source;
    uint64_t linger = kInUse;  // The number of the timer that ends it, if nobody listens.
  };
  struct Listening {
    std::shared_ptr<SourceListener> listener;
    std::shared_ptr<Source> source;
  };

  Slot* Find(const std::string& showtime_id);
  // Makes place for one more; false if there is none.
  bool MakePlace();
  Slot& Make(const std::string& showtime_id);
  void Drop(const std::string& showtime_id);
  void Linger(const std::string& showtime_id, Slot& slot);
  void EndLinger(const std::string& showtime_id, uint64_t number);
  void OnRefused(const std::string& showtime_id, const Refusal& refusal);

  const SourceEnv env_;
  BackfillTurns turns_;
  Refusals refusals_;
  absl::flat_hash_map<const SourceListener*, Listening> listening_;
  absl::flat_hash_map<std::string, Slot> slots_;
  absl::flat_hash_set<std::string> lingering_;  // Those of slots_ that have a linger number.
  uint64_t lingers_ = kInUse;                   // Numbers given out: none is used twice.
  const std::shared_ptr<Followed> followed_ = std::make_shared<Followed>();  // As slots_.
  // Timers look whether this is still there.
  const std::shared_ptr<Sources*> self_ = std::make_shared<Sources*>(this);
};

}  // namespace seatlock::edge
