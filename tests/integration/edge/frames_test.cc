// Every frame and every error of the WebSocket contract, from a real edge.
#include <chrono>

#include "tests/integration/edge/edge_test_base.h"

namespace seatlock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class FramesTest : public EdgeTest {};

TEST_F(FramesTest, ConnectionEstablishedComesFirst) {
  auto client = WsClient::Connect("127.0.0.1", port_, {});
  ASSERT_THAT(client, IsOk());
  const auto frame = (*client)->NextJson();
  ASSERT_THAT(frame, IsOk());
  EXPECT_EQ(frame->at("type"), "connection_established");
  EXPECT_GE(frame->at("sessionId").as_string().size(), 16u);
  EXPECT_GT(frame->at("timestamp").as_int64(), 1'700'000'000'000);
  EXPECT_THAT(*frame, SizeIs(3));
}

TEST_F(FramesTest, AViewerOfAnEmptyShowtime) {
  const auto client = Connect();
  Subscribe(*client, "1");
  EXPECT_EQ(NextText(*client),
            R"({"type":"subscribed","showtimeId":"1","epoch":"","revision":0,"recovered":false,)"
            R"("yourSeats":[]})");
  EXPECT_EQ(NextText(*client),
            R"({"type":"current_seat_status","showtimeId":"1","bookedSeats":[],"lockedSeats":[],)"
            R"("epoch":"","revision":0})");
}

TEST_F(FramesTest, TheStateAndTheHoldersOwnSeats) {
  service_.Say("1",
               ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s"), LockedSeat("A02", "t")}));
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_BOOK, {SeatOf("A03", v1::SEAT_STATUS_BOOKED),
                                                     SeatOf("A04", v1::SEAT_STATUS_BLOCKED)}));
  const auto client = Connect();
  Subscribe(*client, "1", R"(,"sessionId":"s","userId":"u")");
  EXPECT_EQ(NextText(*client),
            R"({"type":"subscribed","showtimeId":"1","epoch":"epoch-1","revision":2,)"
            R"("recovered":false,"yourSeats":[{"seatId":"A01","expiresAt":1800000000000}]})");
  EXPECT_EQ(NextText(*client),
            R"({"type":"current_seat_status","showtimeId":"1","bookedSeats":["A03","A04"],)"
            R"("lockedSeats":["A01","A02"],"epoch":"epoch-1","revision":2})");
}

TEST_F(FramesTest, AChangeAsEverybodyAndAsTheHolderSeesIt) {
  const auto viewer = Follow("1");
  const auto holder = Follow("1", R"(,"sessionId":"s")");
  service_.Say("1",
               ChangeOf(v1::CHANGE_CAUSE_SWAP, {LockedSeat("A01", "s"), FreedSeat("A02", "s")}));
  EXPECT_EQ(
      NextText(*viewer, false),
      R"({"type":"seat_status_change","showtimeId":"1","seatId":"A01","status":"locked",)"
      R"("timestamp":1700000000000,"revision":1,"cause":"swap","more":true,"epoch":"epoch-1"})");
  EXPECT_EQ(NextText(*viewer, false),
            R"({"type":"seat_status_change","showtimeId":"1","seatId":"A02","status":"unlocked",)"
            R"("timestamp":1700000000000,"revision":1,"cause":"swap","epoch":"epoch-1"})");
  EXPECT_EQ(NextText(*holder, false),
            R"({"type":"seat_status_change","showtimeId":"1","seatId":"A01","status":"locked",)"
            R"("sessionId":"s","timestamp":1700000000000,"revision":1,"cause":"swap",)"
            R"("expiresAt":1800000000000,"more":true,"epoch":"epoch-1"})");
  EXPECT_EQ(NextText(*holder, false),
            R"({"type":"seat_status_change","showtimeId":"1","seatId":"A02","status":"unlocked",)"
            R"("sessionId":"s","timestamp":1700000000000,"revision":1,"cause":"swap",)"
            R"("epoch":"epoch-1"})");
}

TEST_F(FramesTest, ABlockedSeatShowsAsBookedAndAnUnknownCauseIsLeftOut) {
  const auto viewer = Follow("1");
  service_.Say(
      "1", ChangeOf(static_cast<v1::ChangeCause>(99), {SeatOf("A01", v1::SEAT_STATUS_BLOCKED)}));
  EXPECT_EQ(NextText(*viewer, false),
            R"({"type":"seat_status_change","showtimeId":"1","seatId":"A01","status":"booked",)"
            R"("timestamp":1700000000000,"revision":1,"epoch":"epoch-1"})");
}

TEST_F(FramesTest, AChangeOfNoSeatsIsNoFrame) {
  const auto viewer = Follow("1");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_CANCEL, {}));
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_BOOK, {SeatOf("A01", v1::SEAT_STATUS_BOOKED)}));
  EXPECT_THAT(NextText(*viewer), HasSubstr(R"("revision":2)"));
}

