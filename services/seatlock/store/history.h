// Who held what when: a showtime's changes, or its seats at one moment, as a table or as JSON.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/store/address.h"
#include "services/seatlock/store/progress.h"

namespace seatlock::store {

struct HistoryQuestion {
  std::string showtime;
  std::string seat;  // empty: all
  // The seats as they were after this revision, or at this time (Unix milliseconds), in place of
  // the changes. One of the two at most.
  std::optional<uint64_t> at_revision;
  std::optional<int64_t> at_ms;
  bool json = false;
};

// A revision (digits), or a time such as 2026-11-29T20:15:00Z (without a zone: UTC). Fills in the
// one or the other. INVALID_ARGUMENT in words that complete "--at ...".
absl::Status ParseAt(const std::string& text, HistoryQuestion* question);

// Writes the answer to `out`; `progress` is shown until the first line. NOT_FOUND: no such
// showtime. OUT_OF_RANGE: that moment is no longer, or not yet, in the history. DATA_LOSS: the
// history is damaged; what is before it was written. UNAVAILABLE: somebody began to use the store
// meanwhile; what was written may be wrong.
absl::Status WriteHistory(const StoreConfig& config, const HistoryQuestion& question,
                          std::FILE* out, Progress& progress);

}  // namespace seatlock::store
