// Against a scripted service over real gRPC; time and the strand are the test's.
#include "edge/upstream/watch_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
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

using client::ScriptedService;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Script = ScriptedService::WatchScript;
using Writer = ScriptedService::Writer;

constexpr std::chrono::seconds kPatience(20);
constexpr int64_t kAskedForMs = 5000;

class FakeSink final : public WatchSink {
 public:
  std::optional<Position> ResumeFrom() const override { return resume; }
  void OnSnapshot(SnapshotPart) override {}
  void OnChange(Change change) override {
    revisions.push_back(change.position.revision);
    if (then) then();
  }
  void OnProgress(const Position&) override {}
  void OnLost() override {
    ++lost;
    if (then) then();
  }
  void OnRefused(const Refusal& refusal) override {
    refusals.push_back(refusal);
    if (then) then();
  }
  bool Full() const override { return full; }

  std::optional<Position> resume;
  std::vector<uint64_t> revisions;
  int lost = 0;
  std::vector<Refusal> refusals;
  bool full = false;
  std::function<void()> then;  // Called with each of them.
};

// ---- What the service does ---------------------------------------------------------------------

grpc::Status RefuseWithRetryInfo(grpc::StatusCode code, const std::string& reason,
                                 const std::map<std::string, std::string>& metadata = {}) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(kAskedForMs / 1000);
  return client::Refusal(code, reason, metadata, retry);
}
Script Refuse(grpc::StatusCode code, const std::string& reason,
              const std::map<std::string, std::string>& metadata = {}) {
  return [=](grpc::ServerContext&, Writer&) { return RefuseWithRetryInfo(code, reason, metadata); };
}
Script End(grpc::StatusCode code) {
  return [=](grpc::ServerContext&, Writer&) { return grpc::Status(code, "gone"); };
}
void Say(Writer& writer, uint64_t from, uint64_t to) {
  v1::WatchShowtimeResponse message;
  for (uint64_t revision = from; revision <= to; ++revision) {
    message.mutable_change()->set_revision(revision);
    writer.Write(message);
  }
}
// Says changes, and nothing more; `said`, if given, is set once they are out.
Script Serve(uint64_t from = 1, uint64_t to = 1, std::atomic<bool>* said = nullptr) {
  return [=](grpc::ServerContext& context, Writer& writer) {
    Say(writer, from, to);
    if (said != nullptr) *said = true;
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
}
// The same, and ends with `code` once it is told to.
Script ServeUntil(const std::atomic<bool>& end, grpc::StatusCode code) {
  return [&end, code](grpc::ServerContext& context, Writer& writer) {
    Say(writer, 1, 1);
    while (!context.IsCancelled() && !end) std::this_thread::yield();
    return grpc::Status(code, "gone");
  };
}

class WatchClientTest : public ::testing::Test {
 protected:
  ~WatchClientTest() override {
    watch_.reset();
    other_watch_.reset();
    client_.reset();
    EXPECT_EQ(stats_.upstream_streams, 0);
  }

  void Follow() {
    watch_ = client_->Follow("123", sink_.get());
    timers_.AdvanceMs(0);
  }
  void FollowOther() {
    other_watch_ = client_->Follow("456", &other_);
    timers_.AdvanceMs(0);
  }
  // While the strand stands still.
  void WaitUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_TRUE(done());
  }
  // Runs what gRPC posts to the strand.
  void RunUntil(const std::function<bool()>& done) {
    WaitUntil([&] {
      strand_.RunAll();
      return done();
    });
  }
  void RunUntilHeard(size_t changes) {
    RunUntil([&] { return sink_->revisions.size() >= changes; });
  }
  // The next attempt begins.
  void PassBackoff() { timers_.AdvanceMs(kStreamBackoffMsMax); }

  ScriptedService service_;
  testing::FakeClock clock_;
  testing::FakeTimers timers_{clock_};
  testing::ManualExecutor strand_;
  Stats stats_;
  std::vector<bool> told_;
  std::optional<WatchClient> client_{
      std::in_place, WatchClient::Options{.targets = {service_.target()},
                                          .clock = &clock_,
                                          .executor = &strand_,
                                          .timers = &timers_,
                                          .stats = &stats_,
                                          .on_upstream = [this](bool up) { told_.push_back(up); }}};
  std::unique_ptr<FakeSink> sink_ = std::make_unique<FakeSink>();
  FakeSink other_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Watch> other_watch_;
};

