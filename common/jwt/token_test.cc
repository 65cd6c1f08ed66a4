#include "common/jwt/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/jwt/limits.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tokens.h"

namespace seatlock::jwt {
namespace {

namespace json = boost::json;
using ::seatlock::testing::Base64Url;
using ::seatlock::testing::Jwks;
using ::seatlock::testing::TokenKey;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kNowS = 1'800'000'000;
const std::string kSecret(32, 's');

KeySet SetOf(const std::vector<TokenKey>& keys) {
  auto set = KeySet::Parse(Jwks(keys), SharedSecrets::kAllowed);
  EXPECT_THAT(set, testing::IsOk());
  return *std::move(set);
}

json::object Claimed(json::object more = {}) {
  json::object claims{{"sub", "box-office"}, {"exp", kNowS + 60}};
  for (const auto& claim : more) claims[claim.key()] = claim.value();
  return claims;
}

// What is wrong with a token, "expired" or "" if nothing is.
std::string Fault(const KeySet& set, const std::string& token, const Expected& expected = {}) {
  const auto verdict = Verify(set, token, expected, kNowS * 1000);
  const auto* rejected = std::get_if<Rejected>(&verdict);
  if (rejected == nullptr) return "";
  return rejected->expired ? "expired" : rejected->message;
}

TEST(TokenTest, EachAlgorithmIsTaken) {
  for (const TokenKey& key :
       {TokenKey::Es256("k"), TokenKey::Rs256("k"), TokenKey::Hs256("k", kSecret)}) {
    const KeySet set = SetOf({key});
    const std::string token = key.Sign(Claimed({{"scope", "lock book"}}));
    const auto verdict = Verify(set, token, {}, kNowS * 1000);
    const auto* claims = std::get_if<Claims>(&verdict);
    ASSERT_NE(claims, nullptr) << Fault(set, token);
    EXPECT_EQ(claims->subject, "box-office");
    EXPECT_THAT(claims->scopes, ElementsAre("lock", "book"));
    EXPECT_EQ(claims->expire_ms, (kNowS + 60) * 1000);
  }
}

TEST(TokenTest, AnyChangeOfATokenIsNoticed) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({key});
  const std::string token = key.Sign(Claimed());
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'z', '-', '.', '='}) {
      std::string changed = token;
      if (changed[i] == c) continue;
      changed[i] = c;
      EXPECT_NE(Fault(set, changed), "") << "byte " << i;
    }
  }
}

TEST(TokenTest, ATokenNeverChoosesItsAlgorithm) {
  const TokenKey rsa = TokenKey::Rs256("k");
  const KeySet set = SetOf({rsa});
  // The public key, which everybody may know, taken for a secret.
  const TokenKey forged = TokenKey::Hs256("k", std::string(rsa.Jwk().at("n").as_string().c_str()));
  EXPECT_THAT(Fault(set, forged.Sign(Claimed())), HasSubstr("no key"));
  EXPECT_THAT(Fault(set, rsa.Sign(Claimed(), {{"alg", "none"}})), HasSubstr("alg"));
  EXPECT_THAT(Fault(set, rsa.Sign(Claimed(), {{"alg", "RS512"}})), HasSubstr("alg"));
  EXPECT_THAT(Fault(set, rsa.Sign(Claimed(), {{"alg", "ES256"}})), HasSubstr("no key"));
  const std::string none = absl::StrCat(Base64Url(R"({"alg":"none"})"), ".",
                                        Base64Url(R"({"sub":"x","exp":9999999999})"), ".");
  EXPECT_THAT(Fault(set, none), HasSubstr("alg"));
}

TEST(TokenTest, TheKeyIdPicksTheKeyAndWithoutOneAllAreTried) {
  const TokenKey before = TokenKey::Es256("before");
  const TokenKey now = TokenKey::Es256("now");
  const KeySet set = SetOf({before, now});
  EXPECT_EQ(Fault(set, before.Sign(Claimed())), "");
  EXPECT_EQ(Fault(set, now.Sign(Claimed())), "");
  EXPECT_NE(Fault(set, now.Sign(Claimed(), {{"kid", "before"}})), "");
  EXPECT_NE(Fault(set, now.Sign(Claimed(), {{"kid", "other"}})), "");
  const TokenKey nameless = TokenKey::Es256("");
  const KeySet mixed = SetOf({before, nameless});
  EXPECT_EQ(Fault(mixed, nameless.Sign(Claimed())), "");
  EXPECT_NE(Fault(set, nameless.Sign(Claimed())), "");
}

