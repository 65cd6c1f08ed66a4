// Makes JSON Web Tokens and the JWKS that they are checked with, as an issuer would.
//
//   const TokenKey key = TokenKey::Es256("2026-11");
//   WriteFile(path, Jwks({key}));
//   key.Sign({{"sub", "box-office"}, {"scope", "lock book"}, {"exp", now_s + 60}});
#pragma once

#include <openssl/evp.h>

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seatlock::testing {

// One signing key. Thread-compatible.
class TokenKey {
 public:
  // `kid` may be empty: the key has none, nor do its tokens.
  static TokenKey Es256(std::string kid);
  static TokenKey Rs256(std::string kid, int bits = 2048);
  static TokenKey Hs256(std::string kid, std::string secret);

  // Its entry in a JWKS, without private parts.
  boost::json::object Jwk() const;

  // A compact token of these claims. `header` adds to alg, typ and kid, or replaces them.
  std::string Sign(const boost::json::object& claims, const boost::json::object& header = {}) const;
  // The signature alone, over any text: base64url.
  std::string Signature(std::string_view text) const;

 private:
  TokenKey(std::string alg, std::string kid);

  std::string alg_;
  std::string kid_;
  std::shared_ptr<EVP_PKEY> pair_;  // RS256, ES256
  std::string secret_;              // HS256
};

// {"keys": [...]}
std::string Jwks(const std::vector<TokenKey>& keys);

// base64url without padding.
std::string Base64Url(std::string_view bytes);

}  // namespace seatlock::testing
