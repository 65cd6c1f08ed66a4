// Bad input on gRPC, from fields out of bounds to bytes that are no message: the error that the
// contract names, nothing changed, no crash. (The WebSocket's side is in edge/.)
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <functional>
#include <future>
#include <random>

#include "tests/integration/test_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/seed.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const char kService[] = "/seatlock.v1.SeatLockService/";
constexpr size_t kRequestBytesMax = 64 << 10;  // the contract
const std::vector<std::string> kUnaryMethods = {
    "LockSeat",  "LockSeats",     "UnlockSeat", "UnlockSeats", "ExtendLocks",
    "BookSeats", "CancelBooking", "GetOrder",   "GetShowtime", "ListSessionLocks"};

std::vector<std::string> SeatIds(int count) {
  std::vector<std::string> seats;
  for (int i = 0; i < count; ++i) seats.push_back("S" + std::to_string(i));
  return seats;
}

class BadInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_.address());
    ASSERT_TRUE(client_->Lock("show", "A1", "s1", {.ttl_ms = 600'000}).ok());
    ASSERT_TRUE(client_->Book("show", {"B1"}, "s1", "o1").ok());
    before_ = State();
  }

  // Whatever a test sent: the server lives, and the showtime is as it was.
  void TearDown() override {
    EXPECT_TRUE(server_.process().Running());
    EXPECT_EQ(State(), before_);
  }

  std::string State() { return client_->Get("show").response.snapshot().ShortDebugString(); }

  void ExpectInvalid(const grpc::Status& status, const std::string& field) {
    const Refusal refusal = DecodeRefusal(status);
    EXPECT_EQ(refusal.code, grpc::StatusCode::INVALID_ARGUMENT) << refusal.message;
    EXPECT_EQ(refusal.domain, "seatlock");
    EXPECT_EQ(refusal.reason, "INVALID_FIELD");
    EXPECT_THAT(refusal.fields, Contains(field));
  }

  // Calls `method` with `bytes` in place of a message.
  grpc::Status CallRaw(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(client_->channel());
    grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                   [&done](grpc::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
  }

  TestServer server_;
  std::unique_ptr<SeatLockClient> client_;
  std::string before_;
};

TEST_F(BadInputTest, IdsOutOfBoundsAreNamedByTheirField) {
  const std::string long_id(129, 'x');
  const std::string long_seat(41, 'x');
  auto& c = *client_;
  for (const std::string& id :
       {std::string(), long_id, std::string("tab\there"), std::string("zero\0here", 9),
        std::string("line\n"), std::string("\x7f"), std::string("\xc2\x85")}) {
    SCOPED_TRACE(id);
    ExpectInvalid(c.Lock(id, "A2", "s1").status, "showtime_id");
    ExpectInvalid(c.Lock("show", "A2", id).status, "session_id");
    ExpectInvalid(c.LockMany(id, {"A2"}, "s1").status, "showtime_id");
    ExpectInvalid(c.Unlock(id, "A1", "s1").status, "showtime_id");
    ExpectInvalid(c.Unlock("show", "A1", id).status, "session_id");
    ExpectInvalid(c.UnlockMany("show", {}, id).status, "session_id");
    ExpectInvalid(c.Extend("show", {}, id).status, "session_id");
    ExpectInvalid(c.Book("show", {"A2"}, "s1", id).status, "order_id");
    ExpectInvalid(c.Book("show", {"A2"}, id, "o2").status, "session_id");
    ExpectInvalid(c.Cancel("show", {}, id).status, "order_id");
    ExpectInvalid(c.GetOrder("show", id).status, "order_id");
    ExpectInvalid(c.GetOrder(id, "o1").status, "showtime_id");
    ExpectInvalid(c.Get(id).status, "showtime_id");
    ExpectInvalid(c.ListLocks("show", id).status, "session_id");
    ExpectInvalid(c.ListLocks(id, "s1").status, "showtime_id");
  }
  for (const std::string& seat : {std::string(), long_seat, std::string("A\x1f")}) {
    SCOPED_TRACE(seat);
    ExpectInvalid(c.Lock("show", seat, "s1").status, "seat_id");
    ExpectInvalid(c.Unlock("show", seat, "s1").status, "seat_id");
    ExpectInvalid(c.LockMany("show", {"A2", seat}, "s1").status, "seat_ids[1]");
    ExpectInvalid(c.LockMany("show", {"A2"}, "s1", {.release = {seat}}).status,
                  "release_seat_ids[0]");
    ExpectInvalid(c.UnlockMany("show", {seat}, "s1").status, "seat_ids[0]");
    ExpectInvalid(c.Extend("show", {seat}, "s1").status, "seat_ids[0]");
    ExpectInvalid(c.Book("show", {seat}, "s1", "o2").status, "seat_ids[0]");
    ExpectInvalid(c.Cancel("show", {seat}, "o1").status, "seat_ids[0]");
  }
}

TEST_F(BadInputTest, TheLongestIdsAreTaken) {
  const std::string id(128, 'i');
  const std::string seat(40, 's');
  EXPECT_TRUE(client_->Lock(id, seat, id, {.request_id = std::string(64, 'r')}).ok());
  EXPECT_TRUE(client_->Book(id, {seat}, id, id).ok());
  EXPECT_TRUE(client_->Lock("Größe/雪", "Reihe 5 · Platz 3 🎬", "sesión").ok());
}

TEST_F(BadInputTest, RequestIdsOutOfBounds) {
  for (const std::string& id : {std::string(), std::string(65, 'r'), std::string("a\nb")}) {
    SCOPED_TRACE(id);
    ExpectInvalid(client_->Lock("show", "A2", "s1", {.request_id = id}).status, "request_id");
    ExpectInvalid(client_->Book("show", {"A2"}, "s1", "o2", {.request_id = id}).status,
                  "request_id");
  }
}

TEST_F(BadInputTest, ListsOutOfBounds) {
  const std::vector<std::string> too_many = SeatIds(101);
  auto& c = *client_;
  ExpectInvalid(c.LockMany("show", too_many, "s1").status, "seat_ids");
  ExpectInvalid(c.LockMany("show", {}, "s1").status, "seat_ids");
  ExpectInvalid(c.LockMany("show", {"A2"}, "s1", {.release = too_many}).status, "release_seat_ids");
  ExpectInvalid(c.LockMany("show", {"A2"}, "s1", {.release = {"A2"}}).status,
                "release_seat_ids[0]");
  ExpectInvalid(c.UnlockMany("show", too_many, "s1").status, "seat_ids");
  ExpectInvalid(c.Extend("show", too_many, "s1").status, "seat_ids");
  ExpectInvalid(c.Book("show", too_many, "s1", "o2").status, "seat_ids");
  ExpectInvalid(c.Cancel("show", too_many, "o1").status, "seat_ids");
  ExpectInvalid(c.Book("show", {"A2"}, "s1", "o2", {.fences = {{"A3", 1}}}).status, "fences");
}

TEST_F(BadInputTest, EmptyListsWithoutAll) {
  v1::UnlockSeatsRequest unlock;
  unlock.set_showtime_id("show");
  unlock.set_session_id("s1");
  ExpectInvalid(client_->Call(&SeatLockClient::Stub::UnlockSeats, unlock).status, "seat_ids");
  v1::ExtendLocksRequest extend;
  extend.set_showtime_id("show");
  extend.set_session_id("s1");
  ExpectInvalid(client_->Call(&SeatLockClient::Stub::ExtendLocks, extend).status, "seat_ids");
  v1::CancelBookingRequest cancel;
  cancel.set_showtime_id("show");
  cancel.set_order_id("o1");
  ExpectInvalid(client_->Call(&SeatLockClient::Stub::CancelBooking, cancel).status, "seat_ids");
  cancel.set_all(true);
  cancel.add_seat_ids("B1");
  ExpectInvalid(client_->Call(&SeatLockClient::Stub::CancelBooking, cancel).status, "seat_ids");
}

TEST_F(BadInputTest, TimesOutOfBounds) {
  for (const int64_t ttl_ms : {int64_t{0}, int64_t{999}, int64_t{-1000}, int64_t{7'200'001},
                               int64_t{3 * 3'600'000}, int64_t{9'000'000'000'000}}) {
    SCOPED_TRACE(ttl_ms);
    ExpectInvalid(client_->Lock("show", "A2", "s1", {.ttl_ms = ttl_ms}).status, "ttl");
    ExpectInvalid(client_->LockMany("show", {"A2"}, "s1", {.ttl_ms = ttl_ms}).status, "ttl");
    ExpectInvalid(client_->Extend("show", {"A1"}, "s1", {.ttl_ms = ttl_ms}).status, "ttl");
  }
  v1::LockSeatRequest request = LockSeatRequestOf("show", "A2", "s1");
  request.mutable_ttl()->set_seconds(std::numeric_limits<int64_t>::max());
  request.mutable_ttl()->set_nanos(std::numeric_limits<int32_t>::max());
  ExpectInvalid(client_->Call(&SeatLockClient::Stub::LockSeat, request).status, "ttl");
  request.mutable_ttl()->set_seconds(std::numeric_limits<int64_t>::min());
  request.mutable_ttl()->set_nanos(std::numeric_limits<int32_t>::min());
  ExpectInvalid(client_->Call(&SeatLockClient::Stub::LockSeat, request).status, "ttl");
}

TEST_F(BadInputTest, EveryFieldThatIsWrongIsNamed) {
  const Refusal refusal = client_->Lock("", "", "", {.ttl_ms = 0}).refusal();

  EXPECT_THAT(refusal.fields,
              ::testing::UnorderedElementsAre("showtime_id", "seat_id", "session_id", "ttl"));
}

// gRPC 1.51 answers what it cannot parse with UNIMPLEMENTED and no message.
TEST_F(BadInputTest, BadUtf8KeepsGrpcsOwnStatusInEveryCall) {
  const std::string bytes("\x0a\x02\xff\xfe");  // showtime_id: "\xff\xfe"
  std::vector<std::string> methods = kUnaryMethods;
  methods.push_back("WatchShowtime");
  for (const std::string& method : methods) {
    const grpc::Status status = CallRaw(kService + method, bytes);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
    EXPECT_EQ(status.error_message(), "") << method;
    EXPECT_THAT(DecodeRefusal(status).reason, IsEmpty()) << method;
  }
}

TEST_F(BadInputTest, OversizeMessageKeepsGrpcsOwnStatus) {
  const auto lock_of_bytes = [](size_t bytes) {
    const size_t rest = LockSeatRequestOf("show", std::string(60'000, 'x'), "s1").ByteSizeLong();
    std::string request = LockSeatRequestOf("show", std::string(60'000 + bytes - rest, 'x'), "s1")
                              .SerializeAsString();
    EXPECT_EQ(request.size(), bytes);
    return request;
  };
  for (const std::string& method : kUnaryMethods) {
    const grpc::Status status = CallRaw(kService + method, lock_of_bytes(kRequestBytesMax + 1));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << method;
    EXPECT_THAT(DecodeRefusal(status).reason, IsEmpty()) << method;
  }
  ExpectInvalid(CallRaw(std::string(kService) + "LockSeat", lock_of_bytes(kRequestBytesMax)),
                "seat_id");
}

// Every field as long as it may be.
TEST_F(BadInputTest, TheLargestRequestsFit) {
  const std::string showtime(128, 't');
  const std::string session(128, 's');
  const std::string request_id(63, 'r');
  std::vector<std::string> seats;
  std::vector<std::string> others;
  BookOptions book{.request_id = request_id + "b", .only_held = true};
  for (const std::string& seat : SeatIds(100)) {
    seats.push_back(seat + std::string(40 - seat.size(), 'x'));
    others.push_back(seat + std::string(40 - seat.size(), 'y'));
    book.fences[seats.back()] = 1;
  }
  const LockOptions lock{.ttl_ms = 7'200'000, .request_id = request_id + "l", .release = others};
  EXPECT_TRUE(client_->LockMany(showtime, seats, session, lock).ok());
  EXPECT_TRUE(client_->Extend(showtime, seats, session, {.ttl_ms = 3'600'000}).ok());
  EXPECT_TRUE(client_->Book(showtime, seats, session, std::string(128, 'o'), book).ok());
  EXPECT_TRUE(client_->Cancel(showtime, seats, std::string(128, 'o')).ok());
}

TEST_F(BadInputTest, UnknownMethodsAreUnimplemented) {
  EXPECT_EQ(CallRaw(std::string(kService) + "SellEverything", "").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(BadInputTest, RandomBytesBreakNothing) {
  std::mt19937_64 random(TestSeed());
  const std::string valid =
      LockSeatsRequestOf("fuzz", {"A1", "A2"}, "s1", {.ttl_ms = 999}).SerializeAsString();
  for (int i = 0; i < Rounds(500); ++i) {
    std::string bytes = i % 2 == 0 ? valid : std::string(random() % 64, '\0');
    const int flips = i % 2 == 0 ? 3 : static_cast<int>(bytes.size());
    // Three flips never turn one showtime's name into the other's.
    for (int flip = 0; flip < flips; ++flip) bytes[random() % bytes.size()] = random();
    const grpc::Status status =
        CallRaw(kService + kUnaryMethods[random() % kUnaryMethods.size()], bytes);
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  }
}

class BadResumeTest : public BadInputTest {
 protected:
  std::optional<v1::WatchShowtimeResponse> FirstAfter(const std::string& epoch, uint64_t revision) {
    v1::Position position;
    position.set_epoch(epoch);
    position.set_revision(revision);
    return WatchStream(client_->stub(), "show", position).Next();
  }
};

TEST_F(BadResumeTest, GarbageGetsASnapshotThatReplaces) {
  const std::string epoch = client_->Get("show").response.snapshot().epoch();
  const std::vector<std::pair<std::string, uint64_t>> positions = {
      {"garbage", 1}, {"", 1}, {std::string(1000, 'e'), 2}, {epoch, 3}, {epoch, ~uint64_t{0}}};
  for (const auto& [of, revision] : positions) {
    SCOPED_TRACE(of + "@" + std::to_string(revision));
    const auto first = FirstAfter(of, revision);
    ASSERT_TRUE(first.has_value());
    EXPECT_TRUE(first->snapshot().replaces()) << first->ShortDebugString();
    EXPECT_EQ(first->snapshot().revision(), 2u);
    EXPECT_EQ(first->snapshot().seats_size(), 2);
  }
}

TEST_F(BadResumeTest, ARequestAbove8KiBEndsTheStream) {
  v1::Position position;
  position.set_epoch(std::string(9'000, 'e'));
  WatchStream watch(client_->stub(), "show", position);
  const auto end = watch.WaitForEnd();
  ASSERT_TRUE(end.has_value());
  ExpectInvalid(*end, "resume.epoch");
}

TEST_F(BadResumeTest, ABadShowtimeEndsTheStreamWithItsField) {
  for (const std::string& id : {std::string(), std::string(129, 'x'), std::string("\x01")}) {
    WatchStream watch(client_->stub(), id);
    const auto end = watch.WaitForEnd();
    ASSERT_TRUE(end.has_value());
    ExpectInvalid(*end, "showtime_id");
  }
}

}  // namespace
}  // namespace seatlock::testing
