// Section 6: text is UTF-8 (RFC 3629), however it is cut, and what cannot become UTF-8 any more is
// refused at its first bad byte (6.4).
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/integration/edge/rfc6455_cases.h"

namespace seatlock::testing::rfc6455 {
namespace {

struct Sequence {
  std::string name;
  std::string bytes;
};

// `bad_at`: the first byte with which it cannot become good any more.
struct BadSequence {
  const char* name;
  const char* bytes;
  size_t bad_at;
};

std::vector<Sequence> GoodSequences() {
  std::vector<Sequence> good = {
      {"Greek", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"},  // 6.2
      {"Mixed",
       "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xab"
       "z"},
      // 6.7, 6.9: the first and the last of each length, 6.11: beside the surrogates.
      {"U00A0", "\xc2\xa0"},
      {"U07FF", "\xdf\xbf"},
      {"U0800", "\xe0\xa0\x80"},
      {"U0FFF", "\xe0\xbf\xbf"},
      {"U1000", "\xe1\x80\x80"},
      {"UCFFF", "\xec\xbf\xbf"},
      {"UD000", "\xed\x80\x80"},
      {"UD7FF", "\xed\x9f\xbf"},
      {"UE000", "\xee\x80\x80"},
      {"UFEFF", "\xef\xbb\xbf"},
      {"UFFFD", "\xef\xbf\xbd"},
      {"U10000", "\xf0\x90\x80\x80"},
      {"U3FFFF", "\xf0\xbf\xbf\xbf"},
      {"U40000", "\xf1\x80\x80\x80"},
      {"UFFFFD", "\xf3\xbf\xbf\xbd"},
      {"U100000", "\xf4\x80\x80\x80"},
      {"U10FFFF", "\xf4\x8f\xbf\xbf"},
      {"UFDD0", "\xef\xb7\x90"},
      // 6.23: specials.
      {"UFFF0", "\xef\xbf\xb0"},
      {"UFFF9", "\xef\xbf\xb9"},
  };
  // 6.22: noncharacters are good. The last two of every plane.
  for (uint32_t plane = 0; plane <= 16; ++plane) {
    for (const uint32_t low : {0xfffeu, 0xffffu}) {
      const uint32_t point = plane << 16 | low;
      std::string bytes;
      if (plane != 0) {
        bytes.push_back(static_cast<char>(0xf0 | point >> 18));
        bytes.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3f)));
      } else {
        bytes.push_back('\xef');
      }
      bytes.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
      bytes.push_back(static_cast<char>(0x80 | (point & 0x3f)));
      good.push_back({absl::StrCat("Noncharacter", absl::Hex(point)), bytes});
    }
  }
  return good;
}

