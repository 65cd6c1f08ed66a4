// Every line of the contract's refusal table that callers can bring about by themselves, asked of a
// real server: its reason, code and details; which comes first where two apply; that a refusal
// changes nothing and never says who holds a seat.
//
// Not here: STORE_UNAVAILABLE, OUTCOME_UNKNOWN and LOCK_EXPIRED need a failing or a slow store (see
// the tests of the engine and the logs), DRAINING a stopping server (service_test). UNKNOWN_SEAT
// and BLOCKED do not occur yet.
#include <gmock/gmock.h>

#include <functional>
#include <ostream>

#include "tests/integration/test_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using Conflict = Refusal::Conflict;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr auto kNotFound = grpc::StatusCode::NOT_FOUND;
constexpr auto kPrecondition = grpc::StatusCode::FAILED_PRECONDITION;
constexpr auto kAvailable = v1::SEAT_STATUS_AVAILABLE;
constexpr auto kLocked = v1::SEAT_STATUS_LOCKED;
constexpr auto kBooked = v1::SEAT_STATUS_BOOKED;
constexpr int64_t kTtlMaxMs = 7'200'000;

// Who stands in the way; no refusal may spell it.
const char kHolder[] = "secret-holder";
const char kMe[] = "me";

struct Row {
  std::string name;
  std::function<void(SeatLockClient&, const std::string& showtime)> given;
  std::function<grpc::Status(SeatLockClient&, const std::string& showtime)> when;
  std::string reason;
  grpc::StatusCode code = kPrecondition;
  std::vector<Conflict> conflicts = {};
  std::vector<std::string> fields = {};
  std::vector<std::string> metadata = {};  // its keys
  bool retry = false;                      // with RetryInfo

  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};

// The 100 seats of one call, other ones for each `call`.
std::vector<std::string> SeatsOf(const std::string& row, int call) {
  std::vector<std::string> seats;
  for (int i = 0; i < 100; ++i) seats.push_back(row + std::to_string(call * 100 + i));
  return seats;
}

// A01 is locked and B01 booked by another.
void HeldByAnother(SeatLockClient& client, const std::string& show) {
  ASSERT_TRUE(client.Lock(show, "A01", kHolder).ok());
  ASSERT_TRUE(client.Book(show, {"B01"}, kHolder, "secret-order").ok());
}

// "mine" has M01 booked.
void MyOrder(SeatLockClient& client, const std::string& show) {
  ASSERT_TRUE(client.Book(show, {"M01"}, kMe, "mine").ok());
}

void MyCancelledOrder(SeatLockClient& client, const std::string& show) {
  MyOrder(client, show);
  ASSERT_TRUE(client.Cancel(show, {}, "mine").ok());
}

// F01 was granted to me at fence 1, then to another, then freed.
void GrantedToAnotherSince(SeatLockClient& client, const std::string& show) {
  ASSERT_EQ(client.Lock(show, "F01", kMe).response.lock().fence(), 1u);
  ASSERT_TRUE(client.Unlock(show, "F01", kMe).ok());
  ASSERT_TRUE(client.Lock(show, "F01", kHolder).ok());
  ASSERT_TRUE(client.Unlock(show, "F01", kHolder).ok());
}

void TwoLocksOfMine(SeatLockClient& client, const std::string& show) {
  ASSERT_TRUE(client.LockMany(show, {"M01", "M02"}, kMe, {.ttl_ms = kTtlMaxMs}).ok());
}

void UsedRequestId(SeatLockClient& client, const std::string& show) {
  ASSERT_TRUE(client.Lock(show, "M01", kMe, {.request_id = "used"}).ok());
}

// "full" has as many seats as an order may.
void FullOrder(SeatLockClient& client, const std::string& show) {
  for (int call = 0; call < 20; ++call) {
    ASSERT_TRUE(client.Book(show, SeatsOf("F", call), kMe, "full", {.add_to_order = true}).ok());
  }
}

