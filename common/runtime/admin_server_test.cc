#include "common/runtime/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace seatlock::runtime {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using tcp = boost::asio::ip::tcp;

class AdminServerTest : public ::testing::Test {
 protected:
  AdminServerTest() {
    AdminServer::Pages pages;
    pages.ready = [this] {
      return ready_ ? absl::OkStatus() : absl::UnavailableError("the store is being opened");
    };
    pages.metrics = [this] { return page_; };
    pages.version = "{\"version\":\"1\"}\n";
    pages.details = [this] { return details_; };
    server_ = *AdminServer::Start({.host = "127.0.0.1", .port = 0}, std::move(pages));
  }

  tcp::socket Connect(int receive_buffer_bytes = 0) {
    tcp::socket socket(io_, tcp::v4());
    if (receive_buffer_bytes > 0) {
      socket.set_option(tcp::socket::receive_buffer_size(receive_buffer_bytes));
    }
    socket.connect(
        {boost::asio::ip::make_address(server_->address().host), server_->address().port});
    return socket;
  }

  // All that the server sends to `request` until it closes.
  std::string Send(const std::string& request) {
    tcp::socket socket = Connect();
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(request), error);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
    return answer;
  }
  std::string Get(const std::string& path, const std::string& method = "GET") {
    return Send(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  std::atomic<bool> ready_{true};
  std::string details_;                   // before the first request for it
  std::string page_ = "calls_total 1\n";  // before the first request for it
  boost::asio::io_context io_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, PortZeroBecomesOneThatIsFree) {
  EXPECT_NE(server_->address().port, 0);
}

TEST_F(AdminServerTest, AnswersItsPages) {
  EXPECT_THAT(Get("/livez"), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\n\r\nok\n")));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/metrics"),
              AllOf(HasSubstr("text/plain; version=0.0.4"), HasSubstr("\r\n\r\ncalls_total 1\n")));
  EXPECT_THAT(Get("/version?x=1"),
              AllOf(HasSubstr("application/json"), HasSubstr("{\"version\":\"1\"}")));
}

TEST_F(AdminServerTest, NotReadyIs503WithTheReasonAndStaysLive) {
  ready_ = false;
  EXPECT_THAT(Get("/readyz"),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("the store is being opened\n")));
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, ReadyOrNotTheDetailsFollow) {
  details_ = "one: away\n";
  EXPECT_THAT(Get("/readyz"), HasSubstr("\r\n\r\nok\none: away\n"));
  ready_ = false;
  EXPECT_THAT(Get("/readyz"), HasSubstr("the store is being opened\none: away\n"));
}

TEST_F(AdminServerTest, OtherPathsAre404AndOtherMethods405) {
  for (const char* path : {"/", "/livez/", "/metricsx", "/../livez"}) {
    EXPECT_THAT(Get(path), StartsWith("HTTP/1.1 404 ")) << path;
  }
  EXPECT_THAT(Get("/livez", "POST"),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
}

TEST_F(AdminServerTest, HeadHasTheLengthAndNoBody) {
  EXPECT_THAT(Get("/metrics", "HEAD"),
              AllOf(HasSubstr("Content-Length: 14"), Not(HasSubstr("calls_total"))));
}

TEST_F(AdminServerTest, ConnectionServesSeveralRequests) {
  const std::string keep = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string last = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(Send(keep + last), AllOf(HasSubstr("ok\n"), HasSubstr("{\"version\":\"1\"}")));
}

TEST_F(AdminServerTest, BodyIsNotReadButAnsweredAndTheConnectionClosed) {
  const std::string post = "POST /livez HTTP/1.1\r\nHost: x\r\n";
  const std::string get = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string last = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const std::string& body :
       {"Content-Length: 3\r\n\r\nabc" + get,
        "Content-Length: 100000\r\n\r\n" + std::string(100'000, 'x') + get,
        std::string("Content-Length: 9000000000\r\n\r\nabc"),
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get}) {
    EXPECT_THAT(Send(post + body),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Connection: close"),
                      EndsWith("use GET or HEAD\n")))
        << body.substr(0, 40);
  }
  EXPECT_THAT(Send(post + "Content-Length: 0\r\n\r\n" + last), HasSubstr("application/json"))
      << "no body: the connection goes on";
}

