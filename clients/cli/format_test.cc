#include "clients/cli/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seatlock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::ShowtimeSnapshot Snapshot() {
  v1::ShowtimeSnapshot snapshot;
  snapshot.set_showtime_id("123");
  snapshot.set_epoch("e1");
  snapshot.set_revision(7);
  v1::Seat* locked = snapshot.add_seats();
  locked->set_seat_id("A06");
  locked->set_status(v1::SEAT_STATUS_LOCKED);
  locked->set_session_id("alice");
  locked->mutable_expire_time()->set_seconds(600);
  v1::Seat* booked = snapshot.add_seats();
  booked->set_seat_id("A1");
  booked->set_status(v1::SEAT_STATUS_BOOKED);
  booked->set_order_id("o1");
  return snapshot;
}

client::CallError Error(absl::StatusCode code, const std::string& reason) {
  client::CallError error;
  error.code = code;
  error.reason = reason;
  error.message = "refused";
  return error;
}

TEST(FormatTest, LocksAreATableWithTheTimeLeft) {
  google::protobuf::RepeatedPtrField<v1::Lock> locks;
  v1::Lock* lock = locks.Add();
  lock->set_seat_id("A06");
  lock->set_fence(5);
  lock->mutable_expire_time()->set_seconds(600);
  google::protobuf::Timestamp now;
  now.set_seconds(5);
  EXPECT_EQ(LocksTable(locks, now),
            "SEAT  FENCE  EXPIRES               LEFT\n"
            "A06   5      1970-01-01T00:10:00Z  9m55s\n");
  EXPECT_EQ(LocksTable({}, now), "no locks\n");
}

TEST(FormatTest, ShowtimeIsALineASeat) {
  EXPECT_EQ(ShowtimeTable(Snapshot(), false),
            "showtime 123 at revision 7 of e1\n"
            "  A06  locked     until 00:10:00  session alice\n"
            "  A1   booked     order o1\n");
  v1::ShowtimeSnapshot empty;
  empty.set_showtime_id("9");
  EXPECT_EQ(ShowtimeTable(empty, false), "showtime 9 at revision 0: every seat is available\n");
}

TEST(FormatTest, ColorsComeOnlyWhereAskedFor) {
  EXPECT_THAT(ShowtimeTable(Snapshot(), true), HasSubstr("\x1b[33mlocked   \x1b[0m"));
  EXPECT_THAT(ShowtimeTable(Snapshot(), false), Not(HasSubstr("\x1b")));
}

TEST(FormatTest, ChangeIsALineASeatUnderOneRevision) {
  v1::Change change;
  change.set_revision(8);
  change.set_cause(v1::CHANGE_CAUSE_EXPIRED);
  change.mutable_commit_time()->set_seconds(61);
  for (const char* seat : {"A06", "A07"}) {
    v1::Seat* freed = change.add_seats();
    freed->set_seat_id(seat);
    freed->set_status(v1::SEAT_STATUS_AVAILABLE);
  }
  EXPECT_EQ(EventTable(change, false, false),
            "00:01:01  #8  expired  A06  available\n"
            "00:01:01  #8  expired  A07  available\n");
  EXPECT_THAT(EventJson(change), HasSubstr("{\"change\":{"));
}

TEST(FormatTest, OnlyTheFirstProgressIsALine) {
  EXPECT_EQ(EventTable(v1::Progress(), true, false), "watching from revision 0\n");
  EXPECT_EQ(EventTable(v1::Progress(), false, false), "");
}

TEST(FormatTest, OrderHasItsStateAndSeats) {
  v1::GetOrderResponse response;
  response.set_state(v1::ORDER_STATE_OPEN);
  response.set_revision(3);
  response.add_seat_ids("A06");
  EXPECT_EQ(OrderTable("o1", response), "order o1 is open at revision 3\n  A06\n");
}

