// A token through jwt::Verify: nothing that nobody signed is ever taken, and what is said of it
// repeats none of it. The corpus' tokens are signed by nobody whom the set knows.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "common/jwt/token.h"
#include "tests/fuzz/require.h"

namespace {

// Of the example in RFC 7517, A.1, with an alg; its private half is in nobody's input.
constexpr char kJwks[] = R"({"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"1",)"
                         R"("x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
                         R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seatlock::jwt;  // NOLINT: the one function of the program.
  using ::seatlock::testing::Require;
  static const KeySet* const keys = new KeySet(*KeySet::Parse(kJwks, SharedSecrets::kRefused));
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const auto verdict = Verify(*keys, token, {}, 1'800'000'000'000);
  const auto* rejected = std::get_if<Rejected>(&verdict);
  Require(rejected != nullptr, "a token that nobody signed is not taken");
  Require(!rejected->expired, "only a signed token can have expired");
  Require(!rejected->message.empty(), "a rejection says why");
  return 0;
}
