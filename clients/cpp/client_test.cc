#include "seatlock/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "clients/cpp/scripted_service.h"
#include "seatlock/service_config.h"
#include "seatlock/v1/seatlock_admin_service.grpc.pb.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::client {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr char kUuid4[] = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

grpc::Status Granted(grpc::ServerContext&, v1::LockSeatResponse* response) {
  response->set_revision(7);
  return grpc::Status::OK;
}
grpc::Status Gone(grpc::ServerContext&, v1::LockSeatResponse*) {
  return {grpc::StatusCode::UNAVAILABLE, "gone"};
}
// Answers nothing until the caller gave up.
grpc::Status Hang(grpc::ServerContext& context, v1::LockSeatResponse*) {
  while (!context.IsCancelled()) std::this_thread::yield();
  return grpc::Status::OK;
}

ScriptedService::LockScript Refuse(grpc::StatusCode code, const std::string& reason,
                                   const std::map<std::string, std::string>& metadata) {
  return
      [=](grpc::ServerContext&, v1::LockSeatResponse*) { return Refusal(code, reason, metadata); };
}

class ClientTest : public ::testing::Test {
 protected:
  ClientOptions Options() {
    return {.target = service_.target(),
            .timeout = milliseconds(10'000),
            .attempt_timeout = milliseconds(5'000),
            .retries = 3,
            .backoff_first = milliseconds(1),
            .backoff_max = milliseconds(2)};
  }
  static v1::LockSeatRequest Request() {
    v1::LockSeatRequest request;
    request.set_showtime_id("123");
    request.set_seat_id("A06");
    request.set_session_id("alice");
    return request;
  }

  ScriptedService service_;
};

TEST_F(ClientTest, OverloadIsRetriedIfTheServiceSaysWhenAndNotBefore) {
  Client client(Options());
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_nanos(200'000'000);
  std::vector<std::chrono::steady_clock::time_point> asked;
  const auto refuse = [&asked](auto... details) {
    return [&asked, details...](grpc::ServerContext&, v1::LockSeatResponse*) {
      asked.push_back(std::chrono::steady_clock::now());
      return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {}, details...);
    };
  };
  service_.ScriptLocks({refuse(retry), refuse()});
  EXPECT_EQ(ErrorOf(client.LockSeat(Request()).status()).reason, "OVERLOADED");
  ASSERT_THAT(asked, SizeIs(2)) << "the second says nothing of a time, so it is the last";
  EXPECT_GE(asked[1] - asked[0], milliseconds(200));
}

TEST_F(ClientTest, MutationGetsARequestId) {
  service_.ScriptLocks({Granted});
  Client client(Options());
  ASSERT_THAT(client.LockSeat(Request()), IsOk());
  ASSERT_THAT(service_.locks(), SizeIs(1));
  EXPECT_THAT(service_.locks()[0].request_id(), MatchesRegex(kUuid4));
}

TEST_F(ClientTest, RequestIdOfTheCallerIsKept) {
  service_.ScriptLocks({Granted});
  v1::LockSeatRequest request = Request();
  request.set_request_id("mine");
  Client client(Options());
  ASSERT_THAT(client.LockSeat(request), IsOk());
  EXPECT_EQ(service_.locks()[0].request_id(), "mine");
}

// The `traceparent` of each attempt at a lock whose options give `text`; "-" where there was none.
std::vector<std::string> SentTraces(ScriptedService& service, ClientOptions options,
                                    const std::string& text) {
  std::vector<std::string> sent;
  const auto note = [&sent](auto answer) {
    return [&sent, answer](grpc::ServerContext& context, v1::LockSeatResponse* response) {
      const auto& metadata = context.client_metadata();
      const auto at = metadata.find("traceparent");
      sent.emplace_back(at == metadata.end() ? "-"
                                             : std::string(at->second.data(), at->second.size()));
      return answer(context, response);
    };
  };
  service.ScriptLocks({note(Gone), note(Granted)});
  options.traceparent = [&text] { return text; };
  Client client(std::move(options));
  v1::LockSeatRequest request;
  request.set_showtime_id("123");
  EXPECT_THAT(client.LockSeat(request), IsOk());
  return sent;
}

TEST_F(ClientTest, EveryAttemptCarriesTheTraceThatTheCallBelongsTo) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_THAT(SentTraces(service_, Options(), trace), ElementsAre(trace, trace));
}

