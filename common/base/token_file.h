// A key or token in a file, as a caller of the seat service brings it. Free functions, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seatlock::base {

inline constexpr size_t kTokenFileBytesMax = 16 << 10;

// Whether `text` can stand after "Bearer " in a header: printable ASCII without blanks, not empty.
// gRPC ends the process over a header that is no text.
bool IsBearerToken(std::string_view text);

// The token that a file holds, without what is blank around it. An error, in one line that names
// the file and repeats nothing of it, if it cannot be read or holds no token. Blocks for the disk.
absl::StatusOr<std::string> ReadTokenFile(const std::string& path);

}  // namespace seatlock::base
