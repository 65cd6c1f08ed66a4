#include "services/seatlock/domain/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/limits.h"

namespace seatlock::domain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Fields(const Command& command) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : Validate(command)) {
    EXPECT_FALSE(violation.description.empty());
    fields.push_back(violation.field);
  }
  return fields;
}

std::vector<SeatId> Numbered(size_t count) {
  std::vector<SeatId> seats;
  for (size_t i = 0; i < count; ++i) seats.emplace_back(std::to_string(i));
  return seats;
}

LockSeats GoodLock() {
  return {.session = SessionId("s"), .seats = {SeatId("A1")}};
}

TEST(CheckId, CountsBytes) {
  EXPECT_FALSE(CheckId("f", std::string(40, 'x'), 40));
  EXPECT_TRUE(CheckId("f", std::string(41, 'x'), 40));
  EXPECT_TRUE(CheckId("f", "", 40));
  EXPECT_FALSE(CheckId("f", "ééé", 6));
  EXPECT_TRUE(CheckId("f", "ééé", 5));
  EXPECT_EQ(CheckId("showtime_id", "", 40)->field, "showtime_id");
}

TEST(CheckId, TakesAnyTextThatIsNotAControlCharacter) {
  for (const char* good : {"A06", "a b", "Ränge/3", "座席", "🎭", "\xC2\xA0", "\xF4\x8F\xBF\xBF",
                           "\xED\x9F\xBF", "\xEE\x80\x80", "~"}) {
    EXPECT_FALSE(CheckId("f", good, 40)) << good;
  }
}

TEST(CheckId, RefusesControlCharacters) {
  using namespace std::string_view_literals;
  for (std::string_view bad : {"\0"sv, "a\x1f"sv, "\n"sv, "\x7f"sv, "\xC2\x80"sv, "\xC2\x9F"sv}) {
    EXPECT_TRUE(CheckId("f", bad, 40));
  }
}

TEST(CheckId, RefusesWhatIsNotUtf8) {
  for (const char* bad : {"\x80", "\xC2", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF5\x80\x80\x80", "\xF4\x90\x80\x80", "\xF0\x80\x80\x80", "\xE2\x82",
                          "\xF0\x9F\x98", "a\xFF", "\xC2\x41", "\xE2\x82\x41"}) {
    EXPECT_TRUE(CheckId("f", bad, 40));
  }
}

TEST(Validate, CommandsOfOperators) {
  EXPECT_THAT(Fields({.body = BlockSeats{.seats = Numbered(100), .note = std::string(256, 'n')}}),
              IsEmpty());
  EXPECT_THAT(Fields({.body = BlockSeats{.note = std::string(257, 'n')}}),
              ElementsAre("seat_ids", "note"));
  EXPECT_THAT(Fields({.body = BlockSeats{.seats = Numbered(101), .note = "two\nlines"}}),
              ElementsAre("seat_ids", "note"));
  EXPECT_THAT(Fields({.body = UnblockSeats{}}), ElementsAre("seat_ids"));
  EXPECT_THAT(Fields({.body = ReleaseSeats{}}), ElementsAre("seat_ids"));
  EXPECT_THAT(Fields({.body = ReleaseSeats{.seats = Numbered(1), .session = SessionId("s")}}),
              ElementsAre("seat_ids"));
  EXPECT_THAT(Fields({.body = ReleaseSeats{.session = SessionId("s")}}), IsEmpty());
  EXPECT_THAT(Fields({.body = CloseShowtime{}}), IsEmpty());
}

// What a record could not be read with again never gets into one.
TEST(Validate, APrincipalThatNoRecordCanHoldIsRefused) {
  EXPECT_THAT(Fields({.body = GoodLock(), .principal = std::string(255, 'p')}), IsEmpty());
  EXPECT_THAT(Fields({.body = GoodLock(), .principal = std::string(256, 'p')}),
              ElementsAre("principal"));
  EXPECT_THAT(Fields({.body = GoodLock(), .principal = "\xff"}), ElementsAre("principal"));
}

TEST(Validate, CommandsInBoundsHaveNoViolations) {
  EXPECT_THAT(Fields({.body = GoodLock()}), IsEmpty());
  EXPECT_THAT(Fields({.body = LockSeats{.session = SessionId(std::string(128, 's')),
                                        .seats = Numbered(100),
                                        .release = {SeatId("R")},
                                        .ttl_ms = kTtlMsMax}}),
              IsEmpty());
  EXPECT_THAT(Fields({.body = UnlockSeats{.session = SessionId("s"), .all = true}}), IsEmpty());
  EXPECT_THAT(Fields({.body = BookSeats{.session = SessionId("s"), .order = OrderId("o")}}),
              IsEmpty());
  EXPECT_THAT(Fields({.request_id = RequestId(std::string(64, 'r')),
                      .body = CancelBooking{.order = OrderId("o"), .all = true}}),
              IsEmpty());
  EXPECT_THAT(Fields({.body = ExpireLocks{}}), IsEmpty());
}

