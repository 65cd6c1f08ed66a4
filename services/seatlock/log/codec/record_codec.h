// Domain values to and from the bytes that stores keep (proto/seatlock/log/v1).
//
// Pure functions. Encoding is deterministic. Decoding gives DATA_LOSS for bytes that are not a
// record or hold values out of range.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::log {

std::string EncodeChange(const domain::Change& change);
absl::StatusOr<domain::Change> DecodeChange(std::string_view bytes);

std::string EncodeSnapshot(const domain::ShowtimeParts& parts);
absl::StatusOr<domain::ShowtimeParts> DecodeSnapshot(std::string_view bytes);

}  // namespace seatlock::log
