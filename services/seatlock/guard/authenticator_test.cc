#include "services/seatlock/guard/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/tokens.h"

namespace seatlock::guard {
namespace {

namespace json = boost::json;
using ::seatlock::testing::FakeClock;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::Jwks;
using ::seatlock::testing::TokenKey;
using ::testing::HasSubstr;

std::string Line(const std::string& id, const std::string& key, ScopeSet scopes) {
  return absl::StrCat(KeyLine(id, Sha256(key), scopes), "\n");
}

class AuthenticatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    files_.keys = dir_.File("keys");
    files_.jwks = dir_.File("jwks");
    Write(files_.keys, Line("shop", "key", {Scope::kLock}));
    Write(files_.jwks, Jwks({signer_}));
  }
  // In one step, as whoever replaces a file should.
  void Write(const std::string& path, const std::string& text) {
    std::ofstream(path + ".new", std::ios::binary) << text;
    std::filesystem::rename(path + ".new", path);
  }
  void Open() {
    auto opened = Authenticator::Open(
        files_, clock_, [this](const auto&, const auto& status) { reports_.push_back(status); });
    ASSERT_THAT(opened, IsOk());
    guard_ = *std::move(opened);
  }
  void ReadAnew() {
    for (int i = 0; i < 2; ++i) {
      clock_.AdvanceMs(1000);
      guard_->Tick();
    }
  }
  // The principal, or why there is none.
  std::string Who(const std::string& secret) {
    Credentials credentials;
    const std::string header = absl::StrCat("Bearer ", secret);
    credentials.authorization = header;
    return Who(credentials);
  }
  std::string Who(const Credentials& credentials) {
    const auto verdict = guard_->Check(credentials);
    if (const auto* identity = std::get_if<Identity>(&verdict)) return identity->principal;
    constexpr const char* kNames[] = {"missing", "invalid", "expired"};
    return kNames[static_cast<int>(std::get<Denied>(verdict))];
  }
  std::string Token(json::object claims = {}) {
    json::object all{{"sub", "office"}, {"exp", clock_.NowMs() / 1000 + 60}, {"scope", "book x"}};
    for (const auto& claim : claims) all[claim.key()] = claim.value();
    return signer_.Sign(all);
  }

  testing::TempDir dir_;
  FakeClock clock_;
  const TokenKey signer_ = TokenKey::Es256("one");
  AuthFiles files_;
  std::vector<absl::Status> reports_;
  std::unique_ptr<Authenticator> guard_;
};

TEST_F(AuthenticatorTest, KnowsKeysAndTokens) {
  Open();
  EXPECT_EQ(Who("key"), "shop");
  EXPECT_EQ(Who("kez"), "invalid");
  EXPECT_EQ(Who(Token()), "office");
  EXPECT_EQ(Who(Token({{"exp", 1}})), "expired");
  EXPECT_EQ(Who(TokenKey::Es256("one").Sign({{"sub", "x"}, {"exp", 9'999'999'999}})), "invalid");
  EXPECT_EQ(Who(Token({{"sub", ""}})), "invalid");
  EXPECT_EQ(Who(Token({{"sub", "\xc2\x85"}})), "invalid");
  const std::string header = absl::StrCat("bEARER ", Token());
  const auto verdict = guard_->Check({.authorization = header});
  EXPECT_EQ(std::get<Identity>(verdict).scopes, ScopeSet({Scope::kBook}));
}

TEST_F(AuthenticatorTest, TheHeaderIsTakenOnlyAsItShouldBe) {
  Open();
  EXPECT_EQ(Who(Credentials{}), "missing");
  for (const char* text : {"", "Bearer", "Bearer ", "key", "Basic key", "Bearer  key"}) {
    EXPECT_EQ(Who(Credentials{.authorization = text}), "invalid") << text;
  }
  EXPECT_EQ(Who(Credentials{.authorization = "Bearer key", .several = true}), "invalid");
}

TEST_F(AuthenticatorTest, AKeyThatIsStruckOffIsRefusedOnceTheFileWasRead) {
  Open();
  Write(files_.keys, Line("other", "new", {Scope::kLock}));
  EXPECT_EQ(Who("key"), "shop");
  ReadAnew();
  EXPECT_EQ(Who("key"), "invalid");
  EXPECT_EQ(Who("new"), "other");
  // A file that cannot be used changes nothing.
  Write(files_.keys, "nonsense");
  ReadAnew();
  EXPECT_EQ(Who("new"), "other");
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_THAT(std::string(reports_[1].message()), HasSubstr("keys:1: "));
}

TEST_F(AuthenticatorTest, ATokenIsRememberedUntilItEndsOrItsKeyIsStruckOff) {
  Open();
  const std::string token = Token();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Who(token), "office");
  clock_.AdvanceMs(59'999);
  EXPECT_EQ(Who(token), "office");
  clock_.AdvanceMs(1);
  EXPECT_EQ(Who(token), "expired");
  const std::string fresh = Token();
  EXPECT_EQ(Who(fresh), "office");
  Write(files_.jwks, Jwks({TokenKey::Es256("two")}));
  ReadAnew();
  EXPECT_EQ(Who(fresh), "invalid");
}

TEST_F(AuthenticatorTest, WithoutAFileNothingOfItsKindIsTaken) {
  files_.jwks = "";
  Open();
  EXPECT_EQ(Who(Token()), "invalid");
  EXPECT_EQ(Who("key"), "shop");
  files_.jwks = dir_.File("jwks");
  files_.keys = "";
  Open();
  EXPECT_EQ(Who("key"), "invalid");
  EXPECT_EQ(Who(Token()), "office");
}

TEST_F(AuthenticatorTest, ACertificateCountsIfThereIsNoHeader) {
  const std::string digest = Sha256("what a certificate would be");
  const auto bring = [](std::string text) { return [text] { return text; }; };
  Open();
  const std::string hex = absl::BytesToHexString(digest);
  EXPECT_EQ(Who(Credentials{.certificate_sha256 = bring(hex)}), "missing");
  Write(files_.keys, absl::StrCat("office cert:", hex, " book\n"));
  ReadAnew();
  EXPECT_EQ(Who(Credentials{.certificate_sha256 = bring(hex)}), "office");
  EXPECT_EQ(Who(Credentials{.certificate_sha256 = bring("")}), "missing");
  EXPECT_EQ(Who(Credentials{.authorization = "Bearer no", .certificate_sha256 = bring(hex)}),
            "invalid");
}

TEST_F(AuthenticatorTest, ASharedSecretIsRefusedAtStart) {
  Write(files_.jwks, Jwks({TokenKey::Hs256("k", std::string(32, 's'))}));
  const auto opened = Authenticator::Open(files_, clock_, [](const auto&, const auto&) {});
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr(files_.jwks));
}

TEST(TokenMemoryTest, KeepsABoundedNumber) {
  TokenMemory memory;
  const TokenMemory::Keys keys = std::make_shared<int>(1);
  memory.Remember(keys, "in use", {{"me", {}}, 1});
  for (size_t i = 0; i < 10 * TokenMemory::kGenerationMax; ++i) {
    memory.Remember(keys, absl::StrCat(i), {{"other", {}}, 1});
    ASSERT_TRUE(memory.Find(keys, "in use").has_value()) << i;
    ASSERT_LE(memory.size(), 2 * TokenMemory::kGenerationMax);
  }
  EXPECT_FALSE(memory.Find(keys, "0").has_value());
}

}  // namespace
}  // namespace seatlock::guard
