// Unpredictable identifiers from the operating system's generator (OpenSSL's RAND_bytes).
#pragma once

#include <cstddef>
#include <string>

namespace seatlock::base {

// `bytes` random bytes in lower-case hexadecimal, two characters a byte. Aborts where the system
// has no randomness to give: an identifier that can be guessed would be worse. Thread-safe.
std::string RandomHex(size_t bytes);

}  // namespace seatlock::base
