// The identity of seatlockd's callers, as its flags say.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "services/seatlock/guard/authenticator.h"

namespace seatlock {

// Null if `files` names none: then everybody may do everything. Each time that a file
// was read again is a line.
absl::StatusOr<std::unique_ptr<guard::Authenticator>> OpenIdentity(const guard::AuthFiles& files);

// Warns of a key file that others may read, and of tokens that may be meant for others.
void WarnOfIdentity(const guard::AuthFiles& files);

}  // namespace seatlock
