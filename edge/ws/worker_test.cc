// Draining two workers that share a port, the second of which is busy just then.
#include "edge/ws/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "common/base/slewed_clock.h"
#include "edge/limits.h"
#include "tests/testing/hub_fakes.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/ws_client.h"

namespace seatlock::edge {
namespace {

using testing::IsOk;
using testing::WsClient;

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    std::vector<boost::asio::io_context*> ios;
    for (int i = 0; i < 2; ++i) {
      workers_.push_back(
          std::make_unique<Worker>(Worker::Shared{clock_, admission_, budget_, kPlaces}));
      ios.push_back(&workers_.back()->io());
    }
    auto acceptors = Listen(ios, "127.0.0.1", 0);
    EXPECT_THAT(acceptors, IsOk());
    port_ = acceptors->front().local_endpoint().port();
    for (size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->Start(std::move((*acceptors)[i]), std::make_unique<testing::FakeFeeds>());
    }
  }

  // A connection of that worker, greeted. The kernel deals them out by their ports.
  std::unique_ptr<WsClient> ConnectTo(size_t worker) {
    for (int tries = 0; tries < 1'000; ++tries) {
      const int64_t before = workers_[worker]->stats().connections_total;
      auto client = WsClient::Connect("127.0.0.1", port_, {});
      EXPECT_THAT(client, IsOk());
      EXPECT_THAT((*client)->NextOfType("connection_established"), IsOk());
      if (workers_[worker]->stats().connections_total > before) return *std::move(client);
    }
    return nullptr;
  }

  static constexpr size_t kPlaces = 100;

  const base::SlewedClock clock_;
  Admission admission_{{.connections_max = 2'000}};
  MemoryBudget budget_{1 << 20};
  std::vector<std::unique_ptr<Worker>> workers_;
  uint16_t port_ = 0;
};

TEST(DrainWindowTest, IsASecondForEachThousandAtLeastTwoAndAtMostWhatWasSaid) {
  EXPECT_EQ(DrainWindow(0, kDrainWindowMs), 2'000);
  EXPECT_EQ(DrainWindow(2'000, kDrainWindowMs), 2'000);
  EXPECT_EQ(DrainWindow(7'500, kDrainWindowMs), 7'500);
  EXPECT_EQ(DrainWindow(100'000, kDrainWindowMs), 30'000);
  EXPECT_EQ(DrainWindow(100'000, 120'000), 100'000);
  EXPECT_EQ(DrainWindow(5'000, 1'000), 1'000);
  EXPECT_EQ(DrainWindow(5'000, 0), 0);
}

TEST_F(WorkerTest, NobodyIsSentAwayBeforeTheListenersOfAllAreClosed) {
  const std::unique_ptr<WsClient> client = ConnectTo(0);
  ASSERT_NE(client, nullptr);
  std::promise<void> let_go;
  workers_[1]->strand().Post([held = let_go.get_future()]() mutable { held.wait(); });
  std::atomic<bool> begun{false};
  std::thread drain([this, &begun] {
    begun = true;
    DrainAll(workers_, kDrainWindowMs);
  });
  while (!begun) std::this_thread::yield();
  // The first worker has long done what it was told, and its client is answered.
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(client->SendText(R"({"type":"ping"})"), IsOk());
    ASSERT_THAT(client->NextOfType("pong"), IsOk());
  }
  let_go.set_value();
  EXPECT_EQ(client->WaitForClose().value_or(-1), 4200);
  EXPECT_EQ(WsClient::Connect("127.0.0.1", port_, {}).status().code(),
            absl::StatusCode::kUnavailable);
  drain.join();
}

}  // namespace
}  // namespace seatlock::edge
