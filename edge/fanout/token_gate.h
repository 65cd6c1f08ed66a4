// Judges the tokens of subscribes, one gate a thread. A token that was found good is remembered by
// its SHA-256 until it ends, so a page that brings it for each of its showtimes costs one
// verification. Strand-bound.
//
// Two generations of at most kTokensRememberedMax each are remembered; the older one is forgotten
// when the newer one is full, and both when the keys change.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/base/reloaded.h"
#include "common/jwt/key_set.h"
#include "common/jwt/token.h"
#include "edge/protocol/close_code.h"

namespace seatlock::edge {

// What all threads' gates go by. All of it outlives them.
struct TokenRules {
  const base::Reloaded<jwt::KeySet>* keys = nullptr;  // Null: tokens are not looked at.
  const base::Clock* clock = nullptr;                 // The machine's, as it is.
  bool required = false;  // A subscribe without a token gets TOKEN_REQUIRED.
};

class TokenGate {
 public:
  // Whose subscription it is, and until when.
  struct Pass {
    std::string session_id;  // Empty: a viewer.
    int64_t expire_ms = 0;   // Unix time.
  };
  struct Refusal {
    CloseCode code = CloseCode::kTokenRejected;
    std::string_view reason;  // For the close frame; a constant.
  };

  explicit TokenGate(const TokenRules& rules) : rules_(rules) {}

  bool required() const { return rules_.required; }
  int64_t NowMs() const { return rules_.clock->NowMs(); }

  // `origin`: the connection's, empty if its request had none.
  std::variant<Pass, Refusal> Judge(std::string_view token, std::string_view showtime_id,
                                    std::string_view origin);

 private:
  using Claims = std::shared_ptr<const jwt::Claims>;
  using Memory = absl::flat_hash_map<std::string, Claims>;  // By SHA-256.

  std::variant<Claims, jwt::Rejected> Verify(std::string_view token, int64_t now_ms);
  Claims Recall(const std::string& digest);
  void Remember(std::string digest, Claims claims);

  const TokenRules rules_;
  std::shared_ptr<const jwt::KeySet> keys_;  // Of what is remembered.
  Memory newer_;
  Memory older_;
};

}  // namespace seatlock::edge
