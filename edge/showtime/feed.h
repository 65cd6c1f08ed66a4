// How a thread's room hears of its showtime. One stream a showtime and edge comes from the service;
// its *source* lives on the home strand (source.h), and every thread with a room of that showtime
// *listens* to it: what the source says crosses to each thread once, in order, as shared, immutable
// values.
//
// What a listener hears, always in this order: one FeedImage, then FeedEntries that follow on each
// other without holes, a new FeedImage in place of all before, FeedStates, FeedTrimmeds and
// FeedResumes between them. FeedRefused may come at any time, and ends it.
//
// A room keeps the same history as its source: what comes with the image, and every entry until the
// source says that it is no longer kept (FeedEntry::base, FeedTrimmed).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "edge/protocol/entry.h"
#include "edge/protocol/events.h"
#include "edge/showtime/snapshot_cache.h"

namespace seatlock::edge {

enum class FeedStatus {
  kConnecting,  // Not live, and nobody need be told yet.
  kLive,
  kAway,  // There is no stream, or it has not caught up yet: what is known may be old.
};

// Everything that is known of a showtime at one position: `history` are the changes (base,
// position]. Immutable.
struct RoomImage {
  bool known = false;  // False: nothing was heard yet, the rest means nothing.
  Position position;
  Position base;
  std::vector<Seat> seats;  // What is not available.
  Entries history;
};

struct FeedImage {
  std::shared_ptr<const RoomImage> image;
  std::shared_ptr<SnapshotCache> snapshots;  // One a showtime, for all threads.
  FeedStatus status = FeedStatus::kConnecting;
};
struct FeedEntry {
  EntryPtr entry;
  uint64_t base = 0;  // The changes up to this revision are no longer kept.
};
// The showtime is quiet, and its history has to make place for others': the changes up to `base`,
// which the room has heard, are no longer kept.
struct FeedTrimmed {
  uint64_t base = 0;
};
struct FeedState {
  FeedStatus status = FeedStatus::kConnecting;
};
// The answer to Feed::Resume(position).
struct FeedResume {
  Position position;
  // `missed` holds the changes after `position`, without holes. It may begin earlier, because all
  // who are answered together share it, and the room's history goes on where it ends (they may
  // overlap). Null: it cannot be resumed from, and the room is where a snapshot may be taken.
  std::shared_ptr<const Entries> missed;
};
// The showtime cannot be followed now: the edge or the service has too many, or the service cannot
// read it. Nothing else comes, and the next Open() begins afresh.
struct FeedRefused {
  std::string message;         // For whoever reads the frame.
  int64_t retry_after_ms = 0;  // When it may be worth another try.
};

using FeedEvent =
    std::variant<FeedImage, FeedEntry, FeedTrimmed, FeedState, FeedResume, FeedRefused>;

// Strand-bound to the thread that opened the feed.
class FeedListener {
 public:
  virtual ~FeedListener() = default;
  virtual void OnFeed(FeedEvent event) = 0;
};

// One thread's listening to one showtime; destroying it ends that. Strand-bound.
class Feed {
 public:
  virtual ~Feed() = default;

  // Asks for what was missed after a position that the room's history does not cover: older than
  // it, ahead of it, or of another epoch. Answered by one FeedResume of the same position, once the
  // service has said where its confirmed head is and the room has reached it (resumes.h has what
  // else may settle it); never where the stream is lost meanwhile (ask again when it is live).
  virtual void Resume(const Position& position) = 0;
};

// Strand-bound.
class Feeds {
 public:
  virtual ~Feeds() = default;

  // `listener` outlives the feed and hears nothing inside this call.
  virtual std::unique_ptr<Feed> Open(const std::string& showtime_id, FeedListener* listener) = 0;
  // Whether the edge follows the showtime, for this thread or another. May be a moment old.
  virtual bool Follows(const std::string& showtime_id) const = 0;
};

}  // namespace seatlock::edge
