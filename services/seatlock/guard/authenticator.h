// Who calls: by a static key or a JSON Web Token in the call's metadata, or by the certificate of
// its connection.
//
// Made by main if one of its files is named; without it there is no identity, and everybody may do
// everything. Thread-safe; Check never waits for a disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/reloaded.h"
#include "common/jwt/key_set.h"
#include "common/jwt/token.h"
#include "services/seatlock/guard/key_file.h"
#include "services/seatlock/guard/token_memory.h"

namespace seatlock::guard {

struct AuthFiles {
  std::string keys{};        // --auth-keys; empty: none
  std::string jwks{};        // --auth-jwks; empty: none
  jwt::Expected expected{};  // of tokens

  bool any() const { return !keys.empty() || !jwks.empty(); }
};

// What a call brings. Refers to what it was given.
struct Credentials {
  // Of the authorization header; nothing: it has none.
  std::optional<std::string_view> authorization{};
  bool several = false;  // that header is there more than once
  // Asked if there is no such header and certificates are known. The SHA-256, in hexadecimal, of
  // the DER form of the client's certificate, which TLS has verified; empty: none.
  std::function<std::string()> certificate_sha256{};
};

// Why a caller is not known.
enum class Denied { kMissing, kInvalid, kExpired };

class Authenticator {
 public:
  // Called when a file was read again, with an error if the last good one stays in use.
  using Report = std::function<void(const std::string& file, const absl::Status&)>;

  // Reads the files. INVALID_ARGUMENT or another error is one line that names the file. `clock` is
  // the machine's, and outlives this.
  static absl::StatusOr<std::unique_ptr<Authenticator>> Open(const AuthFiles& files,
                                                             const base::Clock& clock,
                                                             const Report& report);

  // A header counts for all: if it is wrong, a certificate does not help.
  std::variant<Identity, Denied> Check(const Credentials& credentials);

  // Looks at the files now and then; see base::Reloaded. Blocks for the disk.
  void Tick();

 private:
  explicit Authenticator(const base::Clock& clock, jwt::Expected expected)
      : clock_(clock), expected_(std::move(expected)) {}

  std::variant<Identity, Denied> CheckSecret(std::string_view secret);
  std::variant<Identity, Denied> CheckToken(std::string_view token);

  const base::Clock& clock_;
  const jwt::Expected expected_;
  std::unique_ptr<base::Reloaded<KeyFile>> keys_;      // null: none
  std::unique_ptr<base::Reloaded<jwt::KeySet>> jwks_;  // null: none
  TokenMemory memory_;
};

}  // namespace seatlock::guard
