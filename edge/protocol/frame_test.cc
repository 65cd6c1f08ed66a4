#include "edge/protocol/frame.h"

#include <gmock/gmock.h>

namespace seatlock::edge {
namespace {

using std::string_literals::operator""s;

TEST(Frame, HasTheShortestHeaderForItsLength) {
  struct Case {
    size_t size;
    std::string header;
  };
  const Case cases[] = {{0, "\x81\x00"s},
                        {125, "\x81\x7d"s},
                        {126, "\x81\x7e\x00\x7e"s},
                        {65535, "\x81\x7e\xff\xff"s},
                        {65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s}};
  for (const Case& c : cases) {
    const std::string text(c.size, 'x');
    const Frame frame = Frame::Text(text);
    EXPECT_EQ(frame.wire(), c.header + text);
    EXPECT_EQ(frame.payload(), text);
  }
}

TEST(Frame, TellsTextFromControl) {
  EXPECT_TRUE(Frame::Text("a").is_text());
  EXPECT_FALSE(Frame::Ping().is_text());
  EXPECT_FALSE(Frame::Pong("a").is_text());
  EXPECT_FALSE(Frame::Close(1000, "").is_text());
}

TEST(Frame, AControlFrameCarriesItsPayload) {
  EXPECT_EQ(Frame::Ping().wire(), "\x89\x00"s);
  EXPECT_EQ(Frame::Pong("hey").wire(), "\x8a\x03hey"s);
  EXPECT_EQ(Frame::Close(4101, "slow").wire(), "\x88\x06\x10\x05slow"s);
  EXPECT_EQ(Frame::Close(0, "said nothing").wire(), "\x88\x00"s);
}

TEST(Frame, ACopySharesTheBytes) {
  const Frame frame = Frame::Text("a");
  const Frame copy = frame;
  EXPECT_EQ(copy.wire().data(), frame.wire().data());
  EXPECT_EQ(copy.owner(), frame.owner());
}

TEST(Frame, NoneIsFalse) {
  EXPECT_FALSE(Frame());
  EXPECT_TRUE(Frame::Ping());
}

}  // namespace
}  // namespace seatlock::edge
