// Rebuilds a showtime's state from its log: newest snapshot, then the records after it, page by
// page. Starts over if the log was trimmed, or rewritten, between two pages.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/engine/context.h"

namespace seatlock::engine {

struct Loaded {
  domain::Showtime state;
  log::Head head;
  domain::Revision snapshot;  // revision of the newest snapshot, 0 for none
};

// Calls `done` once on `executor`, also when the engine stops. UNAVAILABLE: the store cannot be
// read now. DATA_LOSS, naming showtime and revision: what it holds is not a valid history, be it
// that bytes do not decode or that a change does not fit the state before it.
void LoadShowtime(std::shared_ptr<Context> context, base::Executor& executor,
                  domain::ShowtimeId showtime,
                  absl::AnyInvocable<void(absl::StatusOr<Loaded>) &&> done);

}  // namespace seatlock::engine
