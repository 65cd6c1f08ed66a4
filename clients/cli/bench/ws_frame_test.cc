#include "clients/cli/bench/ws_frame.h"

#include <gtest/gtest.h>

namespace seatlock::cli::bench {
namespace {

using Type = WsFrame::Type;

TEST(WsFrameTest, ReadsWhatAFollowerNeeds) {
  const WsFrame change =
      ReadFrame(R"({"type":"seat_status_change","showtimeId":"1","seatId":"A","status":"locked",)"
                R"("timestamp":1234,"revision":42,"cause":"lock","more":true,"epoch":"e"})");
  EXPECT_EQ(change.type, Type::kChange);
  EXPECT_EQ(change.revision, 42U);
  EXPECT_EQ(change.timestamp_ms, 1234);
  EXPECT_TRUE(change.more);
  EXPECT_EQ(change.epoch, "e");

  const WsFrame subscribed = ReadFrame(
      R"({"type":"subscribed","showtimeId":"1","epoch":"e","revision":4,"recovered":true})");
  EXPECT_EQ(subscribed.type, Type::kSubscribed);
  EXPECT_TRUE(subscribed.recovered);

  const WsFrame snapshot =
      ReadFrame(R"({"type":"current_seat_status","showtimeId":"1","epoch":"","revision":0})");
  EXPECT_EQ(snapshot.type, Type::kSnapshot);
  EXPECT_EQ(snapshot.revision, 0U);
}

TEST(WsFrameTest, AnErrorKeepsItsWords) {
  const WsFrame error = ReadFrame(R"({"type":"error","code":"RATE_LIMITED","message":"slower"})");
  EXPECT_EQ(error.type, Type::kError);
  EXPECT_EQ(error.error, "RATE_LIMITED: slower");
}

TEST(WsFrameTest, WhateverElseItIsIsIgnored) {
  for (const char* text : {"", "[]", "{", "{}", R"({"type":5})", R"({"type":"heartbeat"})",
                           R"({"type":"seat_status_chang"})"}) {
    EXPECT_EQ(ReadFrame(text).type, Type::kOther) << text;
  }
  EXPECT_EQ(ReadFrame(R"({"type":"seat_status_change","revision":"x"})").revision, 0U);
}

TEST(WsFrameTest, SubscribesAndResumes) {
  EXPECT_EQ(SubscribeFrame("bench-1"), R"({"type":"subscribe","showtimeId":"bench-1"})");
  EXPECT_EQ(ResumeFrame("bench-1", "e", 4),
            R"({"type":"subscribe","showtimeId":"bench-1","resume":{"epoch":"e","revision":4}})");
}

}  // namespace
}  // namespace seatlock::cli::bench
