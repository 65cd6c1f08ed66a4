// Crowds: bursts of handshakes, limits, handshakes that never end, many threads, and everybody
// being sent away, on a real edge.
#include <signal.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <sstream>

#include "tests/integration/edge/edge_test_base.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Millis = WsClient::Millis;

constexpr char kUpgrade[] =
    "GET /ws/seat-updates HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

class StormsTest : public EdgeTest {
 protected:
  // Answers to an upgrade: the whole of it.
  absl::StatusOr<HttpReply> Ask(const std::string& more_headers = "") {
    return WsClient::Http("127.0.0.1", port_, std::string(kUpgrade) + more_headers + "\r\n");
  }
  int StatusOf(const std::string& more_headers = "") {
    const auto reply = Ask(more_headers);
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? reply->status : 0;
  }

  // The value of a metric without labels.
  int64_t Metric(const std::string& name) {
    const auto answer = HttpGet(edge_->admin_address(), "/metrics");
    EXPECT_THAT(answer, IsOk());
    std::istringstream lines(answer.ok() ? answer->body : "");
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) return std::stoll(line.substr(name.size() + 1));
    }
    ADD_FAILURE() << name << " is missing";
    return -1;
  }

  // Waits until it is so.
  void ExpectMetric(const std::string& name, int64_t value) {
    const auto deadline = std::chrono::steady_clock::now() + WsClient::kPatience;
    while (Metric(name) != value && std::chrono::steady_clock::now() < deadline) continue;
    EXPECT_EQ(Metric(name), value) << name;
  }

  tcp::socket Open() {
    tcp::socket socket(io_);
    error_code ec;
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port_}, ec);
    EXPECT_FALSE(ec) << ec.message();
    return socket;
  }

  static WsClient::Options ForwardedFor(const std::string& addresses) {
    WsClient::Options options;
    options.headers = {{"X-Forwarded-For", addresses}};
    return options;
  }

  boost::asio::io_context io_;
};

