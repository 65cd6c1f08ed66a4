#include "tests/integration/edge/rfc6455_cases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace seatlock::testing::rfc6455 {
namespace {

constexpr size_t kControlBytesMax = 125;
constexpr size_t kMessageBytesMax = 4096;  // contract
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kBinaryMessage = 1003;
constexpr uint16_t kBadUtf8 = 1007;
constexpr uint16_t kTooBig = 1009;
constexpr uint16_t kTooManyMessages = 4129;  // contract

std::string Text(std::string_view payload, const Odd& odd = {}) {
  return ClientFrame(kText, payload, odd);
}
std::string More(std::string_view payload, const Odd& odd = {}) {
  return ClientFrame(kContinuation, payload, odd);
}
std::string Ping(std::string_view payload, const Odd& odd = {}) {
  return ClientFrame(kPing, payload, odd);
}
std::string Close(uint16_t code, std::string_view reason = "") {
  return ClientFrame(kClose, ClosePayload(code, reason));
}

// kPingText of `bytes`.
std::string Padded(size_t bytes) {
  return std::string(kPingText) + std::string(bytes - kPingText.size(), ' ');
}

// Bytes of all kinds.
std::string AnyBytes(size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i * 3 + 0xfd));
  return bytes;
}

Case Refused(std::string name, std::string bytes, uint16_t code) {
  return {.name = std::move(name), .steps = {{std::move(bytes), {Closed(code)}}}};
}

// After a message that is answered, and before a ping that is not.
Case RefusedInPlace(std::string name, const std::string& bytes, uint16_t code) {
  return {.name = std::move(name),
          .steps = {{Text(EchoText("before")) + bytes + Ping("after") + Text(kPingText),
                     {EchoOf("before"), Closed(code)}}}};
}

Case Closing(std::string name, std::string bytes, std::vector<Answer> answers) {
  return {.name = std::move(name),
          .steps = {{std::move(bytes), std::move(answers)}},
          .client_closes = true};
}

// The same with every byte written by itself.
Case Chopped(Case of) {
  of.name += "Chopped";
  of.bytes_a_write = 1;
  return of;
}

void AddChopped(std::vector<Case>& cases) {
  const size_t count = cases.size();
  for (size_t i = 0; i < count; ++i) cases.push_back(Chopped(cases[i]));
}

}  // namespace

Answer PongText() {
  return Json(R"({"type":"pong"})");
}

std::string EchoText(std::string_view id) {
  return absl::StrCat(R"({"type":"unsubscribe","showtimeId":")", std::string(id), "\"}");
}

Answer EchoOf(std::string_view id) {
  return Json(absl::StrCat(R"({"type":"unsubscribed","showtimeId":")", std::string(id), "\"}"));
}

std::string InFragments(std::string_view message, size_t bytes) {
  std::string frames;
  for (size_t at = 0; at < message.size(); at += bytes) {
    const Odd odd{.fin = at + bytes >= message.size()};
    frames += ClientFrame(at == 0 ? kText : kContinuation, message.substr(at, bytes), odd);
  }
  return frames;
}

namespace {

std::vector<Case> GoodFrames() {
  std::vector<Case> cases;
  // 1.1: every length at which its encoding changes, and beside it.
  for (const size_t bytes : {15, 124, 125, 126, 127, 128, 255, 256, 4095}) {
    cases.push_back({.name = absl::StrCat("Text", bytes, "Bytes"),
                     .steps = {{Text(Padded(bytes)), {PongText()}}}});
  }
  const Answer bad_json = Json(R"({"type":"error","code":"BAD_JSON"})");
  cases.push_back({.name = "EmptyText", .steps = {{Text(""), {bad_json}}}});
  cases.push_back({.name = "ZeroMask", .steps = {{Text(kPingText, {.mask = 0}), {PongText()}}}});
  for (const uint32_t mask : {0xffffffffu, 0x00000001u, 0x80000000u, 0x22222222u}) {
    cases.push_back({.name = absl::StrCat("Mask", absl::Hex(mask, absl::kZeroPad8)),
                     .steps = {{Text(EchoText("masked"), {.mask = mask}), {EchoOf("masked")}}}});
  }
  std::string many;
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) {
    many += Text(EchoText(std::to_string(i)), {.mask = 0x9e3779b9u * static_cast<uint32_t>(i)});
    answers.push_back(EchoOf(std::to_string(i)));
  }
  cases.push_back({.name = "ManyTextsInOneWrite", .steps = {{many, answers}}});
  AddChopped(cases);
  cases.push_back({.name = "SevenBytesAWrite",
                   .steps = {{Text(EchoText("1")) + Ping(AnyBytes(125)) + Text(EchoText("2")),
                              {EchoOf("1"), Pong(AnyBytes(125)), EchoOf("2")}}},
                   .bytes_a_write = 7});
  return cases;
}

}  // namespace

