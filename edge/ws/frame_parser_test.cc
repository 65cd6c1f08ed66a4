#include "edge/ws/frame_parser.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edge/limits.h"
#include "tests/fuzz/played_frames.h"

namespace seatlock::edge {
namespace {

using ::testing::ElementsAre;
using testing::Play;
using testing::PlayByteByByte;
using testing::PlayWhole;
using Lines = std::vector<std::string>;

static_assert(sizeof(FrameParser) <= 96, "one for each connection in the middle of a message");

// The first byte of a frame: FIN and the opcode.
constexpr int kFin = 0x80;
constexpr int kMore = 0;
constexpr int kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

constexpr std::string_view kMask = "\x37\xfa\x21\x3d";

std::string BigEndian(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i));
  return text;
}

// A frame's header up to its mask, with the length in 7 bits, 16 or 64.
std::string Header(int first, uint64_t length, int length_bits) {
  const std::string start(1, static_cast<char>(first));
  if (length_bits == 7) return start + static_cast<char>(0x80 | length);
  if (length_bits == 16) return start + '\xfe' + BigEndian(length, 2);
  return start + '\xff' + BigEndian(length, 8);
}

std::string Frame(int first, std::string payload, std::string_view mask = kMask) {
  const int bits = payload.size() < 126 ? 7 : payload.size() < 65536 ? 16 : 64;
  const std::string header = Header(first, payload.size(), bits);
  for (size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  }
  return header + std::string(mask) + payload;
}

std::string Text(std::string payload) {
  return Frame(kFin | kText, std::move(payload));
}
std::string Close(int code, const std::string& reason = "") {
  return Frame(kFin | kClose, BigEndian(static_cast<uint64_t>(code), 2) + reason);
}

