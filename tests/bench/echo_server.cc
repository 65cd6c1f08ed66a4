#include "tests/bench/echo_server.h"

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>

#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::bench {
namespace {

class EchoService final : public v1::SeatLockService::CallbackService {
 public:
  grpc::ServerUnaryReactor* LockSeat(grpc::CallbackServerContext* context,
                                     const v1::LockSeatRequest* request,
                                     v1::LockSeatResponse* response) override {
    // As large as the real answer.
    v1::Lock* lock = response->mutable_lock();
    lock->set_showtime_id(request->showtime_id());
    lock->set_seat_id(request->seat_id());
    lock->set_session_id(request->session_id());
    lock->mutable_expire_time()->set_seconds(1'800'000'000);
    lock->set_fence(1000);
    response->set_revision(1000);
    response->mutable_server_time()->set_seconds(1'800'000'000);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

void RunEchoServer() {
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) std::abort();
  std::fprintf(stderr, "{\"msg\":\"listening\",\"address\":\"127.0.0.1:%d\"}\n", port);
  server->Wait();
  std::abort();  // nobody shuts it down
}

}  // namespace seatlock::bench
