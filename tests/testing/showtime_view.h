// What a watcher knows of a showtime: folds the messages of a Watch stream and objects to every
// one that breaks the stream's promises (a hole, a repeat, a change of another epoch, a seat given
// to a second holder). Keeps the whole history that it has seen. Thread-compatible.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::testing {

class ShowtimeView {
 public:
  // Takes in the next message. FAILED_PRECONDITION, and nothing changed, where it breaks a promise.
  absl::Status Apply(const v1::WatchShowtimeResponse& message);

  // Where to resume.
  v1::Position position() const;
  uint64_t revision() const { return revision_; }
  const std::string& epoch() const { return epoch_; }
  // Every seat that is not available, by seat_id.
  const std::map<std::string, v1::Seat>& seats() const { return seats_; }
  const std::vector<v1::Change>& changes() const { return changes_; }
  int snapshots() const { return snapshots_; }  // complete ones
  int replaces() const { return replaces_; }    // of those, with `replaces`

  // The differences from `snapshot` (GetShowtime's), empty where there is none.
  std::string DifferencesFrom(const v1::ShowtimeSnapshot& snapshot) const;

 private:
  absl::Status ApplySnapshot(const v1::ShowtimeSnapshot& snapshot);
  absl::Status ApplyChange(const v1::Change& change);
  absl::Status ApplyProgress(const v1::Progress& progress) const;

  std::string epoch_;
  uint64_t revision_ = 0;
  std::map<std::string, v1::Seat> seats_;
  std::vector<v1::Change> changes_;
  std::optional<v1::ShowtimeSnapshot> unfinished_;  // a snapshot whose last message is to come
  int snapshots_ = 0;
  int replaces_ = 0;
};

// Why `after` (of a change with `cause`) may not follow `before` (null: available): a second
// holder, an unlock of what is not held, and the like. OK where it may.
absl::Status CheckTransition(const v1::Seat* before, const v1::Seat& after, v1::ChangeCause cause);

}  // namespace seatlock::testing