std::vector<Case> FramingCases() {
  std::vector<Case> cases = GoodFrames();
  // 1.2, where the contract takes no binary messages.
  for (const size_t bytes : {0, 1, 125, 126, 4096, 65536}) {
    cases.push_back(RefusedInPlace(absl::StrCat("Binary", bytes, "Bytes"),
                                   ClientFrame(kBinary, AnyBytes(bytes)), kBinaryMessage));
  }
  cases.push_back(
      Refused("BinaryAtItsHeader", ClientFrame(kBinary, "", {.announced = 100}), kBinaryMessage));
  cases.push_back(Refused("BinaryFragment", ClientFrame(kBinary, "ab", kNotLast), kBinaryMessage));
  std::string fragments = InFragments(std::string(1 << 20, 'x'), 4096);
  fragments[0] = kBinary;
  cases.push_back(RefusedInPlace("BinaryMebibyteInFragments", fragments, kBinaryMessage));
  // RFC 6455, 5.1: a client masks.
  for (const uint8_t opcode : {kText, kPing, kPong, kClose, kContinuation}) {
    cases.push_back(RefusedInPlace(absl::StrCat("UnmaskedOpcode", opcode),
                                   ClientFrame(opcode, "{}", {.masked = false}), kProtocolError));
  }
  cases.push_back(RefusedInPlace("UnmaskedAndEmpty", ClientFrame(kText, "", {.masked = false}),
                                 kProtocolError));
  // RFC 6455, 5.2: a length stands in the fewest bytes that do.
  cases.push_back(RefusedInPlace("ShortLengthInTwoBytes", Text(Padded(125), {.length_bytes = 2}),
                                 kProtocolError));
  cases.push_back(RefusedInPlace("ShortLengthInEightBytes", Text(Padded(125), {.length_bytes = 8}),
                                 kProtocolError));
  cases.push_back(
      RefusedInPlace("LengthOf0InTwoBytes", Text("", {.length_bytes = 2}), kProtocolError));
  cases.push_back(RefusedInPlace("LengthOf126InEightBytes", Text(Padded(126), {.length_bytes = 8}),
                                 kProtocolError));
  cases.push_back(RefusedInPlace("LengthOf4096InEightBytes",
                                 Text(Padded(4096), {.length_bytes = 8}), kProtocolError));
  return cases;
}

