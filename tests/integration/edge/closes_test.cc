// Every close code, every refusal before the upgrade, and every way to start wrongly, on a real
// edge.
#include <signal.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/integration/edge/edge_test_base.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using Millis = WsClient::Millis;

class ClosesTest : public EdgeTest {
 protected:
  bool SomebodyWasTooSlow() {
    const auto answer = HttpGet(edge_->admin_address(), "/metrics");
    EXPECT_THAT(answer, IsOk());
    const std::string text = answer.ok() ? answer->body : "";
    return text.find("\nseatlock_edge_slow_closes_total 0") == std::string::npos;
  }
};

// An edge on which nothing happens for a minute, from the start of the program.
class QuietMinute : public ::testing::Environment {
 public:
  struct Seen {
    std::vector<absl::Status> heartbeats;
    int pings_in_30_s = 0;
    int pings_in_a_minute = 0;
    absl::StatusOr<int> close_code;  // of who never subscribes
    std::chrono::steady_clock::duration until_close{};
  };

  static QuietMinute& Get() { return *instance_; }

  void SetUp() override {
    edge_ = std::make_unique<Edge>();
    ASSERT_TRUE(edge_->idle != nullptr && edge_->page != nullptr);
    thread_ = std::thread([this] { Watch(); });
  }
  // Ends at once if no test waits for the minute.
  void TearDown() override {
    edge_->Kill();
    if (thread_.joinable()) thread_.join();
    edge_.reset();
  }

  const Seen& Wait() {
    if (thread_.joinable()) thread_.join();
    return seen_;
  }

 private:
  // The fixture's words, outside of a test.
  class Edge : public EdgeTest {
   public:
    Edge() : idle(Connect()), page(Follow("1", R"(,"heartbeat":true)")) {}
    void Kill() { edge_->process().Kill(); }

    const std::unique_ptr<WsClient> idle;
    const std::unique_ptr<WsClient> page;

   private:
    void TestBody() override {}
  };

