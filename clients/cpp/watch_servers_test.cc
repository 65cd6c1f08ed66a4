// Watches of a client that has several servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "clients/cpp/scripted_service.h"
#include "seatlock/client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::client {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::SizeIs;
using WatchScript = ScriptedService::WatchScript;
using Writer = ScriptedService::Writer;

constexpr milliseconds kLong(20'000);

// The history that all servers share, as servers on one store do: as many changes as it says.
class History {
 public:
  void Grow() { ++head_; }
  uint64_t head() const { return head_; }

  // Follows it from the request's position on, as a server does, until the caller is gone or
  // `serving` ends.
  grpc::Status Follow(grpc::ServerContext& context, Writer& writer, uint64_t position,
                      const std::atomic<bool>& serving) {
    Send(writer, [&](v1::WatchShowtimeResponse& message) {
      message.mutable_progress()->set_epoch("e1");
      message.mutable_progress()->set_revision(position);
    });
    while (!context.IsCancelled()) {
      if (!serving) return Refusal(grpc::StatusCode::UNAVAILABLE, "DRAINING", {});
      if (position == head_) {
        std::this_thread::yield();
        continue;
      }
      ++position;
      Send(writer, [&](v1::WatchShowtimeResponse& message) {
        message.mutable_change()->set_epoch("e1");
        message.mutable_change()->set_revision(position);
      });
    }
    return grpc::Status::CANCELLED;
  }

 private:
  template <typename Fill>
  static void Send(Writer& writer, Fill fill) {
    v1::WatchShowtimeResponse message;
    fill(message);
    writer.Write(message);
  }

  std::atomic<uint64_t> head_ = 1;
};

// Two servers on one history, of which the showtime prefers the first. Pauses before asking again
// are longer than a test lasts: what goes on does so at once.
class WatchServersTest : public ::testing::Test {
 protected:
  WatchServersTest() {
    for (size_t i = 0; i < services_.size(); ++i) {
      services_[i].ScriptWatches({[this, i](grpc::ServerContext& context, Writer& writer) {
        const v1::WatchShowtimeRequest request = services_[i].watches().back();
        EXPECT_TRUE(request.has_resume()) << "would get a snapshot";
        return history_.Follow(context, writer, request.resume().revision(), serving_[i]);
      }});
    }
  }
  ~WatchServersTest() override { watch_ = nullptr; }

  ClientOptions Options() {
    return {.servers = list_,
            .attempt_timeout = milliseconds(5'000),
            .backoff_first = milliseconds(1'200'000),
            .backoff_max = milliseconds(1'200'000),
            .away_first = milliseconds(20),
            .away_max = milliseconds(20),
            .return_pause = milliseconds(20)};
  }
  void Start(const ClientOptions& options) {
    v1::WatchShowtimeRequest request;
    request.set_showtime_id(showtime_);
    request.mutable_resume()->set_epoch("e1");
    request.mutable_resume()->set_revision(1);
    Client client(options);
    watch_ = client.WatchShowtime(request);
  }
  // The revision of the change that comes next; 0 for a failure or a snapshot.
  uint64_t NextChange() {
    while (true) {
      const absl::StatusOr<Watch::Event> event = watch_->Next(kLong);
      if (!event.ok() || std::holds_alternative<v1::ShowtimeSnapshot>(*event)) return 0;
      if (const auto* change = std::get_if<v1::Change>(&*event)) return change->revision();
    }
  }
  // Whether the next change comes, and is the next one.
  bool Follows() {
    history_.Grow();
    return NextChange() == history_.head();
  }
  // Follows until `service` is the one that is watched.
  void FollowUntilWatched(const ScriptedService& service) {
    while (service.open_watches() == 0) ASSERT_TRUE(Follows());
  }

  History history_;
  std::array<std::atomic<bool>, 2> serving_ = {true, true};
  std::array<ScriptedService, 2> services_;
  const std::vector<std::string> list_ = {services_[0].target(), services_[1].target()};
  const std::string showtime_ = ShowtimeThatPrefers(list_);
  std::unique_ptr<Watch> watch_;
};

TEST_F(WatchServersTest, FollowsTheServerThatTheShowtimePrefers) {
  Start(Options());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Follows());
  EXPECT_THAT(services_[0].watches(), SizeIs(1));
  EXPECT_THAT(services_[1].watches(), SizeIs(0));
}

TEST_F(WatchServersTest, MovesAtOnceWithItsPositionWhenTheServerDrains) {
  Start(Options());
  ASSERT_TRUE(Follows());
  serving_[0] = false;
  FollowUntilWatched(services_[1]);
  EXPECT_TRUE(Follows());
  EXPECT_THAT(watch_->Failure(), IsOk());
}

TEST_F(WatchServersTest, MovesAtOnceWhenTheServerIsGone) {
  Start(Options());
  ASSERT_TRUE(Follows());
  services_[0].Stop();
  EXPECT_TRUE(Follows());
  EXPECT_GT(services_[1].open_watches(), 0);
}

TEST_F(WatchServersTest, StartsWhereAServerIsThere) {
  services_[0].Stop();
  Start(Options());
  EXPECT_TRUE(Follows());
  EXPECT_THAT(services_[1].watches(), SizeIs(1));
}

TEST_F(WatchServersTest, ReturnsToThePreferredServerAndMissesNothing) {
  services_[0].Stop();
  Start(Options());
  ASSERT_TRUE(Follows());
  services_[0].Restart();
  FollowUntilWatched(services_[0]);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Follows());
  EXPECT_EQ(services_[1].open_watches(), 0);
  EXPECT_THAT(watch_->Failure(), IsOk());
}

