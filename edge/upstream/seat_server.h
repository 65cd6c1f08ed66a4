// One server: its channel, and how it is. One of several is asked for its health all the time
// (grpc.health.v1), which also keeps its channel connected; of the only one nothing is asked, and
// what its streams say is told by Saw().
//
//   state       | event                                    | what happens → next state
//   ------------+------------------------------------------+--------------------------------------
//   kUnknown    | (the beginning)                          | its health is asked for
//   any         | it says SERVING, or knows no health      | → kServing; one that knows no health
//               |                                          | is asked again after kHealthAgainMs
//               | it says NOT_SERVING                      | → kNotServing
//               | the health call ends, or can't begin     | → kAway; begun again after a pause,
//               |                                          | as soon as there is a connection
//
// Strand-bound; shared by the list of servers and by those that have a stream on it. Its channel is
// thread-safe.
#pragma once

#include <memory>
#include <string>

#include "common/base/gate.h"
#include "edge/showtime/upstream_notice.h"
#include "edge/upstream/backoff.h"
#include "edge/upstream/health_call.h"
#include "edge/upstream/options.h"
#include "edge/upstream/server_board.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::edge {

class SeatServer final : public HealthCall::Owner, public std::enable_shared_from_this<SeatServer> {
 public:
  class Host {
   public:
    virtual ~Host() = default;
    // Its state is another one.
    virtual void OnState(SeatServer& server) = 0;
  };

  // Connects with the first call. `authority` is what it is called in requests, and by its
  // certificate, if that is not its address. `host` outlives the time until GiveUp().
  SeatServer(const std::string& address, const std::string& authority,
             const UpstreamOptions& options, std::shared_ptr<base::Gate> calls, Host& host);

  // Asks for its health from now on. Does nothing the second time.
  void AskForHealth();
  // Nothing is asked or told any more: it is no longer in the list.
  void GiveUp();
  // From now on nobody is told whether it is there.
  void Silence() { notice_.Silence(); }
  // What the streams on it say. Does nothing if it is asked itself.
  void Saw(bool up);

  const std::string& address() const { return entry_->address; }
  ServerState state() const { return entry_->state; }
  bool serving() const { return state() == ServerState::kServing; }
  // Whether its health is asked for.
  bool asked() const { return asked_; }
  bool given_up() const { return given_up_; }
  // Whether a stream may be tried on it. The only server is always tried.
  bool usable() const { return !given_up_ && !(asked_ && state() == ServerState::kAway); }

  v1::SeatLockService::Stub& stub() { return *stub_; }
  const std::shared_ptr<ServerEntry>& entry() const { return entry_; }

  void OnHealth(const HealthCall* call, bool serving) override;
  void OnHealthEnd(const HealthCall* call, const grpc::Status& status) override;

 private:
  void Become(ServerState next);
  void AskLater(int64_t delay_ms, bool wait_for_ready);
  void Ask(bool wait_for_ready);

  const UpstreamOptions& options_;
  const std::shared_ptr<base::Gate> calls_;
  Host& host_;
  const std::shared_ptr<ServerEntry> entry_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::SeatLockService::Stub> stub_;
  const std::unique_ptr<grpc::health::v1::Health::Stub> health_stub_;
  bool asked_ = false;
  bool given_up_ = false;
  std::shared_ptr<HealthCall> call_;  // Null between two.
  Backoff backoff_;
  UpstreamNotice notice_;
};

}  // namespace seatlock::edge