std::vector<Case> PingCases() {
  std::vector<Case> cases;
  for (const size_t bytes : {0, 1, 4, 124, 125}) {  // 2.1 - 2.4
    const std::string payload = AnyBytes(bytes);
    cases.push_back({.name = absl::StrCat("PingOf", bytes, "Bytes"),
                     .steps = {{Ping(payload), {Pong(payload)}}}});
  }
  cases.push_back({.name = "PayloadIsNoText",
                   .steps = {{Ping(std::string("\x00\xff\xfe\xfd\xc0\xaf\x00", 7)),
                              {Pong(std::string("\x00\xff\xfe\xfd\xc0\xaf\x00", 7))}}}});
  // 2.7 - 2.9: what nobody asked for is not answered, and answers nothing.
  cases.push_back({.name = "UnaskedPong", .steps = {{ClientFrame(kPong, ""), {}}}});
  cases.push_back({.name = "UnaskedPongOf125Bytes",
                   .steps = {{ClientFrame(kPong, AnyBytes(kControlBytesMax)), {}}}});
  cases.push_back({.name = "UnaskedPongThenPing",
                   .steps = {{ClientFrame(kPong, "pong") + Ping("ping"), {Pong("ping")}}}});
  cases.push_back({.name = "PingBetweenTexts",
                   .steps = {{Text(EchoText("1")) + Ping("p") + Text(EchoText("2")),
                              {EchoOf("1"), Pong("p"), EchoOf("2")}}}});
  std::string many;
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) {  // 2.10, 2.11
    const std::string payload = absl::StrCat("payload-", i);
    many += Ping(payload, {.mask = 0x9e3779b9u * static_cast<uint32_t>(i)});
    answers.push_back(Pong(payload));
  }
  cases.push_back({.name = "ManyPings", .steps = {{many, answers}}});
  AddChopped(cases);
  // 2.5: a control frame has at most 125 bytes.
  for (const uint8_t opcode : {kPing, kPong, kClose}) {
    for (const size_t bytes : {126, 127, 65536}) {
      const std::string name = absl::StrCat("ControlOpcode", opcode, "Of", bytes, "Bytes");
      const std::string payload = ClosePayload(1000, std::string(bytes - 2, 'x'));
      cases.push_back(RefusedInPlace(name, ClientFrame(opcode, payload), kProtocolError));
    }
    cases.push_back(RefusedInPlace(absl::StrCat("ControlOpcode", opcode, "LengthInTwoBytes"),
                                   ClientFrame(opcode, ClosePayload(1000), {.length_bytes = 2}),
                                   kProtocolError));
  }
  cases.push_back(Chopped(RefusedInPlace("PingOf126Bytes", Ping(AnyBytes(126)), kProtocolError)));
  return cases;
}

std::vector<Case> ReservedBitCases() {
  std::vector<Case> cases;
  for (const uint8_t bits : {1, 2, 3, 4, 5, 6, 7}) {  // 3.1 - 3.7
    for (const uint8_t opcode : {kText, kBinary, kPing, kPong, kClose, kContinuation}) {
      const std::string frame = ClientFrame(opcode, "", {.reserved_bits = bits});
      cases.push_back(
          RefusedInPlace(absl::StrCat("Bits", bits, "Opcode", opcode), frame, kProtocolError));
    }
    cases.push_back(Chopped(RefusedInPlace(
        absl::StrCat("Bits", bits), Text(kPingText, {.reserved_bits = bits}), kProtocolError)));
    cases.push_back(Refused(absl::StrCat("Bits", bits, "OnAContinuation"),
                            Text(kPingText, kNotLast) + More("", {.reserved_bits = bits}),
                            kProtocolError));
  }
  return cases;
}

