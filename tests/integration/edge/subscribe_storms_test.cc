// Connections that subscribe for what it costs the edge, while a browser looks at its showtime: the
// browser hears of each change, the edge's memory stays bounded, and the others are told to wait.
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <chrono>
#include <fstream>

#include "tests/integration/edge/edge_test_base.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {
namespace {

using Millis = WsClient::Millis;

// What the edge's memory may grow by, far below what it would send without bounds. A sanitizer's
// build keeps shadows of memory and holds back what was freed.
#if defined(SEATLOCK_SANITIZED)
constexpr int64_t kGrowthMibMax = 512;
#else
constexpr int64_t kGrowthMibMax = 64;
#endif
constexpr int kAttackers = 4;
constexpr int kMessages = 120;  // As many as a connection may send at once, less a few.

class SubscribeStormsTest : public EdgeTest {
 protected:
  SubscribeStormsTest() { good_ = Follow("good"); }

  int64_t RssMib() {
    std::ifstream status(fmt::format("/proc/{}/status", edge_->process().pid()));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6)) / 1024;
    }
    ADD_FAILURE() << "no VmRSS";
    return 0;
  }

  // The browser's showtime changes, and the browser hears of it.
  void ExpectTheGoodOneToHear() {
    const std::string seat = fmt::format("G{}", ++said_);
    service_.Say("good", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat(seat, "s")}));
    const auto change = good_->NextOfType("seat_status_change");
    ASSERT_THAT(change, IsOk());
    EXPECT_EQ(change->at("seatId").as_string(), seat);
  }

  static void Ping(WsClient& client) { ASSERT_THAT(client.SendText(R"({"type":"ping"})"), IsOk()); }

  struct Answers {
    int subscribed = 0;
    int limited = 0;
    size_t bytes = 0;
    int64_t retry_after_ms = 0;
  };
  // Adds what comes up to a frame of `type`.
  static void ReadUpTo(WsClient& client, std::string_view type, Answers* answers) {
    while (true) {
      const auto text = client.Next();
      ASSERT_THAT(text, IsOk()) << "closed with " << client.close_code();
      answers->bytes += text->size();
      const boost::json::object frame = boost::json::parse(*text).as_object();
      if (frame.at("type") == "subscribed") ++answers->subscribed;
      if (frame.at("type") == "error") {
        EXPECT_EQ(frame.at("code").as_string(), "RATE_LIMITED");
        EXPECT_TRUE(frame.contains("showtimeId"));
        answers->retry_after_ms = frame.at("retryAfterMs").as_int64();
        EXPECT_GT(answers->retry_after_ms, 0);
        ++answers->limited;
      }
      if (frame.at("type").as_string() == type) return;
    }
  }

  std::unique_ptr<WsClient> good_;
  int said_ = 0;
};

TEST_F(SubscribeStormsTest, NewShowtimesAreBoundedForAConnection) {
  constexpr int kAtOnce = 64;  // Contract.
  const int64_t before = RssMib();
  std::vector<std::unique_ptr<WsClient>> attackers;
  for (int i = 0; i < kAttackers; ++i) attackers.push_back(Connect());
  for (int i = 0; i < kAttackers; ++i) {
    for (int n = 0; n < kMessages; ++n) {
      // It leaves all now and then, so that it never follows 64.
      if (n % 40 == 39) {
        ASSERT_THAT(attackers[i]->SendText(R"({"type":"unsubscribe"})"), IsOk());
      } else {
        Subscribe(*attackers[i], fmt::format("invented-{}-{}", i, n));
      }
    }
    ExpectTheGoodOneToHear();
  }
  for (const auto& attacker : attackers) {
    Answers answers;
    Ping(*attacker);
    ReadUpTo(*attacker, "pong", &answers);
    // Two a second come back meanwhile, also on a machine so busy that this took some seconds.
    EXPECT_GT(answers.limited, 0);
    EXPECT_LE(answers.limited, kMessages - kAtOnce);
  }
  ExpectTheGoodOneToHear();
  EXPECT_LT(RssMib() - before, kGrowthMibMax);
}

TEST_F(SubscribeStormsTest, SnapshotsAreBoundedForAConnection) {
  constexpr int kSeats = 10'000;
  constexpr size_t kBoughtAtOnce = 8 << 20;
  constexpr size_t kBoughtASecond = 256 << 10;
  std::vector<v1::Seat> seats;
  for (int i = 0; i < kSeats; ++i) seats.push_back(LockedSeat(fmt::format("S{}", i), "s"));
  service_.Say("big", ChangeOf(v1::CHANGE_CAUSE_LOCK, seats));
  service_.Trim("big");
  const auto keeper = Follow("big");
  const int64_t before = RssMib();
  std::vector<std::unique_ptr<WsClient>> attackers;
  std::vector<Answers> answers(kAttackers);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kAttackers; ++i) attackers.push_back(Connect());
  for (int n = 0; n < kMessages / 2; ++n) {
    for (int i = 0; i < kAttackers; ++i) {
      Subscribe(*attackers[i], "big");
      Ping(*attackers[i]);
      ReadUpTo(*attackers[i], "pong", &answers[i]);
    }
    if (n % 10 == 0) ExpectTheGoodOneToHear();
  }
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start)
          .count() +
      1;
  for (int i = 0; i < kAttackers; ++i) {
    EXPECT_GT(answers[i].limited, 0);
    EXPECT_LT(answers[i].bytes, kBoughtAtOnce + static_cast<size_t>(seconds) * kBoughtASecond);
    // Who waits as long as it was told is served again.
    EXPECT_THAT(attackers[i]->Next(Millis(answers[i].retry_after_ms + 1)),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
    Subscribe(*attackers[i], "big");
    ReadUpTo(*attackers[i], "current_seat_status", &answers[i]);
  }
  EXPECT_LT(RssMib() - before, kGrowthMibMax);
}

}  // namespace
}  // namespace seatlock::testing
