#include "services/seatlock/rpc/server.h"

#include <grpc/support/time.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/gate.h"
#include "grpc/health/v1/health.pb.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/reflection.h"
#include "services/seatlock/rpc/service.h"

namespace seatlock::rpc {
namespace {

constexpr char kServiceName[] = "seatlock.v1.SeatLockService";

constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";

using HealthStub = grpc::TemplatedGenericStub<grpc::health::v1::HealthCheckRequest,
                                              grpc::health::v1::HealthCheckResponse>;

// What a call of ours needs until it has ended.
struct HealthQuestion {
  explicit HealthQuestion(std::shared_ptr<base::Gate> gate) : inside{std::move(gate)} {}

  // The first member is destroyed last, so the gate is left once gRPC's call is gone.
  struct Inside {
    std::shared_ptr<base::Gate> gate;
    ~Inside() { gate->Leave(); }
  } inside;
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  absl::AnyInvocable<void() &&> done;
};

// Naming a type of each file links it, so that reflection can describe it.
std::vector<std::string> ServiceNames() {
  return {kServiceName, grpc::health::v1::HealthCheckRequest::descriptor()
                            ->file()
                            ->FindServiceByName("Health")
                            ->full_name()};
}

void SetOptions(grpc::ServerBuilder& builder, size_t grpc_bytes_max) {
  // gRPC would share a taken port through SO_REUSEPORT; two services on one file is not possible,
  // but two on one port would split the callers.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kRequestBytesMax);
  grpc::ResourceQuota quota("seatlockd");
  quota.Resize(grpc_bytes_max);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMsMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
}

std::string Target(const std::string& host, uint16_t port) {
  const bool v6 = absl::StrContains(host, ":");
  return v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

}  // namespace

struct Server::Impl {
  Impl(engine::Engine& engine, const base::Clock& clock, CallObserver& observer)
      : service(engine, clock, observer) {}

  Service service;
  const std::vector<std::unique_ptr<grpc::Service>> reflection = ReflectionServices(ServiceNames());
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  std::mutex serving_mu;
  bool serving = true;
  bool stopped = false;  // guarded by serving_mu, as serving
  const std::shared_ptr<base::Gate> questions = std::make_shared<base::Gate>();
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const std::string& host, uint16_t port, engine::Engine& engine, const base::Clock& clock,
    CallObserver& observer, ServedCertificate* certificate, size_t grpc_bytes_max) {
  // A setting of the process, for servers that are built afterwards.
  grpc::EnableDefaultHealthCheckService(true);
  auto impl = std::make_unique<Impl>(engine, clock, observer);
  grpc::ServerBuilder builder;
  SetOptions(builder, grpc_bytes_max);
  builder.AddListeningPort(
      Target(host, port),
      certificate ? certificate->Credentials() : grpc::InsecureServerCredentials(), &impl->port);
  builder.RegisterService(&impl->service);
  for (const auto& service : impl->reflection) builder.RegisterService(service.get());
  impl->server = builder.BuildAndStart();
  if (!impl->server || impl->port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", Target(host, port),
                                               ": the port is in use, or the address is not here"));
  }
  impl->server->GetHealthCheckService()->SetServingStatus(kServiceName, true);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  Shutdown(0);
}

uint16_t Server::port() const {
  return static_cast<uint16_t>(impl_->port);
}

void Server::SetServing(bool serving) {
  std::lock_guard lock(impl_->serving_mu);
  if (impl_->stopped || impl_->serving == serving) return;
  Tell(serving);
}

void Server::StopServing() {
  std::lock_guard lock(impl_->serving_mu);
  impl_->stopped = true;
  Tell(false);
}

void Server::Tell(bool serving) {
  impl_->serving = serving;
  auto* health = impl_->server->GetHealthCheckService();
  health->SetServingStatus("", serving);
  health->SetServingStatus(kServiceName, serving);
}

// gRPC 1.51 crashes if a call within the process is open, or begins, while its server is being shut
// down or afterwards. So none is made then, and Shutdown waits for those that are open.
void Server::AskOwnThreads(absl::AnyInvocable<void() &&> done) {
  if (!impl_->questions->Enter()) return std::move(done)();
  auto question = std::make_shared<HealthQuestion>(impl_->questions);
  question->done = std::move(done);
  HealthStub stub(impl_->server->InProcessChannel(grpc::ChannelArguments()));
  stub.UnaryCall(&question->context, kHealthCheck, {}, &question->request, &question->response,
                 [question](const grpc::Status&) { std::move(question->done)(); });
}

void Server::Shutdown(int64_t grace_ms) {
  // gRPC's own deadline also waits for clients that are idle and do not look at their connection;
  // so it gets only the time that answers need to leave.
  impl_->service.AwaitCalls(std::chrono::milliseconds(grace_ms));
  impl_->questions->Close();
  impl_->questions->WaitUntilEmpty(std::chrono::milliseconds(kFlushMs));
  impl_->server->Shutdown(gpr_time_from_millis(kFlushMs, GPR_TIMESPAN));
  impl_->server->Wait();
}

}  // namespace seatlock::rpc