struct Case {
  std::string name;
  std::string bytes;
  Lines lines;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class FrameTable : public ::testing::TestWithParam<Case> {};

TEST_P(FrameTable, WholeAndByteByByte) {
  EXPECT_EQ(PlayWhole(GetParam().bytes), GetParam().lines);
  EXPECT_EQ(PlayByteByByte(GetParam().bytes), GetParam().lines);
}

std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

const std::string k126(126, 'x');
const std::string k4096(kMessageBytesMax, 'x');
const std::string k4095(kMessageBytesMax - 1, 'x');

INSTANTIATE_TEST_SUITE_P(
    Good, FrameTable,
    ::testing::Values(
        Case{"Nothing", "", {"idle"}}, Case{"Text", Text("hello"), {"text hello", "idle"}},
        Case{"EmptyText", Text(""), {"text ", "idle"}},
        Case{"MaskOfZeros", Frame(kFin | kText, "a", std::string(4, '\0')), {"text a", "idle"}},
        Case{"SeveralFrames",
             Text("a") + Text("b") + Text("c"),
             {"text a", "text b", "text c", "idle"}},
        Case{"LengthOf125", Text(std::string(125, 'x')), {"text " + std::string(125, 'x'), "idle"}},
        Case{"LengthOf126", Text(k126), {"text " + k126, "idle"}},
        Case{"GreatestMessages",
             Text(k4096) + Text(k4096),
             {"text " + k4096, "text " + k4096, "idle"}},
        Case{"GreatestMessageInFragments",
             Frame(kText, k4095) + Frame(kContinuation, "x") + Frame(kFin | kContinuation, ""),
             {"text " + k4096, "idle"}},
        Case{"Fragments",
             Frame(kText, "he") + Frame(kContinuation, "l") + Frame(kFin | kContinuation, "lo") +
                 Text("next"),
             {"text hello", "text next", "idle"}},
        Case{"EmptyFragments",
             Frame(kText, "") + Frame(kContinuation, "") + Frame(kFin | kContinuation, "all"),
             {"text all", "idle"}},
        Case{"NothingInFragments",
             Frame(kText, "") + Frame(kFin | kContinuation, ""),
             {"text ", "idle"}},
        Case{"CharacterOverFragments",
             Frame(kText, "\xf0\x9f") + Frame(kContinuation, "\x8e") +
                 Frame(kFin | kContinuation, "\xab"),
             {"text \xf0\x9f\x8e\xab", "idle"}},
        Case{"ControlBetweenFragments",
             Frame(kText, "he\xc3") + Frame(kFin | kPing, "\xff p") + Frame(kFin | kPong, "q") +
                 Frame(kFin | kPing, "") + Frame(kFin | kContinuation, "\xa9"),
             {"ping \xff p", "pong", "ping ", "text he\xc3\xa9", "idle"}},
        Case{"PingOf125",
             Frame(kFin | kPing, std::string(125, 'p')),
             {"ping " + std::string(125, 'p'), "idle"}},
        Case{"UnsolicitedPong", Frame(kFin | kPong, "x"), {"pong", "idle"}},
        Case{"MessageBegun", Frame(kMore | kText, "a"), {}},
        Case{"HalfAFrame", Text("hello").substr(0, 8), {}},
        Case{"HalfAHeader", Text("hello").substr(0, 1), {}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Closes, FrameTable,
    ::testing::Values(
        Case{"WithoutCode", Frame(kFin | kClose, ""), {"close 0"}},
        Case{"WithReason", Close(1000, "bye"), {"close 1000"}},
        Case{"Lowest", Close(1000), {"close 1000"}}, Case{"C1003", Close(1003), {"close 1003"}},
        Case{"C1007", Close(1007), {"close 1007"}}, Case{"C1014", Close(1014), {"close 1014"}},
        Case{"C3000", Close(3000), {"close 3000"}}, Case{"C4999", Close(4999), {"close 4999"}},
        Case{"LongestReason", Close(1000, std::string(123, 'r')), {"close 1000"}},
        Case{"InAMessage", Frame(kText, "a") + Close(1001), {"close 1001"}},
        Case{"NothingAfterIt", Close(1000) + Text("a") + Close(1001) + "\xff", {"close 1000"}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Breaches, FrameTable,
    ::testing::Values(
        Case{"Unmasked", std::string("\x81\x01") + "a", {"breach 1002"}},
        Case{"UnmaskedEmpty", std::string("\x81\x00", 2), {"breach 1002"}},
        Case{"Rsv1", Frame(kFin | 0x40 | kText, "a"), {"breach 1002"}},
        Case{"Rsv2", Frame(kFin | 0x20 | kText, "a"), {"breach 1002"}},
        Case{"Rsv3OfAControl", Frame(kFin | 0x10 | kPing, "a"), {"breach 1002"}},
        Case{"ControlInFragments", Frame(kMore | kPing, "a"), {"breach 1002"}},
        Case{"ControlOf126", Frame(kFin | kPing, k126), {"breach 1002"}},
        Case{"ControlLengthIn16Bits", Header(kFin | kPong, 5, 16), {"breach 1002"}},
        Case{"ContinuationOfNothing", Frame(kFin | kContinuation, "a"), {"breach 1002"}},
        Case{"ContinuationAfterTheLast",
             Frame(kText, "a") + Frame(kFin | kContinuation, "b") + Frame(kContinuation, "c"),
             {"text ab", "breach 1002"}},
        Case{"TextInAMessage", Frame(kText, "a") + Text("b"), {"breach 1002"}},
        Case{"BinaryInAMessage", Frame(kText, "a") + Frame(kFin | kBinary, "b"), {"breach 1002"}},
        Case{"Length125In16Bits", Header(kFin | kText, 125, 16), {"breach 1002"}},
        Case{"Length65535In64Bits", Header(kFin | kText, 65535, 64), {"breach 1002"}},
        Case{"LengthWithTopBit", Header(kFin | kText, uint64_t{1} << 63, 64), {"breach 1002"}},
        Case{"Binary", "\x82", {"breach 1003"}}, Case{"BinaryFragment", "\x02", {"breach 1003"}},
        Case{"TooBig", Header(kFin | kText, kMessageBytesMax + 1, 16), {"breach 1009"}},
        Case{"TooBigBy64Bits", Header(kFin | kText, uint64_t{1} << 62, 64), {"breach 1009"}},
        Case{"TooBigInFragments",
             Frame(kText, k4096) + Header(kContinuation, 1, 7),
             {"breach 1009"}},
        Case{"BadUtf8", Text("a\xff"), {"breach 1007"}},
        Case{"CharacterCutByTheEnd", Text("a\xc3"), {"breach 1007"}},
        Case{"CharacterCutByTheLastFragment",
             Frame(kText, "\xe2\x82") + Frame(kFin | kContinuation, ""),
             {"breach 1007"}},
        Case{"BadUtf8InTheMiddleOfAFrame",
             Frame(kText, "ab\xed\xa0zzzz").substr(0, 10),
             {"breach 1007"}},
        Case{"CloseOfOneByte", Frame(kFin | kClose, "\x03") + "\xe8", {"breach 1002"}},
        Case{"CloseReasonOfBadUtf8", Close(1000, "\xff"), {"breach 1007"}},
        Case{"CloseReasonCut", Close(1000, "\xc3"), {"breach 1007"}},
        Case{"EventsBeforeIt",
             Text("a") + Frame(kFin | kPing, "p") + "\xff" + Text("b"),
             {"text a", "ping p", "breach 1002"}}),
    NameOf);

TEST(FrameParser, ReservedOpcodesAreABreach) {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    EXPECT_THAT(PlayWhole(Frame(kFin | opcode, "")), ElementsAre("breach 1002")) << opcode;
  }
}

TEST(FrameParser, CloseCodesThatAreNeverSentAreABreach) {
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    EXPECT_THAT(PlayWhole(Close(code)), ElementsAre("breach 1002")) << code;
  }
}

TEST(FrameParser, WholeFramesAreHandedOnWithoutACopy) {
  struct Views : FrameEvents {
    void OnText(std::string_view message) override { views.push_back(message); }
    void OnPing(std::string_view payload) override { views.push_back(payload); }
    void OnPong() override {}
    void OnFragments() override {}
    void OnPeerClose(uint16_t) override {}
    std::vector<std::string_view> views;
  };
  const std::string start = Text("hello");
  std::string bytes = start + Text("again") + Frame(kFin | kPing, "p");
  FrameParser parser;
  Views events;
  ASSERT_EQ(parser.Feed(bytes, events), std::nullopt);
  ASSERT_THAT(events.views, ElementsAre("hello", "again", "p"));
  EXPECT_EQ(events.views[0].data(), bytes.data() + start.size() - 5);
  EXPECT_EQ(events.views[1].data(), bytes.data() + 2 * start.size() - 5);
  EXPECT_EQ(events.views[2].data(), bytes.data() + bytes.size() - 1);
}

// So an endless message of empty frames is as many messages, and so is one of tiny frames.
TEST(FrameParser, FramesOfOneMessageAreCounted) {
  std::string bytes = Frame(kText, "");
  for (int i = 1; i < 2 * kFragmentsAMessage - 1; ++i) bytes += Frame(kContinuation, "");
  const std::string pings = Frame(kFin | kPing, "p") + Frame(kFin | kPong, "");
  EXPECT_THAT(PlayWhole(bytes), ElementsAre("fragments"));
  EXPECT_THAT(PlayWhole(bytes + pings), ElementsAre("fragments", "ping p", "pong"));
  const std::string more = Frame(kContinuation, "x");
  EXPECT_THAT(PlayWhole(bytes + pings + more),
              ElementsAre("fragments", "ping p", "pong", "fragments"));
  // The next message begins at none.
  std::string short_ones;
  for (int i = 0; i < kFragmentsAMessage; ++i) {
    short_ones += Frame(kText, "a") + Frame(kFin | kContinuation, "");
  }
  EXPECT_THAT(PlayWhole(short_ones), ::testing::Each(::testing::Not("fragments")));
}

TEST(FrameParser, IsNotIdleOnceItHasEnded) {
  EXPECT_THAT(PlayWhole(Close(1000)), ElementsAre("close 1000"));
  EXPECT_THAT(PlayWhole("\xff"), ElementsAre("breach 1002"));
}

TEST(FrameParser, IsIdleWhenAHandlerIsCalled) {
  struct Asks : FrameEvents {
    explicit Asks(const FrameParser& p) : parser(p) {}
    void OnText(std::string_view) override { idle += parser.idle() ? 1 : 0; }
    void OnPing(std::string_view) override { idle += parser.idle() ? 1 : 0; }
    void OnPong() override {}
    void OnFragments() override {}
    void OnPeerClose(uint16_t) override {}
    const FrameParser& parser;
    int idle = 0;
  };
  FrameParser parser;
  Asks asks(parser);
  for (char byte : Text("hello") + Frame(kFin | kPing, "p")) {
    ASSERT_EQ(parser.Feed({&byte, 1}, asks), std::nullopt);
  }
  EXPECT_EQ(asks.idle, 2);
}

// --- properties ---------------------------------------------------------------------------------
// A failure prints what to set RC_PARAMS to, to run it again.

// Mostly what browsers send, so that most runs get far, and some of everything else.
rc::Gen<std::string> AnyFrame() {
  const auto payload = rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
          "", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xab", std::string(60, 'l'))),
      [](const std::vector<std::string>& parts) {
        std::string all;
        for (const std::string& part : parts) all += part;
        return all;
      });
  const auto first = rc::gen::weightedElement<int>({{20, kFin | kText},
                                                    {20, kText},
                                                    {20, kContinuation},
                                                    {20, kFin | kContinuation},
                                                    {10, kFin | kPing},
                                                    {5, kFin | kPong},
                                                    {1, kFin | kClose},
                                                    {1, kFin | kBinary},
                                                    {1, kFin | 0x40 | kText}});
  const auto mask = rc::gen::container<std::string>(4, rc::gen::arbitrary<char>());
  // A byte that is changed: in most frames none, for it stands behind their end.
  const auto damage = rc::gen::pair(rc::gen::inRange<size_t>(0, 1000), rc::gen::arbitrary<char>());
  return rc::gen::apply(
      [](int head, const std::string& body, const std::string& key,
         const std::pair<size_t, char>& change) {
        std::string frame = Frame(head, body, key);
        if (change.first < frame.size()) frame[change.first] = change.second;
        return frame;
      },
      first, payload, mask, damage);
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

std::vector<size_t> AnyPieces() {
  return *rc::gen::nonEmpty(rc::gen::container<std::vector<size_t>>(rc::gen::weightedOneOf<size_t>(
      {{3, rc::gen::inRange<size_t>(1, 8)}, {1, rc::gen::inRange<size_t>(1, 300)}})));
}

// Pieces of these sizes, again and again.
testing::NextPiece Cycle(std::vector<size_t> sizes) {
  return
      [sizes = std::move(sizes), at = size_t{0}]() mutable { return sizes[at++ % sizes.size()]; };
}

RC_GTEST_PROP(FrameParserProperty, EventsAreTheSameHoweverTheBytesAreCut, ()) {
  const std::string bytes = Joined(*rc::gen::container<std::vector<std::string>>(AnyFrame()));
  const Lines whole = PlayWhole(bytes);
  RC_ASSERT(PlayByteByByte(bytes) == whole);
  RC_ASSERT(Play(bytes, Cycle(AnyPieces())) == whole);
}

RC_GTEST_PROP(FrameParserProperty, AnIdleParserMayBeReplacedByAFreshOne, ()) {
  const std::string bytes = Joined(*rc::gen::container<std::vector<std::string>>(AnyFrame()));
  const auto replace = [](FrameParser& parser) {
    if (parser.idle()) parser = FrameParser();
  };
  RC_ASSERT(Play(bytes, Cycle(AnyPieces()), replace) == PlayWhole(bytes));
}

// The control of the two properties above: they do notice a parser that forgets.
TEST(FrameParserProperty, AParserReplacedInTheMiddleOfAMessageIsNoticed) {
  const std::string bytes = Text("hello");
  const auto forget = [](FrameParser& parser) { parser = FrameParser(); };
  EXPECT_NE(Play(bytes, Cycle({3}), forget), PlayWhole(bytes));
}

// Characters of every length, so that cuts fall into them.
rc::Gen<std::string> AnyMessage() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                          "{\"type\":", "x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xab")),
                      Joined);
}

