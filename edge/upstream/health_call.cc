#include "edge/upstream/health_call.h"

#include <utility>

namespace seatlock::edge {

using grpc::health::v1::HealthCheckResponse;

std::shared_ptr<HealthCall> HealthCall::Begin(grpc::health::v1::Health::Stub& stub,
                                              base::Executor& executor,
                                              std::shared_ptr<base::Gate> calls,
                                              std::weak_ptr<Owner> owner, bool wait_for_ready) {
  if (!calls->Enter()) return nullptr;
  const std::shared_ptr<HealthCall> call(
      new HealthCall(executor, std::move(calls), std::move(owner)));
  call->self_ = call;
  call->context_.set_wait_for_ready(wait_for_ready);
  stub.async()->Watch(&call->context_, &call->request_, call.get());
  call->StartRead(&call->response_);
  call->StartCall();
  return call;
}

// gRPC's threads. A server that does not know the empty name says nothing bad of itself.
void HealthCall::OnReadDone(bool ok) {
  if (!ok) return;
  const bool serving = response_.status() != HealthCheckResponse::NOT_SERVING;
  executor_.Post([self = shared_from_this(), serving] {
    if (const auto owner = self->owner_.lock()) owner->OnHealth(self.get(), serving);
  });
  StartRead(&response_);
}

void HealthCall::OnDone(const grpc::Status& status) {
  const std::shared_ptr<base::Gate> calls = calls_;
  executor_.Post([self = std::move(self_), status] {
    if (const auto owner = self->owner_.lock()) owner->OnHealthEnd(self.get(), status);
  });
  calls->Leave();
}

}  // namespace seatlock::edge
