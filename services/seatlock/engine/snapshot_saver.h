// Keeps a snapshot of a showtime in the store, so that the next load is short, and trims the
// history that is older than what is promised.
//
// The state of a large showtime is read from the log once more, beside the actor's: building the
// snapshot then takes nothing of the actor's lock. That costs some 3 us a change, so a small
// showtime's actor hands its state over.
#pragma once

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/types.h"
#include "services/seatlock/engine/context.h"

namespace seatlock::engine {

// A committed state, and where it stands.
struct Exported {
  log::Head head;
  domain::ShowtimeParts parts;
};

// Calls `done` once, on context->maintenance, with the snapshot's revision. Without `state` the log
// is read. At most kSnapshotsAtOnce are built at a time, others wait. Errors are the log's.
void SaveSnapshot(std::shared_ptr<Context> context, domain::ShowtimeId showtime,
                  std::optional<Exported> state,
                  absl::AnyInvocable<void(const absl::StatusOr<domain::Revision>&) &&> done);

}  // namespace seatlock::engine
