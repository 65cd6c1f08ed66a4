// Calls of a client that has several servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
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
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Script = ScriptedService::LockScript;

grpc::Status Granted(grpc::ServerContext&, v1::LockSeatResponse*) {
  return grpc::Status::OK;
}
grpc::Status CutOff(grpc::ServerContext&, v1::LockSeatResponse*) {
  return {grpc::StatusCode::UNAVAILABLE, "Socket closed"};
}
// Answers nothing until the caller gave up.
grpc::Status Hang(grpc::ServerContext& context, v1::LockSeatResponse*) {
  while (!context.IsCancelled()) std::this_thread::yield();
  return grpc::Status::OK;
}
Script Refuse(grpc::StatusCode code, const std::string& reason, const std::string& outcome = "") {
  return [=](grpc::ServerContext&, v1::LockSeatResponse*) {
    std::map<std::string, std::string> metadata;
    if (!outcome.empty()) metadata["outcome"] = outcome;
    return Refusal(code, reason, metadata);
  };
}
Script Draining() {
  return Refuse(grpc::StatusCode::UNAVAILABLE, "DRAINING", "none");
}

// Three servers, of which the showtime prefers the first to the second to the third. Pauses between
// attempts are longer than a test lasts: what goes on does so at once.
class ClientServersTest : public ::testing::Test {
 protected:
  ClientServersTest() {
    for (ScriptedService& service : services_) service.ScriptLocks({Granted});
  }

