// One showtime as the service tells of it: the stream, the state that it leads to, and whether it
// is live. Every thread with a room of the showtime listens, and is told of each change once, as an
// entry made once for all. Strand-bound to the home strand; lives in a shared_ptr, because timers
// hold it weakly.
//
// A stream that does not follow on what is known is begun anew with a snapshot. The service going
// away is told as kAway; what is known stays.
//
//   status      | event                          | what happens → next status
//   ------------+--------------------------------+-------------------------------------------------
//   kConnecting | a whole snapshot, or progress  | told → kLive
//               | that says what is known        |
//               | kLiveMsMax pass, OnLost        | told → kAway
//               | OnRefused, nothing known       | FeedRefused, the end
//               | OnRefused, something known     | told → kAway
//   kLive       | OnLost, OnRefused              | told → kAway
//               | a gap                          | a stream anew, with a snapshot → kConnecting
//   kAway       | changes that follow on         | passed on, and the stream has kCatchUpMsMax to
//               |                                | say progress; else as a gap
//               | a whole snapshot, or progress  | told → kLive
//               | that says what is known        |
//               | a gap                          | a stream anew, with a snapshot; stays kAway
//               | OnRefused, nothing known, or   | FeedRefused, the end
//               | for kRefusedMsMax              |
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
  void OnLost() override;
  void OnRefused(const Refusal& refusal) override;
  bool Full() const override;

 private:
  // Resumes::Host.
  const RoomState& state() const override { return state_; }
  bool live() const override { return status_ == FeedStatus::kLive; }
  void Rewatch() override;
  // HistoryBudget::Keeper.
  size_t TrimHistory(size_t bytes_max) override;

  void RewatchAfterGap();
  void ExpectLive();
  void ExpectCaughtUp();
  void ExpectServed();
  void BecomeLive();
  void DeclareAway();
  void StreamEnded();
  void GiveUp(const Refusal& refusal);

  void SetStatus(FeedStatus status);
  FeedImage Image();
  void TellAll(const FeedEvent& event);

  const SourceEnv env_;
  const std::string showtime_id_;
  const std::function<void(const Refusal&)> on_refused_;
  const std::shared_ptr<SnapshotCache> snapshots_ = std::make_shared<SnapshotCache>();
  RoomState state_;
  HistoryBudget::Account history_account_;
  std::weak_ptr<const RoomImage> image_;  // Of state_, or empty.
  FeedStatus status_ = FeedStatus::kConnecting;
  bool resumable_ = true;           // False: the next stream must begin with a snapshot.
  bool catching_up_ = false;        // A timer waits for the progress after what was missed.
  std::optional<Refusal> refusal_;  // The last one, if it was refused since it was served.
  uint64_t generation_ = 0;         // Of the stream: timers of one before do nothing.
  uint64_t refusals_ = 0;           // The same for those that wait for the service to serve it.
  std::vector<SourceListener*> listeners_;
  Resumes resumes_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace seatlock::edge
