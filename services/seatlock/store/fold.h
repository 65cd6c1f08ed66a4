// A showtime's history as it is stored, folded through the domain change by change.
//
// Starts from nothing where all records are kept, else from the oldest snapshot that the kept
// records follow. Each step checks what it can: the chain, that a record decodes and that its
// change can have been decided on the state before it (so no seat ever has two owners), and that
// every snapshot equals the state at its revision.
//
// Thread-compatible. The histories outlive it.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/log/histories.h"

namespace seatlock::store {

class Fold {
 public:
  // DATA_LOSS: the history cannot be begun. NOT_FOUND: no such showtime.
  static absl::StatusOr<Fold> Begin(log::Histories& store, domain::ShowtimeId showtime);
  // `history` is what `store` has found of it.
  static absl::StatusOr<Fold> Begin(log::Histories& store, domain::ShowtimeId showtime,
                                    log::Histories::History history);

  // The next change, made part of the state. None: that was the last. DATA_LOSS, naming showtime
  // and revision: what does not fit.
  absl::StatusOr<std::optional<domain::Change>> Next();

  const domain::Showtime& state() const { return state_; }
  const log::Histories::History& history() const { return history_; }
  // Where the fold began: 0, or a snapshot's revision.
  domain::Revision begin() const { return begin_; }

 private:
  Fold(log::Histories& store, domain::ShowtimeId showtime, log::Histories::History history)
      : store_(&store), showtime_(std::move(showtime)), history_(std::move(history)) {}

  absl::Status Start();
  // The parts of the snapshot at `position`; none if it is of another history.
  absl::StatusOr<std::optional<domain::ShowtimeParts>> PartsAt(const log::Head& position);
  absl::Status CompareSnapshots();
  absl::Status Loss(domain::Revision revision, absl::string_view what) const;

  log::Histories* store_;
  domain::ShowtimeId showtime_;
  log::Histories::History history_;
  domain::Showtime state_;
  domain::Revision begin_;
  std::deque<log::StoredRecord> page_;
};

}  // namespace seatlock::store
