// Connections with tokens: whose seats they see, and until when.
#include "edge/fanout/client_tokens.h"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/token_file.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeFeed;
using ::seatlock::testing::FakePeer;
using ::seatlock::testing::FakeThread;
using ::seatlock::testing::LockedSeat;
using ::seatlock::testing::SubscribeText;
using ::seatlock::testing::TokenFile;
using ::seatlock::testing::TypesOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int64_t kLifeMs = 600'000;

class ClientTokensTest : public ::testing::Test {
 protected:
  ClientTokensTest() { Require(true); }

  void Require(bool required) {
    peer_.reset();
    thread_.reset();
    gate_ = std::make_unique<TokenGate>(TokenRules{&file_.keys(), &machine_, required});
    thread_ = std::make_unique<FakeThread>(64 << 20, gate_.get());
    feed_ = &thread_->feeds.of("1");
    Connect();
  }
  void Connect(const std::string& origin = "") {
    peer_ = std::make_unique<FakePeer>(*thread_, false, std::make_unique<ClientTokens>(origin));
    peer_->Take();
  }

  std::string Token(const std::string& session_id, int64_t life_ms = kLifeMs,
                    boost::json::object more = {{"showtimes", "*"}}) {
    if (!session_id.empty()) more["sub"] = session_id;
    more["exp"] = static_cast<double>(machine_.NowMs() + life_ms) / 1000;
    return file_.key().Sign(more);
  }
  static std::string With(const std::string& token, const std::string& showtime = "1",
                          const std::string& session_id = "") {
    std::string text = SubscribeText(showtime, session_id);
    text.pop_back();
    return text + R"(,"token":")" + token + "\"}";
  }
  // Both clocks, while the peer answers pings.
  void PassMs(int64_t ms) {
    for (int64_t passed = 0; passed < ms; passed += kTickMs) {
      peer_->client.OnPong();
      machine_.AdvanceMs(kTickMs);
      thread_->PassMs(kTickMs);
    }
  }
  void FollowAs(const std::string& session_id, int64_t life_ms = kLifeMs) {
    peer_->Say(With(Token(session_id, life_ms)));
    feed_->Snapshot({"e", 3}, {LockedSeat("A1", "me"), LockedSeat("A2", "other")});
  }

  TokenFile file_;
  ::seatlock::testing::FakeClock machine_;
  std::unique_ptr<TokenGate> gate_;
  std::unique_ptr<FakeThread> thread_;
  FakeFeed* feed_ = nullptr;
  std::unique_ptr<FakePeer> peer_;
};

TEST_F(ClientTokensTest, SubjectIsTheSession) {
  FollowAs("me");
  EXPECT_THAT(peer_->Take(), ElementsAre(HasSubstr(R"("yourSeats":[{"seatId":"A1")"),
                                         HasSubstr("current_seat_status")));
  feed_->Say({LockedSeat("A3", "me")});
  feed_->Say({LockedSeat("A4", "other")});
  EXPECT_THAT(peer_->Take(),
              ElementsAre(HasSubstr(R"("sessionId":"me")"), Not(HasSubstr("other"))));
}

TEST_F(ClientTokensTest, SessionIdBesideATokenCountsForNothing) {
  peer_->Say(With(Token(""), "1", "other"));
  feed_->Snapshot({"e", 3}, {LockedSeat("A1", "me"), LockedSeat("A2", "other")});
  EXPECT_THAT(peer_->Take(),
              ElementsAre(HasSubstr(R"("yourSeats":[])"), HasSubstr("current_seat_status")));
  feed_->Say({LockedSeat("A3", "other")});
  EXPECT_THAT(peer_->Take(), ElementsAre(Not(HasSubstr("other"))));
}

TEST_F(ClientTokensTest, WithoutOneThereIsNoSubscription) {
  peer_->Say(SubscribeText("1", "me"));
  EXPECT_THAT(peer_->Take(), ElementsAre(AllOf(HasSubstr(R"("code":"TOKEN_REQUIRED")"),
                                               HasSubstr(R"("showtimeId":"1")"))));
  EXPECT_FALSE(feed_->open());
  EXPECT_FALSE(peer_->client.closing());
  EXPECT_EQ(thread_->stats.subscribes_token_required_total, 1);
}

TEST_F(ClientTokensTest, WithoutOneWhatWasFollowedIsOver) {
  FollowAs("me");
  peer_->Take();
  peer_->Say(SubscribeText("1", "me"));
  EXPECT_THAT(peer_->Take(), ElementsAre(HasSubstr("TOKEN_REQUIRED")));
  feed_->Say({LockedSeat("A3", "me")});
  EXPECT_THAT(peer_->Take(), IsEmpty());
}

TEST_F(ClientTokensTest, WhereTheyAreNotRequiredASessionIdStands) {
  Require(false);
  peer_->Say(SubscribeText("1", "me"));
  feed_->Snapshot({"e", 3}, {LockedSeat("A1", "me")});
  EXPECT_THAT(peer_->Take(), Contains(HasSubstr(R"("seatId":"A1","expiresAt")")));
}

TEST_F(ClientTokensTest, BadOneClosesTheConnection) {
  for (const bool required : {true, false}) {
    Require(required);
    peer_->Say(With("x.y.z"));
    EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4001));
    EXPECT_EQ(thread_->stats.subscriptions, 0);
  }
}

TEST_F(ClientTokensTest, OneForAnotherShowtimeClosesTheConnection) {
  peer_->Say(With(Token("me", kLifeMs, {{"showtimes", boost::json::array{"2", "3"}}})));
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4003));
}

TEST_F(ClientTokensTest, OneThatNamesNoShowtimeClosesTheConnection) {
  peer_->Say(With(Token("me", kLifeMs, {})));
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4003));
}

