#include "clients/cpp/health.h"

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/credentials.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace seatlock::client {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckResponse;

namespace {

// gRPC's "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:50051: Failed to
// connect to remote host: Connection refused" says the same address twice, and what happened last.
std::string Shortened(const std::string& message) {
  const size_t colon = message.rfind(": ");
  if (!absl::StrContains(message, "failed to connect to all addresses") ||
      colon == std::string::npos) {
    return message;
  }
  return absl::StrCat("cannot connect: ", message.substr(colon + 2));
}

}  // namespace

absl::Status CheckHealth(const std::string& server, std::chrono::milliseconds timeout,
                         const std::optional<TlsOptions>& tls) {
  grpc::ChannelArguments args;
  // A connection of its own: one that is shared may be up although a new one is refused.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  SetServerName(tls, "", &args);
  const auto channel = grpc::CreateCustomChannel(server, CredentialsOf(tls), args);
  const std::unique_ptr<Health::Stub> stub = Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, {}, &response);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::DeadlineExceededError("no answer in time");
  }
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                        Shortened(status.error_message()));
  }
  if (response.status() == HealthCheckResponse::SERVING) return absl::OkStatus();
  return absl::FailedPreconditionError("NOT_SERVING: it drains, or its store cannot be written");
}

}  // namespace seatlock::client