  void Watch() {
    const auto start = std::chrono::steady_clock::now();
    const auto note_heartbeat = [this] {
      seen_.heartbeats.push_back(edge_->page->NextOfType("heartbeat", Millis(15'900)).status());
    };
    for (int i = 0; i < 2; ++i) note_heartbeat();
    seen_.pings_in_30_s = edge_->page->pings();
    seen_.close_code = edge_->idle->WaitForClose(Millis(45'000));
    seen_.until_close = std::chrono::steady_clock::now() - start;
    note_heartbeat();
    seen_.pings_in_a_minute = edge_->page->pings();
  }

  static QuietMinute* const instance_;
  std::unique_ptr<Edge> edge_;
  std::thread thread_;
  Seen seen_;
};

QuietMinute* const QuietMinute::instance_ =
    static_cast<QuietMinute*>(::testing::AddGlobalTestEnvironment(new QuietMinute));

// ---- RFC 6455 ----------------------------------------------------------------------------------

struct Breach {
  std::string name;
  bool text;
  std::string bytes;  // A message, or raw bytes where `raw`.
  bool raw;
  int code;
};

class Breaches : public ClosesTest, public ::testing::WithParamInterface<Breach> {};

TEST_P(Breaches, CloseWithTheirCode) {
  const auto client = Connect();
  const Breach& breach = GetParam();
  const absl::Status sent = breach.raw    ? client->SendRaw(breach.bytes)
                            : breach.text ? client->SendText(breach.bytes)
                                          : client->SendBinary(breach.bytes);
  // A close may come before all of a big message is out.
  if (breach.bytes.size() < 10'000) {
    EXPECT_THAT(sent, IsOk());
  }
  const auto code = client->WaitForClose();
  ASSERT_THAT(code, IsOk());
  EXPECT_EQ(*code, breach.code);
  EXPECT_NE(Connect(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Breaches,
    ::testing::Values(
        Breach{"Unmasked", false, std::string("\x81\x02{}", 4), true, 1002},
        Breach{"ReservedBit", false, std::string("\xc1\x80\x00\x00\x00\x00", 6), true, 1002},
        Breach{"ReservedOpcode", false, std::string("\x83\x80\x00\x00\x00\x00", 6), true, 1002},
        Breach{"Binary", false, "abc", false, 1003},
        Breach{"FirstFragmentOfABinary", false, std::string("\x02\x83\x00\x00\x00\x00xyz", 9), true,
               1003},
        Breach{"BadUtf8", true, "{\"type\":\"\xc0\xaf\"}", false, 1007},
        Breach{"TooBig", true, std::string(4097, ' '), false, 1009},
        Breach{"Megabyte", true, std::string(1 << 20, ' '), false, 1009},
        Breach{"BinaryMegabyteInFragments", false, std::string(1 << 20, ' '), false, 1003}),
    [](const auto& row) { return row.param.name; });

TEST_F(ClosesTest, AMessageOfTheGreatestSizeIsRead) {
  const auto client = Connect();
  std::string text = R"({"type":"ping"})";
  text += std::string(4096 - text.size(), ' ');
  ASSERT_THAT(client->SendText(text), IsOk());
  EXPECT_THAT(client->NextOfType("pong"), IsOk());
}

TEST_F(ClosesTest, AClientsCloseIsAnswered) {
  const auto client = Follow("1");
  client->Close();
  const auto again = Connect();
  EXPECT_NE(again, nullptr);
}

// ---- Our own codes -----------------------------------------------------------------------------

TEST_F(ClosesTest, TheThirdBadMessageIs4000) {
  const auto client = Connect();
  for (int i = 0; i < 3; ++i) ASSERT_THAT(client->SendText("nonsense"), IsOk());
  EXPECT_EQ(ErrorCode(*client), "BAD_JSON");
  EXPECT_EQ(ErrorCode(*client), "BAD_JSON");
  EXPECT_THAT(client->WaitForClose().value_or(-1), 4000);
}

TEST_F(ClosesTest, TooManyMessagesAre4129) {
  const auto client = Connect();
  for (int i = 0; i < 1000; ++i) {
    if (!client->SendText(R"({"type":"ping"})").ok()) break;
  }
  EXPECT_EQ(ErrorCode(*client), "RATE_LIMITED");
  EXPECT_THAT(client->WaitForClose().value_or(-1), 4129);
}

TEST_F(ClosesTest, ASlowReaderIs4101AndDisturbsNobody) {
  WsClient::Options options;
  options.receive_buffer_bytes = 4096;
  const auto slow = Follow("1", "", options);
  const auto quick = Follow("1");
  std::vector<v1::Seat> seats;
  for (int i = 0; i < 100; ++i) seats.push_back(LockedSeat("A" + std::to_string(i), "s"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  constexpr int kChanges = 600;  // 8 MB: more than the sockets' buffers and the queue hold.
  for (int i = 0; i < kChanges; ++i) {
    service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_EXTEND, seats));
    for (int frame = 0; frame < 100; ++frame) ASSERT_THAT(quick->Next(), IsOk());
  }
  // Not a byte is read meanwhile.
  while (!SomebodyWasTooSlow()) {
    EXPECT_THAT(quick->Next(Millis(100)), StatusIs(absl::StatusCode::kDeadlineExceeded));
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  EXPECT_THAT(slow->WaitForClose().value_or(-1), 4101);
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_BOOK, {SeatOf("B01", v1::SEAT_STATUS_BOOKED)}));
  EXPECT_THAT(quick->NextOfType("seat_status_change"), IsOk());
  EXPECT_EQ(quick->close_code(), 0);
}

TEST_F(ClosesTest, SigtermIs4200AndExit0) {
  std::vector<std::unique_ptr<WsClient>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Follow("1"));
  edge_->process().Signal(SIGTERM);
  for (auto& client : clients) EXPECT_THAT(client->WaitForClose().value_or(-1), 4200);
  const auto exit = edge_->process().Wait(kStartTimeout);
  ASSERT_THAT(exit, IsOk());
  EXPECT_EQ(*exit, (ProcessExit{0, 0}));
}

// One minute of real time, for all that takes so long: pings at least every 25 s, heartbeats every
// 15 s of quiet, and 4108 for who never subscribes. Its edge runs beside those of the tests above.
TEST_F(ClosesTest, PingsHeartbeatsAnd4108InTheirTime) {
  const QuietMinute::Seen& seen = QuietMinute::Get().Wait();
  for (const absl::Status& heartbeat : seen.heartbeats) EXPECT_THAT(heartbeat, IsOk());
  EXPECT_EQ(seen.heartbeats.size(), 3u);
  EXPECT_GE(seen.pings_in_30_s, 1);
  EXPECT_GE(seen.pings_in_a_minute, 2);
  ASSERT_THAT(seen.close_code, IsOk());
  EXPECT_EQ(*seen.close_code, 4108);
  EXPECT_GE(seen.until_close, std::chrono::seconds(55));
}

// ---- Before the upgrade ------------------------------------------------------------------------

struct HttpRow {
  std::string name;
  std::string first_line;
  std::string headers;
  int status;
};

constexpr char kUpgrade[] =
    "Host: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr char kVersion[] = "Sec-WebSocket-Version: 13\r\n";
constexpr char kGet[] = "GET /ws/seat-updates HTTP/1.1";

class HttpRefusals : public ClosesTest, public ::testing::WithParamInterface<HttpRow> {
 protected:
  HttpRefusals() {
    StartEdgeWith(
        {"--allowed-origins=https://a.example,http://b.example:3000,https://*.c.example"});
  }
};

TEST_P(HttpRefusals, ArePlainHttp) {
  const HttpRow& row = GetParam();
  const auto reply =
      WsClient::Http("127.0.0.1", port_, row.first_line + "\r\n" + row.headers + "\r\n");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->status, row.status);
  if (row.status == 426) {
    EXPECT_EQ(reply->Header("sec-websocket-version"), "13");
    EXPECT_EQ(reply->Header("upgrade"), "websocket");
  }
  if (row.status == 405) {
    EXPECT_EQ(reply->Header("allow"), "GET");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpRefusals,
    ::testing::Values(
        HttpRow{"OtherPath", "GET / HTTP/1.1", std::string(kUpgrade) + kVersion, 404},
        HttpRow{"LongerPath", "GET /ws/seat-updates/x HTTP/1.1", std::string(kUpgrade) + kVersion,
                404},
        HttpRow{"NoUpgrade", kGet, "Host: x\r\n", 426},
        HttpRow{"Post", "POST /ws/seat-updates HTTP/1.1", "Host: x\r\nContent-Length: 0\r\n", 405},
        HttpRow{"PostWithUpgrade", "POST /ws/seat-updates HTTP/1.1",
                std::string(kUpgrade) + kVersion, 405},
        HttpRow{"HeadWithUpgrade", "HEAD /ws/seat-updates HTTP/1.1",
                std::string(kUpgrade) + kVersion, 405},
        HttpRow{"Http10WithUpgrade", "GET /ws/seat-updates HTTP/1.0",
                std::string(kUpgrade) + kVersion, 426},
        HttpRow{"AbsoluteForm", "GET http://x:8080/ws/seat-updates?y=1 HTTP/1.1",
                std::string(kUpgrade) + kVersion, 101},
        HttpRow{"AbsoluteFormOfAnotherPath", "GET http://x/ws HTTP/1.1",
                std::string(kUpgrade) + kVersion, 404},
        HttpRow{"AbsoluteFormWithoutHost", "GET http://x/ws/seat-updates HTTP/1.1",
                std::string(kUpgrade).substr(sizeof("Host: x")) + kVersion, 400},
        HttpRow{"TwoHosts", kGet, std::string(kUpgrade) + kVersion + "Host: y\r\n", 400},
        HttpRow{"PostWithABody", "POST /ws/seat-updates HTTP/1.1",
                "Host: x\r\nContent-Length: 5\r\n\r\nhello", 405},
        HttpRow{"PostWithABodyElsewhere", "POST / HTTP/1.1",
                "Host: x\r\nContent-Length: 5\r\n\r\nhello", 404},
        HttpRow{"PostWhoseBodyNeverComes", "POST /ws/seat-updates HTTP/1.1",
                "Host: x\r\nContent-Length: 5000\r\n", 405},
        HttpRow{"UpgradeWithABody", kGet,
                std::string(kUpgrade) + kVersion + "Content-Length: 5\r\n\r\nhello", 400},
        HttpRow{"Version8", kGet, std::string(kUpgrade) + "Sec-WebSocket-Version: 8\r\n", 426},
        HttpRow{"NoVersion", kGet, kUpgrade, 426},
        HttpRow{"BadKey", kGet,
                "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n",
                400},
        HttpRow{"UnknownSubprotocol", kGet,
                std::string(kUpgrade) + kVersion + "Sec-WebSocket-Protocol: chat, seatlock.v9\r\n",
                400},
        HttpRow{"NotHttp", "HELLO", "", 400}, HttpRow{"Tls", "\x16\x03\x01\x02", "", 400},
        HttpRow{"HugeHeader", kGet, "X: " + std::string(33'000, 'x') + "\r\n", 400},
        HttpRow{"HugeHeaderThatNeverEnds", kGet + std::string("\r\nX: ") + std::string(33'000, 'x'),
                "", 400},
        HttpRow{
            "CookiesOf31KiB", kGet,
            std::string(kUpgrade) + kVersion + "Cookie: a=" + std::string(31 << 10, 'x') + "\r\n",
            101},
        HttpRow{"OtherOriginInCookiesOf31KiB", kGet,
                std::string(kUpgrade) + kVersion + "Cookie: a=" + std::string(31 << 10, 'x') +
                    "\r\nOrigin: https://evil.example\r\n",
                403},
        HttpRow{"OtherOrigin", kGet,
                std::string(kUpgrade) + kVersion + "Origin: https://evil.example\r\n", 403},
        HttpRow{"AllowedOrigin", kGet,
                std::string(kUpgrade) + kVersion + "Origin: http://B.example:3000\r\n", 101},
        HttpRow{"AllowedSubdomain", kGet,
                std::string(kUpgrade) + kVersion + "Origin: https://x.c.example\r\n", 101},
        HttpRow{"TheDomainOfAllowedSubdomains", kGet,
                std::string(kUpgrade) + kVersion + "Origin: https://c.example\r\n", 403},
        HttpRow{"NullOrigin", kGet, std::string(kUpgrade) + kVersion + "Origin: null\r\n", 403},
        HttpRow{"NoOrigin", "GET /ws/seat-updates?x=1 HTTP/1.1", std::string(kUpgrade) + kVersion,
                101}),
    [](const auto& row) { return row.param.name; });

TEST_F(ClosesTest, AFullEdgeIs503WithRetryAfter) {
  StartEdgeWith({"--max-connections=1"});
  const auto client = Connect();
  const auto reply =
      WsClient::Http("127.0.0.1", port_, std::string(kGet) + "\r\n" + kUpgrade + kVersion + "\r\n");
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->status, 503);
  EXPECT_NE(reply->Header("retry-after"), "");
  client->Close();
}

// ---- Starting ----------------------------------------------------------------------------------

class StartTest : public ClosesTest {
 protected:
  // Starts an edge that should end by itself: its exit code and its one line.
  std::pair<int, std::vector<std::string>> Run(
      std::vector<std::string> args, std::vector<std::pair<std::string, std::string>> env = {}) {
    ProcessOptions options;
    options.binary = EDGE_BINARY;
    options.args = std::move(args);
    options.env = std::move(env);
    auto process = Process::Start(options);
    EXPECT_THAT(process, IsOk());
    const auto exit = (*process)->Wait(kStartTimeout);
    EXPECT_THAT(exit, IsOk());
    return {exit.ok() ? exit->code : -1, (*process)->StderrLines()};
  }
};

TEST_F(StartTest, ABadValueIsOneLineAndExit2) {
  for (const std::string flag :
       {"--listen=nonsense", "--upstream=", "--max-connections=-1", "--allowed-origins=a.example",
        "--allowed-origins=https://a.example/", "--drain-delay=5", "--log-format=xml",
        "--no-such-flag"}) {
    const auto [code, lines] = Run({flag});
    EXPECT_EQ(code, 2) << flag;
    EXPECT_EQ(lines.size(), 1u) << flag;
  }
  EXPECT_EQ(Run({}, {{"WEBSOCKET_SERVER_PORT", "eighty"}}).first, 2);
}

TEST_F(StartTest, APortInUseIsOneLineAndNotExit0) {
  const auto [code, lines] = Run({"--listen=" + edge_->address(), "--admin-listen=127.0.0.1:0"});
  EXPECT_NE(code, 0);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(edge_->address()));
}

TEST_F(StartTest, AnAdminPortInUseIsOneLineToo) {
  const auto [code, lines] = Run({"--listen=127.0.0.1:0", "--admin-listen=" + edge_->address()});
  EXPECT_NE(code, 0);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(edge_->address()));
}

TEST_F(StartTest, TheEdgesOwnVariableBeatsOriginsAndHelpSaysSo) {
  const auto [code, lines] =
      Run({"--admin-listen=127.0.0.1:0"},
          {{"WEBSOCKET_SERVER_PORT", "1"}, {"SEATLOCK_EDGE_LISTEN", edge_->address()}});
  EXPECT_NE(code, 0);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(edge_->address()));
  ProcessOptions options;
  options.binary = EDGE_BINARY;
  options.args = {"--help"};
  auto help = Process::Start(options);
  ASSERT_THAT(help, IsOk());
  EXPECT_THAT((*help)->WaitForText("SEATLOCK_EDGE_LISTEN and --listen beat it", kStartTimeout),
              IsOk());
}

TEST_F(StartTest, OriginsVariableSetsThePortAndAFlagBeatsIt) {
  const auto [code, lines] =
      Run({"--admin-listen=127.0.0.1:0"}, {{"WEBSOCKET_SERVER_PORT", std::to_string(port_)}});
  EXPECT_NE(code, 0);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(edge_->address()));
  ProgramOptions options;
  options.binary = EDGE_BINARY;
  options.upstream = service_.address();
  options.env = {{"WEBSOCKET_SERVER_PORT", std::to_string(port_)}};
  EXPECT_THAT(StartEdge(options), IsOk());
}

}  // namespace
}  // namespace seatlock::testing
