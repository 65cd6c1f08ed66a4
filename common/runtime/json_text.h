// JSON string literals for lines that are written by hand (logs, /version). Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace seatlock::runtime {

// `text` as a JSON string, quotes included. Control characters are escaped, and what is not UTF-8
// becomes U+FFFD, so the result is always valid JSON in valid UTF-8.
std::string JsonQuoted(std::string_view text);

}  // namespace seatlock::runtime
