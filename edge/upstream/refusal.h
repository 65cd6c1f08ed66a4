// What the end of a stream means. Pure.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>

#include "edge/showtime/upstream.h"

namespace seatlock::edge {

// The service is there and does not serve this showtime: it has too many, or its history is
// damaged. Nothing if the service is away, drains, cannot use its store, or something between here
// and it has failed.
std::optional<Refusal> RefusalOf(const grpc::Status& status);

// Whether another server of the same store may serve the showtime: this one is away, or has too
// many. Not if it refuses the showtime for what that is (damaged, a bad id): all would say the
// same.
bool OthersMayServe(const grpc::Status& status);

}  // namespace seatlock::edge
