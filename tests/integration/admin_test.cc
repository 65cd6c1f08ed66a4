// What operators do, on a real server with a SQLite file, its edge and seatctl: every call, who
// sees what of it, and a showtime that is deleted under watchers.
#include <gmock/gmock.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "seatlock/v1/seatlock_admin_service.grpc.pb.h"
#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class AdminTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    Connect();
  }
  void Connect() {
    client_ = std::make_unique<SeatLockClient>(server_.address());
    admin_ = v1::SeatLockAdminService::NewStub(client_->channel());
  }

  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (v1::SeatLockAdminService::Stub::*method)(grpc::ClientContext*,
                                                                               const Request&,
                                                                               Response*),
                        const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    Answer<Response> answer;
    answer.status = (admin_.get()->*method)(&context, request, &answer.response);
    return answer;
  }
  using Stub = v1::SeatLockAdminService::Stub;

  Answer<v1::BlockSeatsResponse> Block(const std::vector<std::string>& seats,
                                       bool release_locks = false,
                                       const std::string& request_id = "") {
    v1::BlockSeatsRequest request;
    request.set_showtime_id("123");
    *request.mutable_seat_ids() = {seats.begin(), seats.end()};
    request.set_release_locks(release_locks);
    request.set_note("camera");
    if (!request_id.empty()) request.set_request_id(request_id);
    return Call(&Stub::BlockSeats, request);
  }
  Answer<v1::UnblockSeatsResponse> Unblock(const std::vector<std::string>& seats) {
    v1::UnblockSeatsRequest request;
    request.set_showtime_id("123");
    *request.mutable_seat_ids() = {seats.begin(), seats.end()};
    return Call(&Stub::UnblockSeats, request);
  }
  Answer<v1::ReleaseSeatsResponse> Release(const std::vector<std::string>& seats,
                                           const std::string& session = "") {
    v1::ReleaseSeatsRequest request;
    request.set_showtime_id("123");
    *request.mutable_seat_ids() = {seats.begin(), seats.end()};
    request.set_session_id(session);
    return Call(&Stub::ReleaseSeats, request);
  }
  Answer<v1::CloseShowtimeResponse> Close(bool reopen = false) {
    v1::CloseShowtimeRequest request;
    request.set_showtime_id("123");
    request.set_reopen(reopen);
    return Call(&Stub::CloseShowtime, request);
  }
  Answer<v1::DeleteShowtimeResponse> Delete() {
    v1::DeleteShowtimeRequest request;
    request.set_showtime_id("123");
    return Call(&Stub::DeleteShowtime, request);
  }
  // "A1 blocked B2 locked".
  std::string Taken() {
    std::string text;
    for (const v1::Seat& seat : client_->Get("123").response.snapshot().seats()) {
      const std::string status = v1::SeatStatus_Name(seat.status());
      text += (text.empty() ? "" : " ") + seat.seat_id() + " " +
              status.substr(sizeof("SEAT_STATUS_") - 1);
    }
    return text;
  }
  v1::ShowtimeSummary Summary() {
    const auto page = client_->List().response;
    return page.showtimes_size() == 1 ? page.showtimes(0) : v1::ShowtimeSummary();
  }
  // What seatctl prints, and its exit code.
  std::pair<std::string, int> Seatctl(std::vector<std::string> args) {
    auto process = Process::Start({.binary = SEATCTL_BINARY,
                                   .args = std::move(args),
                                   .env = {{"SEATCTL_SERVER", server_.address()}}});
    EXPECT_THAT(process, IsOk());
    const auto end = (*process)->Wait(kStartTimeout);
    EXPECT_THAT(end, IsOk());
    std::vector<std::string> lines = (*process)->StdoutLines();
    for (std::string& line : (*process)->StderrLines()) lines.push_back(std::move(line));
    return {absl::StrJoin(lines, "\n"), end->code};
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
  std::unique_ptr<Stub> admin_;
};

