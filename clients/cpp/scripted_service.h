// For tests: a SeatLockService on a loopback port whose answers are scripted, one function a call.
// What is not scripted answers UNIMPLEMENTED. Thread-safe.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/rendezvous.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::client {

// A refusal as the service sends it.
template <typename... Details>
grpc::Status Refusal(grpc::StatusCode code, const std::string& reason,
                     const std::map<std::string, std::string>& metadata,
                     const Details&... details) {
  google::rpc::ErrorInfo info;
  info.set_domain("seatlock");
  info.set_reason(reason);
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  google::rpc::Status status;
  status.set_code(code);
  status.add_details()->PackFrom(info);
  (status.add_details()->PackFrom(details), ...);
  return {code, "refused: " + reason, status.SerializeAsString()};
}

// A showtime that prefers `servers[0]` to servers[1], that to servers[2], and so on.
inline std::string ShowtimeThatPrefers(const std::vector<std::string>& servers) {
  for (int number = 0;; ++number) {
    const std::string showtime = std::to_string(number);
    const std::vector<size_t> ranked = base::RankServers(servers, showtime);
    if (std::is_sorted(ranked.begin(), ranked.end())) return showtime;
  }
}

class ScriptedService final : public v1::SeatLockService::Service {
 public:
  using Writer = grpc::ServerWriter<v1::WatchShowtimeResponse>;
  using LockScript = std::function<grpc::Status(grpc::ServerContext&, v1::LockSeatResponse*)>;
  using WatchScript = std::function<grpc::Status(grpc::ServerContext&, Writer&)>;

  ScriptedService() { Start(0); }
  ~ScriptedService() override { Stop(); }

  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }
  // Ends as a service that drains: what it has begun is answered.
  void Drain() {
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(20));
    server_ = nullptr;
  }
  // On the same port again.
  void Restart() { Start(port_); }

  // The answers to come, in order; the last one stays.
  void ScriptLocks(std::vector<LockScript> scripts) {
    base::MutexLock lock(mu_);
    lock_scripts_ = {scripts.begin(), scripts.end()};
  }
  void ScriptWatches(std::vector<WatchScript> scripts) {
    base::MutexLock lock(mu_);
    watch_scripts_ = {scripts.begin(), scripts.end()};
  }

  // What came in so far.
  std::vector<v1::LockSeatRequest> locks() const {
    base::MutexLock lock(mu_);
    return locks_;
  }
  std::vector<v1::WatchShowtimeRequest> watches() const {
    base::MutexLock lock(mu_);
    return watches_;
  }
  // Streams that have not ended yet.
  int open_watches() const {
    base::MutexLock lock(mu_);
    return open_watches_;
  }

  grpc::Status LockSeat(grpc::ServerContext* context, const v1::LockSeatRequest* request,
                        v1::LockSeatResponse* response) override {
    const LockScript script = Take(*request, &locks_, &lock_scripts_);
    return script(*context, response);
  }
  grpc::Status WatchShowtime(grpc::ServerContext* context, const v1::WatchShowtimeRequest* request,
                             Writer* writer) override {
    const WatchScript script = Take(*request, &watches_, &watch_scripts_);
    Opened(1);
    const grpc::Status status = script(*context, *writer);
    Opened(-1);
    return status;
  }
  grpc::Status GetShowtime(grpc::ServerContext*, const v1::GetShowtimeRequest*,
                           v1::GetShowtimeResponse*) override {
    base::MutexLock lock(mu_);
    return ++gets_ == 1 ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "") : grpc::Status::OK;
  }

 private:
  void Start(int port) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  void Opened(int more) {
    base::MutexLock lock(mu_);
    open_watches_ += more;
  }

  template <typename Request, typename Script>
  Script Take(const Request& request, std::vector<Request>* requests,
              std::deque<Script>* scripts) const {
    base::MutexLock lock(mu_);
    requests->push_back(request);
    Script script = scripts->front();
    if (scripts->size() > 1) scripts->pop_front();
    return script;
  }

  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  mutable base::Mutex mu_;
  // Guarded by mu_, but handed to Take by address.
  std::deque<LockScript> lock_scripts_;
  std::deque<WatchScript> watch_scripts_;
  std::vector<v1::LockSeatRequest> locks_;
  std::vector<v1::WatchShowtimeRequest> watches_;
  int gets_ = 0;
  int open_watches_ = 0;
};

}  // namespace seatlock::client