  ClientOptions Options() {
    return {.servers = list_,
            .timeout = milliseconds(600'000),
            .attempt_timeout = milliseconds(5'000),
            .retries = 2,
            .backoff_first = milliseconds(1'200'000),
            .backoff_max = milliseconds(1'200'000),
            .away_first = milliseconds(1'200'000),
            .away_max = milliseconds(1'200'000)};
  }
  // The same with pauses that do not matter.
  ClientOptions Quick() {
    ClientOptions options = Options();
    options.backoff_first = options.backoff_max = milliseconds(1);
    return options;
  }
  v1::LockSeatRequest Request() const {
    v1::LockSeatRequest request;
    request.set_showtime_id(showtime_);
    request.set_seat_id("A06");
    request.set_session_id("alice");
    return request;
  }
  // How many calls each server got.
  std::vector<size_t> Calls() const {
    std::vector<size_t> calls;
    for (const ScriptedService& service : services_) calls.push_back(service.locks().size());
    return calls;
  }

  std::array<ScriptedService, 3> services_;
  const std::vector<std::string> list_ = {services_[0].target(), services_[1].target(),
                                          services_[2].target()};
  const std::string showtime_ = ShowtimeThatPrefers(list_);
};

using Counts = std::vector<size_t>;

TEST_F(ClientServersTest, CallsGoToTheServerThatTheShowtimePrefers) {
  Client client(Options());
  for (int i = 0; i < 5; ++i) EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_EQ(Calls(), Counts({5, 0, 0}));
}

TEST_F(ClientServersTest, ServerThatIsAwayIsReplacedAtOnceAndThenLeftAlone) {
  const Script away[] = {
      Draining(),
      Refuse(grpc::StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE", "none"),
      Refuse(grpc::StatusCode::UNAVAILABLE, "OUTCOME_UNKNOWN", "unknown"),
      CutOff,
      [](grpc::ServerContext&, v1::LockSeatResponse*) {
        return grpc::Status(grpc::StatusCode::CANCELLED, "");
      },
  };
  size_t first = 0;
  size_t second = 0;
  for (const Script& script : away) {
    services_[0].ScriptLocks({script});
    Client client(Options());
    for (int i = 0; i < 3; ++i) EXPECT_THAT(client.LockSeat(Request()), IsOk());
    EXPECT_EQ(Calls(), Counts({first += 1, second += 3, 0}));
  }
}

TEST_F(ClientServersTest, ServerThatIsNotThereIsReplacedAtOnce) {
  services_[0].Stop();
  services_[1].Stop();
  Client client(Options());
  EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_EQ(Calls(), Counts({0, 0, 1}));
}

TEST_F(ClientServersTest, ServerThatStopsUnderItsClientIsReplacedAtOnce) {
  Client client(Options());
  ASSERT_THAT(client.LockSeat(Request()), IsOk());
  services_[0].Stop();
  EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_EQ(Calls(), Counts({1, 1, 0}));
}

TEST_F(ClientServersTest, AllAttemptsAreTheSameRequest) {
  services_[0].ScriptLocks({CutOff});
  services_[1].ScriptLocks({Draining()});
  Client client(Options());
  ASSERT_THAT(client.LockSeat(Request()), IsOk());
  std::set<std::string> ids;
  for (const ScriptedService& service : services_) {
    ASSERT_THAT(service.locks(), SizeIs(1));
    ids.insert(service.locks()[0].request_id());
  }
  EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(ClientServersTest, ServerThatGivesNoAnswerInTimeIsReplaced) {
  services_[0].ScriptLocks({Hang});
  ClientOptions options = Options();
  options.attempt_timeout = milliseconds(200);
  Client client(options);
  EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_EQ(Calls(), Counts({1, 2, 0}));
}

// Another server might do it a second time.
TEST_F(ClientServersTest, WithoutARequestIdNoOtherServerIsAskedForWhatMayHaveHappened) {
  v1::LockSeatRequest request = Request();
  request.set_request_id("");
  services_[0].ScriptLocks({CutOff});
  Client client(Options());
  EXPECT_THAT(client.LockSeat(request), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Calls(), Counts({1, 0, 0}));
}

TEST_F(ClientServersTest, WithoutARequestIdAnotherServerIsAskedIfNothingHappened) {
  v1::LockSeatRequest request = Request();
  request.set_request_id("");
  services_[0].ScriptLocks({Draining()});
  services_[1].Stop();  // nothing was sent to it
  Client client(Options());
  EXPECT_THAT(client.LockSeat(request), IsOk());
  EXPECT_EQ(Calls(), Counts({1, 0, 1}));
}

TEST_F(ClientServersTest, RefusalIsTheAnswerWhicheverServerGivesIt) {
  services_[0].ScriptLocks({Refuse(grpc::StatusCode::FAILED_PRECONDITION, "SEAT_TAKEN")});
  Client client(Options());
  EXPECT_EQ(ErrorOf(client.LockSeat(Request()).status()).reason, "SEAT_TAKEN");
  EXPECT_EQ(Calls(), Counts({1, 0, 0}));
}

TEST_F(ClientServersTest, OverloadIsNoReasonToAskAnotherServer) {
  services_[0].ScriptLocks({[](grpc::ServerContext&, v1::LockSeatResponse*) {
                              google::rpc::RetryInfo retry;
                              retry.mutable_retry_delay()->set_nanos(1'000'000);
                              return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {},
                                             retry);
                            },
                            Granted});
  Client client(Quick());
  EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_EQ(Calls(), Counts({2, 0, 0}));
}

TEST_F(ClientServersTest, AttemptsAreBoundedAndSharedAmongServersThatAreAllAway) {
  for (ScriptedService& service : services_) service.ScriptLocks({Draining()});
  Client client(Quick());
  EXPECT_EQ(ErrorOf(client.LockSeat(Request()).status()).reason, "DRAINING");
  EXPECT_EQ(Calls(), Counts({2, 2, 1})) << "one, two more servers, and two retries";
}

TEST_F(ClientServersTest, TimeoutEndsWhatServersThatHangWouldProlong) {
  for (ScriptedService& service : services_) service.ScriptLocks({Hang});
  ClientOptions options = Options();
  options.timeout = milliseconds(2000);
  options.attempt_timeout = milliseconds(800);
  Client client(options);
  EXPECT_THAT(client.LockSeat(Request()), StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(Calls(), Counts({1, 1, 1}));
}

TEST_F(ClientServersTest, CallersReturnToThePreferredServer) {
  services_[0].ScriptLocks({Draining(), Granted});
  ClientOptions options = Options();
  options.away_first = options.away_max = milliseconds(5);
  Client client(options);
  while (services_[0].locks().size() < 2) ASSERT_THAT(client.LockSeat(Request()), IsOk());
  const size_t others = services_[1].locks().size();
  for (int i = 0; i < 5; ++i) EXPECT_THAT(client.LockSeat(Request()), IsOk());
  EXPECT_EQ(Calls(), Counts({7, others, 0}));
}

// As in an upgrade: at each moment one of three is away, and no call fails.
TEST_F(ClientServersTest, NoCallFailsWhileServersRestartOneAfterAnother) {
  ClientOptions options;
  options.servers = list_;
  Client client(options);
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      while (!stop) {
        const absl::Status status = client.LockSeat(Request()).status();
        if (!status.ok()) ++failed;
        EXPECT_THAT(status, IsOk());
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    for (ScriptedService& service : services_) {
      service.Drain();
      const size_t before = Calls()[0] + Calls()[1] + Calls()[2];
      while (Calls()[0] + Calls()[1] + Calls()[2] < before + 20) std::this_thread::yield();
      service.Restart();
    }
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(ClientServersTest, FailureNamesTheServerThatWasAsked) {
  services_[0].ScriptLocks({Draining()});
  services_[1].Stop();
  services_[2].ScriptLocks({Refuse(grpc::StatusCode::FAILED_PRECONDITION, "SEAT_TAKEN")});
  Client client(Options());
  const CallError error = ErrorOf(client.LockSeat(Request()).status());
  EXPECT_EQ(error.server, list_[2]);
  EXPECT_EQ(error.message, "refused: SEAT_TAKEN (" + list_[2] + ")");
}

TEST_F(ClientServersTest, IfNoneCanBeReachedNothingHappened) {
  for (ScriptedService& service : services_) service.Stop();
  Client client(Quick());
  const CallError error = ErrorOf(client.LockSeat(Request()).status());
  EXPECT_EQ(error.code, absl::StatusCode::kUnavailable);
  EXPECT_TRUE(error.NothingHappened());
  EXPECT_FALSE(error.MayHaveHappened());
  EXPECT_THAT(list_, ::testing::Contains(error.server));
  EXPECT_THAT(error.message, HasSubstr("cannot connect"));
}

TEST_F(ClientServersTest, OneServerIsNamedBesideAMessageThatIsItsOwn) {
  services_[0].ScriptLocks({Refuse(grpc::StatusCode::FAILED_PRECONDITION, "SEAT_TAKEN")});
  ClientOptions options = Options();
  options.servers = {list_[0]};
  Client client(options);
  const CallError error = ErrorOf(client.LockSeat(Request()).status());
  EXPECT_EQ(error.message, "refused: SEAT_TAKEN");
  EXPECT_EQ(error.server, list_[0]);
}

TEST_F(ClientServersTest, AListThatIsWrongIsAnInvalidArgumentOfEveryCall) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{list_[0], ""},
                                                {list_[0], list_[0]},
                                                {"nowhere"},
                                                {"a:0"},
                                                std::vector<std::string>(65, "a:1")}) {
    ClientOptions options = Options();
    options.servers = wrong;
    Client client(options);
    EXPECT_THAT(client.LockSeat(Request()), StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(client.GetShowtime({}), StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(client.WatchShowtime({})->Next(milliseconds(1'000)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(Calls(), Counts({0, 0, 0}));
}

}  // namespace
}  // namespace seatlock::client
