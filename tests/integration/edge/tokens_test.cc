// Browsers' tokens on a real edge: who is let in, who sees whose seats, and how keys are changed.
#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "tests/integration/edge/edge_test_base.h"
#include "tests/testing/eventually.h"
#include "tests/testing/http_get.h"
#include "tests/testing/seed.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/token_file.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kLongS = 3600;

class TokensTest : public EdgeTest {
 protected:
  TokensTest() {
    WriteJwks(jwks(), {key_});
    StartEdgeWith({"--token-jwks=" + jwks(), "--require-token"});
  }

  std::string jwks() const { return dir_.File("jwks.json"); }

  static int64_t NowS() { return base::SystemClock().NowMs() / 1000; }
  std::string TokenOf(const TokenKey& key, const std::string& session_id, int64_t life_s = kLongS,
                      boost::json::object more = {{"showtimes", "*"}}) {
    if (!session_id.empty()) more["sub"] = session_id;
    more["exp"] = NowS() + life_s;
    std::string token = key.Sign(more);
    used_.insert(token);
    return token;
  }
  std::string Token(const std::string& session_id, int64_t life_s = kLongS) {
    return TokenOf(key_, session_id, life_s);
  }
  static std::string With(const std::string& token) { return R"(,"token":")" + token + "\""; }

  // Neither in logs nor on the admin pages.
  void ExpectNoTokenIsTold() {
    std::string told;
    for (const auto& line : edge_->process().StdoutLines()) told += line + "\n";
    for (const auto& line : edge_->process().StderrLines()) told += line + "\n";
    const auto metrics = HttpGet(edge_->admin_address(), "/metrics");
    if (metrics.ok()) told += metrics->body;
    for (const std::string& token : used_) {
      EXPECT_THAT(told, Not(HasSubstr(token)));
      EXPECT_THAT(told, Not(HasSubstr(token.substr(token.rfind('.') + 1))));
    }
  }

  TempDir dir_;
  TokenKey key_ = TokenKey::Hs256("a", std::string(32, 'a'));
  std::set<std::string> used_;
};

TEST_F(TokensTest, EveryAlgorithmIsTaken) {
  const TokenKey rs = TokenKey::Rs256("r");
  const TokenKey es = TokenKey::Es256("e");
  WriteJwks(jwks(), {key_, rs, es});
  StartEdgeWith({"--token-jwks=" + jwks(), "--require-token"});
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "me")}));
  for (const TokenKey& key : {key_, rs, es}) {
    auto client = Connect();
    Subscribe(*client, "1", With(TokenOf(key, "me")));
    const auto subscribed = client->NextOfType("subscribed");
    ASSERT_THAT(subscribed, IsOk());
    EXPECT_EQ(subscribed->at("yourSeats").as_array().size(), 1U);
  }
  ExpectNoTokenIsTold();
}

TEST_F(TokensTest, WithoutATokenThereIsNoSubscriptionAndTheConnectionLivesOn) {
  auto client = Connect();
  Subscribe(*client, "1", R"(,"sessionId":"me")");
  EXPECT_EQ(ErrorCode(*client), "TOKEN_REQUIRED");
  Subscribe(*client, "1", With(Token("")));
  EXPECT_THAT(client->NextOfType("subscribed"), IsOk());
}

TEST_F(TokensTest, WhatATokenIsNotGoodForClosesWithItsCode) {
  const auto close_code = [this](const std::string& token, WsClient::Options options = {}) {
    auto client = Connect(options);
    Subscribe(*client, "1", With(token));
    return client->WaitForClose().value_or(-1);
  };
  const TokenKey forged = TokenKey::Hs256("a", std::string(32, 'x'));
  EXPECT_EQ(close_code("nonsense"), 4001);
  EXPECT_EQ(close_code(""), 4001);
  EXPECT_EQ(close_code(TokenOf(forged, "me")), 4001);
  EXPECT_EQ(close_code(key_.Sign({{"sub", "me"}, {"showtimes", "*"}})), 4001);
  EXPECT_EQ(close_code(TokenOf(key_, "me", kLongS, {{"showtimes", boost::json::array{"2"}}})),
            4003);
  EXPECT_EQ(close_code(TokenOf(key_, "me", -1)), 4202);
  const std::string here = "http://127.0.0.1:3000";
  EXPECT_EQ(close_code(TokenOf(key_, "me", kLongS,
                               {{"showtimes", "*"}, {"origin", "https://elsewhere.example"}}),
                       {.headers = {{"Origin", here}}}),
            4003);
  ExpectNoTokenIsTold();
}

TEST_F(TokensTest, EndClosesTheConnectionUnlessAFreshOneCame) {
  auto lapsing = Follow("1", With(Token("me", 3)));
  auto refreshed = Follow("1", With(Token("me", 3)));
  Subscribe(*refreshed, "1", With(Token("me")));
  EXPECT_THAT(lapsing->WaitForClose(), IsOkAndHolds(4202));
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "me")}));
  // Nothing was sent for the refresh: the change is the next that comes.
  const auto frame = refreshed->NextJson();
  ASSERT_THAT(frame, IsOk());
  EXPECT_EQ(frame->at("type").as_string(), "seat_status_change");
  EXPECT_EQ(frame->at("sessionId").as_string(), "me");
}

