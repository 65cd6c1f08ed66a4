// One key of a set, as OpenSSL has it. Immutable; thread-safe. Of use to KeySet alone.
#pragma once

#include <openssl/evp.h>

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/jwt/key_set.h"

namespace seatlock::jwt {

class Key {
 public:
  // `jwk`: one entry of a set's "keys". INVALID_ARGUMENT completes "key 3 ...".
  static absl::StatusOr<std::unique_ptr<const Key>> Parse(const boost::json::object& jwk,
                                                          SharedSecrets secrets);

  Alg alg() const { return alg_; }
  const std::string& id() const { return id_; }  // empty: it has none

  bool Verify(std::string_view signed_text, std::string_view signature) const;

 private:
  struct FreePkey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  Key() = default;
  // Each fills in the key itself.
  absl::Status ReadRsa(const boost::json::object& jwk);
  absl::Status ReadEc(const boost::json::object& jwk);
  absl::Status ReadSecret(const boost::json::object& jwk);
  absl::Status MakePublic(const char* type, OSSL_PARAM* params);

  Alg alg_ = Alg::kRs256;
  std::string id_;
  std::unique_ptr<EVP_PKEY, FreePkey> public_;  // RS256, ES256
  std::string secret_;                          // HS256
};

}  // namespace seatlock::jwt
