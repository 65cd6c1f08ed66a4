// What strangers on the port can make gRPC hold, and what it does about it.
#include "services/seatlock/rpc/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/executor.h"
#include "common/base/slewed_clock.h"
#include "services/seatlock/log/memory/memory_log.h"
#include "services/seatlock/rpc/proto_encoder.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::rpc {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ::seatlock::testing::IsOk;

// RFC 9113: the kinds of frames that matter here, and their flags.
enum Kind : uint8_t { kData = 0, kHeaders = 1, kResetStream = 3, kSettings = 4, kPing = 6 };
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr size_t kHeadBytes = 9;
constexpr size_t kFrameBytesMax = 16'384;
// A connection takes 64 KiB unasked. The request says that it is longer, and within its bound.
constexpr size_t kSentBytes = 60'000;
constexpr uint32_t kSaidBytes = 65'000;
static_assert(kSaidBytes <= kRequestBytesMax);

std::string BigEndian(uint32_t number, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(number >> (8 * i) & 0xff));
  return text;
}
std::string Frame(Kind kind, uint8_t flags, uint32_t stream, std::string_view body) {
  return absl::StrCat(BigEndian(static_cast<uint32_t>(body.size()), 3), BigEndian(kind, 1),
                      BigEndian(flags, 1), BigEndian(stream, 4),
                      absl::string_view(body.data(), body.size()));
}
// RFC 7541: a header whose name and value are written out.
std::string Header(const std::string& name, const std::string& value) {
  return BigEndian(0, 1) + BigEndian(static_cast<uint32_t>(name.size()), 1) + name +
         BigEndian(static_cast<uint32_t>(value.size()), 1) + value;
}

// A connection with one call, whose request is sent but for its end.
class HalfSentCall {
 public:
  HalfSentCall(asio::io_context& io, uint16_t port) : socket_(io) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "");
    bytes += Frame(kHeaders, kEndHeaders, 1,
                   Header(":method", "POST") + Header(":scheme", "http") +
                       Header(":path", "/seatlock.v1.SeatLockService/LockSeat") +
                       Header(":authority", "x") + Header("content-type", "application/grpc") +
                       Header("te", "trailers"));
    std::string body = BigEndian(0, 1) + BigEndian(kSaidBytes, 4);
    body.resize(kSentBytes, 'x');
    for (size_t at = 0; at < body.size(); at += kFrameBytesMax) {
      bytes += Frame(kData, 0, 1, std::string_view(body).substr(at, kFrameBytesMax));
    }
    Write(bytes + Frame(kPing, 0, 0, "all sent"));
    ReadFrame();
  }

  // The server has read all that was sent.
  bool read() const { return read_ || ended_; }
  // The server has ended the call or the connection.
  bool ended() const { return ended_; }

 private:
  void Write(const std::string& bytes) {
    error_code ignored;
    asio::write(socket_, asio::buffer(bytes), ignored);
  }
  void ReadFrame() {
    asio::async_read(socket_, asio::buffer(head_), [this](error_code error, size_t) {
      if (error) return End();
      body_.resize(size_t{head_[0]} << 16 | size_t{head_[1]} << 8 | head_[2]);
      asio::async_read(socket_, asio::buffer(body_), [this](error_code failed, size_t) {
        if (failed) return End();
        Take(head_[3], head_[4]);
        ReadFrame();
      });
    });
  }
  void Take(uint8_t kind, uint8_t flags) {
    const bool ack = (flags & kAck) != 0;
    if (kind == kSettings && !ack) Write(Frame(kSettings, kAck, 0, ""));
    if (kind == kPing && !ack) Write(Frame(kPing, kAck, 0, body_));
    if (kind == kPing && ack) read_ = true;
    if (kind == kResetStream || (kind == kHeaders && (flags & kEndStream) != 0)) ended_ = true;
  }
  void End() { ended_ = true; }

  tcp::socket socket_;
  std::array<uint8_t, kHeadBytes> head_{};
  std::string body_;
  bool read_ = false;
  bool ended_ = false;
};

class SilentObserver final : public CallObserver {
 public:
  void OnStarted(Method) override {}
  void OnHandled(Method, int, int64_t) override {}
};

class ServerTest : public ::testing::Test {
 protected:
  static constexpr int kCalls = 200;
  static constexpr size_t kQuotaBytes = 4 << 20;
  static_assert(kCalls * kSentBytes > 2 * kQuotaBytes);

  void TearDown() override {
    server_.reset();
    engine_.Stop();
  }

  void Serve(size_t grpc_bytes_max) {
    auto server =
        Server::Start("127.0.0.1", 0, engine_, clock_, observer_, nullptr, grpc_bytes_max);
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }
  void SendHalves() {
    for (int i = 0; i < kCalls; ++i) {
      calls_.push_back(std::make_unique<HalfSentCall>(io_, server_->port()));
    }
  }
  // Whether `enough` comes to be while the answers are taken.
  template <typename Enough>
  bool Await(Enough enough) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!enough()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io_.run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  size_t Read() const {
    return static_cast<size_t>(
        std::count_if(calls_.begin(), calls_.end(), [](const auto& call) { return call->read(); }));
  }
  size_t Ended() const {
    return static_cast<size_t>(std::count_if(calls_.begin(), calls_.end(),
                                             [](const auto& call) { return call->ended(); }));
  }
  void ExpectAHealthyCallToWork() {
    testing::SeatLockClient client(absl::StrCat("127.0.0.1:", server_->port()));
    const auto answer = client.Lock("123", "A1", "alice");
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  }

  const base::SlewedClock clock_;
  SilentObserver observer_;
  engine::Observer engine_observer_;
  log::MemoryLog log_;
  const ProtoEncoder encoder_;
  base::ThreadExecutor executor_;
  engine::Engine engine_{
      {log_, clock_, encoder_, engine_observer_, executor_, executor_, executor_, {}, [] {
         return std::string("epoch");
       }}};
  std::unique_ptr<Server> server_;
  asio::io_context io_;
  std::vector<std::unique_ptr<HalfSentCall>> calls_;
};

TEST_F(ServerTest, RequestsThatNeverEndAreEndedBeyondTheQuotaAndHealthyCallsWork) {
  Serve(kQuotaBytes);
  SendHalves();
  EXPECT_TRUE(Await([this] { return (kCalls - Ended()) * kSentBytes <= kQuotaBytes; })) << Ended();
  ExpectAHealthyCallToWork();
}

TEST_F(ServerTest, ControlBelowTheQuotaNoneIsEnded) {
  Serve(kGrpcBytesMax);
  SendHalves();
  EXPECT_TRUE(Await([this] { return Read() == kCalls; })) << Read();
  ExpectAHealthyCallToWork();
  EXPECT_EQ(Ended(), 0u);
}

// If a question is not answered, this hangs until ctest ends it. There are many shutdowns, because
// few of them meet a question: while Shutdown did not wait, gRPC crashed in 8 of 600.
TEST_F(ServerTest, OwnThreadsAnswerBeforeDuringAndAfterEachShutdown) {
  const auto ask = [this] {
    auto answered = std::make_shared<std::promise<void>>();
    server_->AskOwnThreads([answered] { answered->set_value(); });
    answered->get_future().wait();
  };
  for (int i = 0; i < 100; ++i) {
    Serve(kGrpcBytesMax);
    ask();
    std::atomic<bool> is_shut{false};
    std::thread shutdown([&] {
      server_->Shutdown(0);
      is_shut = true;
    });
    do ask();
    while (!is_shut);
    shutdown.join();
    ask();
  }
}

}  // namespace
}  // namespace seatlock::rpc
