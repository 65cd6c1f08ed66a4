// Keeps a snapshot of a showtime in the store, so that the next load is short, and trims the
// history that is older than what is promised.
//
// The state is read from the log once more, beside the actor's: building a snapshot then takes
// nothing of the actor's lock, however large the showtime is.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/types.h"
#include "services/seatlock/engine/context.h"

namespace seatlock::engine {

// Calls `done` once, on context->maintenance, with the snapshot's revision. At most
// kSnapshotsAtOnce are built at a time, others wait. Errors are the log's.
void SaveSnapshot(std::shared_ptr<Context> context, domain::ShowtimeId showtime,
                  absl::AnyInvocable<void(const absl::StatusOr<domain::Revision>&) &&> done);

}  // namespace seatlock::engine