// ---- Refused, or lost --------------------------------------------------------------------------

TEST_F(WatchClientTest, ComesBackAfterOverloadNotBeforeTheTimeThatTheServiceAskedFor) {
  service_.ScriptWatches({Refuse(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"), Serve()});
  Follow();
  RunUntil([this] { return sink_->refusals.size() == 1; });
  EXPECT_EQ(sink_->refusals.front().retry_after_ms, kAskedForMs);
  timers_.AdvanceMs(kAskedForMs - 1);
  EXPECT_EQ(client_->streams(), 0);
  timers_.AdvanceMs(1 + kStreamBackoffMsMin);
  RunUntilHeard(1);
  EXPECT_EQ(sink_->lost, 0);
  EXPECT_THAT(told_, IsEmpty()) << "a service that refuses one stream is not lost";
}

TEST_F(WatchClientTest, AShowtimeThatIsDamagedIsRefusedAndTheServiceIsNotLost) {
  service_.ScriptWatches(
      {Refuse(grpc::StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", {{"showtime", "damaged"}})});
  Follow();
  RunUntil([this] { return sink_->refusals.size() == 1; });
  EXPECT_EQ(sink_->lost, 0);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(WatchClientTest, AServiceWhoseStoreCannotBeUsedIsAwayAndIsAskedAgainAsLateAsItSays) {
  service_.ScriptWatches({Refuse(grpc::StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE"), Serve()});
  Follow();
  RunUntil([this] { return sink_->lost == 1; });
  EXPECT_THAT(sink_->refusals, IsEmpty());
  EXPECT_THAT(told_, ElementsAre(false));
  timers_.AdvanceMs(kAskedForMs - 1);
  EXPECT_EQ(client_->streams(), 0);
  timers_.AdvanceMs(1 + kStreamBackoffMsMin);
  RunUntilHeard(1);
}

TEST_F(WatchClientTest, OnceItIsSilencedWatchesThatEndOneByOneSayNothingOfTheService) {
  for (const bool silence : {false, true}) {
    told_.clear();
    service_.ScriptWatches({Serve(), End(grpc::UNAVAILABLE)});
    sink_->revisions.clear();
    other_.lost = 0;
    Follow();
    RunUntilHeard(1);
    FollowOther();
    RunUntil([this] { return other_.lost == 1; });
    if (silence) client_->Silence();
    watch_.reset();
    EXPECT_EQ(told_.empty(), silence) << "control: a service that none reads from seems lost";
    other_watch_.reset();
  }
}

TEST_F(WatchClientTest, ComesBackWithGrowingPausesIfTheServiceSaysNothing) {
  service_.ScriptWatches(
      {End(grpc::UNAVAILABLE), End(grpc::UNIMPLEMENTED), End(grpc::RESOURCE_EXHAUSTED), Serve()});
  Follow();
  for (int ended = 1; ended <= 3; ++ended) {
    RunUntil([&] { return sink_->lost + static_cast<int>(sink_->refusals.size()) == ended; });
    EXPECT_EQ(client_->streams(), 0);
    timers_.AdvanceMs(kStreamBackoffMsMin << (ended - 1));
    RunUntil([&] { return service_.watches().size() == static_cast<size_t>(ended) + 1; });
  }
  RunUntilHeard(1);
  EXPECT_THAT(told_, ElementsAre(false));
}

TEST_F(WatchClientTest, ComesBackAfterAProxysErrors) {
  service_.ScriptWatches({Serve()});
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
    return !sink_->revisions.empty();
  });
}

TEST_F(WatchClientTest, AStreamThatIsLostIsBegunAgainFromWhereItsSinkStands) {
  std::atomic<bool> end{false};
  service_.ScriptWatches({ServeUntil(end, grpc::StatusCode::UNAVAILABLE), Serve(2, 2)});
  Follow();
  RunUntilHeard(1);
  sink_->resume = Position{"e", 1};
  end = true;
  RunUntil([this] { return sink_->lost == 1; });
  PassBackoff();
  RunUntilHeard(2);
  EXPECT_THAT(sink_->revisions, ElementsAre(1, 2));
  ASSERT_THAT(service_.watches(), SizeIs(2));
  EXPECT_FALSE(service_.watches()[0].has_resume());
  EXPECT_EQ(service_.watches()[1].resume().epoch(), "e");
  EXPECT_EQ(service_.watches()[1].resume().revision(), 1u);
}

TEST_F(WatchClientTest, OneShowtimesLostStreamIsNotTheServices) {
  std::atomic<bool> end{false};
  service_.ScriptWatches({Serve()});
  FollowOther();
  RunUntil([this] { return !other_.revisions.empty(); });
  service_.ScriptWatches({ServeUntil(end, grpc::StatusCode::INTERNAL), Serve()});
  Follow();
  RunUntilHeard(1);
  end = true;
  RunUntil([this] { return sink_->lost == 1; });
  EXPECT_THAT(told_, IsEmpty());
  service_.Stop();
  RunUntil([this] { return !told_.empty(); });
  EXPECT_THAT(told_, ElementsAre(false)) << "control: now it is";
}

// ---- Silent streams ----------------------------------------------------------------------------

TEST_F(WatchClientTest, AStreamThatSaysNothingFor45SecondsIsGivenUp) {
  service_.ScriptWatches({Serve(1, 1), Serve(2, 2)});
  Follow();
  RunUntilHeard(1);
  timers_.AdvanceMs(kStreamSilentMsMax - 1);
  EXPECT_EQ(sink_->lost, 0);
  timers_.AdvanceMs(1);
  EXPECT_EQ(sink_->lost, 1);
  EXPECT_THAT(told_, ElementsAre(false));
  PassBackoff();
  RunUntilHeard(2);
  EXPECT_THAT(sink_->revisions, ElementsAre(1, 2));
}

TEST_F(WatchClientTest, AStreamThatIsNotReadIsNotSilent) {
  service_.ScriptWatches({Serve()});
  sink_->full = true;
  Follow();
  RunUntilHeard(1);
  timers_.AdvanceMs(2 * kStreamSilentMsMax);
  EXPECT_EQ(sink_->lost, 0);
}

// ---- Full sinks --------------------------------------------------------------------------------

TEST_F(WatchClientTest, AFullSinkPausesTheReadsUntilItTakesMore) {
  constexpr uint64_t kChanges = 20 * kReadAheadMessagesMax;
  std::atomic<bool> said{false};
  service_.ScriptWatches({Serve(1, kChanges, &said)});
  sink_->full = true;
  Follow();
  RunUntil([&] { return said && !sink_->revisions.empty(); });
  for (int i = 0; i < 100; ++i) timers_.AdvanceMs(kFullLookMs);
  strand_.RunAll();
  EXPECT_LE(sink_->revisions.size(), 2 * kReadAheadMessagesMax);
  sink_->full = false;
  timers_.AdvanceMs(kFullLookMs);
  RunUntilHeard(kChanges);
  for (size_t i = 0; i < kChanges; ++i) ASSERT_EQ(sink_->revisions[i], i + 1);
}

TEST_F(WatchClientTest, AStrandThatDoesNotRunIsNotReadAheadOfFor) {
  constexpr uint64_t kChanges = 20 * kReadAheadMessagesMax;
  std::atomic<bool> said{false};
  service_.ScriptWatches({Serve(1, kChanges, &said)});
  Follow();
  WaitUntil([&] { return said.load(); });
  // Full from the first change on: what it hears after that was read before the strand ran.
  sink_->then = [this] { sink_->full = true; };
  RunUntilHeard(1);
  EXPECT_LE(sink_->revisions.size(), kReadAheadMessagesMax);
}

// ---- Ends --------------------------------------------------------------------------------------

TEST_F(WatchClientTest, ASinkMayGoWhileAReadIsUnderWay) {
  service_.ScriptWatches({Serve()});
  Follow();
  RunUntilHeard(1);
  watch_.reset();
  sink_.reset();
  RunUntil([this] { return client_->streams() == 0; });
  timers_.AdvanceMs(2 * kStreamSilentMsMax);
}

TEST_F(WatchClientTest, ASinkMayGoBeforeItsStreamBegins) {
  service_.ScriptWatches({Serve()});
  watch_ = client_->Follow("123", sink_.get());
  watch_.reset();
  sink_.reset();
  timers_.AdvanceMs(0);
  EXPECT_THAT(service_.watches(), IsEmpty());
}

TEST_F(WatchClientTest, ASinkMayGoWhileItIsFullAndItsStreamEndsAtOnce) {
  service_.ScriptWatches({Serve(1, 1000)});
  sink_->full = true;
  Follow();
  RunUntilHeard(1);
  watch_.reset();
  sink_.reset();
  RunUntil([this] { return client_->streams() == 0; });
  timers_.AdvanceMs(kFullLookMs);
  EXPECT_EQ(client_->streams(), 0);
}

TEST_F(WatchClientTest, ASinkMayGoInsideWhatItHears) {
  service_.ScriptWatches({Serve(1, 10)});
  sink_->then = [this] { watch_.reset(); };
  Follow();
  RunUntil([this] { return watch_ == nullptr; });
  RunUntil([this] { return client_->streams() == 0; });
  EXPECT_THAT(sink_->revisions, ElementsAre(1));
}

TEST_F(WatchClientTest, ASinkMayGoWhenItIsRefusedOrItsStreamIsLost) {
  for (const Script& script :
       {Refuse(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"), End(grpc::UNAVAILABLE)}) {
    service_.ScriptWatches({script});
    sink_->then = [this] { watch_.reset(); };
    Follow();
    RunUntil([this] { return watch_ == nullptr; });
    timers_.AdvanceMs(2 * kStreamSilentMsMax);
    EXPECT_EQ(client_->streams(), 0);
  }
}

TEST_F(WatchClientTest, ARestartInTheMiddleEndsTheOldStreamAndHearsNoMoreOfIt) {
  service_.ScriptWatches({Serve(1, 100), Serve(201, 300)});
  sink_->then = [this] {
    if (sink_->revisions.size() == 5) watch_->Restart();
  };
  Follow();
  RunUntilHeard(5);
  RunUntil([this] { return client_->streams() == 0; });
  EXPECT_THAT(sink_->revisions, ElementsAre(1, 2, 3, 4, 5));
  PassBackoff();
  RunUntilHeard(105);
  EXPECT_EQ(sink_->revisions[5], 201u);
  EXPECT_EQ(sink_->lost, 0);
}

TEST_F(WatchClientTest, ItsEndWaitsForStreamsButNeedsNoStrand) {
  service_.ScriptWatches({Serve(1, 1000)});
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 20; ++i) watches.push_back(client_->Follow(std::to_string(i), &other_));
  timers_.AdvanceMs(0);
  RunUntil([this] { return other_.revisions.size() >= 20; });
  EXPECT_GT(client_->streams(), 0);
  watches.clear();
  client_.reset();
  EXPECT_EQ(stats_.upstream_streams, 0);
  // What was on its way touches nothing.
  strand_.RunAll();
  timers_.AdvanceMs(2 * kStreamSilentMsMax);
}

TEST_F(WatchClientTest, ItsEndNeedsNoServiceEither) {
  service_.Stop();
  Follow();
  RunUntil([this] { return sink_->lost == 1; });
  PassBackoff();
  EXPECT_EQ(client_->streams(), 1) << "it waits for the service";
  watch_.reset();
  client_.reset();
  EXPECT_EQ(stats_.upstream_streams, 0);
}

}  // namespace
}  // namespace seatlock::edge