// I have locked as many seats that nobody had named before as one may in an hour, and freed them.
void UsedUpShare(SeatLockClient& client, const std::string& show) {
  for (int call = 0; call < 10; ++call) {
    ASSERT_TRUE(client.LockMany(show, SeatsOf("N", call), kMe).ok());
    ASSERT_TRUE(client.UnlockMany(show, {}, kMe).ok());
  }
}

void Nothing(SeatLockClient&, const std::string&) {}

// What is wrong with the request or the order.
std::vector<Row> RequestAndOrderRows() {
  return {
      {.name = "InvalidField",
       .given = Nothing,
       .when = [](auto& c, auto& show) { return c.Lock(show, "", kMe).status; },
       .reason = "INVALID_FIELD",
       .code = kInvalid,
       .fields = {"seat_id"}},
      {.name = "RequestIdReused",
       .given = UsedRequestId,
       .when = [](auto& c,
                  auto& show) { return c.Lock(show, "M02", kMe, {.request_id = "used"}).status; },
       .reason = "REQUEST_ID_REUSED",
       .code = kInvalid},
      {.name = "RequestIdReusedByAnotherMethod",
       .given = UsedRequestId,
       .when = [](auto& c, auto& show) { return c.Unlock(show, "M01", kMe, "used").status; },
       .reason = "REQUEST_ID_REUSED",
       .code = kInvalid},
      {.name = "UnknownOrder",
       .given = HeldByAnother,
       .when = [](auto& c, auto& show) { return c.Cancel(show, {}, "never").status; },
       .reason = "UNKNOWN_ORDER",
       .code = kNotFound},
      {.name = "OrderCancelled",
       .given = MyCancelledOrder,
       .when = [](auto& c, auto& show) { return c.Book(show, {"M01"}, kMe, "mine").status; },
       .reason = "ORDER_CANCELLED"},
      {.name = "OrderBarredByATombstone",
       .given =
           [](auto& c, auto& show) {
             ASSERT_TRUE(c.Cancel(show, {}, "late", {.tombstone = true}).ok());
           },
       .when = [](auto& c, auto& show) { return c.Book(show, {"M01"}, kMe, "late").status; },
       .reason = "ORDER_CANCELLED"},
      {.name = "OrderMismatch",
       .given = MyOrder,
       .when = [](auto& c, auto& show) { return c.Book(show, {"M02"}, kMe, "mine").status; },
       .reason = "ORDER_MISMATCH"},
      {.name = "NothingHeld",
       .given = HeldByAnother,
       .when = [](auto& c, auto& show) { return c.Book(show, {}, kMe, "mine").status; },
       .reason = "NOTHING_HELD"},
  };
}

// A seat is another's.
std::vector<Row> SeatTakenRows() {
  return {
      {.name = "SeatTakenLockOne",
       .given = HeldByAnother,
       .when = [](auto& c, auto& show) { return c.Lock(show, "A01", kMe).status; },
       .reason = "SEAT_TAKEN",
       .conflicts = {{"A01", kLocked, "SEAT_TAKEN"}}},
      {.name = "SeatTakenNamesEverySeatInTheOrderOfTheRequest",
       .given = HeldByAnother,
       .when =
           [](auto& c, auto& show) {
             return c.LockMany(show, {"B01", "C01", "A01"}, kMe).status;
           },
       .reason = "SEAT_TAKEN",
       .conflicts = {{"B01", kBooked, "SEAT_TAKEN"}, {"A01", kLocked, "SEAT_TAKEN"}}},
      {.name = "SeatTakenBook",
       .given = HeldByAnother,
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"A01", "B01", "C01"}, kMe, "mine").status;
           },
       .reason = "SEAT_TAKEN",
       .conflicts = {{"A01", kLocked, "SEAT_TAKEN"}, {"B01", kBooked, "SEAT_TAKEN"}}},
  };
}

