// Leaving on a real edge of several threads: when it stops to be ready, when to accept, and when
// browsers are sent away.
#include <signal.h>

#include "tests/integration/edge/edge_test_base.h"
#include "tests/integration/edge/raw_peer.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {
namespace {

using Millis = WsClient::Millis;

class DrainTest : public EdgeTest {
 protected:
  int Ready() {
    const auto answer = HttpGet(edge_->admin_address(), "/readyz");
    return answer.ok() ? answer->status : 0;
  }
  void ExpectExit0() {
    const auto exit = edge_->process().Wait(kStartTimeout);
    ASSERT_THAT(exit, IsOk());
    EXPECT_EQ(*exit, (ProcessExit{0, 0}));
  }
};

// Whoever is told to come back and does so at once is refused, and so goes to another edge.
TEST_F(DrainTest, NobodyIsSentAwayBeforeTheListenersOfAllThreadsAreClosed) {
  StartEdgeWith({"--threads=8", "--drain-window-ms=500"});
  std::vector<RawPeer> peers;
  for (int i = 0; i < 400; ++i) {
    peers.emplace_back(port_);
    ASSERT_TRUE(peers.back().Upgrade());
  }
  edge_->process().Signal(SIGTERM);
  for (RawPeer& peer : peers) {
    ASSERT_NE(peer.ReadUntil("draining").find("\x10\x68"), std::string::npos);  // 4200
    const RawPeer again(port_);
    ASSERT_FALSE(again.connected());
    ASSERT_EQ(again.error(), ECONNREFUSED);
  }
  peers.clear();
  ExpectExit0();
}

TEST_F(DrainTest, DuringTheDelayItIsNotReadyAndAcceptsAndServes) {
  StartEdgeWith({"--threads=2", "--drain-delay=10m"});
  const auto before = Follow("1");
  EXPECT_EQ(Ready(), 200);
  edge_->process().Signal(SIGTERM);
  ASSERT_THAT(edge_->process().WaitForText("not ready any more", kStartTimeout), IsOk());
  EXPECT_EQ(Ready(), 503);
  const auto newcomer = Follow("1");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  for (const auto* client : {&before, &newcomer}) {
    ASSERT_NE(*client, nullptr);
    EXPECT_THAT((*client)->NextOfType("seat_status_change"), IsOk());
  }
  // A signal that comes at once again is the same one; a later one ends the delay, not the process.
  do {
    edge_->process().Signal(SIGTERM);
  } while (!edge_->process().WaitForText("\"draining\"", Millis(2'000)).ok());
  EXPECT_EQ(before->WaitForClose().value_or(-1), 4200);
  EXPECT_EQ(newcomer->WaitForClose().value_or(-1), 4200);
  ExpectExit0();
}

// Who shakes hands when the listener closes is told, too.
TEST_F(DrainTest, AHandshakeThatEndsDuringTheDrainIsSentAway) {
  StartEdgeWith({"--threads=1"});
  RawPeer half(port_);
  half.Send(kRawUpgrade);
  // It does not leave when it is told, so the drain goes on.
  RawPeer stubborn(port_);
  ASSERT_TRUE(stubborn.Upgrade());
  edge_->process().Signal(SIGTERM);
  ASSERT_NE(stubborn.ReadUntil("draining"), "");
  half.Send("\r\n");
  EXPECT_NE(half.ReadUntil("draining").find("\x10\x68"), std::string::npos);
}

}  // namespace
}  // namespace seatlock::testing