RC_GTEST_PROP(FrameParserProperty, MessagesArriveAsTheyWereSentHoweverFragmented, ()) {
  std::string bytes;
  Lines expected;
  const size_t messages = *rc::gen::inRange<size_t>(0, 5);
  for (size_t i = 0; i < messages; ++i) {
    std::string rest = *AnyMessage();
    expected.push_back("text " + rest);
    Lines pings;
    int opcode = kText;
    while (*rc::gen::weightedElement<bool>({{2, true}, {1, false}})) {
      const size_t size = *rc::gen::inRange<size_t>(0, rest.size() + 1);
      bytes +=
          Frame(opcode, rest.substr(0, size), *rc::gen::element<std::string>("abcd", "\1\2\3\4"));
      rest.erase(0, size);
      opcode = kContinuation;
      const std::string payload = *rc::gen::element<std::string>("", "p", std::string(125, 'p'));
      bytes += Frame(kFin | kPing, payload);
      pings.push_back("ping " + payload);
    }
    bytes += Frame(kFin | opcode, rest);
    expected.insert(expected.end() - 1, pings.begin(), pings.end());
  }
  expected.push_back("idle");
  RC_ASSERT(Play(bytes, Cycle(AnyPieces())) == expected);
}

}  // namespace
}  // namespace seatlock::edge
