#include "edge/protocol/frames.h"

#include <gmock/gmock.h>

namespace seatlock::edge {
namespace {

const Seat kLocked{"A06", SeatStatus::kLocked, "s-1", 1'700'000'600'000};
const Seat kBooked{"A01", SeatStatus::kBooked, "", 0};
const Seat kFreed{"A07", SeatStatus::kAvailable, "s-1", 0};

TEST(Frames, ConnectionEstablished) {
  EXPECT_EQ(ConnectionEstablishedFrame("c1", 5).payload(),
            R"({"type":"connection_established","sessionId":"c1","timestamp":5})");
}

TEST(Frames, Subscribed) {
  EXPECT_EQ(SubscribedFrame("123", {"e", 41}, false, true, {kLocked}, 5).payload(),
            R"({"type":"subscribed","showtimeId":"123","timestamp":5,"epoch":"e","revision":41,)"
            R"("recovered":false,"yourSeats":[{"seatId":"A06","expiresAt":1700000600000}]})");
}

TEST(Frames, SubscribedAsAViewer) {
  EXPECT_EQ(SubscribedFrame("123", {}, true, true, {}, 5).payload(),
            R"({"type":"subscribed","showtimeId":"123","timestamp":5,"epoch":"","revision":0,)"
            R"("recovered":true,"yourSeats":[]})");
}

TEST(Frames, SubscribedSaysLiveOnlyIfItIsFalse) {
  EXPECT_EQ(SubscribedFrame("123", {"e", 1}, true, false, {}, 5).payload(),
            R"({"type":"subscribed","showtimeId":"123","timestamp":5,"epoch":"e","revision":1,)"
            R"("recovered":true,"yourSeats":[],"live":false})");
}

TEST(Frames, CurrentSeatStatusNamesNoHolder) {
  EXPECT_EQ(CurrentSeatStatusFrame("123", {"e", 41}, {&kBooked, &kLocked}, 5).payload(),
            R"({"type":"current_seat_status","showtimeId":"123","bookedSeats":["A01"],)"
            R"("lockedSeats":["A06"],"timestamp":5,"epoch":"e","revision":41})");
}

TEST(Frames, SeatStatusChangeForEverybody) {
  const Change change{{"e", 42}, 7, Cause::kLock, {kLocked}};
  EXPECT_EQ(SeatStatusChangeText("123", change, 0, false),
            R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06","status":"locked",)"
            R"("timestamp":7,"revision":42,"cause":"lock"})");
}

TEST(Frames, SeatStatusChangeForTheHolder) {
  const Change change{{"e", 42}, 7, Cause::kSwap, {kLocked, kFreed}};
  EXPECT_EQ(SeatStatusChangeText("123", change, 0, true),
            R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06","status":"locked",)"
            R"("sessionId":"s-1","timestamp":7,"revision":42,"cause":"swap",)"
            R"("expiresAt":1700000600000,"more":true})");
  EXPECT_EQ(SeatStatusChangeText("123", change, 1, true),
            R"({"type":"seat_status_change","showtimeId":"123","seatId":"A07","status":"unlocked",)"
            R"("sessionId":"s-1","timestamp":7,"revision":42,"cause":"swap"})");
}

TEST(Frames, TheFirstChangeTellsTheEpoch) {
  const Change change{{"e", 1}, 7, Cause::kLock, {kLocked, kBooked}};
  EXPECT_EQ(SeatStatusChangeText("123", change, 0, false),
            R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06","status":"locked",)"
            R"("timestamp":7,"revision":1,"cause":"lock","more":true,"epoch":"e"})");
  EXPECT_EQ(SeatStatusChangeText("123", change, 1, false),
            R"({"type":"seat_status_change","showtimeId":"123","seatId":"A01","status":"booked",)"
            R"("timestamp":7,"revision":1,"cause":"lock","epoch":"e"})");
}

TEST(Frames, EveryCauseHasItsWord) {
  const std::pair<Cause, std::string> words[] = {
      {Cause::kLock, "lock"},      {Cause::kUnlock, "unlock"},   {Cause::kSwap, "swap"},
      {Cause::kExtend, "extend"},  {Cause::kExpired, "expired"}, {Cause::kBook, "book"},
      {Cause::kCancel, "cancel"},  {Cause::kBlock, "block"},     {Cause::kUnblock, "unblock"},
      {Cause::kRelease, "release"}};
  for (const auto& [cause, word] : words) {
    const Change change{{"e", 1}, 7, cause, {kBooked}};
    EXPECT_THAT(SeatStatusChangeText("1", change, 0, false),
                ::testing::HasSubstr("\"cause\":\"" + word + "\""));
  }
}

TEST(Frames, ACauseThatIsNotKnownIsLeftOut) {
  const Change change{{"e", 2}, 7, Cause::kUnknown, {kBooked}};
  EXPECT_EQ(SeatStatusChangeText("1", change, 0, false),
            R"({"type":"seat_status_change","showtimeId":"1","seatId":"A01","status":"booked",)"
            R"("timestamp":7,"revision":2})");
}

TEST(Frames, SeatChangesWithAndWithoutAnOwner) {
  EXPECT_EQ(SeatChangesText("123", {"e", 44}, {&kLocked, &kFreed}, ""),
            R"({"type":"seat_changes","showtimeId":"123","epoch":"e","revision":44,)"
            R"("changes":[["A06","locked"],["A07","unlocked"]]})");
  EXPECT_EQ(SeatChangesText("123", {"e", 44}, {&kLocked, &kFreed}, "s-1"),
            R"({"type":"seat_changes","showtimeId":"123","epoch":"e","revision":44,)"
            R"("changes":[["A06","locked",1700000600000],["A07","unlocked"]]})");
}

TEST(Frames, TheSmallOnes) {
  EXPECT_EQ(UnsubscribedFrame("123", 5).payload(),
            R"({"type":"unsubscribed","showtimeId":"123","timestamp":5})");
  EXPECT_EQ(PongFrame(5).payload(), R"({"type":"pong","timestamp":5})");
  EXPECT_EQ(HeartbeatFrame(5).payload(), R"({"type":"heartbeat","timestamp":5})");
  EXPECT_EQ(StreamStatusFrame("123", false, 5).payload(),
            R"({"type":"stream_status","showtimeId":"123","live":false,"timestamp":5})");
}

TEST(Frames, Errors) {
  EXPECT_EQ(ErrorFrame({ErrorCode::kBadField, "bad", "123"}).payload(),
            R"({"type":"error","code":"BAD_FIELD","message":"bad","showtimeId":"123"})");
  EXPECT_EQ(ErrorFrame({ErrorCode::kShowtimeUnavailable, "later", "123", 5000}).payload(),
            R"({"type":"error","code":"SHOWTIME_UNAVAILABLE","message":"later",)"
            R"("showtimeId":"123","retryAfterMs":5000})");
  const std::pair<ErrorCode, std::string> words[] = {
      {ErrorCode::kBadJson, "BAD_JSON"},
      {ErrorCode::kUnknownType, "UNKNOWN_TYPE"},
      {ErrorCode::kTooManySubscriptions, "TOO_MANY_SUBSCRIPTIONS"},
      {ErrorCode::kRateLimited, "RATE_LIMITED"},
      {ErrorCode::kShowtimeUnavailable, "SHOWTIME_UNAVAILABLE"}};
  for (const auto& [code, word] : words) {
    EXPECT_EQ(ErrorFrame({code, "m", {}}).payload(),
              R"({"type":"error","code":")" + word + R"(","message":"m"})");
  }
}

TEST(Frames, IdsAreEscaped) {
  EXPECT_EQ(StreamStatusFrame("a\"b\\ü", true, 5).payload(),
            "{\"type\":\"stream_status\",\"showtimeId\":\"a\\\"b\\\\ü\",\"live\":true,"
            "\"timestamp\":5}");
}

}  // namespace
}  // namespace seatlock::edge
