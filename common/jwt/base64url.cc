#include "common/jwt/base64url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace seatlock::jwt {

bool DecodeBase64Url(std::string_view text, std::string* bytes) {
  // Abseil skips blanks, takes padding, and ignores bits that are left over at the end.
  const bool alphabet = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
  return alphabet && absl::WebSafeBase64Unescape({text.data(), text.size()}, bytes) &&
         absl::WebSafeBase64Escape(*bytes) == text;
}

}  // namespace seatlock::jwt
