#include "edge/fanout/token_gate.h"

#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "edge/limits.h"

namespace seatlock::edge {
namespace {

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

bool Covers(const jwt::Claims& claims, std::string_view showtime_id) {
  return claims.all_showtimes || std::find(claims.showtimes.begin(), claims.showtimes.end(),
                                           showtime_id) != claims.showtimes.end();
}

// Who sends no Origin is no browser, and may be anywhere.
bool IsFrom(const jwt::Claims& claims, std::string_view origin) {
  return claims.origin.empty() || origin.empty() ||
         absl::EqualsIgnoreCase(claims.origin, std::string(origin));
}

}  // namespace

std::variant<TokenGate::Pass, TokenGate::Refusal> TokenGate::Judge(std::string_view token,
                                                                   std::string_view showtime_id,
                                                                   std::string_view origin) {
  const int64_t now_ms = NowMs();
  const auto verified = Verify(token, now_ms);
  if (const auto* rejected = std::get_if<jwt::Rejected>(&verified)) {
    if (rejected->expired) return Refusal{CloseCode::kTokenExpired, "token expired"};
    return Refusal{CloseCode::kTokenRejected, "token rejected"};
  }
  const jwt::Claims& claims = *std::get<Claims>(verified);
  if (claims.expire_ms <= now_ms) return Refusal{CloseCode::kTokenExpired, "token expired"};
  if (!IsFrom(claims, origin)) return Refusal{CloseCode::kForbidden, "token of another origin"};
  if (!Covers(claims, showtime_id)) {
    return Refusal{CloseCode::kForbidden, "token for another showtime"};
  }
  return Pass{claims.subject, claims.expire_ms};
}

std::variant<TokenGate::Claims, jwt::Rejected> TokenGate::Verify(std::string_view token,
                                                                 int64_t now_ms) {
  std::shared_ptr<const jwt::KeySet> keys = rules_.keys->Get();
  if (keys != keys_) {
    newer_.clear();
    older_.clear();
    keys_ = std::move(keys);
  }
  std::string digest = Sha256(token);
  if (Claims known = Recall(digest)) return known;
  auto verified = jwt::Verify(*keys_, token, {}, now_ms);
  if (auto* rejected = std::get_if<jwt::Rejected>(&verified)) return std::move(*rejected);
  auto claims = std::make_shared<const jwt::Claims>(std::get<jwt::Claims>(std::move(verified)));
  Remember(std::move(digest), claims);
  return claims;
}

TokenGate::Claims TokenGate::Recall(const std::string& digest) {
  if (const auto found = newer_.find(digest); found != newer_.end()) return found->second;
  const auto found = older_.find(digest);
  if (found == older_.end()) return nullptr;
  Claims claims = found->second;
  Remember(digest, claims);
  return claims;
}

void TokenGate::Remember(std::string digest, Claims claims) {
  if (newer_.size() >= kTokensRememberedMax) older_ = std::exchange(newer_, {});
  newer_.emplace(std::move(digest), std::move(claims));
}

}  // namespace seatlock::edge
