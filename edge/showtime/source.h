// One showtime as the service tells of it: the stream, the state that it leads to, and whether it
// is live. Every thread with a room of the showtime listens, and is told of each change once, as an
// entry made once for all. Strand-bound to the home strand; lives in a shared_ptr, because timers
// hold it weakly.
//
// A stream that does not follow on what is known is begun anew with a snapshot. The service going
// away is told as kAway; what is known stays.
//
//   stage       | told as     | event                        | what happens → next stage
//   ------------+-------------+------------------------------+------------------------------------
//   kStarting   | kConnecting | a whole snapshot, or         | told → kLive
//               |             | progress at revision 0       |
//               |             | a change, or other progress  | a stream anew → kStarting
//               |             | kLiveMsMax pass, OnLost      | told → kAwayAnew
//               |             | OnRefused                    | as in kAway, but → kAwayAnew
//   kLive       | kLive       | a change that follows on     | passed on
//               |             | a whole snapshot             | told
//               |             | a gap                        | a stream anew → kStarting
//               |             | OnLost                       | told → kAway
//               |             | OnRefused                    | told → kAway
//   kAway       | kAway       | changes that follow on       | passed on → kCatchingUp
//               |             | a whole snapshot, or         | told → kLive
//               |             | progress at what is known    |
//               |             | a gap                        | a stream anew → kAwayAnew
//               |             | OnLost                       | nothing
//               |             | OnRefused, nothing known, or | FeedRefused, the end
//               |             | refused for kRefusedMsMax    |
//               |             | OnRefused else               | it is waited for
//   kCatchingUp | kAway       | changes that follow on       | passed on
//               |             | a whole snapshot, or         | told → kLive
//               |             | progress at what is known    |
//               |             | a gap, kCatchUpMsMax pass    | a stream anew → kAwayAnew
//               |             | OnLost, OnRefused            | as in kAway → kAway
//   kAwayAnew   | kAway       | as kStarting, but a stream anew and OnLost → kAwayAnew, and nothing
//               |             | happens because time passes
//
// In kStarting and kAwayAnew the stream has to begin with a snapshot, in the others it goes on from
// what is known. A *gap* is whatever does not follow on. Only Enter() changes the stage.
//
// How long a showtime is refused counts from the first refusal after anything was heard of its
// history, or its stream was lost; only another refusal gives it up. A service that refuses once
// and is silent then is away.
//
// A stream that another server takes over (OnSwitched) changes no stage: who is live stays so.
//
// Live is what the service says: after the last change that a resumed stream missed it sends
// progress at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edge/showtime/feed.h"
#include "edge/showtime/history_budget.h"
#include "edge/showtime/resumes.h"
#include "edge/showtime/room_state.h"
#include "edge/showtime/snapshot_cache.h"
#include "edge/showtime/source_env.h"
#include "edge/showtime/source_listener.h"
#include "edge/showtime/upstream.h"

namespace seatlock::edge {

class Source final : public WatchSink,
                     private Resumes::Host,
                     private HistoryBudget::Keeper,
                     public std::enable_shared_from_this<Source> {
 public:
  // `turns` outlives it. `on_refused` is called when the service does not serve the showtime and
  // the listeners were told; the source is of no use then, and its owner drops it.
  Source(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id,
         std::function<void(const Refusal&)> on_refused = nullptr);
  ~Source() override;

  // Begins to follow the showtime; once, after construction.
  void Start();

  // `listener` hears a FeedImage at once and everything after it; it outlives its time here.
  void Add(SourceListener* listener);
  void Remove(SourceListener* listener);
  const std::vector<SourceListener*>& listeners() const { return listeners_; }
  const std::string& showtime_id() const { return showtime_id_; }
  // Whether the showtime has no change yet, as far as is known.
  bool unsold() const { return !state_.known() || state_.position().revision == 0; }
  // feed.h: Feed::Resume.
  void Resume(SourceListener* listener, const Position& position);

  std::optional<Position> ResumeFrom() const override;
  void OnSnapshot(SnapshotPart part) override;
  void OnChange(Change change) override;
  void OnProgress(const Position& position) override;
  void OnSwitched() override { state_.ForgetSnapshotParts(); }
  void OnLost() override;
  void OnRefused(const Refusal& refusal) override;
  bool Full() const override;

 private:
  // Resumes::Host, and Full() above.
  const RoomState& state() const override { return state_; }
  bool live() const override { return stage_ == Stage::kLive; }
  void Rewatch() override;
  // HistoryBudget::Keeper.
  size_t TrimHistory(size_t bytes_max) override;

  enum class Stage { kStarting, kLive, kAway, kCatchingUp, kAwayAnew };

  FeedStatus status() const;
  // Whether the stream goes on from what is known.
  bool resumes() const { return stage_ != Stage::kStarting && stage_ != Stage::kAwayAnew; }
  void Enter(Stage next);
  void Become(Stage next);
  void StageIsOver();
  void RewatchAfterGap();
  void StreamEnded();
  bool RefusedTooLong();
  void GiveUp(const Refusal& refusal);

  FeedImage Image();
  void TellAll(const FeedEvent& event);

  const SourceEnv env_;
  const std::string showtime_id_;
  const std::function<void(const Refusal&)> on_refused_;
  const std::shared_ptr<SnapshotCache> snapshots_ = std::make_shared<SnapshotCache>();
  RoomState state_;
  HistoryBudget::Account history_account_;
  std::weak_ptr<const RoomImage> image_;  // Of state_, or empty.
  Stage stage_ = Stage::kStarting;
  uint64_t entered_ = 0;  // Stages, with this one: timers of one before do nothing.
  std::optional<int64_t> refused_since_ms_;  // Monotonic; if it is refused.
  std::vector<SourceListener*> listeners_;
  Resumes resumes_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace seatlock::edge
