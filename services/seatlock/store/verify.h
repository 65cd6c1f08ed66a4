// Whether a store holds sound histories. Reads alone, of a copy or of a store in use.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "services/seatlock/log/histories.h"
#include "services/seatlock/store/address.h"
#include "services/seatlock/store/progress.h"

namespace seatlock::store {

struct VerifyReport {
  uint64_t showtimes = 0;
  uint64_t changes = 0;     // that were folded
  uint64_t seats_sold = 0;  // booked at the heads
  uint64_t faults = 0;      // showtimes that are not sound, and a damaged file
  std::string first_fault;

  // Lines for a person.
  std::string Text() const;
};

// Folds every showtime (fold.h) and checks what else can be (Histories::CheckStore). An error: it
// cannot be read at all, or is no store.
absl::StatusOr<VerifyReport> VerifyStore(const StoreConfig& config, Progress& progress);

// Folds every showtime alone.
absl::StatusOr<VerifyReport> VerifyShowtimes(log::Histories& store, Progress& progress);

}  // namespace seatlock::store
