// One showtime and everybody who looks at it. Follows it upstream, and sends each subscriber first
// `subscribed` and the state, then every change in order, once. Strand-bound; lives in a
// shared_ptr, because timers hold it weakly.
//
// A subscriber is either *waiting* (for the stream to be live, or for the room to reach the
// position that it came with) or *active*; only active ones get changes. While the stream is away
// nobody leaves: everybody is told once, and told again when it is live.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "edge/core/batch.h"
#include "edge/core/events.h"
#include "edge/core/link.h"
#include "edge/core/room_state.h"
#include "edge/core/stats.h"
#include "edge/core/timers.h"
#include "edge/core/upstream.h"

namespace seatlock::edge {

// What rooms and the hub stand on. All of it outlives them.
struct Env {
  const base::Clock& clock;
  Timers& timers;
  Upstream& upstream;
  Stats& stats;
};

class Room final : public WatchSink, public std::enable_shared_from_this<Room> {
 public:
  struct Wish {
    std::string session_id = {};  // Empty: a viewer.
    std::optional<Position> resume = {};
    bool batch = false;
  };

  Room(const Env& env, std::string showtime_id);
  ~Room() override;

  // Begins to follow the showtime; once, after construction.
  void Start();

  // Adds `sink`, or starts it over. It outlives its subscription.
  void Subscribe(FrameSink* sink, Wish wish);
  // False where it was not subscribed.
  bool Unsubscribe(FrameSink* sink);
  size_t subscribers() const { return subscribers_.size(); }

  std::optional<Position> ResumeFrom() const override;
  void OnSnapshot(SnapshotPart part) override;
  void OnChange(Change change) override;
  void OnProgress(const Position& position) override;
  void OnLost() override;

 private:
  struct Subscriber {
    Wish wish;
    bool active = false;
    bool told_away = false;
    bool wait_timed = false;
    int64_t wait_until_ms = 0;    // For a position that is ahead; monotonic.
    uint64_t batch_revision = 0;  // Batches up to here are known to it.
  };

  // Upstream.
  void Rewatch();
  void ExpectLive();
  void CatchUp();
  void CheckCaughtUp(uint64_t generation, int64_t since_ms);
  void BecomeLive();
  void DeclareAway();

  // Subscribers.
  void TellAway(FrameSink* sink, Subscriber& subscriber);
  void Admit(FrameSink* sink, Subscriber& subscriber);
  bool MustWait(FrameSink* sink, Subscriber& subscriber);
  void SendMissed(FrameSink* sink, const Subscriber& subscriber);
  void SendMissedAsBatch(FrameSink* sink, const Subscriber& subscriber);
  void SendEntry(FrameSink* sink, const Wish& wish, const RoomState::Entry& entry);
  void FanOut(const RoomState::Entry& entry);
  Frame Snapshot();

  // Batches.
  void AddToBatch(const Change& change);
  void FlushBatch();

  const Env env_;
  const std::string showtime_id_;
  RoomState state_;
  std::unique_ptr<Watch> watch_;
  bool live_ = false;
  bool away_ = false;      // Since the last time it was live, the stream was lost.
  bool resumable_ = true;  // False: the next stream must begin with a snapshot.
  bool catching_up_ = false;
  int64_t last_change_ms_ = 0;  // Monotonic.
  uint64_t generation_ = 0;     // Of the stream: timers of one before do nothing.
  absl::flat_hash_map<FrameSink*, Subscriber> subscribers_;
  size_t batch_subscribers_ = 0;
  Batch batch_;
  bool batch_scheduled_ = false;
  int64_t last_batch_ms_ = -kBatchNever;

  static constexpr int64_t kBatchNever = int64_t{1} << 40;
};

}  // namespace seatlock::edge