TEST_F(TokensTest, ChangingTheKeyAsDocumentedClosesNoPage) {
  const TokenKey next = TokenKey::Hs256("b", std::string(32, 'b'));
  auto page = Follow("1", With(Token("me", 30)));
  // Beside the old one. The file is read anew, so tokens of the new key are taken at some time.
  WriteJwks(jwks(), {key_, next});
  const auto taken = [this](const TokenKey& key) {
    auto client = Connect();
    Subscribe(*client, "1", With(TokenOf(key, "me")));
    return client->NextOfType("subscribed").ok();
  };
  EXPECT_TRUE(Eventually([&] { return taken(next); }));
  // The page fetches its next token in time, which is of the new key; then the old one goes.
  Subscribe(*page, "1", With(TokenOf(next, "me", 60)));
  WriteJwks(jwks(), {next});
  EXPECT_TRUE(Eventually([&] { return !taken(key_); }));
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "me")}));
  const auto frame = page->NextJson();
  ASSERT_THAT(frame, IsOk());
  EXPECT_EQ(frame->at("sessionId").as_string(), "me");
  EXPECT_EQ(page->close_code(), 0);
  ExpectNoTokenIsTold();
}

TEST_F(TokensTest, BadFileOfKeysLeavesTheOldOnes) {
  const std::string draft = jwks() + ".draft";
  std::ofstream(draft) << R"({"keys":[{"kty":"oct"}]})";
  ASSERT_EQ(std::rename(draft.c_str(), jwks().c_str()), 0);
  EXPECT_THAT(edge_->process().WaitForText("cannot be used", WsClient::kPatience), IsOk());
  EXPECT_NE(Follow("1", With(Token("me"))), nullptr);
}

TEST_F(TokensTest, PagesOfAnotherHostAreRefusedUnlessOriginsAreNamed) {
  const auto connects = [this](const std::string& origin) {
    return WsClient::Connect("127.0.0.1", port_, {.headers = {{"Origin", origin}}}).ok();
  };
  EXPECT_TRUE(connects("http://127.0.0.1:3000"));
  EXPECT_TRUE(connects("http://localhost:3000"));
  EXPECT_FALSE(connects("https://elsewhere.example"));
  StartEdgeWith({"--token-jwks=" + jwks(), "--allowed-origins=https://elsewhere.example"});
  EXPECT_TRUE(connects("https://elsewhere.example"));
  EXPECT_FALSE(connects("http://127.0.0.1:3000"));
}

TEST_F(TokensTest, WrongSettingsAreOneLine) {
  const auto refused = [this](std::vector<std::string> args) {
    ProgramOptions options;
    options.binary = EDGE_BINARY;
    options.upstream = service_.address();
    options.args = std::move(args);
    const auto edge = StartEdge(options);
    return edge.ok() ? "it started" : std::string(edge.status().message());
  };
  EXPECT_THAT(refused({"--require-token"}), HasSubstr("--require-token needs --token-jwks"));
  EXPECT_THAT(refused({"--token-jwks=/nowhere/jwks"}), HasSubstr("/nowhere/jwks"));
  std::ofstream(dir_.File("weak")) << R"({"keys":[{"kty":"oct","alg":"HS256","k":"c2hvcnQ"}]})";
  const std::string weak = refused({"--token-jwks=" + dir_.File("weak")});
  EXPECT_THAT(weak, HasSubstr("--token-jwks"));
  EXPECT_THAT(weak, Not(HasSubstr("c2hvcnQ")));
}

// ---- A viewer never sees another session's seats
// -------------------------------------------------

// Plays browsers that subscribe as they like, with tokens good and bad, and judges every frame: a
// seat's `sessionId`, `expiresAt` and `yourSeats` may reach only whom a good token named. Seats are
// called by their holder ("s3.17"), so that the judge needs no memory of them.
class Guesser {
 public:
  static constexpr int kSessions = 8;
  static constexpr int kShowtimes = 3;

  explicit Guesser(uint64_t seed) : random_(seed) {}

  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  std::string Session() { return "s" + std::to_string(Below(kSessions)); }
  std::string Showtime() { return std::to_string(1 + Below(kShowtimes)); }

  // A new connection proved nothing.
  void Begin() { proven_.clear(); }
  // The edge has answered `subscribed` to a subscribe by which `session` was proven.
  void Proven(const std::string& showtime, const std::string& session) {
    proven_[showtime] = session;
  }

