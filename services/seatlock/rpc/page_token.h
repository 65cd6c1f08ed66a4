// The page_token of ListShowtimes: after which showtime the next page begins. It holds nothing
// else, so any server takes it, at any time. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/seatlock/domain/types.h"

namespace seatlock::rpc {

std::string PageTokenAfter(const domain::ShowtimeId& showtime);

// The id that PageTokenAfter was given; an empty id for an empty token. None: no token of ours.
std::optional<domain::ShowtimeId> ParsePageToken(std::string_view token);

}  // namespace seatlock::rpc
