// The table of rfc6455_cases.h against a real edge, one process for all of it, and a control that
// the player of its conversations tells wrong answers from right ones.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "common/runtime/net.h"
#include "tests/integration/edge/fake_service.h"
#include "tests/integration/edge/rfc6455_cases.h"
#include "tests/integration/edge/rfc6455_runner.h"
#include "tests/testing/programs.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing::rfc6455 {
namespace {

using ::testing::HasSubstr;
using ::testing::ValuesIn;

// ---- The table ---------------------------------------------------------------------------------

class Rfc6455 : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    service_ = std::make_unique<FakeService>();
    ProgramOptions options;
    options.binary = EDGE_BINARY;
    options.upstream = service_->address();
    auto edge = StartEdge(options);
    ASSERT_THAT(edge, IsOk());
    edge_ = *std::move(edge);
    port_ = runtime::ParseHostPort(edge_->address())->port;
  }

  // It stood all of that.
  static void TearDownTestSuite() {
    if (edge_ != nullptr) {
      const auto exit = edge_->Stop();
      EXPECT_THAT(exit, IsOk());
      if (exit.ok()) {
        EXPECT_EQ(*exit, (ProcessExit{0, 0}));
      }
      EXPECT_EQ(SanitizerReport(edge_->process()), "");
    }
    edge_.reset();
    service_.reset();
  }

  static inline std::unique_ptr<FakeService> service_;
  static inline std::unique_ptr<Program> edge_;
  static inline uint16_t port_ = 0;
};

TEST_P(Rfc6455, IsServedStrictly) {
  EXPECT_THAT(RunCase(GetParam(), port_), IsOk());
}