TEST_F(FramesTest, PongAndUnsubscribed) {
  const auto client = Follow("1");
  ASSERT_THAT(client->SendText(R"({"type":"ping"})"), IsOk());
  EXPECT_EQ(NextText(*client), R"({"type":"pong"})");
  ASSERT_THAT(client->SendText(R"({"type":"unsubscribe","showtimeId":"1"})"), IsOk());
  EXPECT_EQ(NextText(*client), R"({"type":"unsubscribed","showtimeId":"1"})");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_BOOK, {SeatOf("A01", v1::SEAT_STATUS_BOOKED)}));
  ASSERT_THAT(client->SendText(R"({"type":"ping"})"), IsOk());
  EXPECT_EQ(NextText(*client), R"({"type":"pong"})");
}

TEST_F(FramesTest, AResumeGetsWhatItMissed) {
  const auto keeper = Follow("1");
  for (const char* seat : {"A01", "A02", "A03"}) {
    service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat(seat, "s")}));
    ASSERT_THAT(keeper->NextOfType("seat_status_change"), IsOk());
  }
  const auto client = Connect();
  Subscribe(*client, "1", R"(,"resume":{"epoch":"epoch-1","revision":1})");
  EXPECT_EQ(NextText(*client),
            R"({"type":"subscribed","showtimeId":"1","epoch":"epoch-1","revision":1,)"
            R"("recovered":true,"yourSeats":[]})");
  EXPECT_THAT(NextText(*client), AllOf(HasSubstr("A02"), HasSubstr(R"("revision":2)")));
  EXPECT_THAT(NextText(*client), AllOf(HasSubstr("A03"), HasSubstr(R"("revision":3)")));
}

TEST_F(FramesTest, BatchesForWhoAsksForThem) {
  WsClient::Options options;
  options.subprotocol = "other, seatlock.v1.batch, seatlock.v1.json";
  const auto client = Follow("1", R"(,"sessionId":"s")", options);
  EXPECT_EQ(client->subprotocol(), "seatlock.v1.batch");
  service_.Say("1",
               ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s"), LockedSeat("A02", "t")}));
  EXPECT_EQ(NextText(*client, false),
            R"({"type":"seat_changes","showtimeId":"1","epoch":"epoch-1","revision":1,)"
            R"("changes":[["A01","locked",1800000000000],["A02","locked"]]})");
}

TEST_F(FramesTest, TheJsonSubprotocolIsTheSameAsNone) {
  WsClient::Options options;
  options.subprotocol = "seatlock.v1.json";
  const auto client = Follow("1", "", options);
  EXPECT_EQ(client->subprotocol(), "seatlock.v1.json");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  EXPECT_THAT(client->NextOfType("seat_status_change"), IsOk());
}

TEST_F(FramesTest, StreamStatusTellsOfTheServiceGoingAndComing) {
  const auto client = Follow("1");
  service_.Stop();
  EXPECT_EQ(NextText(*client), R"({"type":"stream_status","showtimeId":"1","live":false})");
  const auto newcomer = Connect();
  Subscribe(*newcomer, "1");
  EXPECT_EQ(NextText(*newcomer), R"({"type":"stream_status","showtimeId":"1","live":false})");
  EXPECT_THAT(NextText(*newcomer), HasSubstr("current_seat_status"));
  const auto stranger = Connect();
  Subscribe(*stranger, "2");
  EXPECT_EQ(NextText(*stranger), R"({"type":"stream_status","showtimeId":"2","live":false})");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  service_.Start();
  EXPECT_THAT(newcomer->NextOfType("subscribed"), IsOk());
  EXPECT_THAT(stranger->NextOfType("subscribed"), IsOk());
  EXPECT_THAT(NextText(*client), HasSubstr("A01"));
  EXPECT_EQ(NextText(*client), R"({"type":"stream_status","showtimeId":"1","live":true})");
}

TEST_F(FramesTest, ASnapshotAboveAMegabyteClosesNobody) {
  constexpr int kSeats = 10'000;
  constexpr size_t kIdBytes = 128;
  std::vector<v1::Seat> seats;
  for (int i = 0; i < kSeats; ++i) {
    const std::string number = std::to_string(i);
    seats.push_back(LockedSeat(std::string(kIdBytes - number.size(), 'A') + number, "s"));
  }
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, seats));
  service_.Stop();
  const auto client = Connect();
  Subscribe(*client, "1");
  EXPECT_THAT(NextText(*client), HasSubstr(R"("live":false)"));
  service_.Start();
  EXPECT_THAT(NextText(*client), HasSubstr(R"("recovered":false)"));
  EXPECT_GT(NextText(*client).size(), kSeats * kIdBytes);
  EXPECT_THAT(NextText(*client), HasSubstr(R"("live":true)"));
  ASSERT_THAT(client->SendText(R"({"type":"ping"})"), IsOk());
  EXPECT_EQ(NextText(*client), R"({"type":"pong"})");
}

TEST_F(FramesTest, WhoJoinedBeforeTheFirstChangeCanResume) {
  const auto early = Follow("1");
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  const auto first = early->NextOfType("seat_status_change");
  ASSERT_THAT(first, IsOk());
  const std::string epoch(first->at("epoch").as_string());
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A02", "s")}));
  ASSERT_THAT(early->NextOfType("seat_status_change"), IsOk());
  const auto again = Connect();
  Subscribe(*again, "1", R"(,"resume":{"revision":1,"epoch":")" + epoch + "\"}");
  EXPECT_THAT(NextText(*again), HasSubstr(R"("recovered":true)"));
  EXPECT_THAT(NextText(*again), HasSubstr("A02"));
}