std::vector<Case> OpcodeCases() {
  std::vector<Case> cases;
  for (const uint8_t opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {  // 4.1, 4.2
    const std::string name = absl::StrCat("Opcode", opcode);
    cases.push_back(RefusedInPlace(name + "Empty", ClientFrame(opcode, ""), kProtocolError));
    cases.push_back(RefusedInPlace(name, ClientFrame(opcode, kPingText), kProtocolError));
    cases.push_back(Chopped(RefusedInPlace(name, ClientFrame(opcode, kPingText), kProtocolError)));
    cases.push_back(Refused(name + "WithinAMessage",
                            Text(kPingText, kNotLast) + ClientFrame(opcode, ""), kProtocolError));
  }
  return cases;
}

namespace {

std::string EmptyFragments(int count) {
  std::string frames;
  for (int i = 0; i < count; ++i) frames += More("", kNotLast);
  return frames;
}

std::vector<Case> GoodFragments() {
  const std::string message = EchoText("in fragments");
  const std::string start = message.substr(0, 10);
  const std::string middle = message.substr(10, 20);
  const std::string end = message.substr(30);
  const Answer echo = EchoOf("in fragments");
  const std::string first = Text(start, kNotLast);
  const std::string second = More(middle, kNotLast);
  std::vector<Case> cases;
  cases.push_back({.name = "TwoFragments", .steps = {{InFragments(message, 30), {echo}}}});
  cases.push_back({.name = "ThreeFragments", .steps = {{first + second + More(end), {echo}}}});
  cases.push_back({.name = "OneByteFragments", .steps = {{InFragments(message, 1), {echo}}}});
  cases.push_back({.name = "EmptyFragments",
                   .steps = {{Text("", kNotLast) + More("", kNotLast) + More(message, kNotLast) +
                                  More("", kNotLast) + More(""),
                              {echo}}}});
  cases.push_back({.name = "OnlyEmptyFragments",
                   .steps = {{Text("", kNotLast) + More("", kNotLast) + More(""),
                              {Json(R"({"type":"error","code":"BAD_JSON"})")}}}});
  cases.push_back({.name = "TwoMessagesInFragments",
                   .steps = {{InFragments(EchoText("1"), 7) + InFragments(EchoText("2"), 5),
                              {EchoOf("1"), EchoOf("2")}}}});
  // 5.6 - 5.8: the pong comes at once, before the message's last fragment is even sent.
  cases.push_back({.name = "PingBetweenFragments",
                   .steps = {{first + Ping("p"), {Pong("p")}}, {second + More(end), {echo}}}});
  // 5.19, 5.20
  cases.push_back({.name = "PingsBetweenManyFragments",
                   .steps = {{first + Ping("1") + second + Ping("2"), {Pong("1"), Pong("2")}},
                             {Ping(AnyBytes(125)), {Pong(AnyBytes(125))}},
                             {ClientFrame(kPong, "unasked") + More(end), {echo}}}});
  cases.push_back({.name = "PingBetweenFragmentsInOneWrite",
                   .steps = {{first + Ping("p") + second + Ping("q") + More(end),
                              {Pong("p"), Pong("q"), echo}}}});
  return cases;
}

}  // namespace

std::vector<Case> FragmentationCases() {
  std::vector<Case> cases = GoodFragments();
  const auto add = [&cases](const std::string& name, const std::string& bytes) {
    cases.push_back(RefusedInPlace(name, bytes, kProtocolError));
  };
  // 5.1, 5.2: control frames come whole.
  for (const uint8_t opcode : {kPing, kPong, kClose}) {
    const std::string name = absl::StrCat("ControlOpcode", opcode);
    const std::string frame = ClientFrame(opcode, "", kNotLast);
    add(name + "InFragments", frame + More(""));
    add(name + "InFragmentsWithinAMessage", Text(kPingText, kNotLast) + frame);
  }
  // 5.9 - 5.17: a continuation of nothing.
  add("ContinuationFirst", More(kPingText));
  add("ContinuationFirstNotLast", More(kPingText, kNotLast) + Text(kPingText));
  add("EmptyContinuationFirst", More(""));
  add("ContinuationAfterAPing", Ping("p", kNotLast) + More(kPingText));
  cases.push_back(Refused("ContinuationAfterALastFragment", Text("", kNotLast) + Text(kPingText),
                          kProtocolError));
  cases.push_back({.name = "ContinuationOfAWholeMessage",
                   .steps = {{InFragments(EchoText("1"), 5) + More("", kNotLast) + Text(kPingText),
                              {EchoOf("1"), Closed(kProtocolError)}}}});
  // 5.18: a message within a message.
  add("TextWithinAMessage", Text("{", kNotLast) + Text("}"));
  add("TextWithinAMessageNotLast", Text("{", kNotLast) + Text("}", kNotLast));
  add("TextWithinAMessageLater", Text("{", kNotLast) + More("", kNotLast) + Text("}"));
  add("BinaryWithinAMessage", Text("{", kNotLast) + ClientFrame(kBinary, "}"));
  AddChopped(cases);
  // The RFC bounds neither the frames of a message nor its empty ones; the edge counts 64 of them
  // as a message of the 128 that it takes at once.
  cases.push_back(
      {.name = "ThousandEmptyFragments",
       .steps = {{Text("", kNotLast) + EmptyFragments(1'000) + More(kPingText), {PongText()}}}});
  cases.push_back(
      {.name = "EndlessEmptyFragments",
       .steps = {{Text("", kNotLast) + EmptyFragments(40'000),
                  {Json(R"({"type":"error","code":"RATE_LIMITED"})"), Closed(kTooManyMessages)}}}});
  return cases;
}

std::vector<Case> CloseCases() {
  std::vector<Case> cases;
  const Answer ok = Closed(1000);
  cases.push_back(Closing("Empty", ClientFrame(kClose, ""), {Closed(0)}));  // 7.3.1
  cases.push_back(Closing("CodeAlone", Close(1000), {ok}));
  cases.push_back(Closing("WithAReason", Close(1000, "going home"), {ok}));
  cases.push_back(Closing("ReasonOf123Bytes", Close(1000, std::string(123, 'x')), {ok}));
  cases.push_back(Closing("ReasonInUtf8", Close(1000, "\xce\xba\xf0\x9f\x8e\xab"), {ok}));
  // 7.1.1 - 7.1.6
  cases.push_back(Closing("AfterAMessage", Text(kPingText) + Close(1000), {PongText(), ok}));
  cases.push_back(Closing("AfterAPing", Ping("p") + Close(1000), {Pong("p"), ok}));
  cases.push_back(Closing("WithinAMessage", Text(kPingText, kNotLast) + Close(1000), {ok}));
  cases.push_back(Closing("SecondCloseIsIgnored", Close(1000) + Close(1001), {ok}));
  cases.push_back(Closing("TextAfterIsIgnored", Close(1000) + Text(kPingText), {ok}));
  cases.push_back(Closing("PingAfterIsIgnored", Close(1000) + Ping("p"), {ok}));
  cases.push_back(
      Closing("BreachAfterIsIgnored", Close(1000) + ClientFrame(7, "", {.masked = false}), {ok}));
  cases.push_back(Closing("LastFragmentAfterIsIgnored",
                          Text(kPingText, kNotLast) + Close(1000) + More(""), {ok}));
  // 7.7: codes that may stand in a frame.
  for (const uint16_t code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
                              1014, 3000, 3999, 4000, 4999}) {
    cases.push_back(Closing(absl::StrCat("Code", code), Close(code), {Closed(code)}));
    cases.push_back(
        Closing(absl::StrCat("Code", code, "WithAReason"), Close(code, "why"), {Closed(code)}));
  }
  // 7.9, 7.13: codes that may not.
  const Answer bad = Closed(kProtocolError);
  for (const uint16_t code :
       {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65535}) {
    cases.push_back(Closing(absl::StrCat("BadCode", code), Close(code), {bad}));
    cases.push_back(
        Closing(absl::StrCat("BadCode", code, "WithAReason"), Close(code, "why"), {bad}));
  }
  AddChopped(cases);
  cases.push_back(
      Closing("MuchAfterIsIgnored", Close(1000) + Text(std::string(262144, ' ')), {ok}));
  // 7.3.2, 7.3.6, 7.5.1
  cases.push_back(Closing("OneByte", ClientFrame(kClose, "x"), {bad}));
  cases.push_back(Closing("ReasonOf124Bytes", Close(1000, std::string(124, 'x')), {bad}));
  cases.push_back(Closing("ReasonOf126Bytes", Close(1000, std::string(126, 'x')), {bad}));
  cases.push_back(
      Closing("ReasonIsNoUtf8", Close(1000, "\xce\xba\xed\xa0\x80"), {Closed(kBadUtf8)}));
  cases.push_back(Closing("ReasonIsCutShort", Close(1000, "why \xce"), {Closed(kBadUtf8)}));
  cases.push_back(
      Closing("UnmaskedClose", ClientFrame(kClose, ClosePayload(1000), {.masked = false}), {bad}));
  return cases;
}

std::vector<Case> LimitCases() {
  const std::string greatest = Padded(kMessageBytesMax);
  const std::string above = Padded(kMessageBytesMax + 1);
  std::vector<Case> cases;
  cases.push_back({.name = "GreatestWhole", .steps = {{Text(greatest), {PongText()}}}});
  cases.push_back(Chopped({.name = "Greatest", .steps = {{Text(greatest), {PongText()}}}}));
  for (const size_t bytes : {1, 2, 64, 125, 126, 2048, 4095}) {  // 9.3, 9.5
    const std::string fragments = absl::StrCat("InFragmentsOf", bytes);
    cases.push_back(
        {.name = "Greatest" + fragments, .steps = {{InFragments(greatest, bytes), {PongText()}}}});
    cases.push_back(Refused("Above" + fragments, InFragments(above, bytes), kTooBig));
  }
  cases.push_back(
      {.name = "GreatestAndAnEmptyFragment",
       .steps = {{Text(greatest, kNotLast) + Ping("p") + More(""), {Pong("p"), PongText()}}}});
  cases.push_back({.name = "GreatestTwice",
                   .steps = {{Text(greatest) + InFragments(greatest, 100) + Text(greatest),
                              {PongText(), PongText(), PongText()}}}});
  cases.push_back(RefusedInPlace("AboveWhole", Text(above), kTooBig));
  cases.push_back(RefusedInPlace("MebibyteWhole", Text(Padded(1 << 20)), kTooBig));
  cases.push_back(
      RefusedInPlace("MebibyteInFragments", InFragments(Padded(1 << 20), 1024), kTooBig));
  // At the header: not a byte of what it announces is sent.
  const auto announced = [](uint64_t bytes) { return Odd{.announced = bytes}; };
  for (const uint64_t bytes : {uint64_t{4097}, uint64_t{65535}, uint64_t{65536}, uint64_t{1} << 32,
                               (uint64_t{1} << 32) + 15, ~uint64_t{0} >> 1}) {
    cases.push_back(Refused(absl::StrCat("Announced", bytes), Text("", announced(bytes)), kTooBig));
    cases.push_back(
        Chopped(Refused(absl::StrCat("Announced", bytes), Text("", announced(bytes)), kTooBig)));
  }
  cases.push_back(Refused("AnnouncedByALaterFragment",
                          Text(Padded(4000), kNotLast) + More("", announced(97)), kTooBig));
  cases.push_back(Refused("AnnouncedHugeByALaterFragment",
                          Text("{", kNotLast) + More("", announced(~uint64_t{0} >> 1)), kTooBig));
  // RFC 6455, 5.2: the most significant bit must be 0.
  cases.push_back(
      Refused("AnnouncedTopBit", Text("", announced(uint64_t{1} << 63)), kProtocolError));
  cases.push_back(Refused("AnnouncedAllBits", Text("", announced(~uint64_t{0})), kProtocolError));
  return cases;
}

std::vector<Case> UpgradeCases() {
  std::vector<Case> cases;
  const std::string both = Ping("p") + Text(EchoText("early"));
  const std::vector<Answer> answers = {Pong("p"), EchoOf("early")};
  cases.push_back({.name = "Frames", .steps = {{both, answers}}, .with_upgrade = true});
  cases.push_back({.name = "GreatestMessage",
                   .steps = {{Text(Padded(kMessageBytesMax)), {PongText()}}},
                   .with_upgrade = true});
  for (const size_t cut : {size_t{1}, size_t{3}, both.size() - 1}) {
    cases.push_back({.name = absl::StrCat("FramesUpToByte", cut),
                     .steps = {{both.substr(0, cut)}, {both.substr(cut), answers}},
                     .with_upgrade = true});
  }
  cases.push_back({.name = "Breach",
                   .steps = {{Text(kPingText, {.masked = false}), {Closed(kProtocolError)}}},
                   .with_upgrade = true});
  const std::string fields =
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  const auto add = [&](const std::string& name, const std::string& target,
                       const std::string& more) {
    cases.push_back({.name = name,
                     .steps = {{both, answers}},
                     .request = "GET " + target + fields + more + "\r\n",
                     .with_upgrade = true});
  };
  // RFC 9112, 3.2.2, and whose host counts.
  add("TargetInAbsoluteForm", "http://seats.example/ws/seat-updates", "");
  add("TargetInAbsoluteFormWithPortAndQuery", "HTTP://[::1]:8080/ws/seat-updates?a=b", "");
  // A site's cookies.
  add("HeadOf31KiB", "/ws/seat-updates", "Cookie: a=" + std::string(31 << 10, 'x') + "\r\n");
  std::string cookies;
  for (int i = 0; i < 1'000; ++i) cookies += absl::StrCat("Cookie: name-", i, "=a-value\r\n");
  add("HeadOfThousandFields", "/ws/seat-updates", cookies);
  cases.push_back({.name = "CloseAfterAMessage",
                   .steps = {{Text(kPingText) + Close(1000), {PongText(), Closed(1000)}}},
                   .with_upgrade = true,
                   .client_closes = true});
  return cases;
}

}  // namespace seatlock::testing::rfc6455
