#include "seatlock/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <thread>

#include "clients/cpp/backoff.h"
#include "clients/cpp/scripted_service.h"
#include "seatlock/client.h"
#include "tests/testing/http_error_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::client {
namespace {

using ::seatlock::testing::HttpErrorServer;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using std::chrono::milliseconds;
using ::testing::SizeIs;
using WatchScript = ScriptedService::WatchScript;
using Writer = ScriptedService::Writer;

constexpr milliseconds kLong(20'000);

void SendSnapshot(Writer& writer, uint64_t revision, const std::string& seat, bool more) {
  v1::WatchShowtimeResponse message;
  message.mutable_snapshot()->set_epoch("e1");
  message.mutable_snapshot()->set_revision(revision);
  message.mutable_snapshot()->set_more(more);
  message.mutable_snapshot()->add_seats()->set_seat_id(seat);
  writer.Write(message);
}
void SendChange(Writer& writer, uint64_t revision, const std::string& epoch = "e1") {
  v1::WatchShowtimeResponse message;
  message.mutable_change()->set_epoch(epoch);
  message.mutable_change()->set_revision(revision);
  writer.Write(message);
}
void SendProgress(Writer& writer, const std::string& epoch, uint64_t revision) {
  v1::WatchShowtimeResponse message;
  message.mutable_progress()->set_epoch(epoch);
  message.mutable_progress()->set_revision(revision);
  writer.Write(message);
}
grpc::Status StayOpen(grpc::ServerContext& context) {
  while (!context.IsCancelled()) std::this_thread::yield();
  return grpc::Status::CANCELLED;
}
grpc::Status Gone() {
  return {grpc::StatusCode::UNAVAILABLE, "gone"};
}

class WatchTest : public ::testing::Test {
 protected:
  std::unique_ptr<Watch> Start(const std::optional<v1::Position>& resume = std::nullopt) {
    Client client({.target = service_.target(),
                   .backoff_first = milliseconds(1),
                   .backoff_max = milliseconds(20)});
    v1::WatchShowtimeRequest request;
    request.set_showtime_id("123");
    if (resume.has_value()) *request.mutable_resume() = *resume;
    return client.WatchShowtime(request);
  }
  // The revision of the change that comes next, 0 for anything else.
  static uint64_t NextChange(Watch& watch) {
    const absl::StatusOr<Watch::Event> event = watch.Next(kLong);
    const auto* change = event.ok() ? std::get_if<v1::Change>(&*event) : nullptr;
    return change == nullptr ? 0 : change->revision();
  }

  ScriptedService service_;
};

TEST_F(WatchTest, ChunksOfASnapshotComeAsOne) {
  service_.ScriptWatches({[](grpc::ServerContext& context, Writer& writer) {
    SendSnapshot(writer, 5, "A01", true);
    SendSnapshot(writer, 5, "A02", false);
    SendChange(writer, 6);
    return StayOpen(context);
  }});
  const std::unique_ptr<Watch> watch = Start();
  const absl::StatusOr<Watch::Event> event = watch->Next(kLong);
  ASSERT_THAT(event, IsOk());
  EXPECT_THAT(std::get<v1::ShowtimeSnapshot>(*event).seats(), SizeIs(2));
  EXPECT_EQ(watch->position().revision(), 5U);
  EXPECT_EQ(NextChange(*watch), 6U);
  EXPECT_THAT(watch->Failure(), IsOk());
}

TEST_F(WatchTest, ComesBackWithItsPositionAfterUnavailable) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer& writer) {
                            SendSnapshot(writer, 5, "A01", false);
                            SendChange(writer, 6);
                            return Gone();
                          },
                          [](grpc::ServerContext&, Writer&) { return Gone(); },
                          [](grpc::ServerContext& context, Writer& writer) {
                            SendChange(writer, 7);
                            return StayOpen(context);
                          }});
  const std::unique_ptr<Watch> watch = Start();
  ASSERT_THAT(watch->Next(kLong), IsOk());
  EXPECT_EQ(NextChange(*watch), 6U);
  EXPECT_EQ(NextChange(*watch), 7U);
  ASSERT_THAT(service_.watches(), SizeIs(3));
  EXPECT_FALSE(service_.watches()[0].has_resume());
  EXPECT_EQ(service_.watches()[2].resume().epoch(), "e1");
  EXPECT_EQ(service_.watches()[2].resume().revision(), 6U);
}