TEST_F(FramesTest, TheServicesReturnToAShowtimeThatHadNoChangeBringsChangesAndNoSnapshot) {
  const auto client = Follow("1");
  service_.Stop();
  EXPECT_THAT(NextText(*client), HasSubstr(R"("live":false)"));
  for (const char* seat : {"A01", "A02"}) {
    service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat(seat, "s")}));
  }
  service_.Start();
  EXPECT_THAT(NextText(*client), AllOf(HasSubstr("A01"), HasSubstr(R"("revision":1)")));
  EXPECT_THAT(NextText(*client), AllOf(HasSubstr("A02"), HasSubstr(R"("revision":2)")));
  EXPECT_THAT(NextText(*client), HasSubstr(R"("live":true)"));
}

TEST_F(FramesTest, TheServiceGoingAndComingIsALogLineEach) {
  const auto client = Follow("1");
  service_.Stop();
  EXPECT_THAT(edge_->process().WaitForText("seat service is lost", kStartTimeout), IsOk());
  service_.Start();
  EXPECT_THAT(edge_->process().WaitForText("seat service is back", kStartTimeout), IsOk());
}

TEST_F(FramesTest, ASnapshotStandsForWhatIsNoLongerKept) {
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  const auto client = Follow("1");
  service_.Stop();
  EXPECT_THAT(NextText(*client), HasSubstr(R"("live":false)"));
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A02", "s")}));
  service_.Trim("1");
  service_.Start();
  EXPECT_THAT(NextText(*client), HasSubstr(R"("lockedSeats":["A01","A02"])"));
  EXPECT_THAT(NextText(*client), HasSubstr(R"("live":true)"));
}

// ---- Errors ------------------------------------------------------------------------------------

struct BadMessage {
  std::string text;
  std::string code;
};

class BadMessages : public FramesTest, public ::testing::WithParamInterface<BadMessage> {};

TEST_P(BadMessages, GetAnErrorAndTheConnectionLivesOn) {
  const auto client = Connect();
  ASSERT_THAT(client->SendText(GetParam().text), IsOk());
  EXPECT_EQ(ErrorCode(*client), GetParam().code);
  ASSERT_THAT(client->SendText(R"({"type":"ping"})"), IsOk());
  EXPECT_THAT(client->NextOfType("pong"), IsOk());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadMessages,
    ::testing::Values(
        BadMessage{"{\"type\":", "BAD_JSON"}, BadMessage{"[1,2]", "BAD_JSON"},
        BadMessage{std::string(4096, '['), "BAD_JSON"}, BadMessage{"{}", "BAD_FIELD"},
        BadMessage{R"({"type":"subscribe"})", "BAD_FIELD"},
        BadMessage{R"({"type":"subscribe","showtimeId":")" + std::string(129, 'x') + "\"}",
                   "BAD_FIELD"},
        BadMessage{R"({"type":"subscribe","showtimeId":"a\u0007b"})", "BAD_FIELD"},
        BadMessage{R"({"type":"subscribe","showtimeId":"1","sessionId":7})", "BAD_FIELD"},
        BadMessage{R"({"type":"dance"})", "UNKNOWN_TYPE"}));

TEST_F(FramesTest, A65thSubscriptionIsTooMany) {
  const auto client = Connect();
  for (int i = 0; i <= 64; ++i) Subscribe(*client, std::to_string(i));
  const auto frame = client->NextOfType("error");
  ASSERT_THAT(frame, IsOk());
  EXPECT_EQ(frame->at("code"), "TOO_MANY_SUBSCRIPTIONS");
  EXPECT_EQ(frame->at("showtimeId"), "64");
}

// ---- The service away under many ---------------------------------------------------------------

TEST_F(FramesTest, NobodyLeavesWhileTheServiceIsAwayAndAllAreCurrentSoonAfter) {
  constexpr int kClients = 200;
  constexpr std::chrono::seconds kAway{5};
  constexpr std::chrono::seconds kCurrentWithin{2};
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A00", "s")}));
  std::vector<std::unique_ptr<WsClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(Follow("1"));
  service_.Stop();
  for (auto& client : clients) ASSERT_THAT(client->NextOfType("stream_status"), IsOk());
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  EXPECT_THAT(clients[0]->Next(kAway), StatusIs(absl::StatusCode::kDeadlineExceeded));
  const auto since = std::chrono::steady_clock::now();
  service_.Start();
  for (auto& client : clients) {
    const auto change = client->NextJson();
    ASSERT_THAT(change, IsOk());
    EXPECT_EQ(change->at("type"), "seat_status_change");
    EXPECT_EQ(NextText(*client), R"({"type":"stream_status","showtimeId":"1","live":true})");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - since, kCurrentWithin);
  EXPECT_EQ(service_.streams(), 1);
}

}  // namespace
}  // namespace seatlock::testing
