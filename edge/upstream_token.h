// The key or token that the edge's calls to the seat service carry.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/reloaded.h"

namespace seatlock::edge {

using UpstreamToken = base::Reloaded<std::string>;

// Null if `path` is empty. Streams that begin later use what the file holds by then, once Tick has
// seen it. `clock` outlives it.
absl::StatusOr<std::unique_ptr<UpstreamToken>> OpenUpstreamToken(const std::string& path,
                                                                 const base::Clock& clock);

// Logs a warning if others can read the file.
void WarnOfUpstreamToken(const std::string& path);

}  // namespace seatlock::edge
