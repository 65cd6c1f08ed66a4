// One address that invents showtimes on many connections, while a good client watches; and good
// pages behind an address that has no new showtimes left.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <map>
#include <random>
#include <set>

#include "tests/integration/edge/edge_test_base.h"
#include "tests/integration/edge/raw_peer.h"

namespace seatlock::testing {
namespace {

constexpr int kBudget = 100;
constexpr int kConnections = 4;
constexpr int kShowtimes = 60;  // Of each: less than a connection may open at once.

class AddressBudgetTest : public EdgeTest {
 protected:
  static int Count(const std::string& text, std::string_view what) {
    int count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
      ++count;
    }
    return count;
  }

  // What the edge says to a peer that subscribes to showtimes which nobody follows.
  std::string Invent(RawPeer& peer, int first) {
    EXPECT_TRUE(peer.Upgrade());
    std::string texts;
    for (int i = first; i < first + kShowtimes; ++i) {
      texts += RawPeer::Frame(
          0x81, R"({"type":"subscribe","showtimeId":"invented-)" + std::to_string(i) + "\"}");
    }
    texts += RawPeer::Frame(0x81, R"({"type":"ping"})");
    EXPECT_EQ(peer.Send(texts), texts.size());
    return peer.ReadUntil("\"pong\"");
  }
};

TEST_F(AddressBudgetTest, AnAddressOpensSoManyNewShowtimesAndOthersTheirs) {
  StartEdgeWith({"--threads=2", "--max-new-showtimes-per-address=" + std::to_string(kBudget)});
  const auto watcher = Follow("1");
  std::vector<RawPeer> peers;
  int refused = 0;
  for (int i = 0; i < kConnections; ++i) {
    peers.emplace_back(port_, "127.0.0.2");
    const std::string heard = Invent(peers.back(), i * kShowtimes);
    const int errors = Count(heard, R"("RATE_LIMITED")");
    EXPECT_EQ(errors, Count(heard, R"("retryAfterMs":)"));
    // On a busy machine a showtime may be away for a moment, and its page is told.
    const int told = Count(heard, "subscribed") + Count(heard, "stream_status");
    EXPECT_EQ(errors, Count(heard, R"("showtimeId":"invented-)") - told);
    refused += errors;
  }
  // One comes back each second: a busy machine may take some.
  EXPECT_LE(refused, kConnections * kShowtimes - kBudget);
  EXPECT_GE(refused, kConnections * kShowtimes - kBudget - 60);
  // What is followed already is free, and so is another address.
  RawPeer other(port_, "127.0.0.3");
  EXPECT_EQ(Count(Invent(other, 10'000), "RATE_LIMITED"), 0);
  peers.front().Send(RawPeer::Frame(0x81, R"({"type":"subscribe","showtimeId":"1"})"));
  EXPECT_NE(peers.front().ReadUntil(R"("subscribed","showtimeId":"1")"), "");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  EXPECT_THAT(watcher->NextOfType("seat_status_change"), IsOk());
}

// A page of as many showtimes as there may be, which comes back as the client libraries do: after
// what it was told and as much again of jitter, at least a second of it.
class Page {
 public:
  using Clock = std::chrono::steady_clock;
  using Millis = WsClient::Millis;
  static constexpr size_t kShowtimes = 64;

  Page(std::unique_ptr<WsClient> client, const std::string& name, std::mt19937& random)
      : client_(std::move(client)), random_(random) {
    for (size_t i = 0; i < kShowtimes; ++i) {
      due_.emplace(Clock::now(), name + "-" + std::to_string(i));
    }
  }

  // Says what is due, and hears what comes.
  void Turn() {
    while (!due_.empty() && due_.begin()->first <= Clock::now()) {
      EXPECT_THAT(
          client_->SendText(R"({"type":"subscribe","showtimeId":")" + due_.begin()->second + "\"}"),
          IsOk());
      due_.erase(due_.begin());
    }
    for (auto frame = client_->NextJson(Millis(2)); frame.ok();
         frame = client_->NextJson(Millis(2))) {
      Hear(*frame);
    }
  }
  bool done() const { return subscribed_.size() == kShowtimes; }
  bool closed() const { return client_->close_code() != 0; }
  const std::set<std::string>& subscribed() const { return subscribed_; }
  size_t refused() const { return refused_; }

 private:
  void Hear(const boost::json::object& frame) {
    const std::string type(frame.at("type").as_string());
    if (type == "subscribed") subscribed_.emplace(frame.at("showtimeId").as_string());
    if (type != "error") return;
    ++refused_;
    ASSERT_TRUE(frame.contains("showtimeId")) << boost::json::serialize(frame);
    const int64_t told_ms = frame.at("retryAfterMs").as_int64();
    std::uniform_int_distribution<int64_t> jitter(0, std::max<int64_t>(told_ms, 1'000));
    due_.emplace(Clock::now() + Millis(told_ms + jitter(random_)),
                 std::string(frame.at("showtimeId").as_string()));
  }

  std::unique_ptr<WsClient> client_;
  std::mt19937& random_;
  std::multimap<Clock::time_point, std::string> due_;
  std::set<std::string> subscribed_;
  size_t refused_ = 0;
};

// 20 come back each second: the pages need 6 s of them.
TEST_F(AddressBudgetTest, PagesOfAStarvedAddressAreNeverClosedAndAllServedInTheEnd) {
  constexpr int kPages = 2;
  constexpr int kOpenedMax = 4'000;  // a busy machine opens some that came back meanwhile
  StartEdgeWith({"--threads=2", "--max-new-showtimes-per-address=2000"});
  std::vector<RawPeer> peers;
  bool starved = false;
  for (int opened = 0; !starved && opened < kOpenedMax; opened += kShowtimes) {
    peers.emplace_back(port_);
    starved = Count(Invent(peers.back(), opened), "RATE_LIMITED") > 0;
  }
  ASSERT_TRUE(starved);
  std::mt19937 random(1);
  std::vector<Page> pages;
  for (int i = 0; i < kPages; ++i)
    pages.emplace_back(Connect(), "page-" + std::to_string(i), random);
  const auto deadline = Page::Clock::now() + 4 * WsClient::kPatience;
  const auto over = [](const Page& page) { return page.done() || page.closed(); };
  while (!std::all_of(pages.begin(), pages.end(), over) && Page::Clock::now() < deadline) {
    for (Page& page : pages) page.Turn();
  }
  size_t refused = 0;
  for (const Page& page : pages) {
    EXPECT_FALSE(page.closed());
    EXPECT_EQ(page.subscribed().size(), Page::kShowtimes);
    refused += page.refused();
  }
  EXPECT_GT(refused, 0U);
}

TEST_F(AddressBudgetTest, OffNobodyIsCounted) {
  StartEdgeWith({"--max-new-showtimes-per-address=0"});
  for (int i = 0; i < kConnections; ++i) {
    RawPeer peer(port_);
    EXPECT_EQ(Count(Invent(peer, i * kShowtimes), "RATE_LIMITED"), 0);
  }
}

}  // namespace
}  // namespace seatlock::testing
