// One showtime as the service tells of it: the stream, the state that it leads to, and whether it
// is live. Every thread with a room of the showtime listens, and is told of each change once, as an
// entry made once for all. Strand-bound to the home strand; lives in a shared_ptr, because timers
// hold it weakly.
//
// A stream that does not follow on what is known is begun anew with a snapshot. The service going
// away is told as kAway; what is known stays.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edge/showtime/feed.h"
#include "edge/showtime/resumes.h"
#include "edge/showtime/room_state.h"
#include "edge/showtime/snapshot_cache.h"
#include "edge/showtime/source_env.h"
#include "edge/showtime/source_listener.h"
#include "edge/showtime/upstream.h"

namespace seatlock::edge {

class Source final : public WatchSink,
                     private Resumes::Host,
                     public std::enable_shared_from_this<Source> {
 public:
  // `turns` outlives it.
  Source(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id);
  ~Source() override;

  // Begins to follow the showtime; once, after construction.
  void Start();

  // `listener` hears a FeedImage at once and everything after it; it outlives its time here.
  void Add(SourceListener* listener);
  void Remove(SourceListener* listener);
  size_t listeners() const { return listeners_.size(); }
  // feed.h: Feed::Resume.
  void Resume(SourceListener* listener, const Position& position);

  std::optional<Position> ResumeFrom() const override;
  void OnSnapshot(SnapshotPart part) override;
  void OnChange(Change change) override;
  void OnProgress(const Position& position) override;
  void OnLost() override;
  bool Full() const override;

 private:
  // Resumes::Host.
  const RoomState& state() const override { return state_; }
  bool live() const override { return status_ == FeedStatus::kLive; }
  void Rewatch() override;

  void RewatchAfterGap();
  void ExpectLive();
  void CatchUp();
  void CheckCaughtUp(uint64_t generation, int64_t since_ms);
  void BecomeLive();
  void DeclareAway();

  void SetStatus(FeedStatus status);
  FeedImage Image();
  void TellAll(const FeedEvent& event);

  const SourceEnv env_;
  const std::string showtime_id_;
  const std::shared_ptr<SnapshotCache> snapshots_ = std::make_shared<SnapshotCache>();
  RoomState state_;
  std::weak_ptr<const RoomImage> image_;  // Of state_, or empty.
  FeedStatus status_ = FeedStatus::kConnecting;
  bool resumable_ = true;  // False: the next stream must begin with a snapshot.
  bool catching_up_ = false;
  int64_t last_change_ms_ = 0;  // Monotonic.
  uint64_t generation_ = 0;     // Of the stream: timers of one before do nothing.
  std::vector<SourceListener*> listeners_;
  Resumes resumes_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace seatlock::edge