TEST_F(WatchTest, ComesBackAfterTheServiceRestarted) {
  service_.ScriptWatches({[](grpc::ServerContext& context, Writer& writer) {
                            SendChange(writer, 1);
                            return StayOpen(context);
                          },
                          [](grpc::ServerContext& context, Writer& writer) {
                            SendChange(writer, 2);
                            return StayOpen(context);
                          }});
  const std::unique_ptr<Watch> watch = Start();
  EXPECT_EQ(NextChange(*watch), 1U);
  service_.Stop();
  EXPECT_THAT(watch->Next(milliseconds(50)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(watch->Failure().ok());
  service_.Restart();
  EXPECT_EQ(NextChange(*watch), 2U);
}

TEST_F(WatchTest, SnapshotThatBrokeOffIsForgotten) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer& writer) {
                            SendSnapshot(writer, 5, "A01", true);
                            return Gone();
                          },
                          [](grpc::ServerContext& context, Writer& writer) {
                            SendSnapshot(writer, 6, "A02", false);
                            return StayOpen(context);
                          }});
  const std::unique_ptr<Watch> watch = Start();
  const absl::StatusOr<Watch::Event> event = watch->Next(kLong);
  ASSERT_THAT(event, IsOk());
  const auto& snapshot = std::get<v1::ShowtimeSnapshot>(*event);
  ASSERT_THAT(snapshot.seats(), SizeIs(1));
  EXPECT_EQ(snapshot.seats(0).seat_id(), "A02");
}

// What comes after a hole, a repetition or a foreign epoch is asked for again, never handed out.
TEST_F(WatchTest, StreamThatDoesNotContinueIsAskedForAgain) {
  using Send = std::function<void(Writer&)>;
  for (const Send& wrong :
       {Send([](Writer& w) { SendChange(w, 3); }), Send([](Writer& w) { SendChange(w, 1); }),
        Send([](Writer& w) { SendChange(w, 2, "e2"); }),
        Send([](Writer& w) { SendProgress(w, "e1", 2); })}) {
    service_.ScriptWatches({[wrong](grpc::ServerContext& context, Writer& writer) {
                              SendChange(writer, 1);
                              wrong(writer);
                              return StayOpen(context);
                            },
                            [](grpc::ServerContext& context, Writer& writer) {
                              SendChange(writer, 2);
                              return StayOpen(context);
                            }});
    const std::unique_ptr<Watch> watch = Start();
    EXPECT_EQ(NextChange(*watch), 1U);
    EXPECT_EQ(NextChange(*watch), 2U);
    EXPECT_EQ(service_.watches().back().resume().revision(), 1U);
  }
}

TEST_F(WatchTest, ResumesFromThePositionThatItWasGiven) {
  service_.ScriptWatches({[](grpc::ServerContext& context, Writer& writer) {
    SendProgress(writer, "e1", 41);
    SendChange(writer, 42);
    return StayOpen(context);
  }});
  v1::Position resume;
  resume.set_epoch("e1");
  resume.set_revision(41);
  const std::unique_ptr<Watch> watch = Start(resume);
  const absl::StatusOr<Watch::Event> event = watch->Next(kLong);
  ASSERT_THAT(event, IsOk());
  EXPECT_TRUE(std::holds_alternative<v1::Progress>(*event));
  EXPECT_EQ(NextChange(*watch), 42U);
  EXPECT_EQ(service_.watches()[0].resume().revision(), 41U);
}

TEST_F(WatchTest, APositionWithoutAnEpochIsAskedForToo) {
  service_.ScriptWatches({[](grpc::ServerContext& context, Writer& writer) {
    SendChange(writer, 1);
    return StayOpen(context);
  }});
  const std::unique_ptr<Watch> watch = Start(v1::Position());
  EXPECT_EQ(NextChange(*watch), 1U);
  EXPECT_TRUE(service_.watches()[0].has_resume());
}

