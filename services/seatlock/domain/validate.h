// Whether the fields of commands and reads are in bounds (limits.h). Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "services/seatlock/domain/refusal.h"

namespace seatlock::domain {

// None where `value` is an id: 1 to `bytes_max` bytes of valid UTF-8 without control characters
// (U+0000-U+001F, U+007F-U+009F). For ids that are in no command: showtime_id, and those of reads.
// `field` is the name in the proto.
std::optional<FieldViolation> CheckId(std::string_view field, std::string_view value,
                                      size_t bytes_max);

}  // namespace seatlock::domain