constexpr BadSequence kBadSequences[] = {
    {"GreekThenASurrogate",
     "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
     "edited",
     12},
    // 6.10, 6.11: above U+10FFFF, and what five and six bytes once said (6.8).
    {"U110000", "\xf4\x90\x80\x80", 1},
    {"U13FFFF", "\xf4\xbf\xbf\xbf", 1},
    {"U140000", "\xf5\x80\x80\x80", 0},
    {"U1FFFFF", "\xf7\xbf\xbf\xbf", 0},
    {"FirstOfFiveBytes", "\xf8\x88\x80\x80\x80", 0},
    {"LastOfFiveBytes", "\xfb\xbf\xbf\xbf\xbf", 0},
    {"FirstOfSixBytes", "\xfc\x84\x80\x80\x80\x80", 0},
    {"LastOfSixBytes", "\xfd\xbf\xbf\xbf\xbf\xbf", 0},
    // 6.12: continuations of nothing.
    {"FirstContinuation", "\x80", 0},
    {"LastContinuation", "\xbf", 0},
    {"Continuations", "\x80\xbf\x80\xbf\x80\xbf", 0},
    {"ContinuationTooMany", "\xc3\xa9\x80", 2},
    {"ContinuationTooManyOfThree", "\xe2\x82\xac\xbf", 3},
    {"ContinuationTooManyOfFour", "\xf0\x9f\x8e\xab\x80", 4},
    // 6.13, 6.14: cut short by a character.
    {"C2Alone", "\xc2 ", 1},
    {"DFAlone", "\xdf ", 1},
    {"E0Alone", "\xe0 ", 1},
    {"EFAlone", "\xef ", 1},
    {"F0Alone", "\xf0 ", 1},
    {"F4Alone", "\xf4 ", 1},
    {"LastMissingOfThree", "\xe2\x82z", 2},
    {"TwoMissingOfFour", "\xf0\x9fz", 2},
    {"LastMissingOfFour", "\xf0\x9f\x8ez", 3},
    // 6.15: cut short by the next.
    {"CutShortByAnother", "\xe2\x82\xc3\xa9", 2},
    {"CutShortByItsLike", "\xc3\xc3\xa9", 1},
    {"CutShortByItsLikeOfFour", "\xf0\x9f\x8e\xf0\x9f\x8e\xab", 3},
    // 6.16: bytes that are nowhere.
    {"FE", "\xfe", 0},
    {"FF", "\xff", 0},
    {"FEFF", "\xfe\xfe\xff\xff", 0},
    // 6.17 - 6.19: longer than needed, of '/', of the greatest and of NUL.
    {"SlashInTwo", "\xc0\xaf", 0},
    {"SlashInThree", "\xe0\x80\xaf", 1},
    {"SlashInFour", "\xf0\x80\x80\xaf", 1},
    {"SlashInFive", "\xf8\x80\x80\x80\xaf", 0},
    {"SlashInSix", "\xfc\x80\x80\x80\x80\xaf", 0},
    {"U007FInTwo", "\xc1\xbf", 0},
    {"U07FFInThree", "\xe0\x9f\xbf", 1},
    {"UFFFFInFour", "\xf0\x8f\xbf\xbf", 1},
    {"NulInTwo", "\xc0\x80", 0},
    {"NulInThree", "\xe0\x80\x80", 1},
    {"NulInFour", "\xf0\x80\x80\x80", 1},
    // 6.20, 6.21: surrogates, alone and in pairs.
    {"UD800", "\xed\xa0\x80", 1},
    {"UDB7F", "\xed\xad\xbf", 1},
    {"UDB80", "\xed\xae\x80", 1},
    {"UDBFF", "\xed\xaf\xbf", 1},
    {"UDC00", "\xed\xb0\x80", 1},
    {"UDF80", "\xed\xbe\x80", 1},
    {"UDFFF", "\xed\xbf\xbf", 1},
    {"UD800UDC00", "\xed\xa0\x80\xed\xb0\x80", 1},
    {"UDBFFUDFFF", "\xed\xaf\xbf\xed\xbf\xbf", 1},
};

// A message of UTF-8 that stops within a character: `bytes` are its last.
std::vector<Sequence> CutShort() {
  return {{"C3", "\xc3"},
          {"E2", "\xe2"},
          {"E282", "\xe2\x82"},
          {"F0", "\xf0"},
          {"F09F", "\xf0\x9f"},
          {"F09F8E", "\xf0\x9f\x8e"},
          {"F48FBF", "\xf4\x8f\xbf"},
          {"EDBeforeItsEnd", "\xed"}};
}

std::string Frame(Opcode opcode, std::string_view payload, const Odd& odd = {}) {
  return ClientFrame(opcode, payload, odd);
}

// Whole, in frames that cut within characters, and byte by byte.
void AddThreeWays(std::vector<Case>& cases, const std::string& name, const std::string& message,
                  const Answer& answer) {
  cases.push_back({.name = name, .steps = {{Frame(kText, message), {answer}}}});
  cases.push_back({.name = name + "InFragments", .steps = {{InFragments(message, 1), {answer}}}});
  cases.push_back(
      {.name = name + "Chopped", .steps = {{Frame(kText, message), {answer}}}, .bytes_a_write = 1});
}