// A seat is not, or no longer, the caller's.
std::vector<Row> NotLockHolderRows() {
  return {
      {.name = "NotLockHolderUnlock",
       .given = HeldByAnother,
       .when = [](auto& c, auto& show) { return c.Unlock(show, "A01", kMe).status; },
       .reason = "NOT_LOCK_HOLDER",
       .conflicts = {{"A01", kLocked, "NOT_LOCK_HOLDER"}}},
      {.name = "NotLockHolderUnlockMany",
       .given = HeldByAnother,
       .when =
           [](auto& c, auto& show) {
             return c.UnlockMany(show, {"C01", "A01", "B01"}, kMe).status;
           },
       .reason = "NOT_LOCK_HOLDER",
       .conflicts = {{"A01", kLocked, "NOT_LOCK_HOLDER"}, {"B01", kBooked, "NOT_LOCK_HOLDER"}}},
      {.name = "NotLockHolderExtend",
       .given = HeldByAnother,
       .when =
           [](auto& c, auto& show) {
             return c.Extend(show, {"A01", "C01"}, kMe).status;
           },
       .reason = "NOT_LOCK_HOLDER",
       .conflicts = {{"A01", kLocked, "NOT_LOCK_HOLDER"}, {"C01", kAvailable, "NOT_LOCK_HOLDER"}}},
      {.name = "NotLockHolderBookOnlyHeld",
       .given = Nothing,
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"C01"}, kMe, "mine", {.only_held = true}).status;
           },
       .reason = "NOT_LOCK_HOLDER",
       .conflicts = {{"C01", kAvailable, "NOT_LOCK_HOLDER"}}},
      {.name = "StaleFence",
       .given = GrantedToAnotherSince,
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"F01"}, kMe, "mine", {.fences = {{"F01", 1}}}).status;
           },
       .reason = "STALE_FENCE",
       .conflicts = {{"F01", kAvailable, "STALE_FENCE"}}},
  };
}

std::vector<Row> LimitRows() {
  return {
      {.name = "SessionSeatLimit",
       .given = TwoLocksOfMine,
       .when = [](auto& c,
                  auto& show) { return c.Lock(show, "M03", kMe, {.max_session_seats = 2}).status; },
       .reason = "SESSION_SEAT_LIMIT",
       .metadata = {"held", "limit"}},
      {.name = "ExtendLimit",
       .given = TwoLocksOfMine,
       .when =
           [](auto& c, auto& show) {
             // A millisecond must have gone by since the grant: reads take that long.
             const int64_t start_ms = WallClockMs();
             while (WallClockMs() < start_ms + 2) c.Get(show);
             return c.Extend(show, {}, kMe, {.ttl_ms = kTtlMaxMs}).status;
           },
       .reason = "EXTEND_LIMIT",
       .metadata = {"max_expire_time"}},
      {.name = "OrderSeatLimit",
       .given = FullOrder,
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"M01"}, kMe, "full", {.add_to_order = true}).status;
           },
       .reason = "ORDER_SEAT_LIMIT",
       .metadata = {"held", "limit"}},
      {.name = "Overloaded",
       .given = UsedUpShare,
       .when = [](auto& c, auto& show) { return c.Lock(show, "M01", kMe).status; },
       .reason = "OVERLOADED",
       .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
       .retry = true},
  };
}