TEST_F(WatchTest, AShowtimeWithoutChangesSaysSoAndGoesOnFromNothing) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer& writer) {
                            SendProgress(writer, "", 0);
                            return Gone();
                          },
                          [](grpc::ServerContext& context, Writer& writer) {
                            SendChange(writer, 1);
                            return StayOpen(context);
                          }});
  const std::unique_ptr<Watch> watch = Start();
  const absl::StatusOr<Watch::Event> event = watch->Next(kLong);
  ASSERT_THAT(event, IsOk());
  EXPECT_TRUE(std::holds_alternative<v1::Progress>(*event));
  EXPECT_EQ(NextChange(*watch), 1U);
  ASSERT_THAT(service_.watches(), SizeIs(2));
  EXPECT_FALSE(service_.watches()[0].has_resume());
  EXPECT_TRUE(service_.watches()[1].has_resume());
}

TEST_F(WatchTest, RefusalEndsTheWatch) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer&) {
    return Refusal(grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", {});
  }});
  const std::unique_ptr<Watch> watch = Start();
  EXPECT_EQ(ErrorOf(watch->Next(kLong).status()).reason, "INVALID_FIELD");
  EXPECT_THAT(watch->Next(kLong), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(service_.watches(), SizeIs(1));
}

TEST_F(WatchTest, ComesBackFromWhatAskingAgainCanHeal) {
  const WatchScript answer = [](grpc::ServerContext& context, Writer& writer) {
    SendChange(writer, 1);
    return StayOpen(context);
  };
  for (const grpc::StatusCode code :
       {grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::UNKNOWN, grpc::StatusCode::INTERNAL,
        grpc::StatusCode::ABORTED, grpc::StatusCode::CANCELLED}) {
    service_.ScriptWatches(
        {[code](grpc::ServerContext&, Writer&) { return grpc::Status(code, "for now"); }, answer});
    EXPECT_EQ(NextChange(*Start()), 1U) << code;
  }
}

TEST_F(WatchTest, ComesBackAfterOverloadNotBeforeTheTimeThatTheServiceAskedFor) {
  constexpr milliseconds kAskedFor(200);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(200'000'000);
  std::chrono::steady_clock::time_point refused;
  std::chrono::steady_clock::time_point back;
  service_.ScriptWatches({[&](grpc::ServerContext&, Writer&) {
                            refused = std::chrono::steady_clock::now();
                            return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {},
                                           retry);
                          },
                          [&](grpc::ServerContext& context, Writer& writer) {
                            back = std::chrono::steady_clock::now();
                            SendChange(writer, 1);
                            return StayOpen(context);
                          }});
  const std::unique_ptr<Watch> watch = Start();
  EXPECT_EQ(NextChange(*watch), 1U);
  EXPECT_GE(back - refused, kAskedFor);
}

