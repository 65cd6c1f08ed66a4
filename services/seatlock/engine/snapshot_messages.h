// A snapshot as the messages of a watch. Pure but for the account of bytes.
#pragma once

#include <vector>

#include "services/seatlock/domain/types.h"
#include "services/seatlock/engine/batch.h"
#include "services/seatlock/engine/context.h"
#include "services/seatlock/engine/message.h"

namespace seatlock::engine {

// At least one message; each has at most kSnapshotMessageBytesMax of seats. `replaces`: what the
// reader knew is void.
std::vector<MessagePtr> SnapshotMessages(const Context& context, const domain::ShowtimeId& showtime,
                                         const SeatSnapshot& snapshot, bool replaces);

}  // namespace seatlock::engine
