#include "services/seatlock/rpc/page_token.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/rpc/limits.h"

namespace seatlock::rpc {
namespace {

// Comes before the id. No id begins with it, so that few texts of others are taken for tokens.
constexpr char kVersion = '\x01';

}  // namespace

std::string PageTokenAfter(const domain::ShowtimeId& showtime) {
  return absl::WebSafeBase64Escape(kVersion + showtime.value());
}

std::optional<domain::ShowtimeId> ParsePageToken(std::string_view token) {
  if (token.empty()) return domain::ShowtimeId();
  std::string text;
  if (token.size() > kPageTokenBytesMax || !absl::WebSafeBase64Unescape(token, &text) ||
      text.empty() || text.front() != kVersion) {
    return std::nullopt;
  }
  domain::ShowtimeId showtime(text.substr(1));
  if (domain::CheckId({}, showtime.value(), domain::kShowtimeIdBytesMax)) return std::nullopt;
  // The decoder takes padding and white space, too.
  if (PageTokenAfter(showtime) != token) return std::nullopt;
  return showtime;
}

}  // namespace seatlock::rpc
