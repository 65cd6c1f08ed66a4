// A key file through KeyFile::Parse: an error names its line, and repeats nothing of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/strings/match.h"
#include "services/seatlock/guard/key_file.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seatlock::guard;  // NOLINT: the one function of the program.
  using ::seatlock::testing::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = KeyFile::Parse(text, "keys");
  if (!file.ok()) {
    Require(absl::StartsWith(file.status().message(), "keys:"), "an error names the file");
    Require(file.status().message().size() < 200, "an error is one short line");
  } else {
    Require(file->OfKey(Sha256("nobody's")) == nullptr, "a key that nobody has is nobody's");
  }
  return 0;
}
