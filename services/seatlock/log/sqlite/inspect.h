// One moment of a store's file, to look at: for tools. It writes nothing, and a server may have the
// store open and write meanwhile. Ask IsWhole() after the last read (one_moment.h).
//
// Thread-compatible. Errors: as reader.h; FAILED_PRECONDITION: the file is not there, or no store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/log/sqlite/one_moment.h"
#include "services/seatlock/log/sqlite/reader.h"

namespace seatlock::log {

class Inspection {
 public:
  static absl::StatusOr<std::unique_ptr<Inspection>> Open(const std::string& path);

  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  bool IsWhole() const { return moment_.IsWhole(); }

  // DATA_LOSS where SQLite finds the file damaged, with the first thing that it finds, or where the
  // store has no generation: a server would not start on it.
  absl::Status CheckFile();

  absl::StatusOr<int64_t> ShowtimeCount();
  // Showtimes after `after` in the order of their ids, at most `limit`.
  absl::StatusOr<std::vector<domain::ShowtimeId>> Showtimes(const domain::ShowtimeId& after,
                                                            size_t limit);

  struct History {
    Head head;
    domain::Revision oldest;      // of the records that are kept
    std::vector<Head> snapshots;  // newest first
    ShowtimeRow row;
  };
  // None: no such showtime.
  absl::StatusOr<std::optional<History>> Find(const domain::ShowtimeId& showtime);
  absl::StatusOr<Page> Records(const domain::ShowtimeId& showtime, const History& history,
                               domain::Revision from);
  absl::StatusOr<StoredSnapshot> Snapshot(const domain::ShowtimeId& showtime,
                                          const History& history, const Head& position);

 private:
  Inspection(OneMoment moment, Reader reader)
      : moment_(std::move(moment)), reader_(std::move(reader)) {}

  OneMoment moment_;
  Reader reader_;
};

}  // namespace seatlock::log
