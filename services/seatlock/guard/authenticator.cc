#include "services/seatlock/guard/authenticator.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/read_file.h"
#include "common/jwt/limits.h"
#include "services/seatlock/domain/validate.h"

namespace seatlock::guard {
namespace {

constexpr std::string_view kScheme = "bearer ";

absl::StatusOr<KeyFile> LoadKeys(const std::string& path) {
  absl::StatusOr<std::string> text = base::ReadFile(path, kKeyFileBytesMax);
  if (!text.ok()) return text.status();
  return KeyFile::Parse(*text, path);
}

absl::StatusOr<jwt::KeySet> LoadJwks(const std::string& path) {
  absl::StatusOr<std::string> text = base::ReadFile(path, jwt::kJwksBytesMax);
  if (!text.ok()) return text.status();
  auto set = jwt::KeySet::Parse(*text, jwt::SharedSecrets::kRefused);
  if (set.ok()) return set;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", set.status().message()));
}

template <typename T>
absl::Status OpenFile(const std::string& path, const base::Clock& clock,
                      absl::StatusOr<T> (*load)(const std::string&),
                      const Authenticator::Report& report,
                      std::unique_ptr<base::Reloaded<T>>* file) {
  if (path.empty()) return absl::OkStatus();
  auto opened = base::Reloaded<T>::Open(
      clock, {path}, [path, load] { return load(path); },
      [path, report](const absl::Status& status) { report(path, status); });
  if (opened.ok()) *file = *std::move(opened);
  return opened.status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authenticator>> Authenticator::Open(const AuthFiles& files,
                                                                   const base::Clock& clock,
                                                                   const Report& report) {
  std::unique_ptr<Authenticator> made(new Authenticator(clock, files.expected));
  absl::Status status = OpenFile(files.keys, clock, &LoadKeys, report, &made->keys_);
  if (status.ok()) status = OpenFile(files.jwks, clock, &LoadJwks, report, &made->jwks_);
  if (!status.ok()) return status;
  return made;
}

void Authenticator::Tick() {
  if (keys_) keys_->Tick();
  if (jwks_) jwks_->Tick();
}

std::variant<Identity, Denied> Authenticator::Check(const Credentials& credentials) {
  if (credentials.several) return Denied::kInvalid;
  if (credentials.authorization) {
    const std::string_view text = *credentials.authorization;
    if (!absl::StartsWithIgnoreCase({text.data(), text.size()}, {kScheme.data(), kScheme.size()})) {
      return Denied::kInvalid;
    }
    return CheckSecret(text.substr(kScheme.size()));
  }
  if (!keys_ || !credentials.certificate_sha256) return Denied::kMissing;
  const std::shared_ptr<const KeyFile> keys = keys_->Get();
  if (!keys->has_certificates()) return Denied::kMissing;
  const Identity* known =
      keys->OfCertificate(absl::HexStringToBytes(credentials.certificate_sha256()));
  if (known == nullptr) return Denied::kMissing;
  return *known;
}

std::variant<Identity, Denied> Authenticator::CheckSecret(std::string_view secret) {
  if (secret.empty() || secret.size() > jwt::kTokenBytesMax) return Denied::kInvalid;
  // A key has no dots, and a token two.
  if (std::find(secret.begin(), secret.end(), '.') != secret.end()) return CheckToken(secret);
  if (!keys_) return Denied::kInvalid;
  const std::shared_ptr<const KeyFile> keys = keys_->Get();
  const Identity* known = keys->OfKey(Sha256(secret));
  if (known == nullptr) return Denied::kInvalid;
  return *known;
}

std::variant<Identity, Denied> Authenticator::CheckToken(std::string_view token) {
  if (!jwks_) return Denied::kInvalid;
  const std::shared_ptr<const jwt::KeySet> keys = jwks_->Get();
  const std::string digest = Sha256(token);
  const int64_t now_ms = clock_.NowMs();
  if (std::optional<TokenMemory::Known> known = memory_.Find(keys, digest)) {
    if (known->expire_ms <= now_ms) return Denied::kExpired;
    return std::move(known->identity);
  }
  auto verdict = jwt::Verify(*keys, token, expected_, now_ms);
  if (const auto* rejected = std::get_if<jwt::Rejected>(&verdict)) {
    return rejected->expired ? Denied::kExpired : Denied::kInvalid;
  }
  const auto& claims = std::get<jwt::Claims>(verdict);
  // It goes into records, which have bounds of their own.
  if (domain::CheckId("sub", claims.subject, kPrincipalBytesMax)) return Denied::kInvalid;
  Identity identity{claims.subject, {}};
  for (const std::string& scope : claims.scopes) identity.scopes.AddNamed(scope);
  memory_.Remember(keys, digest, {identity, claims.expire_ms});
  return identity;
}

}  // namespace seatlock::guard
