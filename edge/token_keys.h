// The keys of browsers' tokens, from the file that --token-jwks names.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/reloaded.h"
#include "common/jwt/key_set.h"

namespace seatlock::edge {

using TokenKeys = base::Reloaded<jwt::KeySet>;

// Reads the JWKS at `path`; an error is one line that names the file and repeats no key. Null if
// `path` is empty. From then on a log line says whenever the file was read anew, or why it could
// not be. Warns once if it holds shared secrets and others may read it. `clock` outlives it.
absl::StatusOr<std::unique_ptr<TokenKeys>> OpenTokenKeys(const base::Clock& clock,
                                                         const std::string& path);

}  // namespace seatlock::edge