TEST(FormatTest, ShowtimesAreATableAndSayIfMoreFollow) {
  v1::ListShowtimesResponse response;
  EXPECT_EQ(ShowtimesTable(response), "no showtimes\n");
  v1::ShowtimeSummary* whole = response.add_showtimes();
  whole->set_showtime_id("123");
  whole->set_revision(7);
  whole->set_locked(2);
  whole->set_booked(1);
  whole->mutable_last_change_time()->set_seconds(60);
  response.add_showtimes()->set_showtime_id("9");
  response.set_next_page_token("t");
  EXPECT_EQ(ShowtimesTable(response),
            "SHOWTIME  REVISION  LOCKED  BOOKED  BLOCKED  CLOSED  LAST CHANGE\n"
            "123       7         2       1       0        no      1970-01-01T00:01:00Z\n"
            "9         0         ?       ?       ?        ?       ?\n"
            "more showtimes follow: raise --limit\n");
}

TEST(FormatTest, ExitCodesAreThoseOfTheContract) {
  EXPECT_EQ(ExitCodeOf(Error(absl::StatusCode::kFailedPrecondition, "SEAT_TAKEN")), 4);
  EXPECT_EQ(ExitCodeOf(Error(absl::StatusCode::kFailedPrecondition, "NOT_LOCK_HOLDER")), 1);
  EXPECT_EQ(ExitCodeOf(Error(absl::StatusCode::kUnavailable, "")), 3);
  EXPECT_EQ(ExitCodeOf(Error(absl::StatusCode::kDeadlineExceeded, "")), 3);
  EXPECT_EQ(ExitCodeOf(Error(absl::StatusCode::kInvalidArgument, "INVALID_FIELD")), 1);
}

TEST(FormatTest, RefusalNamesSeatsAndTheNextStep) {
  Args args;
  args.command = Command::kLock;
  args.showtime = "123";
  client::CallError error = Error(absl::StatusCode::kFailedPrecondition, "SEAT_TAKEN");
  error.conflicts.emplace_back().set_seat_id("A06");
  error.conflicts.back().set_status(v1::SEAT_STATUS_BOOKED);
  EXPECT_EQ(ErrorText(args, error),
            "seatctl: SEAT_TAKEN: refused\n"
            "  A06 is booked\n"
            "Choose other seats; `seatctl get 123` shows what is taken.\n");
  EXPECT_THAT(ErrorJson(error), HasSubstr("\"reason\":\"SEAT_TAKEN\""));
  EXPECT_THAT(ErrorJson(error), HasSubstr("\"seatId\":\"A06\""));
}

TEST(FormatTest, UnknownOutcomeSaysHowToFindOut) {
  Args args;
  args.command = Command::kBook;
  args.request_id = "r1";
  EXPECT_THAT(ErrorText(args, Error(absl::StatusCode::kDeadlineExceeded, "")),
              HasSubstr("repeat it with --request-id r1"));
  client::CallError none = Error(absl::StatusCode::kUnavailable, "DRAINING");
  none.metadata["outcome"] = "none";
  EXPECT_THAT(ErrorText(args, none), HasSubstr("Nothing was changed"));
  const std::string absent = ErrorText(args, Error(absl::StatusCode::kUnavailable, ""));
  EXPECT_THAT(absent, HasSubstr("Is seatlockd running on 127.0.0.1:50051?"));
  EXPECT_THAT(absent, HasSubstr("may have happened. To find out, repeat it with --request-id r1"));
  args.command = Command::kGet;
  EXPECT_THAT(ErrorText(args, Error(absl::StatusCode::kUnavailable, "")),
              Not(HasSubstr("may have happened")));
  args.command = Command::kAdmin;
  args.showtime = "123";
  args.request_id = "";  // a deletion, which must not be repeated blindly
  EXPECT_THAT(ErrorText(args, Error(absl::StatusCode::kDeadlineExceeded, "")),
              HasSubstr("It may have happened. `seatctl get 123` shows"));
  args.request_id = "r1";
  args.command = Command::kBook;
  client::CallError overloaded = Error(absl::StatusCode::kResourceExhausted, "OVERLOADED");
  overloaded.metadata["outcome"] = "unknown";
  EXPECT_THAT(ErrorText(args, overloaded), HasSubstr("repeat it with --request-id r1"));
}

}  // namespace
}  // namespace seatlock::cli
