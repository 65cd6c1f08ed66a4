#include "common/jwt/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/jwt/limits.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tokens.h"

namespace seatlock::jwt {
namespace {

namespace json = boost::json;
using ::seatlock::testing::Base64Url;
using ::seatlock::testing::TokenKey;
using ::testing::HasSubstr;

const TokenKey& Ec() {
  static const TokenKey key = TokenKey::Es256("ec");
  return key;
}
const TokenKey& Rsa() {
  static const TokenKey key = TokenKey::Rs256("rsa");
  return key;
}
TokenKey Secret(size_t bytes = 32) {
  return TokenKey::Hs256("secret", std::string(bytes, 's'));
}

std::string Fault(const std::string& text, SharedSecrets secrets = SharedSecrets::kAllowed) {
  const auto set = KeySet::Parse(text, secrets);
  return set.ok() ? "" : std::string(set.status().message());
}

// What is wrong with a set of one key, whose fields `changes` replaces (null: takes away).
std::string FaultOf(const TokenKey& key, const json::object& changes = {},
                    SharedSecrets secrets = SharedSecrets::kAllowed) {
  json::object jwk = key.Jwk();
  for (const auto& change : changes) {
    if (change.value().is_null()) {
      jwk.erase(change.key());
    } else {
      jwk[change.key()] = change.value();
    }
  }
  return Fault(json::serialize(json::object{{"keys", json::array{jwk}}}), secrets);
}

TEST(KeySetTest, TakesWhatIssuersPublish) {
  EXPECT_EQ(FaultOf(Ec()), "");
  EXPECT_EQ(FaultOf(Rsa()), "");
  EXPECT_EQ(FaultOf(Secret()), "");
  EXPECT_EQ(FaultOf(Rsa(), {{"x5c", json::array{"MIIB"}}, {"x5t#S256", "abc"}}), "");
  EXPECT_EQ(FaultOf(Ec(), {{"use", nullptr}, {"key_ops", json::array{"verify"}}}), "");
}

TEST(KeySetTest, SharedSecretsAreTakenWhereTheyAreAllowedAlone) {
  EXPECT_THAT(FaultOf(Secret(), {}, SharedSecrets::kRefused), HasSubstr("shared secret"));
  EXPECT_EQ(FaultOf(Ec(), {}, SharedSecrets::kRefused), "");
}

TEST(KeySetTest, RefusesWeakKeys) {
  EXPECT_THAT(FaultOf(TokenKey::Rs256("k", 1024)), HasSubstr("2048 bits"));
  EXPECT_THAT(FaultOf(Secret(31)), HasSubstr("32"));
  EXPECT_THAT(FaultOf(Rsa(), {{"e", Base64Url("\x01")}}), HasSubstr("exponent"));
  EXPECT_THAT(FaultOf(Rsa(), {{"e", Base64Url("\x04")}}), HasSubstr("exponent"));
  EXPECT_THAT(FaultOf(Rsa(), {{"n", Base64Url(std::string(1025, '\xff'))}}),
              HasSubstr("too large"));
  EXPECT_THAT(FaultOf(Rsa(), {{"n", Base64Url(std::string(256, '\0'))}}), HasSubstr("2048"));
}

TEST(KeySetTest, RefusesOtherAlgorithms) {
  EXPECT_THAT(FaultOf(Ec(), {{"alg", nullptr}}), HasSubstr("no alg"));
  for (const char* alg : {"none", "HS512", "RS512", "PS256", "ES384", "RSA-OAEP", "es256"}) {
    EXPECT_THAT(FaultOf(Ec(), {{"alg", alg}}), HasSubstr("alg")) << alg;
  }
  EXPECT_THAT(FaultOf(Ec(), {{"alg", "RS256"}}), HasSubstr("kty"));
  EXPECT_THAT(FaultOf(Ec(), {{"alg", 1}}), HasSubstr("alg"));
  EXPECT_THAT(FaultOf(Ec(), {{"kty", "OKP"}}), HasSubstr("kty"));
  EXPECT_THAT(FaultOf(Ec(), {{"kty", nullptr}}), HasSubstr("kty"));
  EXPECT_THAT(FaultOf(Ec(), {{"crv", "P-384"}}), HasSubstr("crv"));
  EXPECT_THAT(FaultOf(Ec(), {{"crv", "secp256k1"}}), HasSubstr("crv"));
}

TEST(KeySetTest, RefusesKeysForSomethingElse) {
  EXPECT_THAT(FaultOf(Ec(), {{"use", "enc"}}), HasSubstr("use"));
  EXPECT_THAT(FaultOf(Ec(), {{"key_ops", json::array{"encrypt"}}}), HasSubstr("key_ops"));
  EXPECT_THAT(FaultOf(Ec(), {{"key_ops", json::array{"sign"}}}), HasSubstr("key_ops"));
  EXPECT_THAT(FaultOf(Ec(), {{"key_ops", json::array{}}}), HasSubstr("key_ops"));
  EXPECT_THAT(FaultOf(Ec(), {{"d", "AAAA"}}), HasSubstr("private"));
  EXPECT_THAT(FaultOf(Ec(), {{"revoked", true}}), HasSubstr("not known"));
  EXPECT_THAT(FaultOf(Ec(), {{"n", "AAAA"}}), HasSubstr("not known"));
}

TEST(KeySetTest, RefusesBadPointsAndNumbers) {
  EXPECT_THAT(FaultOf(Ec(), {{"x", Base64Url(std::string(32, '\x01'))}}), HasSubstr("bad EC"));
  EXPECT_THAT(FaultOf(Ec(), {{"x", Base64Url(std::string(31, '\x01'))}}), HasSubstr("32 bytes"));
  EXPECT_THAT(FaultOf(Ec(), {{"x", "a b"}}), HasSubstr("base64url"));
  EXPECT_THAT(FaultOf(Ec(), {{"y", nullptr}}), HasSubstr("needs y"));
  EXPECT_THAT(FaultOf(Rsa(), {{"n", 5}}), HasSubstr("n"));
}

TEST(KeySetTest, RefusesWhatIsNoSet) {
  for (const char* text : {"", "{", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})",
                           R"({"keys":[1]})", R"({"keys":[[[[[[[[[[]]]]]]]]]]})"}) {
    EXPECT_NE(Fault(text), "") << text;
  }
  json::object set{{"keys", json::array{Ec().Jwk()}}, {"more", 1}};
  EXPECT_THAT(Fault(json::serialize(set)), HasSubstr("nothing else"));
  EXPECT_THAT(Fault(std::string(kJwksBytesMax + 1, ' ')), HasSubstr("bytes"));
  json::array many;
  for (size_t i = 0; i <= kKeysMax; ++i) {
    many.push_back(TokenKey::Hs256(absl::StrCat(i), std::string(32, 's')).Jwk());
  }
  EXPECT_THAT(Fault(json::serialize(json::object{{"keys", many}})), HasSubstr("16"));
  EXPECT_THAT(Fault(json::serialize(json::object{{"keys", json::array{Ec().Jwk(), Ec().Jwk()}}})),
              HasSubstr("key 2 has the kid of another"));
}

// A secret that is a byte too short still is one that somebody may use elsewhere.
TEST(KeySetTest, ErrorsRepeatNoKey) {
  const std::string secret = "correct-horse-battery-staple";
  const std::string fault = FaultOf(TokenKey::Hs256("k", secret));
  EXPECT_NE(fault, "");
  EXPECT_THAT(fault, Not(HasSubstr(secret)));
  EXPECT_THAT(fault, Not(HasSubstr(Base64Url(secret))));
}

}  // namespace
}  // namespace seatlock::jwt
