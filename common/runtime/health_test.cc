#include "common/runtime/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "common/runtime/admin_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::runtime {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;
using tcp = boost::asio::ip::tcp;

std::unique_ptr<AdminServer> StartAdmin(const std::string& host, absl::Status ready) {
  AdminServer::Pages pages;
  pages.ready = [ready] { return ready; };
  pages.metrics = [] { return std::string(); };
  return *AdminServer::Start({.host = host, .port = 0}, std::move(pages));
}

TEST(HealthTest, ReadyProgramIsHealthy) {
  const auto admin = StartAdmin("127.0.0.1", absl::OkStatus());
  EXPECT_THAT(AskReadiness(admin->address()), IsOk());
}

TEST(HealthTest, ProgramThatListensEverywhereIsAskedOnLoopback) {
  const auto admin = StartAdmin("0.0.0.0", absl::OkStatus());
  EXPECT_THAT(AskReadiness({"0.0.0.0", admin->address().port}), IsOk());
}

TEST(HealthTest, UnreadyProgramSaysWhy) {
  const auto admin = StartAdmin("127.0.0.1", absl::UnavailableError("draining"));
  const absl::Status status = AskReadiness(admin->address());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("503 draining"));
}

TEST(HealthTest, ClosedPortIsNamed) {
  const HostPort gone = StartAdmin("127.0.0.1", absl::OkStatus())->address();
  const absl::Status status = AskReadiness(gone);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr(gone.ToString()));
}

TEST(HealthTest, ListenerThatNeverAnswersIsGivenUp) {
  boost::asio::io_context io;
  const tcp::acceptor silent(io, {tcp::v4(), 0});
  const absl::Status status =
      AskReadiness({"127.0.0.1", silent.local_endpoint().port()}, std::chrono::milliseconds(50));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nothing within 50 ms"));
}

}  // namespace
}  // namespace seatlock::runtime