TEST_F(AdminTest, BlockedSeatsAreNotForSaleUntilTheyAreUnblockedAlsoAfterARestart) {
  ASSERT_TRUE(client_->Lock("123", "B1", "alice").ok());
  const auto refused = Block({"A1", "B1"});
  EXPECT_EQ(refused.refusal().reason, "SEAT_TAKEN");
  EXPECT_THAT(refused.refusal().conflicts,
              ElementsAre(Refusal::Conflict{"B1", v1::SEAT_STATUS_LOCKED, "SEAT_TAKEN"}));
  EXPECT_EQ(Taken(), "B1 LOCKED");

  const auto blocked = Block({"A1", "B1"}, /*release_locks=*/true);
  ASSERT_TRUE(blocked.ok()) << blocked.status.error_message();
  EXPECT_EQ(blocked.response.revision(), 2U);
  EXPECT_GT(blocked.response.server_time().seconds(), 0);
  ASSERT_THAT(server_.Stop(), IsOk());
  ASSERT_THAT(server_.Start(), IsOk());
  Connect();
  EXPECT_EQ(Taken(), "A1 BLOCKED B1 BLOCKED");
  EXPECT_EQ(client_->Lock("123", "A1", "bob").refusal().reason, "SEAT_TAKEN");
  EXPECT_EQ(client_->Book("123", {"B1"}, "alice", "o1").refusal().reason, "SEAT_TAKEN");
  EXPECT_EQ(Summary().blocked(), 2U);

  EXPECT_EQ(Unblock({"A1", "B1", "C1"}).response.revision(), 3U);
  EXPECT_EQ(Unblock({"A1"}).response.revision(), 3U) << "repeated";
  EXPECT_EQ(Taken(), "");
  EXPECT_TRUE(client_->Lock("123", "A1", "bob").ok());
}

TEST_F(AdminTest, ARepeatedRequestIdGivesTheFirstAnswer) {
  EXPECT_EQ(Block({"A1"}, false, "r1").response.revision(), 1U);
  ASSERT_TRUE(Unblock({"A1"}).ok());
  EXPECT_EQ(Block({"A1"}, false, "r1").response.revision(), 1U);
  EXPECT_EQ(Taken(), "") << "it is not done again";
  EXPECT_EQ(Block({"A2"}, false, "r1").refusal().reason, "REQUEST_ID_REUSED");
}

TEST_F(AdminTest, LocksAreTakenAwayAndBookingsNever) {
  ASSERT_TRUE(client_->LockMany("123", {"A1", "A2"}, "alice").ok());
  ASSERT_TRUE(client_->Lock("123", "B1", "bob").ok());
  ASSERT_TRUE(client_->Book("123", {"C1"}, "carol", "o1").ok());
  const auto by_seat = Release({"C1", "B1", "D1"});
  EXPECT_THAT(by_seat.response.released_seat_ids(), ElementsAre("B1"));
  EXPECT_THAT(Release({}, "alice").response.released_seat_ids(), ElementsAre("A1", "A2"));
  EXPECT_THAT(Release({}, "alice").response.released_seat_ids(), IsEmpty());
  EXPECT_EQ(Taken(), "C1 BOOKED");
  EXPECT_EQ(Release({"A1"}, "alice").refusal().reason, "INVALID_FIELD");
  EXPECT_EQ(Release({}).refusal().reason, "INVALID_FIELD");
}

TEST_F(AdminTest, AClosedShowtimeSellsWhatIsHeldAndGivesBack) {
  ASSERT_TRUE(client_->LockMany("123", {"A1", "A2"}, "alice").ok());
  ASSERT_TRUE(client_->Book("123", {"C1"}, "carol", "o1").ok());
  EXPECT_EQ(Close().response.revision(), 3U);
  EXPECT_EQ(Close().response.revision(), 3U);
  EXPECT_TRUE(Summary().closed());
  EXPECT_EQ(client_->Lock("123", "A3", "bob").refusal().reason, "SHOWTIME_CLOSED");
  EXPECT_EQ(client_->Extend("123", {"A1"}, "alice").refusal().reason, "SHOWTIME_CLOSED");
  EXPECT_EQ(client_->Book("123", {"A3"}, "bob", "o2").refusal().reason, "SHOWTIME_CLOSED");
  EXPECT_TRUE(client_->Book("123", {"A1"}, "alice", "o3", {.only_held = true}).ok());
  EXPECT_TRUE(client_->Unlock("123", "A2", "alice").ok());
  EXPECT_TRUE(client_->Cancel("123", {}, "o1").ok());
  EXPECT_EQ(Taken(), "A1 BOOKED");
  EXPECT_TRUE(Close(/*reopen=*/true).ok());
  EXPECT_FALSE(Summary().closed());
  EXPECT_TRUE(client_->Lock("123", "A3", "bob").ok());
}