// Two refusals apply; `reason` comes first.
std::vector<Row> RequestAndOrderFirstRows() {
  return {
      {.name = "InvalidFieldBeforeRequestIdReused",
       .given = UsedRequestId,
       .when = [](auto& c,
                  auto& show) { return c.Lock(show, "", kMe, {.request_id = "used"}).status; },
       .reason = "INVALID_FIELD",
       .code = kInvalid,
       .fields = {"seat_id"}},
      {.name = "RequestIdReusedBeforeUnknownOrder",
       .given = UsedRequestId,
       .when =
           [](auto& c, auto& show) {
             return c.Cancel(show, {}, "never", {.request_id = "used"}).status;
           },
       .reason = "REQUEST_ID_REUSED",
       .code = kInvalid},
      {.name = "RequestIdReusedBeforeSeatTaken",
       .given =
           [](auto& c, auto& show) {
             UsedRequestId(c, show);
             HeldByAnother(c, show);
           },
       .when = [](auto& c,
                  auto& show) { return c.Lock(show, "A01", kMe, {.request_id = "used"}).status; },
       .reason = "REQUEST_ID_REUSED",
       .code = kInvalid},
      {.name = "OrderCancelledBeforeSeatTaken",
       .given =
           [](auto& c, auto& show) {
             MyCancelledOrder(c, show);
             HeldByAnother(c, show);
           },
       .when = [](auto& c, auto& show) { return c.Book(show, {"A01"}, kMe, "mine").status; },
       .reason = "ORDER_CANCELLED"},
      {.name = "OrderMismatchBeforeSeatTaken",
       .given =
           [](auto& c, auto& show) {
             MyOrder(c, show);
             HeldByAnother(c, show);
           },
       .when = [](auto& c, auto& show) { return c.Book(show, {"A01"}, kMe, "mine").status; },
       .reason = "ORDER_MISMATCH"},
  };
}

std::vector<Row> SeatFirstRows() {
  return {
      {.name = "SeatTakenBeforeNotLockHolder",
       .given = HeldByAnother,
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"C01", "A01"}, kMe, "mine", {.only_held = true}).status;
           },
       .reason = "SEAT_TAKEN",
       .conflicts = {{"C01", kAvailable, "NOT_LOCK_HOLDER"}, {"A01", kLocked, "SEAT_TAKEN"}}},
      {.name = "NotLockHolderBeforeStaleFence",
       .given = GrantedToAnotherSince,
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"F01"}, kMe, "mine", {.fences = {{"F01", 1}}, .only_held = true})
                 .status;
           },
       .reason = "NOT_LOCK_HOLDER",
       .conflicts = {{"F01", kAvailable, "NOT_LOCK_HOLDER"}}},
      {.name = "SeatTakenBeforeSessionSeatLimit",
       .given =
           [](auto& c, auto& show) {
             TwoLocksOfMine(c, show);
             HeldByAnother(c, show);
           },
       .when = [](auto& c,
                  auto& show) { return c.Lock(show, "A01", kMe, {.max_session_seats = 2}).status; },
       .reason = "SEAT_TAKEN",
       .conflicts = {{"A01", kLocked, "SEAT_TAKEN"}}},
      {.name = "NotLockHolderBeforeExtendLimit",
       .given = TwoLocksOfMine,
       .when =
           [](auto& c, auto& show) {
             const int64_t start_ms = WallClockMs();
             while (WallClockMs() < start_ms + 2) c.Get(show);
             return c.Extend(show, {"M01", "C01"}, kMe, {.ttl_ms = kTtlMaxMs}).status;
           },
       .reason = "NOT_LOCK_HOLDER",
       .conflicts = {{"C01", kAvailable, "NOT_LOCK_HOLDER"}}},
  };
}

std::vector<Row> BoundFirstRows() {
  return {
      {.name = "OverloadedBeforeSeatTaken",
       .given =
           [](auto& c, auto& show) {
             UsedUpShare(c, show);
             HeldByAnother(c, show);
           },
       .when =
           [](auto& c, auto& show) {
             return c.LockMany(show, {"A01", "M01"}, kMe).status;
           },
       .reason = "OVERLOADED",
       .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
       .retry = true},
      {.name = "SeatTakenBeforeOrderSeatLimit",
       .given =
           [](auto& c, auto& show) {
             FullOrder(c, show);
             HeldByAnother(c, show);
           },
       .when =
           [](auto& c, auto& show) {
             return c.Book(show, {"A01"}, kMe, "full", {.add_to_order = true}).status;
           },
       .reason = "SEAT_TAKEN",
       .conflicts = {{"A01", kLocked, "SEAT_TAKEN"}}},
  };
}

class RefusalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
  }

  std::string StateOf(const std::string& showtime) {
    return client_->Get(showtime).response.snapshot().ShortDebugString();
  }

  void Check(const Row& row) {
    SCOPED_TRACE(row.name);
    row.given(*client_, row.name);
    const std::string before = StateOf(row.name);

    const grpc::Status status = row.when(*client_, row.name);

    const Refusal refusal = DecodeRefusal(status);
    EXPECT_EQ(refusal.code, row.code) << refusal.message;
    EXPECT_EQ(refusal.domain, "seatlock");
    EXPECT_EQ(refusal.reason, row.reason);
    EXPECT_EQ(refusal.conflicts, row.conflicts);
    EXPECT_EQ(refusal.fields, row.fields);
    std::vector<std::string> keys;
    for (const auto& [key, value] : refusal.metadata) keys.push_back(key);
    EXPECT_EQ(keys, row.metadata);
    EXPECT_EQ(refusal.retry_after_ms.has_value(), row.retry);
    EXPECT_EQ(refusal.unknown_details, "");
    EXPECT_NE(refusal.message, "");
    EXPECT_THAT(status.error_message() + status.error_details(), Not(HasSubstr("secret")));
    EXPECT_EQ(StateOf(row.name), before);
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(RefusalsTest, EachLineOfTheTable) {
  for (const auto& rows :
       {RequestAndOrderRows(), SeatTakenRows(), NotLockHolderRows(), LimitRows()}) {
    for (const Row& row : rows) Check(row);
  }
}

TEST_F(RefusalsTest, TheFirstThatAppliesIsTheAnswer) {
  for (const auto& rows : {RequestAndOrderFirstRows(), SeatFirstRows(), BoundFirstRows()}) {
    for (const Row& row : rows) Check(row);
  }
}

TEST_F(RefusalsTest, SessionSeatLimitTellsLimitAndHeld) {
  TwoLocksOfMine(*client_, "show");

  const Refusal refusal = client_->Lock("show", "M03", kMe, {.max_session_seats = 2}).refusal();

  EXPECT_EQ(refusal.metadata.at("limit"), "2");
  EXPECT_EQ(refusal.metadata.at("held"), "2");
}

TEST_F(RefusalsTest, TheHundredAndFirstSeatOfASessionIsOneTooMany) {
  std::vector<std::string> seats;
  for (int i = 0; i < 100; ++i) seats.push_back("S" + std::to_string(i));
  ASSERT_TRUE(client_->LockMany("show", seats, kMe).ok());

  EXPECT_EQ(client_->Lock("show", "S100", kMe).refusal().reason, "SESSION_SEAT_LIMIT");
  EXPECT_TRUE(client_->LockMany("show", {"S100"}, kMe, {.release = {"S0"}}).ok());
}

TEST_F(RefusalsTest, OrderSeatLimitTellsLimitAndHeld) {
  FullOrder(*client_, "show");

  const Refusal refusal =
      client_->Book("show", {"M01"}, kMe, "full", {.add_to_order = true}).refusal();

  EXPECT_EQ(refusal.metadata.at("limit"), "2000");
  EXPECT_EQ(refusal.metadata.at("held"), "2000");
  EXPECT_EQ(client_->GetOrder("show", "full").response.seat_ids_size(), 2000);
  EXPECT_TRUE(client_->Cancel("show", {}, "full").ok());
}

TEST_F(RefusalsTest, OneSessionThatUsedUpItsShareKeepsNobodyFromLockingOrBooking) {
  UsedUpShare(*client_, "show");
  ASSERT_EQ(client_->Lock("show", "M01", kMe).refusal().reason, "OVERLOADED");

  EXPECT_TRUE(client_->Lock("show", "N7", kMe).ok());
  EXPECT_TRUE(client_->Unlock("show", "N7", kMe, "unlock").ok());
  EXPECT_TRUE(client_->Book("show", {"M02"}, kMe, "order").ok());
  EXPECT_TRUE(client_->Lock("show", "M01", "another").ok());
}

TEST_F(RefusalsTest, SnapshotTooLargeForOneAnswer) {
  // Each booked seat takes its id and an order of 120 bytes and more: 130 bytes, 30,000 times.
  const std::string filler(120, 'o');
  for (int call = 0; call < 300; ++call) {
    std::vector<std::string> seats;
    for (int i = 0; i < 100; ++i) seats.push_back("seat-" + std::to_string(call * 100 + i));
    ASSERT_TRUE(client_->Book("big", seats, kMe, filler + std::to_string(call)).ok());
  }

  const Refusal refusal = client_->Get("big").refusal();

  EXPECT_EQ(refusal.code, kPrecondition);
  EXPECT_EQ(refusal.reason, "SNAPSHOT_TOO_LARGE");
}

TEST_F(RefusalsTest, RefusalsAreDecidedAnewWhereTheRequestIdComesAgain) {
  ASSERT_TRUE(client_->Lock("show", "A01", kHolder).ok());
  ASSERT_FALSE(client_->Lock("show", "A01", kMe, {.request_id = "r1"}).ok());
  ASSERT_TRUE(client_->Unlock("show", "A01", kHolder).ok());

  EXPECT_TRUE(client_->Lock("show", "A01", kMe, {.request_id = "r1"}).ok());
}

// Every mutation with a request_id, and its answer but for server_time.
std::vector<std::string> AskAll(SeatLockClient& client, const std::string& show) {
  std::vector<std::string> answers;
  auto keep = [&answers](auto answer) {
    answer.response.clear_server_time();
    answers.push_back(answer.status.error_message() + answer.response.ShortDebugString());
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  };
  keep(client.Lock(show, "A1", "s1", {.request_id = "r1"}));
  keep(client.LockMany(show, {"A2", "A3", "A4", "A1"}, "s1", {.request_id = "r2"}));
  keep(client.Extend(show, {"A3", "A1"}, "s1", {.ttl_ms = 3'600'000, .request_id = "r3"}));
  keep(client.Extend(show, {}, "s1", {.ttl_ms = 3'700'000, .request_id = "r4"}));
  keep(client.LockMany(show, {"A5"}, "s1", {.request_id = "r5", .release = {"A2"}}));
  keep(client.Unlock(show, "A1", "s1", "r6"));
  keep(client.Book(show, {"A3", "B1"}, "s1", "o1", {.request_id = "r7"}));
  keep(client.Book(show, {"A4"}, "s1", "o1", {.request_id = "r8", .add_to_order = true}));
  keep(client.UnlockMany(show, {}, "s1", "r9"));
  keep(client.Cancel(show, {"B1"}, "o1", {.request_id = "r10"}));
  keep(client.Cancel(show, {}, "o1", {.request_id = "r11"}));
  keep(client.Cancel(show, {}, "o2", {.request_id = "r12", .tombstone = true}));
  return answers;
}

TEST_F(RefusalsTest, ARepeatedRequestGivesTheFirstAnswerAgain) {
  const std::vector<std::string> first = AskAll(*client_, "show");
  const std::string state = StateOf("show");

  EXPECT_EQ(AskAll(*client_, "show"), first);
  EXPECT_EQ(StateOf("show"), state);
}

TEST_F(RefusalsTest, ARepeatedRequestGivesTheFirstAnswerAgainAfterARestart) {
  const std::vector<std::string> first = AskAll(*client_, "show");
  const std::string state = StateOf("show");

  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  client_ = std::make_unique<SeatLockClient>(server_.address());

  EXPECT_EQ(StateOf("show"), state);
  EXPECT_EQ(AskAll(*client_, "show"), first);
  EXPECT_EQ(StateOf("show"), state);
  EXPECT_EQ(client_->Lock("show", "A9", "s1", {.request_id = "r1"}).refusal().reason,
            "REQUEST_ID_REUSED");
}

}  // namespace
}  // namespace seatlock::testing