TEST(TokenTest, TheHeaderMayAskForNothing) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({key});
  EXPECT_THAT(Fault(set, key.Sign(Claimed(), {{"crit", json::array{"b64"}}})), HasSubstr("crit"));
  EXPECT_THAT(Fault(set, key.Sign(Claimed(), {{"typ", "logout+jwt"}})), HasSubstr("typ"));
  EXPECT_EQ(Fault(set, key.Sign(Claimed(), {{"typ", "at+jwt"}})), "");
}

TEST(TokenTest, TimesAreKept) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({key});
  const auto fault = [&](json::object more) { return Fault(set, key.Sign(Claimed(more))); };
  EXPECT_EQ(fault({{"exp", kNowS}}), "expired");
  EXPECT_EQ(fault({{"exp", kNowS + 1}}), "");
  EXPECT_EQ(fault({{"exp", kNowS + 0.5}}), "");
  EXPECT_THAT(fault({{"exp", "soon"}}), HasSubstr("exp"));
  EXPECT_THAT(fault({{"exp", -1}}), HasSubstr("exp"));
  EXPECT_THAT(fault({{"exp", 1e300}}), HasSubstr("exp"));
  EXPECT_THAT(Fault(set, key.Sign({{"sub", "x"}})), HasSubstr("no exp"));
  EXPECT_EQ(fault({{"nbf", kNowS + 60}, {"iat", kNowS + 60}}), "");
  EXPECT_THAT(fault({{"nbf", kNowS + 61}}), HasSubstr("nbf"));
  EXPECT_THAT(fault({{"iat", kNowS + 61}}), HasSubstr("iat"));
}

// A forged token must not be told apart from others by being old.
TEST(TokenTest, OnlyATokenThatIsGoodInAllElseHasExpired) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({TokenKey::Es256("k")});
  EXPECT_THAT(Fault(set, key.Sign(Claimed({{"exp", 1}}))), HasSubstr("no key"));
}

TEST(TokenTest, IssuerAndAudienceCountIfTheyAreAskedFor) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({key});
  const auto fault = [&](json::object more) {
    return Fault(set, key.Sign(Claimed(more)), {.issuer = "us", .audience = "seats"});
  };
  EXPECT_EQ(fault({{"iss", "us"}, {"aud", "seats"}}), "");
  EXPECT_EQ(fault({{"iss", "us"}, {"aud", json::array{"else", "seats"}}}), "");
  EXPECT_THAT(fault({{"aud", "seats"}}), HasSubstr("issuer"));
  EXPECT_THAT(fault({{"iss", "them"}, {"aud", "seats"}}), HasSubstr("issuer"));
  EXPECT_THAT(fault({{"iss", "us"}}), HasSubstr("audience"));
  EXPECT_THAT(fault({{"iss", "us"}, {"aud", "seat"}}), HasSubstr("audience"));
  EXPECT_THAT(fault({{"iss", "us"}, {"aud", json::array{}}}), HasSubstr("audience"));
}

TEST(TokenTest, ClaimsOfBrowsersAreRead) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({key});
  const auto claims = [&](json::object more) {
    const auto verdict = Verify(set, key.Sign(Claimed(more)), {}, kNowS * 1000);
    const auto* read = std::get_if<Claims>(&verdict);
    return read == nullptr ? Claims{} : *read;
  };
  EXPECT_TRUE(claims({{"showtimes", "*"}}).all_showtimes);
  EXPECT_THAT(claims({{"showtimes", json::array{"1", "2"}}}).showtimes, ElementsAre("1", "2"));
  EXPECT_EQ(claims({{"origin", "https://a.example"}}).origin, "https://a.example");
  EXPECT_FALSE(claims({}).all_showtimes);
  const auto fault = [&](json::object more) { return Fault(set, key.Sign(Claimed(more))); };
  EXPECT_THAT(fault({{"showtimes", "1"}}), HasSubstr("showtimes"));
  EXPECT_THAT(fault({{"showtimes", json::array{1}}}), HasSubstr("showtimes"));
  EXPECT_THAT(fault({{"sub", std::string(129, 'x')}}), HasSubstr("sub"));
  EXPECT_THAT(fault({{"sub", "a\nb"}}), HasSubstr("sub"));
  EXPECT_THAT(fault({{"scope", json::array{"lock"}}}), HasSubstr("scope"));
}

TEST(TokenTest, WhatIsNoTokenIsRefused) {
  const TokenKey key = TokenKey::Es256("k");
  const KeySet set = SetOf({key});
  for (const std::string& text : std::vector<std::string>{
           "", ".", "..", "...", "a.b.c", "x", std::string(kTokenBytesMax + 1, 'a'),
           absl::StrCat(key.Sign(Claimed()), "="), absl::StrCat(" ", key.Sign(Claimed())),
           absl::StrCat(key.Sign(Claimed()), "."), std::string(100, '\0')}) {
    EXPECT_NE(Fault(set, text), "") << text;
  }
}

}  // namespace
}  // namespace seatlock::jwt