// A return is no failure: nobody is told that the connection was lost.
TEST_F(WatchServersTest, ReturnWithoutAnyChangeIsQuiet) {
  services_[0].Stop();
  Start(Options());
  ASSERT_TRUE(Follows());
  services_[0].Restart();
  while (services_[0].watches().empty()) {
    const absl::StatusOr<Watch::Event> event = watch_->Next(milliseconds(10));
    EXPECT_TRUE(!event.ok() || std::holds_alternative<v1::Progress>(*event));
    EXPECT_THAT(watch_->Failure(), IsOk());
  }
}

// Changes go on while the servers come and go: each comes once, in order, and no snapshot.
TEST_F(WatchServersTest, MovesToAndFroMissAndDoubleNothing) {
  ClientOptions options = Options();
  options.backoff_first = options.backoff_max = milliseconds(5);  // servers fail fast after another
  Start(options);
  ASSERT_TRUE(Follows());
  const uint64_t first = history_.head();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      history_.Grow();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  uint64_t last = first;
  const auto follow_until_watched = [&](const ScriptedService& service) {
    while (service.open_watches() == 0) {
      ASSERT_EQ(NextChange(), last + 1);
      ++last;
    }
  };
  for (int round = 0; round < 5 && !HasFatalFailure(); ++round) {
    serving_[0] = false;
    follow_until_watched(services_[1]);
    serving_[0] = true;
    follow_until_watched(services_[0]);
    services_[0].Stop();
    follow_until_watched(services_[1]);
    services_[0].Restart();
    follow_until_watched(services_[0]);
  }
  stop = true;
  writer.join();
  while (last < history_.head()) {
    ASSERT_EQ(NextChange(), last + 1);
    ++last;
  }
}

// It takes the connection and then says nothing, as a process that is stopped does.
TEST_F(WatchServersTest, ServerThatSaysNothingIsLeft) {
  services_[0].ScriptWatches({[](grpc::ServerContext& context, Writer&) {
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  }});
  ClientOptions options = Options();
  options.attempt_timeout = milliseconds(50);
  options.away_first = options.away_max = milliseconds(1'200'000);
  Start(options);
  EXPECT_TRUE(Follows());
  EXPECT_GT(services_[1].open_watches(), 0);
}

TEST_F(WatchServersTest, ServerWithoutRoomIsAskedAgainWhenItSays) {
  ClientOptions options = Options();
  options.backoff_first = options.backoff_max = milliseconds(1);
  services_[0].ScriptWatches({[](grpc::ServerContext&, Writer&) {
                                google::rpc::RetryInfo retry;
                                retry.mutable_retry_delay()->set_nanos(1'000'000);
                                return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED",
                                               {}, retry);
                              },
                              [this](grpc::ServerContext& context, Writer& writer) {
                                return history_.Follow(context, writer, 1, serving_[0]);
                              }});
  Start(options);
  EXPECT_TRUE(Follows());
  EXPECT_THAT(services_[0].watches(), SizeIs(2));
  EXPECT_THAT(services_[1].watches(), SizeIs(0));
}

// Streams that give a little and break, on every server: no server is asked without pause.
TEST_F(WatchServersTest, ServersThatBreakAllTheTimeAreAskedWithPauses) {
  for (ScriptedService& service : services_) {
    service.ScriptWatches({[](grpc::ServerContext&, Writer& writer) {
      v1::WatchShowtimeResponse message;
      message.mutable_progress()->set_epoch("e1");
      message.mutable_progress()->set_revision(1);
      writer.Write(message);
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
    }});
  }
  ClientOptions options = Options();
  options.away_first = options.away_max = milliseconds(1);
  Start(options);
  while (watch_->Next(milliseconds(300)).ok()) {
  }
  EXPECT_LE(services_[0].watches().size() + services_[1].watches().size(), 3U);
}

TEST_F(WatchServersTest, FailureNamesTheServerThatWasAsked) {
  services_[0].Stop();
  services_[1].Stop();
  Start(Options());
  EXPECT_THAT(watch_->Next(milliseconds(500)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(std::string(watch_->Failure().message()), EndsWith(" (" + list_[1] + ")"));
}

TEST_F(WatchServersTest, CancelEndsAWatchOfSeveralServersInEveryState) {
  for (const bool there : {true, false}) {
    if (!there) {
      services_[0].Stop();
      services_[1].Stop();
    }
    Start(Options());
    std::thread canceller([this, there] {
      while (there ? services_[0].open_watches() == 0 : watch_->Failure().ok()) {
        std::this_thread::yield();
      }
      watch_->Cancel();
    });
    absl::Status status;
    while (status.ok()) status = watch_->Next(kLong).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
    canceller.join();
  }
}

}  // namespace
}  // namespace seatlock::client