TEST_F(StormsTest, IdleConnectionsKeepNoProbeOut) {
  const IdleConnections idle(edge_->admin_address(), 64);
  ASSERT_EQ(idle.answered(), 64);
  const auto start = std::chrono::steady_clock::now();
  const auto live = HttpGet(edge_->admin_address(), "/livez");
  ASSERT_THAT(live, IsOk());
  EXPECT_EQ(live->status, 200);
  // Before the idle ones are closed for being idle.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

// ---- Limits ------------------------------------------------------------------------------------

TEST_F(StormsTest, AnAddressHasSoManyConnectionsAndThen429UntilOneLeaves) {
  StartEdgeWith({"--max-connections-per-address=2"});
  const auto first = Connect();
  auto second = Connect();
  const auto refused = Ask();
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->status, 429);
  EXPECT_NE(refused->Header("retry-after"), "");
  // Nobody trusts what a stranger says of itself.
  EXPECT_EQ(StatusOf("X-Forwarded-For: 198.51.100.1\r\n"), 429);
  // A bad request keeps its own answer.
  EXPECT_EQ(WsClient::Http("127.0.0.1", port_, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")->status, 404);
  second->Close();
  ExpectMetric("seatlock_edge_connections", 1);
  EXPECT_NE(Connect(), nullptr);
}

TEST_F(StormsTest, BehindATrustedProxyTheForwardedAddressCountsAndWithoutOneNobodyDoes) {
  StartEdgeWith({"--max-connections-per-address=1", "--trusted-proxies=10.0.0.0/8,127.0.0.1"});
  const auto first = Connect(ForwardedFor("203.0.113.9, 198.51.100.1, 10.0.0.7"));
  EXPECT_EQ(StatusOf("X-Forwarded-For: 198.51.100.1\r\n"), 429);
  EXPECT_EQ(StatusOf("X-Forwarded-For: 192.0.2.77\r\nX-Forwarded-For: 198.51.100.1\r\n"), 429);
  const auto other = Connect(ForwardedFor("203.0.113.9"));
  const auto v6 = Connect(ForwardedFor("2001:db8::1"));
  EXPECT_EQ(StatusOf("X-Forwarded-For: 2001:db8::2\r\n"), 429);
  std::vector<std::unique_ptr<WsClient>> unknown;
  for (int i = 0; i < 3; ++i) unknown.push_back(Connect());
  for (const auto& client : unknown) EXPECT_NE(client, nullptr);
}

TEST_F(StormsTest, ABadLimitIsOneLineAndExit2) {
  for (const std::string flag :
       {"--max-connections-per-address=-1", "--trusted-proxies=10.0.0.0/33",
        "--trusted-proxies=proxy.example", "--threads=65", "--threads=-1", "--drain-window-ms=-1",
        "--memory-budget-mib=0", "--max-new-showtimes-per-address=-1", "--drain-delay=-1s"}) {
    ProcessOptions options;
    options.binary = EDGE_BINARY;
    options.args = {flag};
    auto process = Process::Start(options);
    ASSERT_THAT(process, IsOk());
    const auto exit = (*process)->Wait(kStartTimeout);
    ASSERT_THAT(exit, IsOk());
    EXPECT_EQ(exit->code, 2) << flag;
    EXPECT_EQ((*process)->StderrLines().size(), 1u) << flag;
  }
}

// ---- Handshakes --------------------------------------------------------------------------------

// The contract's deadline: 10 s for all of a handshake, whether nothing comes, or the request never
// ends, or comes byte by byte.
TEST_F(StormsTest, AHandshakeThatTakesLongerThanTenSecondsIsCut) {
  tcp::socket silent = Open();
  tcp::socket half = Open();
  tcp::socket slow = Open();
  error_code ec;
  boost::asio::write(half, boost::asio::buffer(std::string(kUpgrade)), ec);
  const auto start = std::chrono::steady_clock::now();
  const std::string request(kUpgrade);
  int cut = 0;
  const auto watch = [&](tcp::socket& socket) {
    socket.async_wait(tcp::socket::wait_read, [&](const error_code&) {
      char byte = 0;
      error_code end;
      EXPECT_EQ(socket.read_some(boost::asio::buffer(&byte, 1), end), 0U);
      ++cut;
    });
  };
  for (tcp::socket* socket : {&silent, &half, &slow}) watch(*socket);
  size_t sent = 0;
  while (cut < 3 && std::chrono::steady_clock::now() - start < std::chrono::seconds(15)) {
    io_.run_for(Millis(200));
    error_code ignored;
    if (sent < request.size()) slow.write_some(boost::asio::buffer(&request[sent++], 1), ignored);
  }
  EXPECT_EQ(cut, 3);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
  EXPECT_NE(Connect(), nullptr);
}

TEST_F(StormsTest, ARequestThatComesInPiecesIsAnsweredAndWhatFollowsItIsRead) {
  tcp::socket socket = Open();
  // {"type":"ping"} behind the request, masked with zeros.
  std::string bytes =
      std::string(kUpgrade) + "\r\n" + std::string("\x81\x8f\0\0\0\0", 6) + R"({"type":"ping"})";
  error_code ec;
  socket.set_option(tcp::no_delay(true), ec);
  for (const char byte : bytes) boost::asio::write(socket, boost::asio::buffer(&byte, 1), ec);
  ASSERT_FALSE(ec) << ec.message();
  std::string answer;
  while (answer.find("\"pong\"") == std::string::npos) {
    std::array<char, 4096> buffer;
    const size_t size = socket.read_some(boost::asio::buffer(buffer), ec);
    ASSERT_FALSE(ec) << ec.message() << answer;
    answer.append(buffer.data(), size);
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

// All at once: each has connected and asked before the first answer is read.
TEST_F(StormsTest, ABurstOfHandshakesIsTakenWithoutARefusal) {
  constexpr size_t kBurst = 2'000;
  ASSERT_THAT(runtime::RaiseOpenFilesLimit(), IsOk());
  StartEdgeWith({"--threads=2"});
  std::vector<tcp::socket> sockets;
  const std::string request = std::string(kUpgrade) + "\r\n";
  const tcp::endpoint edge(boost::asio::ip::make_address("127.0.0.1"), port_);
  size_t upgraded = 0;
  std::array<char, 512> buffer;
  for (size_t i = 0; i < kBurst; ++i) sockets.emplace_back(io_);
  for (tcp::socket& socket : sockets) {
    socket.async_connect(edge, [&](const error_code& failed) {
      ASSERT_FALSE(failed) << failed.message();
      error_code ec;
      boost::asio::write(socket, boost::asio::buffer(request), ec);
      ASSERT_FALSE(ec) << ec.message();
      socket.async_wait(tcp::socket::wait_read, [&](const error_code&) {
        error_code end;
        const size_t size = socket.read_some(boost::asio::buffer(buffer), end);
        EXPECT_FALSE(end) << end.message();
        EXPECT_THAT(std::string(buffer.data(), size), StartsWith("HTTP/1.1 101 "));
        ++upgraded;
      });
    });
  }
  io_.run_for(Millis(20'000));
  EXPECT_EQ(upgraded, kBurst);
  ExpectMetric("seatlock_edge_connections", static_cast<int64_t>(kBurst));
}

// ---- Threads -----------------------------------------------------------------------------------

TEST_F(StormsTest, AllThreadsServeAndAChangeCrossesToEachOnce) {
  StartEdgeWith({"--threads=2"});
  ExpectMetric("seatlock_edge_threads", 2);
  std::vector<std::unique_ptr<WsClient>> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(Follow("1"));
  service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat("A01", "s")}));
  for (auto& client : clients) {
    ASSERT_NE(client, nullptr);
    const auto frame = client->NextOfType("seat_status_change");
    ASSERT_THAT(frame, IsOk());
    EXPECT_EQ(frame->at("revision").to_number<int64_t>(), 1);
    EXPECT_THAT(client->Next(Millis(0)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  }
  // The kernel deals connections out by their ports: all on one of two has odds of 2^-39.
  ExpectMetric("seatlock_edge_room_changes_total", 2);
  ExpectMetric("seatlock_edge_upstream_changes_total", 1);
  ExpectMetric("seatlock_edge_commit_to_socket_seconds_count", 2);
  EXPECT_EQ(service_.streams(), 1);
}

TEST_F(StormsTest, APortThatThreadsShareIsInUseForAnotherEdge) {
  StartEdgeWith({"--threads=2"});
  ProcessOptions options;
  options.binary = EDGE_BINARY;
  options.args = {"--listen=" + edge_->address(), "--admin-listen=127.0.0.1:0", "--threads=2"};
  auto other = Process::Start(options);
  ASSERT_THAT(other, IsOk());
  const auto exit = (*other)->Wait(kStartTimeout);
  ASSERT_THAT(exit, IsOk());
  EXPECT_EQ(exit->code, 1);
  const auto lines = (*other)->StderrLines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(edge_->address()));
}

// ---- The end -----------------------------------------------------------------------------------

TEST_F(StormsTest, SigtermSendsACrowdAwayInWavesAllWith4200AndExits0) {
  StartEdgeWith({"--threads=2", "--drain-window-ms=1000"});
  std::vector<std::unique_ptr<WsClient>> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(i % 2 == 0 ? Follow("1") : Connect());
  edge_->process().Signal(SIGTERM);
  for (auto& client : clients) {
    ASSERT_NE(client, nullptr);
    EXPECT_EQ(client->WaitForClose().value_or(-1), 4200);
  }
  const auto exit = edge_->process().Wait(kStartTimeout);
  ASSERT_THAT(exit, IsOk());
  EXPECT_EQ(*exit, (ProcessExit{0, 0}));
}

// Who does not leave is cut off.
TEST_F(StormsTest, SigtermEndsThoughAClientNeverLeaves) {
  StartEdgeWith({"--threads=2", "--drain-window-ms=0"});
  tcp::socket stubborn = Open();
  error_code ec;
  boost::asio::write(stubborn, boost::asio::buffer(std::string(kUpgrade) + "\r\n"), ec);
  stubborn.wait(tcp::socket::wait_read, ec);
  ASSERT_FALSE(ec) << ec.message();
  edge_->process().Signal(SIGTERM);
  const auto exit = edge_->process().Wait(kStartTimeout);
  ASSERT_THAT(exit, IsOk());
  EXPECT_EQ(*exit, (ProcessExit{0, 0}));
}

}  // namespace
}  // namespace seatlock::testing