TEST_F(ClientTokensTest, OriginOfATokenMustBeTheConnections) {
  const boost::json::object claims{{"showtimes", "*"}, {"origin", "https://a.example"}};
  for (const auto& [origin, code] : std::map<std::string, std::optional<int>>{
           {"https://a.example", {}}, {"", {}}, {"https://b.example", 4003}, {"null", 4003}}) {
    Connect(origin);
    peer_->Say(With(Token("me", kLifeMs, claims)));
    EXPECT_EQ(peer_->link.close_code, code) << origin;
  }
}

TEST_F(ClientTokensTest, OneThatHasEndedAsksForAFreshOne) {
  const std::string token = Token("me");
  machine_.AdvanceMs(kLifeMs);
  peer_->Say(With(token));
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4202));
}

TEST_F(ClientTokensTest, ItsEndClosesTheConnectionAndNotBefore) {
  FollowAs("me");
  PassMs(kLifeMs - kTickMs);
  EXPECT_FALSE(peer_->client.closing());
  PassMs(2 * kTickMs);
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4202));
}

TEST_F(ClientTokensTest, EndIsByTheMachinesClock) {
  FollowAs("me");
  machine_.AdvanceMs(kLifeMs);  // It was set forward; no time passed.
  PassMs(kPingEveryMs + kTickMs);
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4202));
}

TEST_F(ClientTokensTest, LaterTokenOfTheSameSessionCarriesOnAndNothingIsSent) {
  FollowAs("me");
  peer_->Take();
  PassMs(kLifeMs / 2);
  peer_->Take();
  peer_->Say(With(Token("me")));
  EXPECT_THAT(peer_->Take(), IsEmpty());
  PassMs(kLifeMs - 2 * kTickMs);
  EXPECT_FALSE(peer_->client.closing());
  peer_->Take();
  feed_->Say({LockedSeat("A3", "me")});
  EXPECT_THAT(peer_->Take(), ElementsAre(HasSubstr(R"("sessionId":"me")")));
  PassMs(3 * kTickMs);
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4202));
}

TEST_F(ClientTokensTest, SameTokenAgainIsAFreshSubscribe) {
  const std::string token = Token("me");
  peer_->Say(With(token));
  feed_->Snapshot({"e", 3});
  peer_->Take();
  peer_->Say(With(token));
  EXPECT_THAT(TypesOf(peer_->Take()), ElementsAre("subscribed", "current_seat_status"));
}

TEST_F(ClientTokensTest, TokenOfAnotherSessionIsAFreshSubscribeAsThat) {
  FollowAs("me");
  peer_->Take();
  peer_->Say(With(Token("other", 2 * kLifeMs)));
  EXPECT_THAT(peer_->Take(), ElementsAre(HasSubstr(R"("yourSeats":[{"seatId":"A2")"),
                                         HasSubstr("current_seat_status")));
  feed_->Say({LockedSeat("A3", "me")});
  EXPECT_THAT(peer_->Take(), ElementsAre(Not(HasSubstr(R"("me")"))));
}

TEST_F(ClientTokensTest, WhatIsLeftNeedsNoTokenAnyMore) {
  FollowAs("me", kLifeMs / 2);
  peer_->Say(With(Token("me", kLifeMs), "2"));
  peer_->Say(R"({"type":"unsubscribe","showtimeId":"1"})");
  PassMs(kLifeMs - kTickMs);
  EXPECT_FALSE(peer_->client.closing());
  PassMs(2 * kTickMs);
  EXPECT_THAT(peer_->link.close_code, ::testing::Optional(4202));
}

TEST_F(ClientTokensTest, NoTokenIsEverRepeated) {
  const std::string secret = "c2VjcmV0";
  peer_->Say(With(secret + "." + secret + "." + secret));
  for (const std::string& text : peer_->link.texts) EXPECT_THAT(text, Not(HasSubstr(secret)));
}

// ---- The gate's memory
// ---------------------------------------------------------------------------

TEST_F(ClientTokensTest, TokenOfAKeyThatWasRemovedIsNotRememberedAsGood) {
  const std::string token = Token("me");
  EXPECT_TRUE(std::holds_alternative<TokenGate::Pass>(gate_->Judge(token, "1", "")));
  file_.ReplaceKey();
  EXPECT_TRUE(std::holds_alternative<TokenGate::Refusal>(gate_->Judge(token, "1", "")));
}

TEST_F(ClientTokensTest, RememberedTokenEndsLikeAnyOther) {
  const std::string token = Token("me");
  ASSERT_TRUE(std::holds_alternative<TokenGate::Pass>(gate_->Judge(token, "1", "")));
  machine_.AdvanceMs(kLifeMs);
  const auto judged = gate_->Judge(token, "1", "");
  ASSERT_TRUE(std::holds_alternative<TokenGate::Refusal>(judged));
  EXPECT_EQ(std::get<TokenGate::Refusal>(judged).code, CloseCode::kTokenExpired);
}

TEST_F(ClientTokensTest, MoreTokensThanAreRememberedAreJudgedAsWell) {
  const std::string first = Token("first");
  for (size_t n = 0; n < 2 * kTokensRememberedMax + 10; ++n) {
    const auto judged = gate_->Judge(Token("s" + std::to_string(n)), "1", "");
    ASSERT_TRUE(std::holds_alternative<TokenGate::Pass>(judged));
    EXPECT_EQ(std::get<TokenGate::Pass>(judged).session_id, "s" + std::to_string(n));
  }
  EXPECT_TRUE(std::holds_alternative<TokenGate::Pass>(gate_->Judge(first, "1", "")));
}

}  // namespace
}  // namespace seatlock::edge
