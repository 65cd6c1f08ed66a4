#include "clients/cpp/health.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::client {
namespace {

using seatlock::testing::IsOk;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong(20'000);

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.RegisterService(&service_);  // without any there is no thread that serves
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server_ = builder.BuildAndStart();
    address_ = absl::StrCat("127.0.0.1:", port);
  }

  v1::SeatLockService::Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(HealthTest, ToldFromAServerThatDoesNotServe) {
  EXPECT_THAT(CheckHealth(address_, kLong), IsOk());
  server_->GetHealthCheckService()->SetServingStatus(false);
  const absl::Status status = CheckHealth(address_, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOT_SERVING"));
}

TEST_F(HealthTest, SaysWhyThereIsNoAnswer) {
  server_->Shutdown();
  const absl::Status status = CheckHealth(address_, kLong);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "cannot connect: Connection refused");
}

}  // namespace
}  // namespace seatlock::client