TEST_F(AdminServerTest, OversizeHeadersAndNonsenseEndTheConnection) {
  EXPECT_EQ(Send("GET /livez HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), "");
  EXPECT_EQ(Send("\x16\x03\x01 not HTTP\r\n\r\n"), "");
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 "));
}

// Whether the server has closed `socket`, or does; blocks until it does or sends.
bool Closed(tcp::socket& socket) {
  char byte = 0;
  boost::system::error_code error;
  boost::asio::read(socket, boost::asio::buffer(&byte, 1), error);
  return static_cast<bool>(error);
}

constexpr int kPlaces = 64;
constexpr int kSmallBuffer = 4096;
const char kKeepAlive[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

class AdminServerCrowdTest : public AdminServerTest {
 protected:
  void Write(tcp::socket& socket, const std::string& bytes) {
    boost::asio::write(socket, boost::asio::buffer(bytes));
  }
  // Whether it still gets an answer.
  bool Serves(tcp::socket& socket) {
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(std::string(kKeepAlive)), error);
    std::string answer;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(answer), "ok\n", error);
    return !error;
  }
  void ExpectAProbeToGetIn() {
    for (int i = 0; i < 3; ++i) EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 "));
  }
};

TEST_F(AdminServerCrowdTest, IdleConnectionsKeepNoProbeOutTheOldestGoes) {
  std::vector<tcp::socket> idle;
  for (int i = 0; i < kPlaces; ++i) {
    idle.push_back(Connect());
    ASSERT_TRUE(Serves(idle.back()));
  }
  ASSERT_TRUE(Serves(idle[0])) << "now the second one has waited longest";
  ExpectAProbeToGetIn();
  EXPECT_TRUE(Closed(idle[1]));
  EXPECT_TRUE(Serves(idle[0]));
  EXPECT_TRUE(Serves(idle.back()));
}

TEST_F(AdminServerCrowdTest, AProbeThatIsSlowToAskOutlivesThoseThatWereAnswered) {
  tcp::socket probe = Connect();
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 2 * kPlaces; ++i) {
    idle.push_back(Connect());
    ASSERT_TRUE(Serves(idle.back()));
  }
  EXPECT_TRUE(Closed(idle[0])) << "control: every place was taken";
  EXPECT_TRUE(Serves(probe));
}

TEST_F(AdminServerCrowdTest, RequestsThatNeverEndKeepNoProbeOut) {
  std::vector<tcp::socket> slow;
  for (int i = 0; i < 2 * kPlaces; ++i) {
    slow.push_back(Connect());
    Write(slow.back(), "GET /livez HTTP/1.1\r\nX: ");
  }
  ExpectAProbeToGetIn();
}

TEST_F(AdminServerCrowdTest, ReadersThatDoNotReadKeepNoProbeOutAndGoAfterThoseThatAreIdle) {
  page_ = std::string(5 << 20, 'x') + '\n';  // more than the kernel keeps for both ends
  std::vector<tcp::socket> readers;
  for (int i = 0; i < kPlaces - 1; ++i) {
    readers.push_back(Connect(kSmallBuffer));
    Write(readers.back(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    char byte = 0;  // its answer is under way
    boost::asio::read(readers.back(), boost::asio::buffer(&byte, 1));
  }
  tcp::socket idle = Connect();
  ASSERT_TRUE(Serves(idle));
  ExpectAProbeToGetIn();
  EXPECT_TRUE(Closed(idle));
  std::string answer;
  boost::system::error_code error;
  boost::asio::read_until(readers[0], boost::asio::dynamic_buffer(answer), "x\n", error);
  EXPECT_FALSE(error) << "it was served to the end: " << error.message();
  for (int i = 0; i < 2; ++i) {
    readers.push_back(Connect(kSmallBuffer));
    Write(readers.back(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ExpectAProbeToGetIn();
}

// 5 s is the promise; a busy machine gets some more.
TEST_F(AdminServerCrowdTest, IdleAndUnfinishedConnectionsEndAfterFiveSeconds) {
  const auto start = std::chrono::steady_clock::now();
  tcp::socket idle = Connect();
  ASSERT_TRUE(Serves(idle));
  tcp::socket unfinished = Connect();
  Write(unfinished, "GET /livez HTTP/1.1\r\nX: ");
  EXPECT_TRUE(Closed(idle));
  EXPECT_TRUE(Closed(unfinished));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
}

TEST_F(AdminServerTest, StopsWhileConnectionsAreOpen) {
  tcp::socket open = Connect();
  boost::asio::write(open, boost::asio::buffer(std::string("GET /li")));
  server_.reset();
  std::string answer;
  boost::system::error_code error;
  boost::asio::read(open, boost::asio::dynamic_buffer(answer), error);
  EXPECT_TRUE(error);
  EXPECT_EQ(answer, "");
}

TEST_F(AdminServerTest, TakenPortIsOneClearLine) {
  const auto second = AdminServer::Start(server_->address(), {});
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr("cannot listen on 127.0.0.1:"), HasSubstr("in use")));
}

TEST(AdminServerStartTest, NameThatDoesNotResolveIsOneClearLine) {
  EXPECT_THAT(AdminServer::Start({.host = "256.0.0.1", .port = 0}, {}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(AdminServerStartTest, ListensOnIpv6WhereTheMachineHasIt) {
  const auto server = AdminServer::Start({.host = "::1", .port = 0}, {});
  if (!server.ok()) GTEST_SKIP() << server.status();
  EXPECT_THAT((*server)->address().ToString(), StartsWith("[::1]:"));
}

}  // namespace
}  // namespace seatlock::runtime