  void Judge(const boost::json::object& frame) {
    const auto* showtime = frame.if_contains("showtimeId");
    if (showtime == nullptr) return;
    const std::string own = proven_[std::string(showtime->as_string())];
    if (const auto* session = frame.if_contains("sessionId")) {
      if (session->as_string() != own) Leaked(frame);
      ++private_frames;
    } else if (frame.contains("expiresAt")) {
      Leaked(frame);
    }
    const auto* seats = frame.if_contains("yourSeats");
    if (seats == nullptr) return;
    for (const auto& seat : seats->as_array()) {
      const std::string id(seat.as_object().at("seatId").as_string());
      if (own.empty() || !id.starts_with(own + ".")) Leaked(frame);
      ++private_frames;
    }
  }

  int private_frames = 0;  // That reached whom they were for.
  int leaks = 0;
  std::string first_leak;

 private:
  void Leaked(const boost::json::object& frame) {
    if (leaks++ == 0) first_leak = boost::json::serialize(frame);
  }

  std::mt19937_64 random_;
  std::map<std::string, std::string> proven_;  // By showtime; empty: a viewer.
};

class GuessingTest : public TokensTest {
 protected:
  static constexpr int kSubscribesAConnection = 50;  // Below every rate of a connection.

  // What a browser says beside the showtime, and whom that proves.
  struct Wish {
    std::string more;
    std::string session;
  };

  void FillShowtimes() {
    for (int showtime = 1; showtime <= Guesser::kShowtimes; ++showtime) {
      for (int session = 0; session < Guesser::kSessions; ++session) {
        Lock(std::to_string(showtime), "s" + std::to_string(session));
      }
    }
    other_ = TokenOf(key_, "s1", kLongS, {{"showtimes", boost::json::array{"elsewhere"}}});
    forged_ = TokenOf(TokenKey::Hs256("a", std::string(32, 'x')), "s1");
    ended_ = TokenOf(key_, "s1", -5);
    viewer_ = Token("");
    for (int session = 0; session < Guesser::kSessions; ++session) {
      const std::string id = "s" + std::to_string(session);
      good_[id] = Token(id);
    }
  }
  void Lock(const std::string& showtime, const std::string& session) {
    service_.Say(showtime,
                 ChangeOf(v1::CHANGE_CAUSE_LOCK,
                          {LockedSeat(session + "." + std::to_string(++seats_ % 20), session)}));
  }

  Wish Choose(Guesser& guesser) {
    const std::string victim = R"(,"sessionId":")" + guesser.Session() + "\"";
    const std::string own = guesser.Session();
    switch (guesser.Below(16)) {
      case 0:
        return {victim + With(forged_), ""};
      case 1:
        return {victim + With(other_), ""};
      case 2:
        return {victim + With(ended_), ""};
      case 3:
      case 4:
      case 5:
        return {victim, ""};
      case 6:
      case 7:
        return {victim + With(viewer_), ""};
      case 8:
        return {victim + R"(,"token":null)", ""};
      default:
        return {victim + With(good_[own]), own};
    }
  }

  // One subscribe and its answer. False: the connection is closed.
  bool Try(WsClient& client, Guesser& guesser) {
    const Wish wish = Choose(guesser);
    const std::string showtime = guesser.Showtime();
    Subscribe(client, showtime, wish.more);
    if (guesser.Below(4) == 0) Lock(guesser.Showtime(), guesser.Session());
    while (true) {
      const auto frame = client.NextJson();
      if (!frame.ok()) {
        EXPECT_NE(client.close_code(), 0) << frame.status();
        return false;
      }
      const auto& type = frame->at("type").as_string();
      const bool answered = type == "subscribed" && frame->at("showtimeId") == showtime;
      if (answered) guesser.Proven(showtime, wish.session);
      guesser.Judge(*frame);
      if (answered || type == "error") return true;
    }
  }

  void Guess(Guesser& guesser, int subscribes) {
    FillShowtimes();
    while (subscribes > 0) {
      auto client = Connect();
      ASSERT_NE(client, nullptr);
      guesser.Begin();
      for (int n = 0; n < kSubscribesAConnection && subscribes > 0; ++n, --subscribes) {
        if (!Try(*client, guesser)) break;
      }
    }
  }

 private:
  int seats_ = 0;
  std::map<std::string, std::string> good_;
  std::string other_, forged_, ended_, viewer_;
};

TEST_F(GuessingTest, ViewerNeverSeesAnotherSessionsSeats) {
  constexpr int kSubscribes = 10'000;
  Guesser guesser(TestSeed());
  Guess(guesser, kSubscribes);
  EXPECT_EQ(guesser.leaks, 0) << guesser.first_leak;
  EXPECT_GT(guesser.private_frames, kSubscribes / 10) << "tokens show their own seats";
  ExpectNoTokenIsTold();
}

// The control: where tokens are not required, a session id that is known shows its seats, and the
// judge sees it.
TEST_F(GuessingTest, JudgeSeesWhatIsShownWhereTokensAreNotRequired) {
  StartEdgeWith({"--token-jwks=" + jwks()});
  Guesser guesser(TestSeed());
  Guess(guesser, 300);
  EXPECT_GT(guesser.leaks, 0);
}

}  // namespace
}  // namespace seatlock::testing
