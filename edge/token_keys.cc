#include "edge/token_keys.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/read_file.h"
#include "common/jwt/limits.h"
#include "common/runtime/logging.h"

namespace seatlock::edge {
namespace {

absl::StatusOr<jwt::KeySet> Load(const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadFile(path, jwt::kJwksBytesMax);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--token-jwks: ", std::string(text.status().message())));
  }
  absl::StatusOr<jwt::KeySet> keys = jwt::KeySet::Parse(*text, jwt::SharedSecrets::kAllowed);
  if (!keys.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--token-jwks: ", path, ": ", std::string(keys.status().message())));
  }
  return keys;
}

// Whoever reads a shared secret can make tokens; a public key may lie open.
void WarnIfOpen(const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadFile(path, jwt::kJwksBytesMax);
  if (!text.ok() || !base::OpenToOthers(path)) return;
  if (jwt::KeySet::Parse(*text, jwt::SharedSecrets::kRefused).ok()) return;
  runtime::LogWarn("others may read the secret in --token-jwks and make tokens: chmod 600",
                   {{"file", path}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenKeys>> OpenTokenKeys(const base::Clock& clock,
                                                         const std::string& path) {
  if (path.empty()) return nullptr;
  auto keys = TokenKeys::Open(
      clock, {path}, [path] { return Load(path); },
      [path](const absl::Status& status) {
        if (status.ok()) {
          runtime::LogInfo("the keys of browsers' tokens were read anew", {{"file", path}});
        } else {
          runtime::LogWarn("the new keys of browsers' tokens cannot be used; the old ones stay",
                           {{"reason", std::string(status.message())}});
        }
      });
  if (keys.ok()) WarnIfOpen(path);
  return keys;
}

}  // namespace seatlock::edge