// A pong between any two bytes of a character shows that its beginning was not refused.
Case GoodByteForByte(const Sequence& row) {
  const std::string message = EchoText(row.bytes);
  const size_t start = message.find(row.bytes);
  Case of{.name = row.name + "ByteForByte"};
  of.steps.push_back({Frame(kText, message.substr(0, start), kNotLast)});
  for (const char byte : row.bytes) {
    of.steps.push_back(
        {Frame(kContinuation, std::string(1, byte), kNotLast) + Frame(kPing, "p"), {Pong("p")}});
  }
  of.steps.push_back(
      {Frame(kContinuation, message.substr(start + row.bytes.size())), {EchoOf(row.bytes)}});
  return of;
}

}  // namespace

std::vector<Case> Utf8Cases() {
  std::vector<Case> cases;
  for (const Sequence& row : GoodSequences()) {
    AddThreeWays(cases, row.name, EchoText(row.bytes), EchoOf(row.bytes));
    cases.push_back(GoodByteForByte(row));
  }
  // Good UTF-8 that the contract has another answer to than an echo.
  const Answer unknown = Json(R"({"type":"error","code":"UNKNOWN_TYPE"})");
  AddThreeWays(cases, "U0080", "{\"type\":\"\xc2\x80\"}", unknown);
  AddThreeWays(cases, "U007F", "{\"type\":\"\x7f\"}", unknown);
  const Answer bad_json = Json(R"({"type":"error","code":"BAD_JSON"})");
  AddThreeWays(cases, "Nul", std::string(1, '\0'), bad_json);
  AddThreeWays(cases, "OneCharacterAlone", "\xf0\x9f\x8e\xab", bad_json);
  const Answer refused = Closed(1007);
  for (const BadSequence& row : kBadSequences) {
    const std::string name = row.name;
    AddThreeWays(cases, "Bad" + name, EchoText(row.bytes), refused);
    AddThreeWays(cases, "Bad" + name + "Alone", row.bytes, refused);
  }
  for (const Sequence& row : CutShort()) {
    AddThreeWays(cases, "CutShort" + row.name, "\xc3\xa9" + row.bytes, refused);
    cases.push_back(
        {.name = "CutShort" + row.name + "BeforeAnEmptyFragment",
         .steps = {{Frame(kText, row.bytes, kNotLast) + Frame(kContinuation, ""), {refused}}}});
    cases.push_back({.name = "CutShort" + row.name + "DoesNotReachTheNextMessage",
                     .steps = {{Frame(kText, row.bytes) + Frame(kText, "\x80"), {refused}}}});
  }
  return cases;
}

// In each the conversation stops at the first bad byte: what is announced never comes.
std::vector<Case> FailFastCases() {
  std::vector<Case> cases;
  const Answer refused = Closed(1007);
  for (const BadSequence& row : kBadSequences) {
    const std::string name = row.name;
    const std::string message = EchoText(row.bytes);
    const std::string good = message.substr(0, message.find(row.bytes) + row.bad_at);
    const std::string up_to_bad = message.substr(0, good.size() + 1);
    cases.push_back(
        {.name = name + "InAFragment", .steps = {{Frame(kText, up_to_bad, kNotLast), {refused}}}});
    cases.push_back(
        {.name = name + "InALaterFragment",
         .steps = {{Frame(kText, good, kNotLast) + Frame(kPing, "p"), {Pong("p")}},
                   {Frame(kContinuation, up_to_bad.substr(good.size()), kNotLast), {refused}}}});
    const Odd within{.announced = message.size() + 100};
    cases.push_back(
        {.name = name + "WithinAFrame", .steps = {{Frame(kText, up_to_bad, within), {refused}}}});
    cases.push_back({.name = name + "WithinAFrameChopped",
                     .steps = {{Frame(kText, up_to_bad, within), {refused}}},
                     .bytes_a_write = 1});
    cases.push_back(
        {.name = name + "WithinALaterFragment",
         .steps = {{Frame(kText, good, kNotLast) + Frame(kPing, "p"), {Pong("p")}},
                   {Frame(kContinuation, up_to_bad.substr(good.size()), within), {refused}}}});
  }
  return cases;
}

}  // namespace seatlock::testing::rfc6455
