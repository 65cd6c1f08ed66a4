// A JSON Web Token (RFC 7519) in its compact, signed form, checked.
//
// Verify is the only way to claims, so nobody can read those of a token that nobody signed.
// Nothing here, no error either, repeats a token or a part of it. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/jwt/key_set.h"

namespace seatlock::jwt {

// What a token must say besides being signed. Empty: anything, or nothing.
struct Expected {
  std::string issuer{};    // `iss`
  std::string audience{};  // `aud`, or one of them
};

// What a token that was signed by a key of the set says.
struct Claims {
  std::string subject{};                 // `sub`; empty: it names none
  std::vector<std::string> scopes{};     // of `scope`, at blanks
  bool all_showtimes = false;            // `showtimes` is "*"
  std::vector<std::string> showtimes{};  // else those that it lists
  std::string origin{};                  // empty: it names none
  int64_t expire_ms = 0;                 // `exp`: Unix time in milliseconds; not good from then on
};

// Why a token is not taken.
struct Rejected {
  bool expired = false;   // it is good in all else; a fresh one helps
  std::string message{};  // for people; completes "the token ..."
};

// Checks `token` at `now_ms`, which is Unix time by the machine's clock: others made the token by
// theirs. `exp` is required, with no leeway; `nbf` and `iat` have limits.h's.
std::variant<Claims, Rejected> Verify(const KeySet& keys, std::string_view token,
                                      const Expected& expected, int64_t now_ms);

}  // namespace seatlock::jwt
