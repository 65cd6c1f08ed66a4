// One moment of a store's file, to look at: for tools. It writes nothing, and a server may have the
// store open and write meanwhile. Ask StillWhole() after the last read (one_moment.h).
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
#include "services/seatlock/log/histories.h"
#include "services/seatlock/log/sqlite/one_moment.h"
#include "services/seatlock/log/sqlite/reader.h"

namespace seatlock::log {

class Inspection final : public Histories {
 public:
  static absl::StatusOr<std::unique_ptr<Inspection>> Open(const std::string& path);

  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  absl::StatusOr<int64_t> ShowtimeCount() override;
  absl::StatusOr<std::vector<domain::ShowtimeId>> Showtimes(const domain::ShowtimeId& after,
                                                            size_t limit) override;
  absl::StatusOr<std::optional<History>> Find(const domain::ShowtimeId& showtime) override;
  absl::StatusOr<Page> Records(const domain::ShowtimeId& showtime, const History& history,
                               domain::Revision from) override;
  absl::StatusOr<StoredSnapshot> Snapshot(const domain::ShowtimeId& showtime,
                                          const History& history, const Head& position) override;
  // Has SQLite check its file, and looks for a generation: a server would not start without one.
  absl::Status CheckStore() override;
  absl::Status StillWhole() const override {
    return moment_.IsWhole() ? absl::OkStatus() : OneMoment::NotWhole(path_);
  }

 private:
  Inspection(std::string path, OneMoment moment, Reader reader)
      : path_(std::move(path)), moment_(std::move(moment)), reader_(std::move(reader)) {}

  // The showtime's row, which Find has read; read again if it was another showtime's.
  absl::StatusOr<ShowtimeRow> RowOf(const domain::ShowtimeId& showtime);

  const std::string path_;
  OneMoment moment_;
  Reader reader_;
  domain::ShowtimeId found_;  // whose `row_` is
  ShowtimeRow row_;
};

}  // namespace seatlock::log