TEST_F(AdminTest, ADeletedShowtimeIsGoneForWatchersPositionsAndOrders) {
  ASSERT_TRUE(client_->Book("123", {"A1"}, "alice", "o1").ok());
  const v1::ShowtimeSnapshot before = client_->Get("123").response.snapshot();
  WatchStream watch(client_->stub(), "123");
  ASSERT_EQ(watch.Next()->snapshot().revision(), 1U);

  ASSERT_TRUE(Delete().ok());
  const auto told = watch.Next();
  ASSERT_TRUE(told.has_value());
  EXPECT_TRUE(told->snapshot().replaces());
  EXPECT_EQ(told->snapshot().revision(), 0U);
  EXPECT_THAT(told->snapshot().seats(), IsEmpty());
  EXPECT_EQ(client_->GetOrder("123", "o1").response.state(), v1::ORDER_STATE_UNKNOWN);
  EXPECT_EQ(client_->List().response.showtimes_size(), 0);

  ASSERT_TRUE(client_->Book("123", {"A2"}, "bob", "o1").ok());
  const auto change = watch.Next();
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->change().revision(), 1U);
  EXPECT_NE(change->change().epoch(), before.epoch());
  v1::Position old;
  old.set_epoch(before.epoch());
  old.set_revision(1);
  WatchStream resumed(client_->stub(), "123", old);
  EXPECT_TRUE(resumed.Next()->snapshot().replaces());
  ASSERT_TRUE(Delete().ok());
  EXPECT_TRUE(Delete().ok()) << "what is gone can be deleted";
}

class AdminEdgeTest : public AdminTest {
 protected:
  void SetUp() override {
    AdminTest::SetUp();
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_));
  }
  void TearDown() override { EXPECT_EQ(SanitizerReport(edge_->process()), ""); }

  std::unique_ptr<WsClient> Open(const std::string& session) {
    const size_t colon = edge_->address().rfind(':');
    auto client = WsClient::Connect(
        "127.0.0.1", static_cast<uint16_t>(std::stoi(edge_->address().substr(colon + 1))), {});
    EXPECT_THAT(client, IsOk());
    if (!client.ok()) return nullptr;
    EXPECT_THAT((*client)->SendText(R"({"type":"subscribe","showtimeId":"123","sessionId":")" +
                                    session + R"("})"),
                IsOk());
    return *std::move(client);
  }
  static std::string Frame(WsClient& client, const std::string& type) {
    const auto frame = client.NextOfType(type);
    EXPECT_THAT(frame, IsOk());
    return frame.ok() ? boost::json::serialize(*frame) : "";
  }

  std::unique_ptr<Program> edge_;
};

TEST_F(AdminEdgeTest, ABlockedSeatShowsAsBookedAndAReleasedLockAsFree) {
  ASSERT_TRUE(client_->LockMany("123", {"A1", "A2"}, "alice").ok());
  const auto alice = Open("alice");
  ASSERT_NE(alice, nullptr);
  EXPECT_THAT(Frame(*alice, "current_seat_status"), HasSubstr(R"("lockedSeats":["A1","A2"])"));

  ASSERT_TRUE(Block({"A1"}, /*release_locks=*/true).ok());
  const std::string blocked = Frame(*alice, "seat_status_change");
  EXPECT_THAT(blocked, HasSubstr(R"("seatId":"A1","status":"booked")"));
  EXPECT_THAT(blocked, HasSubstr(R"("cause":"block")"));
  EXPECT_THAT(blocked, Not(HasSubstr("alice"))) << "it is not hers";
  ASSERT_TRUE(Release({"A2"}).ok());
  const std::string released = Frame(*alice, "seat_status_change");
  EXPECT_THAT(released, HasSubstr(R"("seatId":"A2","status":"unlocked","sessionId":"alice")"));
  EXPECT_THAT(released, HasSubstr(R"("cause":"release")"));
  ASSERT_TRUE(Close().ok());  // no seat changes: no frame
  ASSERT_TRUE(Unblock({"A1"}).ok());
  const std::string unblocked = Frame(*alice, "seat_status_change");
  EXPECT_THAT(unblocked, HasSubstr(R"("seatId":"A1","status":"unlocked")"));
  EXPECT_THAT(unblocked, HasSubstr(R"("revision":5,"cause":"unblock")"));

  ASSERT_TRUE(Block({"A3"}).ok());
  const auto bob = Open("bob");
  ASSERT_NE(bob, nullptr);
  EXPECT_THAT(Frame(*bob, "current_seat_status"), HasSubstr(R"("bookedSeats":["A3"])"));
}

