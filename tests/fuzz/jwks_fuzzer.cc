// A key set through KeySet::Parse: what it takes keeps the bounds, and reads the same again where
// fewer kinds of keys are allowed, or is refused there.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/jwt/key_set.h"
#include "common/jwt/limits.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seatlock::jwt;  // NOLINT: the one function of the program.
  using ::seatlock::testing::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto all = KeySet::Parse(text, SharedSecrets::kAllowed);
  const auto public_only = KeySet::Parse(text, SharedSecrets::kRefused);
  Require(all.ok() || !public_only.ok(), "what is taken without secrets is taken with them");
  if (!all.ok()) {
    Require(!all.status().message().empty(), "a refusal says why");
    return 0;
  }
  Require(all->size() >= 1 && all->size() <= kKeysMax, "a set has 1 to 16 keys");
  Require(!all->Verify(Alg::kEs256, nullptr, "text", "signature"), "nothing is signed so");
  return 0;
}
