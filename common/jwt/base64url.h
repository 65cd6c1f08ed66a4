// base64url as RFC 7515 has it: no padding, no blanks, and one text only for each content.
#pragma once

#include <string>
#include <string_view>

namespace seatlock::jwt {

// False if `text` is not exactly what an encoder writes for some bytes. Thread-safe.
bool DecodeBase64Url(std::string_view text, std::string* bytes);

}  // namespace seatlock::jwt