std::string NameOf(const ::testing::TestParamInfo<Case>& row) {
  return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(Framing, Rfc6455, ValuesIn(FramingCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Pings, Rfc6455, ValuesIn(PingCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(ReservedBits, Rfc6455, ValuesIn(ReservedBitCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Opcodes, Rfc6455, ValuesIn(OpcodeCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Fragmentation, Rfc6455, ValuesIn(FragmentationCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Utf8, Rfc6455, ValuesIn(Utf8Cases()), NameOf);
INSTANTIATE_TEST_SUITE_P(FailFast, Rfc6455, ValuesIn(FailFastCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Closes, Rfc6455, ValuesIn(CloseCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(Limits, Rfc6455, ValuesIn(LimitCases()), NameOf);
INSTANTIATE_TEST_SUITE_P(AfterTheUpgrade, Rfc6455, ValuesIn(UpgradeCases()), NameOf);

// ---- Its control -------------------------------------------------------------------------------

constexpr char kUpgraded[] =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

enum class Ending { kEnd, kReset, kSilence };

// Takes one connection, answers its first bytes with a script, and listens to nothing else.
class ScriptedServer {
 public:
  ScriptedServer(std::string script, Ending ending)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        script_(std::move(script)),
        ending_(ending) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, generic, size), 0) << std::strerror(errno);
    EXPECT_EQ(listen(listener_, 1), 0) << std::strerror(errno);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0) << std::strerror(errno);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  uint16_t port() const { return port_; }

 private:
  void Serve() {
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) return;
    char buffer[4096];
    if (recv(peer, buffer, sizeof(buffer), 0) > 0) {
      send(peer, script_.data(), script_.size(), MSG_NOSIGNAL);
    }
    if (ending_ == Ending::kEnd) shutdown(peer, SHUT_WR);
    // A reset does not take with it what the player has read before: it answers that first.
    const bool reset = ending_ == Ending::kReset;
    while (recv(peer, buffer, sizeof(buffer), 0) > 0 && !reset) {
    }
    const linger at_once{reset ? 1 : 0, 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(peer);
  }

  const int listener_;
  const std::string script_;
  const Ending ending_;
  uint16_t port_ = 0;
  std::thread thread_;
};

// A server's frame.
std::string Said(uint8_t opcode, std::string_view payload, Odd odd = {}) {
  odd.masked = false;
  return ClientFrame(opcode, payload, odd);
}

const std::string kGreeting =
    kUpgraded + Said(kText, R"({"type":"connection_established","sessionId":"1","timestamp":1})");

absl::Status Judge(const Case& of, const std::string& script, Ending ending = Ending::kEnd) {
  constexpr std::chrono::milliseconds kSoon{300};
  const ScriptedServer server(script, ending);
  return RunCase(of, server.port(), ending == Ending::kSilence ? kSoon : kCasePatience);
}

const Case kPingCase{.name = "Ping", .steps = {{ClientFrame(kPing, "p"), {Pong("p")}}}};
const Case kTextCase{.name = "Text", .steps = {{ClientFrame(kText, kPingText), {PongText()}}}};
const Case kBreachCase{.name = "Breach", .steps = {{ClientFrame(3, ""), {Closed(1002)}}}};
const std::string kLivesAndEnds = Said(kPong, kLastPing) + Said(kClose, ClosePayload(1000));
const std::string kRefused = Said(kClose, ClosePayload(1002, "no"));

TEST(Rfc6455Control, RightAnswersPass) {
  EXPECT_THAT(Judge(kPingCase, kGreeting + Said(kPong, "p") + kLivesAndEnds), IsOk());
  EXPECT_THAT(Judge(kPingCase, kGreeting + Said(kPing, "") + Said(kPong, "p") + kLivesAndEnds),
              IsOk());
  const std::string text = Said(kText, R"({"type":"pong","timestamp":5})");
  EXPECT_THAT(Judge(kTextCase, kGreeting + text + kLivesAndEnds), IsOk());
  EXPECT_THAT(Judge(kBreachCase, kGreeting + kRefused), IsOk());
  const std::string reason = ClosePayload(1002, "\"\\\n\x7f\xf0\x9f\x8e\xab");
  EXPECT_THAT(Judge(kBreachCase, kGreeting + Said(kClose, reason)), IsOk());
}

TEST(Rfc6455Control, AnotherAnswerFails) {
  const std::string good = Said(kPong, "p");
  for (const std::string& answers :
       {Said(kPong, "q"), Said(kPong, ""), Said(kText, "p"), good + good, std::string(),
        good + Said(kText, R"({"type":"pong"})"), kRefused}) {
    EXPECT_THAT(Judge(kPingCase, kGreeting + answers + kLivesAndEnds).message(),
                HasSubstr(" but opcode "));
  }
  for (const std::string_view text : {R"({"type":"heartbeat"})", R"({"type":"pong","more":1})",
                                      "pong", "[]", "", "{\"type\":\"pong\",\"x\":\"\xff\"}"}) {
    EXPECT_THAT(Judge(kTextCase, kGreeting + Said(kText, text) + kLivesAndEnds).message(),
                HasSubstr(" but opcode "));
  }
  EXPECT_THAT(Judge(kTextCase, kUpgraded + kLivesAndEnds).message(),
              HasSubstr("no {\"type\":\"connection_established\"} but"));
}

TEST(Rfc6455Control, AnotherCloseFails) {
  for (const std::string& payload : {ClosePayload(1000), ClosePayload(1007), std::string(),
                                     std::string("\x03"), ClosePayload(1002, "\xff")}) {
    EXPECT_THAT(Judge(kBreachCase, kGreeting + Said(kClose, payload)).message(), HasSubstr("lose"));
  }
  EXPECT_THAT(Judge(kBreachCase, kGreeting + kRefused + kRefused).message(),
              HasSubstr("after the close opcode 8"));
  EXPECT_THAT(Judge(kBreachCase, kGreeting + kRefused + Said(kPong, "late")).message(),
              HasSubstr("after the close opcode 10"));
  EXPECT_THAT(Judge(kBreachCase, kGreeting).message(), HasSubstr("but the connection's end"));
}

TEST(Rfc6455Control, AnotherEndFails) {
  EXPECT_THAT(Judge(kBreachCase, kGreeting, Ending::kSilence).message(),
              HasSubstr("no close 1002: nothing came"));
  EXPECT_THAT(Judge(kBreachCase, kGreeting + kRefused, Ending::kSilence).message(),
              HasSubstr("no end after the close: nothing came"));
  EXPECT_THAT(Judge(kBreachCase, kGreeting + kRefused, Ending::kReset).message(),
              HasSubstr("the connection broke"));
  EXPECT_THAT(Judge(kPingCase, kGreeting + Said(kPong, "p") + Said(kPong, kLastPing)).message(),
              HasSubstr("no close 1000 but the connection's end"));
}

TEST(Rfc6455Control, AFrameAgainstTheRfcFails) {
  const std::string masked = ClientFrame(kPong, "p");
  const struct {
    std::string frame;
    const char* why;
  } rows[] = {
      {masked, "a masked frame"},
      {Said(kPong, "p", kNotLast), "a first byte of a"},
      {Said(kPong, "p", {.reserved_bits = 4}), "a first byte of ca"},
      {Said(kPong, "p", {.length_bytes = 2}), "a control frame above 125 bytes"},
      {Said(kText, "{}", {.length_bytes = 2}), "a length of 2 in 2 bytes"},
      {Said(kText, std::string(300, ' '), {.length_bytes = 8}), "a length of 300 in 8 bytes"},
      {Said(kBinary, "p"), "an opcode of 2"},
      {Said(kContinuation, "p"), "an opcode of 0"},
      {Said(kText, "", {.announced = 100'000}).substr(0, 5), "the end within a length"},
      {Said(kPong, "p").substr(0, 2), "the end within a frame"},
      {Said(kPong, "p").substr(0, 1), "the end within a header"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(Judge(kPingCase, kGreeting + row.frame).message(), HasSubstr(row.why));
  }
}

TEST(Rfc6455Control, AnotherUpgradeFails) {
  EXPECT_THAT(Judge(kPingCase, "HTTP/1.1 400 Bad Request\r\n\r\n").message(),
              HasSubstr("no upgrade but HTTP/1.1 400"));
  std::string other = kGreeting;
  other.replace(other.find("s3pP"), 4, "S3pP");
  EXPECT_THAT(Judge(kPingCase, other + Said(kPong, "p") + kLivesAndEnds).message(),
              HasSubstr("another Sec-WebSocket-Accept"));
}

// Each conversation of the table with the edge, and one answer changed: not one may pass.
class Rfc6455Expectations : public Rfc6455 {};

TEST_F(Rfc6455Expectations, NoneIsMetByAnotherAnswer) {
  for (const auto& cases :
       {FramingCases(), PingCases(), ReservedBitCases(), OpcodeCases(), FragmentationCases(),
        Utf8Cases(), FailFastCases(), CloseCases(), LimitCases(), UpgradeCases()}) {
    for (Case of : cases) {
      Answer* last = nullptr;
      for (Step& step : of.steps) {
        if (!step.answers.empty()) last = &step.answers.back();
      }
      if (last == nullptr) continue;
      *last = last->kind == Answer::Kind::kClose ? Closed(last->code + 4) : Pong(last->text + "!");
      EXPECT_FALSE(RunCase(of, port_).ok()) << of.name;
    }
  }
}

}  // namespace
}  // namespace seatlock::testing::rfc6455
