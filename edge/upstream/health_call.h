// One call of grpc.health.v1.Health/Watch: what a server says of itself, as a whole.
//
// Lifetime: as a Stream's (stream.h): it holds itself from Begin() until OnDone, its owner hears of
// it on the strand and holds it as long as it cares, and Cancel()s it else.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "common/base/executor.h"
#include "common/base/gate.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace seatlock::edge {

class HealthCall final : public grpc::ClientReadReactor<grpc::health::v1::HealthCheckResponse>,
                         public std::enable_shared_from_this<HealthCall> {
 public:
  // Called on the strand.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnHealth(const HealthCall* call, bool serving) = 0;
    // Last.
    virtual void OnHealthEnd(const HealthCall* call, const grpc::Status& status) = 0;
  };

  // Null if the gate is closed. With `wait_for_ready` the call waits for a connection, else it ends
  // if there can't be one.
  static std::shared_ptr<HealthCall> Begin(grpc::health::v1::Health::Stub& stub,
                                           base::Executor& executor,
                                           std::shared_ptr<base::Gate> calls,
                                           std::weak_ptr<Owner> owner, bool wait_for_ready);

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  HealthCall(base::Executor& executor, std::shared_ptr<base::Gate> calls,
             std::weak_ptr<Owner> owner)
      : owner_(std::move(owner)), executor_(executor), calls_(std::move(calls)) {}

  const std::weak_ptr<Owner> owner_;
  base::Executor& executor_;  // Until OnDone.
  const std::shared_ptr<base::Gate> calls_;

  std::shared_ptr<HealthCall> self_;  // From Begin() until OnDone.
  grpc::ClientContext context_;
  grpc::health::v1::HealthCheckRequest request_;
  grpc::health::v1::HealthCheckResponse response_;
};

}  // namespace seatlock::edge
