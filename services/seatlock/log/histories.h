// A store's histories as tools read them: all showtimes, whole, whether or not a server could serve
// the store. Reads alone.
//
// Thread-compatible; calls block. Errors: UNAVAILABLE, the store cannot be read; DATA_LOSS, naming
// showtime and revision, what is stored does not fit together. Servers may write meanwhile, and
// what was given may be trimmed or replaced until it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

class Histories {
 public:
  // What there is of a showtime.
  struct History {
    Head head;
    domain::Revision oldest;      // of the records that are kept; the head's next if none is
    Chain base{};                 // the chain before it; of no meaning at revision 1
    std::vector<Head> snapshots;  // newest first
    std::optional<int64_t> wake_ms;

    // Whether what a reader relies on is as it was: records may have come, but none has gone.
    bool SameBeginning(const History& other) const {
      return head.epoch == other.head.epoch && oldest == other.oldest &&
             snapshots == other.snapshots;
    }
  };

  virtual ~Histories() = default;

  virtual absl::StatusOr<int64_t> ShowtimeCount() = 0;
  // Showtimes after `after` in the order of their ids, byte by byte, at most `limit`.
  virtual absl::StatusOr<std::vector<domain::ShowtimeId>> Showtimes(const domain::ShowtimeId& after,
                                                                    size_t limit) = 0;
  // None: no such showtime.
  virtual absl::StatusOr<std::optional<History>> Find(const domain::ShowtimeId& showtime) = 0;
  // A page of records from `from` on, verified against the chain, none beyond `history.head`.
  virtual absl::StatusOr<Page> Records(const domain::ShowtimeId& showtime, const History& history,
                                       domain::Revision from) = 0;
  // The snapshot at `position`, one of `history.snapshots`. NOT_FOUND: it is of another history, or
  // is not kept any more.
  virtual absl::StatusOr<StoredSnapshot> Snapshot(const domain::ShowtimeId& showtime,
                                                  const History& history, const Head& position) = 0;
  // What else can be checked of the store, showtimes apart. DATA_LOSS: the first fault.
  virtual absl::Status CheckStore() = 0;
  // Whether all that was read up to now hangs together. UNAVAILABLE: somebody began to use the
  // store meanwhile, so it is to be opened and read anew.
  virtual absl::Status StillWhole() const = 0;
};

}  // namespace seatlock::log
