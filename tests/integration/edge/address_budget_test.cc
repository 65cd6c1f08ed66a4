// One address that invents showtimes on many connections, while a good client watches.
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
    EXPECT_EQ(errors, Count(heard, R"("showtimeId":"invented-)") - Count(heard, "subscribed"));
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

TEST_F(AddressBudgetTest, OffNobodyIsCounted) {
  StartEdgeWith({"--max-new-showtimes-per-address=0"});
  for (int i = 0; i < kConnections; ++i) {
    RawPeer peer(port_);
    EXPECT_EQ(Count(Invent(peer, i * kShowtimes), "RATE_LIMITED"), 0);
  }
}

}  // namespace
}  // namespace seatlock::testing