TEST_F(WatchTest, APauseTooLongForAClockIsNotTakenForNone) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer&) {
    google::rpc::RetryInfo retry;
    // Valid, and in nanoseconds between 2^63 and 2^64: added to a clock, it lies in the past.
    retry.mutable_retry_delay()->set_seconds(10'000'000'000);
    return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {}, retry);
  }});
  const std::unique_ptr<Watch> watch = Start();
  while (watch->Failure().ok()) watch->Next(milliseconds(10)).IgnoreError();
  EXPECT_THAT(watch->Next(milliseconds(200)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(service_.watches(), SizeIs(1));
}

TEST(BackoffTest, OfWhatTheServiceAsksForAMinuteIsObeyed) {
  Backoff backoff(milliseconds(1), milliseconds(20));
  for (const milliseconds asked_for : {milliseconds(60'001), milliseconds::max()}) {
    const milliseconds pause = backoff.Next(asked_for);
    EXPECT_GE(pause, std::chrono::minutes(1));
    EXPECT_LE(pause, std::chrono::seconds(90));
  }
  EXPECT_LE(backoff.Next(milliseconds::min()), milliseconds(20));
}

TEST(BackoffTest, ThoseWhoWereAskedTogetherDoNotComeBackTogether) {
  constexpr milliseconds kAskedFor(1'000);
  constexpr int kClients = 1'000;
  std::map<milliseconds, int> by_100_ms;
  for (int client = 0; client < kClients; ++client) {
    Backoff backoff(milliseconds(1), milliseconds(20));
    const milliseconds pause = backoff.Next(kAskedFor);
    EXPECT_GE(pause, kAskedFor);
    EXPECT_LE(pause, kAskedFor * 3 / 2);
    ++by_100_ms[pause / 100];
  }
  // A fifth of them each, evenly; clamped to what was asked for, one would have them all.
  for (const auto& [at, clients] : by_100_ms) EXPECT_LT(clients, kClients / 3) << at.count();
}

TEST(BackoffTest, AnAttemptHasHalfOfWhatIsLeft) {
  Backoff backoff(milliseconds(1), milliseconds(20));
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(backoff.Next(milliseconds(1'000), milliseconds(1'100)), milliseconds(1'050));
  }
  EXPECT_EQ(backoff.Next(milliseconds(1'000), milliseconds(900)), milliseconds(1'000));
}

TEST_F(WatchTest, ComesBackAfterAProxysErrors) {
  service_.ScriptWatches({[](grpc::ServerContext& context, Writer& writer) {
    SendChange(writer, 1);
    return StayOpen(context);
  }});
  const int port = std::stoi(service_.target().substr(service_.target().rfind(':') + 1));
  for (const int status : {404, 429, 500, 502, 503}) {
    service_.Stop();
    auto proxy = std::make_unique<HttpErrorServer>(static_cast<uint16_t>(port), status);
    const std::unique_ptr<Watch> watch = Start();
    while (proxy->answered() < 3) {
      ASSERT_THAT(watch->Next(milliseconds(10)), StatusIs(absl::StatusCode::kDeadlineExceeded))
          << status;
    }
    EXPECT_FALSE(watch->Failure().ok());
    proxy.reset();
    service_.Restart();
    EXPECT_EQ(NextChange(*watch), 1U) << status;
  }
}

TEST_F(WatchTest, AServiceWithoutTheMethodEndsTheWatch) {
  service_.ScriptWatches(
      {[](grpc::ServerContext&, Writer&) { return grpc::Status(grpc::UNIMPLEMENTED, ""); }});
  const std::unique_ptr<Watch> watch = Start();
  EXPECT_THAT(watch->Next(kLong), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(service_.watches(), SizeIs(1));
}

TEST_F(WatchTest, NothingInTimeIsADeadlineAndLosesNothing) {
  std::atomic<bool> go = false;
  service_.ScriptWatches({[&go](grpc::ServerContext& context, Writer& writer) {
    while (!go && !context.IsCancelled()) std::this_thread::yield();
    SendChange(writer, 1);
    return StayOpen(context);
  }});
  const std::unique_ptr<Watch> watch = Start();
  EXPECT_THAT(watch->Next(milliseconds(30)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(watch->Next(milliseconds(0)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  go = true;
  EXPECT_EQ(NextChange(*watch), 1U);
}

TEST_F(WatchTest, CancelFromAnotherThreadEndsNext) {
  service_.ScriptWatches({[](grpc::ServerContext& context, Writer& writer) {
    SendChange(writer, 1);
    return StayOpen(context);
  }});
  const std::unique_ptr<Watch> watch = Start();
  EXPECT_EQ(NextChange(*watch), 1U);
  std::thread canceller([&watch] { watch->Cancel(); });
  EXPECT_THAT(watch->Next(std::chrono::milliseconds::max()),
              StatusIs(absl::StatusCode::kCancelled));
  canceller.join();
}

TEST_F(WatchTest, CancelEndsAPauseBetweenAttempts) {
  service_.ScriptWatches({[](grpc::ServerContext&, Writer&) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(3600);
    return Refusal(grpc::StatusCode::UNAVAILABLE, "DRAINING", {}, retry);
  }});
  const std::unique_ptr<Watch> watch = Start();
  std::thread canceller([&watch] {
    while (watch->Failure().ok()) std::this_thread::yield();
    watch->Cancel();
  });
  EXPECT_THAT(watch->Next(kLong), StatusIs(absl::StatusCode::kCancelled));
  canceller.join();
}

}  // namespace
}  // namespace seatlock::client
