#include "edge/protocol/commands.h"

#include <gmock/gmock.h>

namespace seatlock::edge {
namespace {

const CommandError* ErrorOf(const ClientCommand& command) {
  return std::get_if<CommandError>(&command);
}

TEST(ParseCommand, ReadsAPlainSubscribe) {
  const ClientCommand command = ParseCommand(R"({"type":"subscribe","showtimeId":"123"})");
  const auto* subscribe = std::get_if<SubscribeCommand>(&command);
  ASSERT_NE(subscribe, nullptr);
  EXPECT_EQ(subscribe->showtime_id, "123");
  EXPECT_EQ(subscribe->session_id, "");
  EXPECT_FALSE(subscribe->resume.has_value());
  EXPECT_FALSE(subscribe->heartbeat);
}

TEST(ParseCommand, ReadsEveryFieldOfSubscribe) {
  const ClientCommand command = ParseCommand(
      R"({"type":"subscribe","showtimeId":"123","sessionId":"s","userId":"u","heartbeat":true,)"
      R"("resume":{"epoch":"e","revision":41},"token":"t","later":1})");
  const auto* subscribe = std::get_if<SubscribeCommand>(&command);
  ASSERT_NE(subscribe, nullptr);
  EXPECT_EQ(subscribe->session_id, "s");
  EXPECT_EQ(subscribe->resume, (Position{"e", 41}));
  EXPECT_TRUE(subscribe->heartbeat);
}

TEST(ParseCommand, TakesNullForAbsent) {
  const ClientCommand command = ParseCommand(
      R"({"type":"subscribe","showtimeId":"1","sessionId":null,"userId":null,"resume":null})");
  ASSERT_TRUE(std::holds_alternative<SubscribeCommand>(command));
  EXPECT_EQ(std::get<SubscribeCommand>(command).session_id, "");
}

TEST(ParseCommand, ReadsUnsubscribeOfOneAndOfAll) {
  const ClientCommand one = ParseCommand(R"({"type":"unsubscribe","showtimeId":"1"})");
  EXPECT_EQ(std::get<UnsubscribeCommand>(one).showtime_id, "1");
  const ClientCommand all = ParseCommand(R"({"type":"unsubscribe"})");
  EXPECT_EQ(std::get<UnsubscribeCommand>(all).showtime_id, std::nullopt);
}

TEST(ParseCommand, ReadsPing) {
  EXPECT_TRUE(std::holds_alternative<PingCommand>(ParseCommand(R"({"type":"ping"})")));
}

TEST(ParseCommand, TakesIdsOfTheGreatestLength) {
  const std::string id(128, 'x');
  const ClientCommand command = ParseCommand(R"({"type":"subscribe","showtimeId":")" + id +
                                             R"(","sessionId":")" + id + "\"}");
  EXPECT_TRUE(std::holds_alternative<SubscribeCommand>(command));
}

TEST(ParseCommand, NamesTheShowtimeOfABadSubscribe) {
  const ClientCommand command =
      ParseCommand(R"({"type":"subscribe","showtimeId":"7","sessionId":5})");
  ASSERT_NE(ErrorOf(command), nullptr);
  EXPECT_EQ(ErrorOf(command)->showtime_id, "7");
}

struct BadText {
  std::string text;
  ErrorCode code;
};

class ParseCommandErrors : public ::testing::TestWithParam<BadText> {};

TEST_P(ParseCommandErrors, AreTold) {
  const ClientCommand command = ParseCommand(GetParam().text);
  ASSERT_NE(ErrorOf(command), nullptr) << GetParam().text;
  EXPECT_EQ(ErrorOf(command)->code, GetParam().code) << GetParam().text;
  EXPECT_NE(ErrorOf(command)->message, "");
}

std::string Subscribe(const std::string& fields) {
  return R"({"type":"subscribe",)" + fields + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseCommandErrors,
    ::testing::Values(
        BadText{"", ErrorCode::kBadJson}, BadText{"{", ErrorCode::kBadJson},
        BadText{"hello", ErrorCode::kBadJson}, BadText{"[]", ErrorCode::kBadJson},
        BadText{"null", ErrorCode::kBadJson}, BadText{"{} {}", ErrorCode::kBadJson},
        BadText{std::string(4096, '['), ErrorCode::kBadJson},
        BadText{R"({"type":"ping","x":"\ud800"})", ErrorCode::kBadJson},
        BadText{"{}", ErrorCode::kBadField}, BadText{R"({"type":5})", ErrorCode::kBadField},
        BadText{R"({"type":"dance"})", ErrorCode::kUnknownType},
        BadText{R"({"type":"subscribe"})", ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":5)"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":")" + std::string(129, 'x') + "\""),
                ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"a\nb")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"a\u0000b")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"a\u007f")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"a\u0085")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","sessionId":"")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","sessionId":{})"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","heartbeat":"yes")"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","token":1)"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","resume":41)"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","resume":{"epoch":"e"})"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","resume":{"revision":1})"), ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","resume":{"epoch":"e","revision":-1})"),
                ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","resume":{"epoch":"e","revision":1.5})"),
                ErrorCode::kBadField},
        BadText{Subscribe(R"("showtimeId":"1","resume":{"epoch":"e","revision":"1"})"),
                ErrorCode::kBadField},
        BadText{R"({"type":"unsubscribe","showtimeId":""})", ErrorCode::kBadField}));

}  // namespace
}  // namespace seatlock::edge
