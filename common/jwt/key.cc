#include "common/jwt/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/jwt/base64url.h"
#include "common/jwt/limits.h"

namespace seatlock::jwt {
namespace {

namespace json = boost::json;

constexpr size_t kP256Bytes = 32;

struct Free {
  void operator()(BIGNUM* n) const { BN_free(n); }
  void operator()(OSSL_PARAM_BLD* b) const { OSSL_PARAM_BLD_free(b); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
  void operator()(EVP_PKEY_CTX* c) const { EVP_PKEY_CTX_free(c); }
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
  void operator()(ECDSA_SIG* s) const { ECDSA_SIG_free(s); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

absl::Status Wrong(std::string what) {
  return absl::InvalidArgumentError(std::move(what));
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A field that must be a text; null if it is not there.
absl::StatusOr<const json::string*> Text(const json::object& jwk, const char* name) {
  const json::value* value = jwk.if_contains(name);
  if (value == nullptr) return nullptr;
  const json::string* text = value->if_string();
  if (text == nullptr) return Wrong(absl::StrCat("has a ", name, " that is no text"));
  return text;
}

// A field that must be there, in base64url.
absl::StatusOr<std::string> Decoded(const json::object& jwk, const char* name) {
  absl::StatusOr<const json::string*> text = Text(jwk, name);
  if (!text.ok()) return text.status();
  std::string bytes;
  if (*text == nullptr || !DecodeBase64Url({(*text)->data(), (*text)->size()}, &bytes) ||
      bytes.empty()) {
    return Wrong(absl::StrCat("needs ", name, ", in base64url without padding"));
  }
  return bytes;
}

// What each type of key may have beside its own members. Those without a meaning for us
// (certificates, and what Web Crypto exports) are not looked at.
constexpr std::array kCommon{"kty", "kid", "alg", "use", "key_ops",
                             "ext", "x5u", "x5c", "x5t", "x5t#S256"};
constexpr std::array kPrivate{"d", "p", "q", "dp", "dq", "qi", "oth"};

template <size_t kN>
bool Has(const std::array<const char*, kN>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [name](const char* n) { return name == n; });
}

template <size_t kN>
absl::Status CheckFields(const json::object& jwk, const std::array<const char*, kN>& own) {
  for (const auto& field : jwk) {
    const std::string_view name(field.key().data(), field.key().size());
    if (Has(own, name) || Has(kCommon, name)) continue;
    if (Has(kPrivate, name)) return Wrong("holds a private key; only the public part belongs here");
    return Wrong("has a field that is not known here");
  }
  return absl::OkStatus();
}

absl::Status CheckUse(const json::object& jwk) {
  absl::StatusOr<const json::string*> use = Text(jwk, "use");
  if (!use.ok()) return use.status();
  if (*use != nullptr && **use != "sig") return Wrong("has a use other than sig");
  const json::value* ops = jwk.if_contains("key_ops");
  if (ops == nullptr) return absl::OkStatus();
  const json::array* list = ops->if_array();
  const bool good =
      list != nullptr && !list->empty() &&
      std::all_of(list->begin(), list->end(), [](const json::value& op) {
        return op.is_string() && (op.get_string() == "verify" || op.get_string() == "sign");
      });
  if (!good || std::find(list->begin(), list->end(), json::value("verify")) == list->end()) {
    return Wrong("has key_ops other than verify");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadId(const json::object& jwk) {
  absl::StatusOr<const json::string*> kid = Text(jwk, "kid");
  if (!kid.ok()) return kid.status();
  if (*kid == nullptr) return std::string();
  if ((*kid)->empty() || (*kid)->size() > kKeyIdBytesMax) {
    return Wrong(absl::StrCat("has a kid that is not of 1 to ", kKeyIdBytesMax, " bytes"));
  }
  return std::string((*kid)->data(), (*kid)->size());
}

absl::StatusOr<Alg> ReadAlg(const json::object& jwk) {
  absl::StatusOr<const json::string*> alg = Text(jwk, "alg");
  if (!alg.ok()) return alg.status();
  if (*alg == nullptr) return Wrong("has no alg");
  for (const Alg known : {Alg::kRs256, Alg::kEs256, Alg::kHs256}) {
    if (**alg == NameOf(known)) return known;
  }
  return Wrong("has an alg other than RS256, ES256 and HS256");
}

// r and s, 32 bytes each (RFC 7518, 3.4), as OpenSSL wants them. Empty if they are not.
std::string DerOfEs256(std::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return "";
  BIGNUM* r = BN_bin2bn(Bytes(signature), kP256Bytes, nullptr);
  BIGNUM* s = BN_bin2bn(Bytes(signature) + kP256Bytes, kP256Bytes, nullptr);
  const Owned<ECDSA_SIG> sig(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || !sig || ECDSA_SIG_set0(sig.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return "";
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(sig.get(), &der);
  if (size <= 0) return "";
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

bool VerifyHmac(std::string_view secret, std::string_view signed_text, std::string_view signature) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(signed_text),
           signed_text.size(), mac.data(), &size) == nullptr) {
    return false;
  }
  return signature.size() == size && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
}

bool VerifyPublic(EVP_PKEY* key, std::string_view signed_text, std::string_view signature) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const bool good = context &&
                    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                                     Bytes(signed_text), signed_text.size()) == 1;
  // What OpenSSL noted stays on this thread, where gRPC's TLS would find it.
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Key>> Key::Parse(const json::object& jwk,
                                                      SharedSecrets secrets) {
  absl::StatusOr<Alg> alg = ReadAlg(jwk);
  if (!alg.ok()) return alg.status();
  absl::StatusOr<std::string> id = ReadId(jwk);
  if (!id.ok()) return id.status();
  if (absl::Status use = CheckUse(jwk); !use.ok()) return use;
  absl::StatusOr<const json::string*> kty = Text(jwk, "kty");
  if (!kty.ok()) return kty.status();
  const std::string_view type = *kty ? std::string_view((*kty)->data(), (*kty)->size()) : "";
  std::unique_ptr<Key> key(new Key);
  key->alg_ = *alg;
  key->id_ = *std::move(id);
  absl::Status read = Wrong("has a kty that is not known here, or not of its alg");
  if (*alg == Alg::kRs256 && type == "RSA") read = key->ReadRsa(jwk);
  if (*alg == Alg::kEs256 && type == "EC") read = key->ReadEc(jwk);
  if (*alg == Alg::kHs256 && type == "oct") {
    read = secrets == SharedSecrets::kAllowed
               ? key->ReadSecret(jwk)
               : Wrong("is a shared secret (HS256), which is not allowed here");
  }
  if (!read.ok()) return read;
  return key;
}

absl::Status Key::ReadRsa(const json::object& jwk) {
  if (absl::Status fields = CheckFields(jwk, std::array{"n", "e"}); !fields.ok()) return fields;
  const absl::StatusOr<std::string> n = Decoded(jwk, "n");
  if (!n.ok()) return n.status();
  const absl::StatusOr<std::string> e = Decoded(jwk, "e");
  if (!e.ok()) return e.status();
  // Before OpenSSL sees it: its checks of a huge key take minutes (CVE-2023-6237).
  if (n->size() > kRsaBitsMax / 8 || e->size() > 8) return Wrong("has too large an RSA key");
  const Owned<BIGNUM> modulus(BN_bin2bn(Bytes(*n), static_cast<int>(n->size()), nullptr));
  const Owned<BIGNUM> exponent(BN_bin2bn(Bytes(*e), static_cast<int>(e->size()), nullptr));
  if (!modulus || !exponent) return Wrong("has a bad RSA key");
  if (BN_num_bits(modulus.get()) < kRsaBitsMin) {
    return Wrong(absl::StrCat("has an RSA key of less than ", kRsaBitsMin, " bits"));
  }
  if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    return Wrong("has a bad RSA exponent");
  }
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  return MakePublic("RSA", params.get());
}

absl::Status Key::ReadEc(const json::object& jwk) {
  if (absl::Status fields = CheckFields(jwk, std::array{"crv", "x", "y"}); !fields.ok()) {
    return fields;
  }
  absl::StatusOr<const json::string*> curve = Text(jwk, "crv");
  if (!curve.ok()) return curve.status();
  if (*curve == nullptr || **curve != "P-256") return Wrong("has a crv other than P-256");
  const absl::StatusOr<std::string> x = Decoded(jwk, "x");
  if (!x.ok()) return x.status();
  const absl::StatusOr<std::string> y = Decoded(jwk, "y");
  if (!y.ok()) return y.status();
  if (x->size() != kP256Bytes || y->size() != kP256Bytes) {
    return Wrong("has an x or y that is not of 32 bytes");
  }
  const std::string point = absl::StrCat("\x04", *x, *y);  // uncompressed
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  return MakePublic("EC", params.get());
}

absl::Status Key::ReadSecret(const json::object& jwk) {
  if (absl::Status fields = CheckFields(jwk, std::array{"k"}); !fields.ok()) return fields;
  absl::StatusOr<std::string> secret = Decoded(jwk, "k");
  if (!secret.ok()) return secret.status();
  if (secret->size() < kHmacBytesMin || secret->size() > kHmacBytesMax) {
    return Wrong(absl::StrCat("has a secret that is not of ", kHmacBytesMin, " to ", kHmacBytesMax,
                              " bytes"));
  }
  secret_ = *std::move(secret);
  return absl::OkStatus();
}

absl::Status Key::MakePublic(const char* type, OSSL_PARAM* params) {
  const Owned<EVP_PKEY_CTX> maker(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = params != nullptr && maker && EVP_PKEY_fromdata_init(maker.get()) == 1 &&
                    EVP_PKEY_fromdata(maker.get(), &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
  public_.reset(key);
  if (made) {
    const Owned<EVP_PKEY_CTX> checker(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (checker && EVP_PKEY_public_check(checker.get()) == 1) return absl::OkStatus();
  }
  ERR_clear_error();
  return Wrong(absl::StrCat("has a bad ", type, " key"));
}

bool Key::Verify(std::string_view signed_text, std::string_view signature) const {
  switch (alg_) {
    case Alg::kRs256:
      return VerifyPublic(public_.get(), signed_text, signature);
    case Alg::kEs256: {
      const std::string der = DerOfEs256(signature);
      return !der.empty() && VerifyPublic(public_.get(), signed_text, der);
    }
    case Alg::kHs256:
      return VerifyHmac(secret_, signed_text, signature);
  }
  return false;
}

}  // namespace seatlock::jwt
