#include "edge/ws/utf8.h"

#include <gmock/gmock.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace seatlock::edge {
namespace {

// The definition, spelled out: what encodes a scalar value in the fewest bytes.
std::string Encode(uint32_t point) {
  const auto byte = [](uint32_t value) { return static_cast<char>(value); };
  const auto tail = [&](int shift, uint32_t p) { return byte(0x80 | ((p >> shift) & 0x3f)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | point >> 6), tail(0, point)};
  if (point < 0x10000) return {byte(0xe0 | point >> 12), tail(6, point), tail(0, point)};
  return {byte(0xf0 | point >> 18), tail(12, point), tail(6, point), tail(0, point)};
}

// A judge that is slow and plain: decodes by the first byte's length and encodes again.
bool NaiveIsUtf8(const std::string& text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + bytes > text.size()) return false;
    uint32_t point = bytes == 1 ? lead : lead & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; ++i) {
      point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
    }
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    if (Encode(point) != text.substr(at, bytes)) return false;
    at += bytes;
  }
  return true;
}

// How many bytes of `text`, fed one by one, pass before the checker refuses.
size_t BytesTaken(const std::string& text) {
  Utf8Checker checker;
  size_t taken = 0;
  while (taken < text.size() && checker.Take(text.substr(taken, 1))) ++taken;
  return taken;
}

TEST(Utf8, EveryScalarValueIsGood) {
  for (uint32_t point = 0; point <= 0x10ffff; ++point) {
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    ASSERT_EQ(IsUtf8(Encode(point)), !surrogate) << std::hex << point;
  }
}

// Every sequence of up to four of the bytes at which the rules change.
TEST(Utf8, AgreesWithTheDefinition) {
  constexpr std::array<uint8_t, 24> kEdges = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                              0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
                                              0xed, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
  size_t good = 0;
  for (const uint8_t a : kEdges) {
    for (const uint8_t b : kEdges) {
      for (const uint8_t c : kEdges) {
        for (const uint8_t d : kEdges) {
          const std::string whole = {static_cast<char>(a), static_cast<char>(b),
                                     static_cast<char>(c), static_cast<char>(d)};
          for (size_t bytes = 1; bytes <= whole.size(); ++bytes) {
            const std::string text = whole.substr(0, bytes);
            ASSERT_EQ(IsUtf8(text), NaiveIsUtf8(text)) << ::testing::PrintToString(text);
          }
          good += IsUtf8(whole) ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(good, 500u);
}

TEST(Utf8, BadByteIsFoundAnywhereInALongText) {
  for (size_t at = 0; at < 40; ++at) {
    std::string text(40, 'x');
    text[at] = '\xff';
    EXPECT_FALSE(IsUtf8(text)) << at;
  }
}

TEST(Utf8, CharacterMayBeCutAnywhere) {
  const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xab";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Checker checker;
    EXPECT_TRUE(checker.Take(text.substr(0, cut))) << cut;
    EXPECT_EQ(checker.complete(), IsUtf8(text.substr(0, cut))) << cut;
    EXPECT_TRUE(checker.Take(text.substr(cut))) << cut;
    EXPECT_TRUE(checker.complete()) << cut;
  }
}

TEST(Utf8, RefusesAtTheFirstByteThatNothingCanMend) {
  EXPECT_EQ(BytesTaken("ab\x80"), 2u);            // no lead
  EXPECT_EQ(BytesTaken("\xc0\x80"), 0u);          // overlong, as is every c0
  EXPECT_EQ(BytesTaken("\xe0\x9f\x80"), 1u);      // overlong
  EXPECT_EQ(BytesTaken("\xed\xa0\x80"), 1u);      // a surrogate
  EXPECT_EQ(BytesTaken("\xf4\x90\x80\x80"), 1u);  // above U+10FFFF
  EXPECT_EQ(BytesTaken("\xf0\x90\x80\x41"), 3u);  // cut short
  EXPECT_EQ(BytesTaken("\xf5"), 0u);              // above U+10FFFF whatever follows
}

}  // namespace
}  // namespace seatlock::edge
