// Ends a call whose reader takes nothing any more, from any thread and however long the call lasts.
//
// Thread-safe; shared by the call and whoever may end it, so it outlives the call.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>

#include "common/base/mutex.h"

namespace seatlock::rpc {

class Cutter {
 public:
  explicit Cutter(grpc::CallbackServerContext& context) : context_(&context) {}

  // UNAVAILABLE overtakes the messages that the reader has not made room for. gRPC's core can send
  // no details with it, so there is no RetryInfo.
  void Cut() {
    base::MutexLock lock(mu_);
    if (context_ == nullptr) return;
    grpc_call_cancel_with_status(context_->c_call(), GRPC_STATUS_UNAVAILABLE,
                                 "this call was not read for too long", nullptr);
  }
  // The call is over: its context goes.
  void OnDone() {
    base::MutexLock lock(mu_);
    context_ = nullptr;
  }

 private:
  base::Mutex mu_;
  grpc::CallbackServerContext* context_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::rpc
