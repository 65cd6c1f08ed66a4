#include "tests/testing/tokens.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace seatlock::testing {
namespace {

namespace json = boost::json;

void Check(bool holds) {
  if (!holds) std::abort();
}

// A number of the key, in `bytes` bytes, or as many as it needs.
std::string Number(const EVP_PKEY* key, const char* name, int bytes = 0) {
  BIGNUM* n = nullptr;
  Check(EVP_PKEY_get_bn_param(key, name, &n) == 1);
  std::string raw(static_cast<size_t>(bytes == 0 ? BN_num_bytes(n) : bytes), '\0');
  Check(BN_bn2binpad(n, reinterpret_cast<unsigned char*>(raw.data()),
                     static_cast<int>(raw.size())) >= 0);
  BN_free(n);
  return Base64Url(raw);
}

// r and s, 32 bytes each.
std::string RawOfDer(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* sig = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  Check(sig != nullptr);
  std::string raw(64, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(raw.data());
  Check(BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes, 32) == 32);
  Check(BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes + 32, 32) == 32);
  ECDSA_SIG_free(sig);
  return raw;
}

std::shared_ptr<EVP_PKEY> Own(EVP_PKEY* pair) {
  Check(pair != nullptr);
  return {pair, &EVP_PKEY_free};
}

}  // namespace

TokenKey::TokenKey(std::string alg, std::string kid) : alg_(std::move(alg)), kid_(std::move(kid)) {}

TokenKey TokenKey::Es256(std::string kid) {
  TokenKey key("ES256", std::move(kid));
  key.pair_ = Own(EVP_EC_gen("P-256"));
  return key;
}

TokenKey TokenKey::Rs256(std::string kid, int bits) {
  TokenKey key("RS256", std::move(kid));
  key.pair_ = Own(EVP_RSA_gen(static_cast<unsigned int>(bits)));
  return key;
}

TokenKey TokenKey::Hs256(std::string kid, std::string secret) {
  TokenKey key("HS256", std::move(kid));
  key.secret_ = std::move(secret);
  return key;
}

json::object TokenKey::Jwk() const {
  json::object jwk{{"alg", alg_}, {"use", "sig"}};
  if (!kid_.empty()) jwk["kid"] = kid_;
  if (alg_ == "ES256") {
    jwk["kty"] = "EC";
    jwk["crv"] = "P-256";
    jwk["x"] = Number(pair_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32);
    jwk["y"] = Number(pair_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32);
  } else if (alg_ == "RS256") {
    jwk["kty"] = "RSA";
    jwk["n"] = Number(pair_.get(), OSSL_PKEY_PARAM_RSA_N);
    jwk["e"] = Number(pair_.get(), OSSL_PKEY_PARAM_RSA_E);
  } else {
    jwk["kty"] = "oct";
    jwk["k"] = Base64Url(secret_);
  }
  return jwk;
}

std::string TokenKey::Signature(std::string_view text) const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (!pair_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), bytes, text.size(),
         mac.data(), &size);
    return Base64Url({reinterpret_cast<char*>(mac.data()), size});
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 0;
  Check(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, pair_.get()) == 1);
  Check(EVP_DigestSign(context, nullptr, &size, bytes, text.size()) == 1);
  std::string signature(size, '\0');
  Check(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                       text.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return Base64Url(alg_ == "ES256" ? RawOfDer(signature) : signature);
}

std::string TokenKey::Sign(const json::object& claims, const json::object& header) const {
  json::object whole{{"alg", alg_}, {"typ", "JWT"}};
  if (!kid_.empty()) whole["kid"] = kid_;
  for (const auto& field : header) whole[field.key()] = field.value();
  const std::string text =
      absl::StrCat(Base64Url(json::serialize(whole)), ".", Base64Url(json::serialize(claims)));
  return absl::StrCat(text, ".", Signature(text));
}

std::string Jwks(const std::vector<TokenKey>& keys) {
  json::array list;
  for (const TokenKey& key : keys) list.push_back(key.Jwk());
  return json::serialize(json::object{{"keys", std::move(list)}});
}

std::string Base64Url(std::string_view bytes) {
  return absl::WebSafeBase64Escape({bytes.data(), bytes.size()});
}

}  // namespace seatlock::testing
