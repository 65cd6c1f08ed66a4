#include "edge/upstream/watch_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "clients/cpp/scripted_service.h"
#include "edge/limits.h"
#include "tests/testing/edge_fakes.h"
#include "tests/testing/http_error_server.h"
#include "tests/testing/manual_executor.h"

namespace seatlock::edge {
namespace {

using client::Refusal;
using client::ScriptedService;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Writer = ScriptedService::Writer;

constexpr std::chrono::seconds kPatience(20);
constexpr int64_t kAskedForMs = 5000;

class FakeSink final : public WatchSink {
 public:
  std::optional<Position> ResumeFrom() const override { return std::nullopt; }
  void OnSnapshot(SnapshotPart) override {}
  void OnChange(Change change) override { revisions.push_back(change.position.revision); }
  void OnProgress(const Position&) override {}
  void OnLost() override { ++lost; }

  std::vector<uint64_t> revisions;
  int lost = 0;
};

grpc::Status RefuseWithRetryInfo(grpc::StatusCode code) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(kAskedForMs / 1000);
  return Refusal(code, "OVERLOADED", {}, retry);
}
grpc::Status Serve(grpc::ServerContext& context, Writer& writer) {
  v1::WatchShowtimeResponse message;
  message.mutable_change()->set_revision(1);
  writer.Write(message);
  while (!context.IsCancelled()) std::this_thread::yield();
  return grpc::Status::CANCELLED;
}

class WatchClientTest : public ::testing::Test {
 protected:
  ~WatchClientTest() override {
    watch_.reset();
    RunUntil([this] { return client_.streams() == 0; });
  }

  void Follow() {
    watch_ = client_.Follow("123", &sink_);
    timers_.AdvanceMs(0);
  }
  // Runs what gRPC posts to the strand.
  void RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      strand_.RunAll();
      std::this_thread::yield();
    }
    ASSERT_TRUE(done());
  }

  ScriptedService service_;
  testing::FakeClock clock_;
  testing::FakeTimers timers_{clock_};
  testing::ManualExecutor strand_;
  Stats stats_;
  std::vector<bool> told_;
  WatchClient client_{{.target = service_.target(),
                       .clock = &clock_,
                       .executor = &strand_,
                       .timers = &timers_,
                       .stats = &stats_,
                       .on_upstream = [this](bool up) { told_.push_back(up); }}};
  FakeSink sink_;
  std::unique_ptr<Watch> watch_;
};

TEST_F(WatchClientTest, ComesBackAfterOverloadNotBeforeTheTimeThatTheServiceAskedFor) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer&) {
                            return RefuseWithRetryInfo(grpc::StatusCode::RESOURCE_EXHAUSTED);
                          },
                          Serve});
  Follow();
  RunUntil([this] { return sink_.lost == 1; });
  timers_.AdvanceMs(kAskedForMs - 1);
  EXPECT_EQ(client_.streams(), 0);
  timers_.AdvanceMs(1 + kStreamBackoffMsMin);
  RunUntil([this] { return !sink_.revisions.empty(); });
  EXPECT_THAT(sink_.revisions, ElementsAre(1));
  EXPECT_THAT(told_, IsEmpty()) << "a service that refuses one stream is not lost";
}

TEST_F(WatchClientTest, ComesBackWithGrowingPausesIfTheServiceSaysNothing) {
  service_.ScriptWatches(
      {[](grpc::ServerContext&, Writer&) { return grpc::Status(grpc::UNAVAILABLE, "gone"); },
       [](grpc::ServerContext&, Writer&) { return grpc::Status(grpc::UNIMPLEMENTED, ""); },
       [](grpc::ServerContext&, Writer&) { return grpc::Status(grpc::RESOURCE_EXHAUSTED, ""); },
       Serve});
  Follow();
  for (int lost = 1; lost <= 3; ++lost) {
    RunUntil([&] { return sink_.lost == lost; });
    EXPECT_EQ(client_.streams(), 0);
    timers_.AdvanceMs(kStreamBackoffMsMin << (lost - 1));
    EXPECT_EQ(client_.streams(), 1);
  }
  RunUntil([this] { return !sink_.revisions.empty(); });
  EXPECT_THAT(told_, ElementsAre(false));
}

TEST_F(WatchClientTest, ComesBackAfterAProxysErrors) {
  service_.ScriptWatches({Serve});
  const int port = std::stoi(service_.target().substr(service_.target().rfind(':') + 1));
  service_.Stop();
  for (const int status : {404, 502}) {
    const testing::HttpErrorServer proxy(static_cast<uint16_t>(port), status);
    if (!watch_) Follow();
    RunUntil([&] {
      timers_.AdvanceMs(kStreamBackoffMsMin);
      return proxy.answered() >= 3;
    });
  }
  service_.Restart();
  RunUntil([this] {
    timers_.AdvanceMs(kStreamBackoffMsMin);
    return !sink_.revisions.empty();
  });
}

}  // namespace
}  // namespace seatlock::edge
