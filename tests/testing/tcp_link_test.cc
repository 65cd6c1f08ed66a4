// What each state of a TcpLink does to a connection to a real Redis.
#include "tests/testing/tcp_link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <string>

#include "tests/testing/eventually.h"
#include "tests/testing/redis_server.h"

namespace seatlock::testing {
namespace {

using boost::asio::ip::tcp;

class Caller {
 public:
  explicit Caller(const TcpLink& link) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), link.port()});
  }
  void Send(const std::string& command) {
    boost::asio::write(socket_, boost::asio::buffer(command + "\r\n"));
  }
  // What comes next, as long as `expected`; less if the connection ends.
  std::string Read(const std::string& expected) {
    std::string bytes(expected.size(), '\0');
    boost::system::error_code error;
    bytes.resize(boost::asio::read(socket_, boost::asio::buffer(bytes), error));
    return bytes;
  }
  size_t available() const { return socket_.available(); }

 private:
  boost::asio::io_context io_;
  tcp::socket socket_{io_};
};

class TcpLinkTest : public ::testing::Test {
 protected:
  bool Stored(const std::string& key) {
    return Eventually([&] { return redis_.Run({"EXISTS", key}) == "1"; });
  }

  RedisServer redis_;
  TcpLink link_{redis_.port()};
};

TEST_F(TcpLinkTest, OpenPassesBothWays) {
  Caller caller(link_);
  caller.Send("SET a 1");
  EXPECT_EQ(caller.Read("+OK\r\n"), "+OK\r\n");
}

TEST_F(TcpLinkTest, HeldHidesTheAnswerOfWhatArrivesUntilItIsOpen) {
  Caller caller(link_);
  link_.Hold();
  caller.Send("SET a 1");
  ASSERT_TRUE(Stored("a"));
  EXPECT_EQ(caller.available(), 0u);
  link_.Open();
  EXPECT_EQ(caller.Read("+OK\r\n"), "+OK\r\n");
}

TEST_F(TcpLinkTest, HeldHidesTheTargetsEndToo) {
  Caller caller(link_);
  caller.Send("SET a 1");
  ASSERT_EQ(caller.Read("+OK\r\n"), "+OK\r\n");
  link_.Hold();
  caller.Send("SET b 1");
  ASSERT_TRUE(Stored("b"));
  redis_.Run({"PING"});  // what Redis answered in the same turn is on its way now
  redis_.Kill();
  link_.Open();
  EXPECT_EQ(caller.Read("+OK\r\n+"), "+OK\r\n") << "the answer, and then the end";
}

TEST_F(TcpLinkTest, StalledPassesNothingAndThenAll) {
  Caller caller(link_);
  caller.Send("SET a 1");
  ASSERT_EQ(caller.Read("+OK\r\n"), "+OK\r\n");
  link_.Stall();
  caller.Send("SET b 1");
  EXPECT_EQ(redis_.Run({"EXISTS", "b"}), "0");
  // Now only the answer waits.
  link_.Hold();
  ASSERT_TRUE(Stored("b"));
  EXPECT_EQ(caller.available(), 0u);
  link_.Open();
  EXPECT_EQ(caller.Read("+OK\r\n"), "+OK\r\n");
}

TEST_F(TcpLinkTest, CutEndsConnectionsAndEachNewOneUntilItIsOpen) {
  Caller caller(link_);
  caller.Send("SET a 1");
  ASSERT_EQ(caller.Read("+OK\r\n"), "+OK\r\n");
  link_.Cut();
  EXPECT_EQ(caller.Read("+"), "");
  EXPECT_EQ(Caller(link_).Read("+"), "");
  link_.Open();
  Caller again(link_);
  again.Send("GET a");
  EXPECT_EQ(again.Read("$1\r\n1\r\n"), "$1\r\n1\r\n");
}

TEST_F(TcpLinkTest, ARewriteChangesWhatTheTargetSays) {
  TcpLink link(redis_.port(),
               [](char* bytes, size_t size) { std::replace(bytes, bytes + size, 'O', 'o'); });
  Caller caller(link);
  caller.Send("SET a O");
  EXPECT_EQ(caller.Read("+oK\r\n"), "+oK\r\n");
  EXPECT_EQ(redis_.Run({"GET", "a"}), "O");
}

}  // namespace
}  // namespace seatlock::testing
