// One showtime and everybody on this thread who looks at it. Hears its showtime through a feed, and
// gives each subscriber first `subscribed` and the state, then every change in order, once.
// Strand-bound; lives in a shared_ptr, because timers hold it weakly.
//
// Only *active* subscribers get changes; the others wait (Subscription::Stage has the table). While
// the stream is away nobody leaves: everybody is told once, and told again when it is live.
//
// A refused showtime ends its subscriptions and the room; the connections go on.
//
// Nothing is copied for a subscriber: its place is a revision, and its outbox asks what is next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "edge/fanout/batches.h"
#include "edge/fanout/subscription.h"
#include "edge/showtime/feed.h"
#include "edge/showtime/room_state.h"

namespace seatlock::edge {

class Hub;

class Room final : public FeedListener, public std::enable_shared_from_this<Room> {
 public:
  struct Wish {
    std::string session_id = {};  // Empty: a viewer.
    std::optional<Position> resume = {};
    bool batch = false;
  };
  // What a subscriber gets next: an entry, the snapshot (no entry), or nothing (the last place).
  struct Next {
    uint64_t order = std::numeric_limits<uint64_t>::max();
    const EntryPtr* entry = nullptr;
  };

  // `hub` outlives it.
  Room(Hub& hub, std::string showtime_id);
  ~Room() override;

  // Begins to hear of the showtime; once, after construction.
  void Start();
  const std::string& showtime_id() const { return showtime_id_; }

  // `subscription` is new and outlives its time here.
  void Join(Subscription& subscription, Wish wish);
  void Leave(Subscription& subscription);
  size_t subscribers() const { return subscribers_.size(); }

  void OnFeed(FeedEvent event) override;

  // --- for outboxes ---
  // What comes after `revision`, or in its place with `snapshot`. The pointer is good until the
  // room hears of something.
  Next NextFor(const Subscription& subscription, bool snapshot, uint64_t revision) const;
  // current_seat_status as of now, and its revision.
  const Frame& Snapshot();
  uint64_t revision() const { return state_.position().revision; }
  // Where the history has passed a subscriber by, the snapshot becomes what it gets next.
  void CheckPassedBy(Subscription& subscription);

  // --- for the hub ---
  // Flushes up to `portion` subscribers of those who have not been yet, counting them off; true
  // once all have been.
  bool Flush(size_t* portion);
  // Something came up: whoever was flushed already has to be again.
  void FlushAgain() { flush_again_ = flush_again_ || flush_next_ > 0; }
  bool flush_queued = false;  // The hub's: it is on the list of who has to be flushed.

 private:
  using PositionKey = std::pair<std::string, uint64_t>;

  void On(const FeedImage& event);
  void On(const FeedEntry& event);
  void On(const FeedTrimmed& event);
  void On(const FeedState& event);
  void On(const FeedResume& event);
  void On(const FeedRefused& event);

  void BecomeLive();
  void TellLive(Subscription& subscription, Frame* live);
  void BecomeAway();
  void MoveTo(Subscription& subscription, Subscription::Stage stage);
  void Decide(Subscription& subscription);
  void DecideAll();
  void TellAway(Subscription& subscription);
  void ShowWhatIsKnown(Subscription& subscription);
  void AdmitShown(Subscription& subscription);
  void AdmitMissed(Subscription& subscription, std::shared_ptr<const Entries> missed);
  void AdmitMissedAsBatch(Subscription& subscription, const Entries& missed);
  void AdmitAfresh(Subscription& subscription);
  void Activate(Subscription& subscription, Position position, bool recovered);
  void SnapshotNext(Subscription& subscription, Subscription::SnapshotDue why);
  size_t MissedBytes(const Position& position, const Entries* missed) const;
  std::shared_ptr<const Entries> Counted(std::shared_ptr<const Entries> missed);
  bool PassedBy(const Subscription& subscription) const;
  void DropHistory(uint64_t upto);
  void AddToBatch(const Change& change);
  void FlushBatch();

  Hub& hub_;
  const std::string showtime_id_;
  RoomState state_;
  std::deque<uint64_t> orders_;  // As state_.history().
  std::shared_ptr<SnapshotCache> snapshots_;
  std::unique_ptr<Feed> feed_;
  FeedStatus status_ = FeedStatus::kConnecting;
  std::vector<Subscription*> subscribers_;
  // Who is kAsked, by position.
  std::map<PositionKey, absl::flat_hash_set<Subscription*>> asked_;
  // The last answer to one as the hub counts it, if somebody still has it.
  std::weak_ptr<const Entries> counted_;
  const Entries* counted_from_ = nullptr;

  Batches batches_;
  size_t batch_subscribers_ = 0;
  bool batch_scheduled_ = false;
  size_t unseen_ = 0;  // Changes of no seats since somebody was flushed for one.

  // The flush that is under way: who was reached, and the commits of what it sends.
  size_t flush_next_ = 0;
  bool flush_again_ = false;
  size_t flush_commits_ = 0;  // Of `commits_ms_`, those that it covers.
  std::deque<int64_t> commits_ms_;
};

}  // namespace seatlock::edge
