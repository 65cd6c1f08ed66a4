#include "common/base/token_file.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/read_file.h"

namespace seatlock::base {

bool IsBearerToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path, kTokenFileBytesMax);
  if (!text.ok()) return text;
  absl::StripAsciiWhitespace(&*text);
  if (!IsBearerToken(*text)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": must hold one token: printable characters without blanks"));
  }
  return text;
}

}  // namespace seatlock::base