TEST_F(ClientTest, OfALaterVersionsTraceTheKnownPartIsSent) {
  const std::string ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
  EXPECT_THAT(SentTraces(service_, Options(), "cc-" + ids + "-03-bad\nheader"),
              ElementsAre("00-" + ids + "-01", "00-" + ids + "-01"));
  EXPECT_THAT(SentTraces(service_, Options(), "cc-" + ids + "-02"),
              ElementsAre("00-" + ids + "-00", "00-" + ids + "-00"));
}

TEST_F(ClientTest, WhatIsNoTraceIsNotSent) {
  for (const char* bad : {"", "nonsense", "bad\nheader"}) {
    EXPECT_THAT(SentTraces(service_, Options(), bad), ElementsAre("-", "-")) << bad;
  }
}

TEST_F(ClientTest, UnavailableIsRetriedAsTheSameRequest) {
  service_.ScriptLocks({Gone, Gone, Granted});
  Client client(Options());
  const absl::StatusOr<v1::LockSeatResponse> response = client.LockSeat(Request());
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->revision(), 7U);
  std::set<std::string> ids;
  for (const v1::LockSeatRequest& request : service_.locks()) ids.insert(request.request_id());
  EXPECT_THAT(service_.locks(), SizeIs(3));
  EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(ClientTest, AttemptWithoutAnswerIsRetriedAsTheSameRequest) {
  service_.ScriptLocks({Hang, Granted});
  ClientOptions options = Options();
  options.attempt_timeout = milliseconds(200);
  Client client(options);
  EXPECT_THAT(client.LockSeat(Request()), IsOk());
  ASSERT_THAT(service_.locks(), SizeIs(2));
  EXPECT_EQ(service_.locks()[0].request_id(), service_.locks()[1].request_id());
}

TEST_F(ClientTest, MutationThatRefusesARequestIdIsRetriedOnlyWhereNothingHappened) {
  v1::LockSeatRequest request = Request();
  request.set_request_id("");
  Client client(Options());
  service_.ScriptLocks({Gone, Granted});
  EXPECT_THAT(client.LockSeat(request), StatusIs(absl::StatusCode::kUnavailable));
  const auto draining = [](grpc::ServerContext&, v1::LockSeatResponse*) {
    return Refusal(grpc::StatusCode::UNAVAILABLE, "DRAINING", {{"outcome", "none"}});
  };
  service_.ScriptLocks({draining, Granted});
  EXPECT_THAT(client.LockSeat(request), IsOk());
}