TEST(Validate, EveryViolationIsReportedAtItsField) {
  EXPECT_THAT(Fields({.request_id = RequestId(std::string(65, 'r')),
                      .body = LockSeats{.session = SessionId(""),
                                        .seats = {SeatId("A1"), SeatId(""), SeatId("a\n")},
                                        .release = {SeatId(std::string(41, 'x')), SeatId("A1")},
                                        .ttl_ms = 0}}),
              ElementsAre("session_id", "seat_ids[1]", "seat_ids[2]", "release_seat_ids[0]", "ttl",
                          "release_seat_ids[1]", "request_id"));
  EXPECT_THAT(Fields({.request_id = RequestId(""),
                      .body = BookSeats{.session = SessionId(std::string(129, 's')),
                                        .order = OrderId("\x7f")}}),
              ElementsAre("session_id", "order_id", "request_id"));
  EXPECT_THAT(Fields({.body = CancelBooking{.order = OrderId(""), .all = true}}),
              ElementsAre("order_id"));
}

TEST(Validate, AtMostAHundredSeatsBeforeRepeatsAreDropped) {
  EXPECT_THAT(Fields({.body = LockSeats{.session = SessionId("s"),
                                        .seats = std::vector<SeatId>(101, SeatId("A1"))}}),
              ElementsAre("seat_ids"));
  LockSeats lock = GoodLock();
  lock.release = Numbered(101);
  EXPECT_THAT(Fields({.body = lock}), ElementsAre("release_seat_ids"));
}

TEST(Validate, SeatsOrAllButNotBothNorNeither) {
  const SessionId session("s");
  EXPECT_THAT(Fields({.body = LockSeats{.session = session}}), ElementsAre("seat_ids"));
  EXPECT_THAT(Fields({.body = UnlockSeats{.session = session}}), ElementsAre("seat_ids"));
  EXPECT_THAT(Fields({.body = ExtendLocks{.session = session}}), ElementsAre("seat_ids"));
  EXPECT_THAT(Fields({.body = CancelBooking{.order = OrderId("o")}}), ElementsAre("seat_ids"));
  EXPECT_THAT(
      Fields({.body = UnlockSeats{.session = session, .seats = {SeatId("A")}, .all = true}}),
      ElementsAre("seat_ids"));
}

TEST(Validate, TtlIsOneSecondToTwoHours) {
  for (int64_t good : {kTtlMsMin, kTtlMsMax}) {
    LockSeats lock = GoodLock();
    lock.ttl_ms = good;
    EXPECT_THAT(Fields({.body = lock}), IsEmpty());
  }
  for (int64_t bad : {int64_t{-1}, int64_t{0}, kTtlMsMin - 1, kTtlMsMax + 1, 3 * 60 * kMinuteMs}) {
    LockSeats lock = GoodLock();
    lock.ttl_ms = bad;
    EXPECT_THAT(Fields({.body = lock}), ElementsAre("ttl"));
    EXPECT_THAT(
        Fields({.body = ExtendLocks{.session = SessionId("s"), .all = true, .ttl_ms = bad}}),
        ElementsAre("ttl"));
  }
}

TEST(Validate, FencesNameSeatsOfTheCall) {
  BookSeats book{.session = SessionId("s"), .order = OrderId("o"), .seats = {SeatId("A")}};
  book.fences = {{SeatId("A"), Fence(1)}};
  EXPECT_THAT(Fields({.body = book}), IsEmpty());
  book.fences = {{SeatId("B"), Fence(1)}};
  EXPECT_THAT(Fields({.body = book}), ElementsAre("fences"));
  book.seats.clear();
  EXPECT_THAT(Fields({.body = book}), IsEmpty());
  book.fences = {{SeatId("\n"), Fence(1)}};
  EXPECT_THAT(Fields({.body = book}), ElementsAre("fences"));
  book.fences.clear();
  for (int i = 0; i < 101; ++i) book.fences.emplace_back(SeatId(std::to_string(i)), Fence(1));
  EXPECT_THAT(Fields({.body = book}), ElementsAre("fences"));
}

}  // namespace
}  // namespace seatlock::domain
