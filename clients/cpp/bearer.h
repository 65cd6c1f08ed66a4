// The key or token of ClientOptions.token, in the metadata of calls. Thread-compatible.
#pragma once

#include <grpcpp/client_context.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/token_file.h"

namespace seatlock::client {

// Empty: none that may be sent.
inline std::string TokenOf(const std::function<std::string()>& token) {
  std::string text = token ? token() : std::string();
  return base::IsBearerToken(text) ? text : std::string();
}

// After `used` was refused: asks again. False if that gives no other one.
inline bool Renew(const std::function<std::string()>& token, std::string* used) {
  std::string fresh = TokenOf(token);
  if (fresh.empty() || fresh == *used) return false;
  *used = std::move(fresh);
  return true;
}

inline void AddBearer(const std::string& token, grpc::ClientContext* context) {
  if (!token.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", token));
}

}  // namespace seatlock::client