TEST_F(ClientTest, RetriesAreBounded) {
  service_.ScriptLocks({Gone});
  Client client(Options());
  EXPECT_THAT(client.LockSeat(Request()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(service_.locks(), SizeIs(4));
}

TEST_F(ClientTest, TimeoutEndsTheRetries) {
  service_.ScriptLocks({Hang});
  ClientOptions options = Options();
  options.timeout = milliseconds(300);
  Client client(options);
  EXPECT_THAT(client.LockSeat(Request()), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(ClientTest, AttemptThatMayHaveHappenedIsNotForgottenByALaterOneThatDidNothing) {
  ClientOptions options = Options();
  options.attempt_timeout = milliseconds(200);
  options.retries = 1;
  Client client(options);
  const std::vector<ScriptedService::LockScript> ambiguous = {
      Hang, Gone,
      Refuse(grpc::StatusCode::UNAVAILABLE, "OUTCOME_UNKNOWN", {{"outcome", "unknown"}})};
  const std::vector<ScriptedService::LockScript> later = {
      Refuse(grpc::StatusCode::UNAVAILABLE, "DRAINING", {{"outcome", "none"}}),
      Refuse(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {})};
  for (const auto& first : ambiguous) {
    for (const auto& last : later) {
      service_.ScriptLocks({first, last});
      const absl::Status status = client.LockSeat(Request()).status();
      const CallError error = ErrorOf(status);
      EXPECT_FALSE(error.NothingHappened()) << status;
      EXPECT_TRUE(error.MayHaveHappened()) << status;
      EXPECT_THAT(error.metadata, Contains(Pair("outcome", "unknown")));
      EXPECT_NE(error.reason, "") << "the details stay";
    }
  }
  service_.ScriptLocks({Gone, later[0]});
  EXPECT_EQ(ErrorOf(client.LockSeat(Request()).status()).message,
            "refused: DRAINING; an earlier attempt may have happened");
}

TEST_F(ClientTest, NothingHappenedWhereEveryAttemptDidNothing) {
  service_.ScriptLocks({Refuse(grpc::StatusCode::UNAVAILABLE, "DRAINING", {{"outcome", "none"}})});
  Client client(Options());
  const CallError error = ErrorOf(client.LockSeat(Request()).status());
  EXPECT_TRUE(error.NothingHappened());
  EXPECT_FALSE(error.MayHaveHappened());
  EXPECT_EQ(error.message, "refused: DRAINING");
  EXPECT_THAT(service_.locks(), SizeIs(4));
}

// Such as a call that gRPC cut off for want of memory, or one that a proxy lost after it passed it
// on.
TEST_F(ClientTest, FailureWithoutAWordOfTheServiceMayHaveHappened) {
  Client client(Options());
  const auto failed_with = [&](grpc::StatusCode code) {
    service_.ScriptLocks({[code](grpc::ServerContext&, v1::LockSeatResponse*) {
      return grpc::Status(code, "cut off");
    }});
    return ErrorOf(client.LockSeat(Request()).status());
  };
  for (const grpc::StatusCode code : {grpc::UNKNOWN, grpc::INTERNAL, grpc::RESOURCE_EXHAUSTED,
                                      grpc::CANCELLED, grpc::ABORTED, grpc::DATA_LOSS}) {
    EXPECT_TRUE(failed_with(code).MayHaveHappened()) << code;
    EXPECT_EQ(failed_with(code).metadata["outcome"], "unknown") << code;
  }
  for (const grpc::StatusCode code : {grpc::UNIMPLEMENTED, grpc::PERMISSION_DENIED}) {
    EXPECT_FALSE(failed_with(code).MayHaveHappened()) << code;
  }
}

TEST_F(ClientTest, RefusalSettlesWhatMayHaveHappened) {
  service_.ScriptLocks({Gone, Refuse(grpc::StatusCode::FAILED_PRECONDITION, "SEAT_TAKEN", {})});
  Client client(Options());
  const CallError error = ErrorOf(client.LockSeat(Request()).status());
  EXPECT_EQ(error.reason, "SEAT_TAKEN");
  EXPECT_FALSE(error.MayHaveHappened());
}

TEST_F(ClientTest, PauseThatTheServiceAsksForBeyondTheTimeoutIsNotTaken) {
  service_.ScriptLocks({[](grpc::ServerContext&, v1::LockSeatResponse*) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(3600);
    return Refusal(grpc::StatusCode::UNAVAILABLE, "DRAINING", {}, retry);
  }});
  Client client(Options());
  const absl::StatusOr<v1::LockSeatResponse> response = client.LockSeat(Request());
  EXPECT_EQ(ErrorOf(response.status()).retry_after, std::chrono::hours(1));
  EXPECT_THAT(service_.locks(), SizeIs(1));
}

TEST_F(ClientTest, PauseTooLongForAClockIsNotTakenForNone) {
  for (const int64_t seconds : {int64_t{315'576'000'000}, std::numeric_limits<int64_t>::max()}) {
    service_.ScriptLocks({[seconds](grpc::ServerContext&, v1::LockSeatResponse*) {
      google::rpc::RetryInfo retry;
      retry.mutable_retry_delay()->set_seconds(seconds);
      return Refusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", {}, retry);
    }});
    const size_t before = service_.locks().size();
    Client client(Options());
    const CallError error = ErrorOf(client.LockSeat(Request()).status());
    EXPECT_EQ(error.retry_after, std::chrono::hours(24 * 365));
    EXPECT_THAT(service_.locks(), SizeIs(before + 1));
  }
}

TEST_F(ClientTest, RefusalIsReturnedAtOnceWithAllItsDetails) {
  service_.ScriptLocks({[](grpc::ServerContext&, v1::LockSeatResponse*) {
    v1::SeatConflicts conflicts;
    v1::SeatConflict* conflict = conflicts.add_conflicts();
    conflict->set_seat_id("A06");
    conflict->set_status(v1::SEAT_STATUS_BOOKED);
    google::rpc::BadRequest bad;
    bad.add_field_violations()->set_field("ttl");
    bad.mutable_field_violations(0)->set_description("at least 1 s");
    return Refusal(grpc::StatusCode::FAILED_PRECONDITION, "SEAT_TAKEN", {{"limit", "1"}}, conflicts,
                   bad);
  }});
  Client client(Options());
  const CallError error = ErrorOf(client.LockSeat(Request()).status());
  EXPECT_EQ(error.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(error.reason, "SEAT_TAKEN");
  EXPECT_EQ(error.message, "refused: SEAT_TAKEN");
  EXPECT_THAT(error.metadata, ElementsAre(Pair("limit", "1")));
  EXPECT_THAT(error.fields, ElementsAre("ttl: at least 1 s"));
  ASSERT_THAT(error.conflicts, SizeIs(1));
  EXPECT_EQ(error.conflicts[0].seat_id(), "A06");
  EXPECT_FALSE(error.NothingHappened());
  EXPECT_THAT(service_.locks(), SizeIs(1));
}

TEST_F(ClientTest, ReadIsRetried) {
  Client client(Options());
  EXPECT_THAT(client.GetShowtime({}), IsOk());
}

TEST_F(ClientTest, ServiceThatIsNotThereIsUnavailable) {
  service_.Stop();
  Client client(Options());
  EXPECT_THAT(client.LockSeat(Request()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(CallErrorTest, DetailsThatAreNoneAreIgnored) {
  const absl::Status status = MakeStatus(absl::StatusCode::kInternal, "broken", "\xff\xff garbage");
  EXPECT_EQ(ErrorOf(status).code, absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorOf(status).reason, "");
}

TEST(ServiceConfigTest, FileAndConstantAreTheSameJson) {
  std::ifstream file(SEATLOCK_SERVICE_CONFIG_FILE);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), kServiceConfigJson);
  EXPECT_TRUE(boost::json::parse(kServiceConfigJson).as_object().contains("methodConfig"));
}

TEST_F(ClientTest, ServiceConfigRetriesForPlainStubs) {
  service_.ScriptLocks({Gone, Granted});
  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(kServiceConfigJson);
  const auto stub = v1::SeatLockService::NewStub(
      grpc::CreateCustomChannel(service_.target(), grpc::InsecureChannelCredentials(), args));
  grpc::ClientContext context;
  v1::LockSeatResponse response;
  EXPECT_TRUE(stub->LockSeat(&context, Request(), &response).ok());
  EXPECT_THAT(service_.locks(), SizeIs(2));
}

// Fails each call of an operator with an outcome that nobody knows, and counts them.
class FailingAdmin final : public v1::SeatLockAdminService::Service {
 public:
  FailingAdmin() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status DeleteShowtime(grpc::ServerContext*, const v1::DeleteShowtimeRequest*,
                              v1::DeleteShowtimeResponse*) override {
    ++deletions;
    return Unknown();
  }
  grpc::Status CloseShowtime(grpc::ServerContext*, const v1::CloseShowtimeRequest* request,
                             v1::CloseShowtimeResponse*) override {
    ++closings;
    EXPECT_THAT(request->request_id(), MatchesRegex(kUuid4));
    return Unknown();
  }

  std::atomic<int> deletions{0};
  std::atomic<int> closings{0};

 private:
  static grpc::Status Unknown() {
    return Refusal(grpc::StatusCode::UNAVAILABLE, "OUTCOME_UNKNOWN", {{"outcome", "unknown"}});
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A repeat would delete what was sold since. The control: a call with a request_id is repeated.
TEST_F(ClientTest, ADeletionIsSentOnceAndItsOutcomeIsSaidToBeUnknown) {
  FailingAdmin admin;
  ClientOptions options = Options();
  options.target = admin.target();
  Client client(options);
  v1::DeleteShowtimeRequest deletion;
  deletion.set_showtime_id("123");
  EXPECT_TRUE(ErrorOf(client.DeleteShowtime(deletion).status()).MayHaveHappened());
  EXPECT_EQ(admin.deletions, 1);
  v1::CloseShowtimeRequest closing;
  closing.set_showtime_id("123");
  EXPECT_FALSE(client.CloseShowtime(closing).ok());
  EXPECT_EQ(admin.closings, 4);
}

}  // namespace
}  // namespace seatlock::client