TEST_F(AdminEdgeTest, BrowsersOfADeletedShowtimeGetAnEmptyPictureAndThenTheNewHistory) {
  ASSERT_TRUE(client_->Book("123", {"A1"}, "alice", "o1").ok());
  const auto browser = Open("bob");
  ASSERT_NE(browser, nullptr);
  EXPECT_THAT(Frame(*browser, "current_seat_status"), HasSubstr(R"("bookedSeats":["A1"])"));
  ASSERT_TRUE(Delete().ok());
  const std::string empty = Frame(*browser, "current_seat_status");
  EXPECT_THAT(empty, HasSubstr(R"("bookedSeats":[],"lockedSeats":[])"));
  EXPECT_THAT(empty, HasSubstr(R"("revision":0)"));
  ASSERT_TRUE(client_->Lock("123", "A2", "alice").ok());
  EXPECT_THAT(Frame(*browser, "seat_status_change"), HasSubstr(R"("seatId":"A2")"));
  EXPECT_EQ(browser->close_code(), 0);
}

TEST_F(AdminTest, SeatctlDoesAllOfItAndSaysWhatCameOfIt) {
  using Said = std::pair<std::string, int>;
  EXPECT_EQ(Seatctl({"admin", "block", "123", "A1", "A2", "--note", "camera"}),
            Said("blocked A1 A2 at revision 1", 0));
  EXPECT_THAT(Seatctl({"get", "123"}).first, HasSubstr("A1  blocked"));
  EXPECT_THAT(Seatctl({"list"}).first,
              HasSubstr("123       1         0       0       2        no"));
  const Said taken = Seatctl({"lock", "123", "A1", "--session", "alice"});
  EXPECT_EQ(taken.second, 4);
  EXPECT_THAT(taken.first, HasSubstr("A1 is blocked"));
  EXPECT_EQ(Seatctl({"admin", "unblock", "123", "A1"}), Said("not blocked: A1 at revision 2", 0));
  ASSERT_TRUE(client_->Lock("123", "A1", "alice").ok());
  EXPECT_EQ(Seatctl({"admin", "block", "123", "A1"}).second, 4);
  EXPECT_EQ(Seatctl({"admin", "release", "123", "--session", "alice"}),
            Said("took the locks of A1 at revision 4", 0));
  EXPECT_EQ(Seatctl({"admin", "release", "123", "A1"}), Said("no locks at revision 4", 0));
  EXPECT_EQ(Seatctl({"admin", "close", "123"}), Said("showtime 123 is closed at revision 5", 0));
  EXPECT_THAT(Seatctl({"lock", "123", "A9", "--session", "alice"}).first,
              HasSubstr("SHOWTIME_CLOSED"));
  EXPECT_EQ(Seatctl({"admin", "reopen", "123"}), Said("showtime 123 is open at revision 6", 0));
  EXPECT_EQ(Seatctl({"admin", "delete", "123"}), Said("deleted showtime 123", 0));
  EXPECT_THAT(Seatctl({"list"}).first, HasSubstr("no showtimes"));
  EXPECT_EQ(Seatctl({"admin", "release", "123"}).second, 2);
  EXPECT_EQ(Seatctl({"admin"}).second, 2);
}

// Who made a deletion stands in no history, so the log has it.
TEST_F(AdminTest, ADeletionIsSaidInTheLog) {
  ASSERT_TRUE(client_->Lock("123", "A1", "alice").ok());
  ASSERT_TRUE(Delete().ok());
  const auto line = server_.process().WaitForText("showtime deleted", kStartTimeout);
  ASSERT_THAT(line, IsOk());
  EXPECT_EQ(LogField(*line, "showtime"), "123");
}

// Beyond loopback nobody knows who calls, so administration is refused and the rest is served.
TEST(AdminListenerTest, BeyondLoopbackWithoutIdentityNobodyAdministers) {
  ProgramOptions options;
  options.binary = SEATLOCKD_BINARY;
  options.listen = "0.0.0.0:0";
  options.store = "memory:";
  auto program = StartSeatlockd(options);
  ASSERT_THAT(program, IsOk());
  const std::string address = (*program)->address();
  SeatLockClient client("127.0.0.1" + address.substr(address.rfind(':')));
  const auto admin = v1::SeatLockAdminService::NewStub(client.channel());
  grpc::ClientContext context;
  v1::DeleteShowtimeRequest request;
  request.set_showtime_id("123");
  v1::DeleteShowtimeResponse response;
  const Refusal refusal = DecodeRefusal(admin->DeleteShowtime(&context, request, &response));
  EXPECT_EQ(refusal.code, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refusal.reason, "SCOPE_MISSING");
  EXPECT_EQ(refusal.metadata.at("scope"), "admin");
  EXPECT_TRUE(client.Lock("123", "A1", "alice").ok());
}

}  // namespace
}  // namespace seatlock::testing
