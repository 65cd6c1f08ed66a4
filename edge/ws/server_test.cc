// The options that connections inherit from a listener.
#include "edge/ws/server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>

#include "edge/limits.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::edge {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

int Option(Socket& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(socket.native_handle(), level, name, &value, &size), 0);
  return value;
}

TEST(ListenTest, ConnectionsOfEveryThreadInheritTheBoundsOfTheirBuffers) {
  boost::asio::io_context first;
  boost::asio::io_context second;
  const std::array<boost::asio::io_context*, 2> ios = {&first, &second};
  auto acceptors = Listen(ios, "127.0.0.1", 0);
  ASSERT_THAT(acceptors, seatlock::testing::IsOk());
  ASSERT_EQ(acceptors->size(), 2U);
  std::vector<tcp::socket> peers;
  std::array<int, 2> accepted{};
  // The kernel deals them out by their ports.
  while (accepted[0] == 0 || accepted[1] == 0) {
    peers.emplace_back(first);
    error_code ec;
    peers.back().connect((*acceptors)[0].local_endpoint(), ec);
    ASSERT_FALSE(ec) << ec.message();
    for (size_t i = 0; i < acceptors->size(); ++i) {
      Socket socket((*acceptors)[i].get_executor());
      (*acceptors)[i].accept(socket, ec);
      if (ec) continue;
      ++accepted[i];
      // The kernel doubles what it is told, for its own overhead.
      EXPECT_EQ(Option(socket, SOL_SOCKET, SO_SNDBUF), 2 * kSendBufferBytes);
      EXPECT_EQ(Option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT), kNotSentBytes);
      EXPECT_NE(Option(socket, IPPROTO_TCP, TCP_NODELAY), 0);
    }
    ASSERT_LT(peers.size(), 1'000U);
  }
}

}  // namespace
}  // namespace seatlock::edge
